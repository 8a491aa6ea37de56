// Files that parameters of analyzers name.
#include "proxy/file_resources.h"

#include "proxy/checks.h"

namespace elanus::proxy {
namespace {

Result<roles::FileResources*> ResourcesOf(const Services& services) {
  if (services.file_resources != nullptr) return services.file_resources;
  return Status(ErrorCode::kUnimplemented, "this server keeps no file resources");
}

}  // namespace

Status AddFileResource(Context& ctx, Services& services, const std::string& name,
                       const std::string& path) {
  TRY_ASSIGN(roles::FileResources* const resources, ResourcesOf(services));
  TRY(CheckName(services.options, "file resource name", name));
  return resources->Add(ctx, name, path);
}

Status RemoveFileResource(Context& ctx, Services& services, const std::string& name) {
  TRY_ASSIGN(roles::FileResources* const resources, ResourcesOf(services));
  TRY(CheckName(services.options, "file resource name", name));
  return resources->Remove(ctx, name);
}

Result<std::vector<model::FileResource>> ListFileResources(Services& services) {
  TRY_ASSIGN(roles::FileResources* const resources, ResourcesOf(services));
  return resources->List();
}

}  // namespace elanus::proxy
