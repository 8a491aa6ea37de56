// Operations on file resources, see roles::FileResources.
#pragma once

#include <string>
#include <vector>

#include "proxy/services.h"

namespace elanus::proxy {

/// Errors: kUnimplemented when the services have none, as of the others; those of the resources.
Status AddFileResource(Context& ctx, Services& services, const std::string& name,
                       const std::string& path);
Status RemoveFileResource(Context& ctx, Services& services, const std::string& name);
/// By name.
Result<std::vector<model::FileResource>> ListFileResources(Services& services);

}  // namespace elanus::proxy
