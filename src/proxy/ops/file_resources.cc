// Files that parameters of analyzers name.
#include "proxy/file_resources.h"

#include <atomic>

#include "proxy/checks.h"

namespace elanus::proxy {
namespace {

std::atomic<roles::FileResources*> of_process = nullptr;

Result<roles::FileResources*> Resources() {
  if (roles::FileResources* resources = of_process.load()) return resources;
  return Status(ErrorCode::kUnimplemented, "this server keeps no file resources");
}

}  // namespace

void SetFileResources(roles::FileResources* resources) { of_process = resources; }

Status AddFileResource(Context& ctx, Services& services, const std::string& name,
                       const std::string& path) {
  TRY_ASSIGN(roles::FileResources* const resources, Resources());
  TRY(CheckName(services.options, "file resource name", name));
  return resources->Add(ctx, name, path);
}

Status RemoveFileResource(Context& ctx, Services& services, const std::string& name) {
  TRY_ASSIGN(roles::FileResources* const resources, Resources());
  TRY(CheckName(services.options, "file resource name", name));
  return resources->Remove(ctx, name);
}

Result<std::vector<model::FileResource>> ListFileResources() {
  TRY_ASSIGN(roles::FileResources* const resources, Resources());
  return resources->List();
}

}  // namespace elanus::proxy
