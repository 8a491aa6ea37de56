// Operations on file resources, see roles::FileResources.
#pragma once

#include <string>
#include <vector>

#include "proxy/services.h"
#include "roles/file_resources.h"

namespace elanus::proxy {

/// Makes them those of the process, as the files are that its analyzers read; null: there are none.
/// They outlive the requests that are served. Thread-safe.
void SetFileResources(roles::FileResources* resources);

/// kUnimplemented when there are none, as of the others.
Status AddFileResource(Context& ctx, Services& services, const std::string& name,
                       const std::string& path);
Status RemoveFileResource(Context& ctx, Services& services, const std::string& name);
/// By name.
Result<std::vector<model::FileResource>> ListFileResources();

}  // namespace elanus::proxy
