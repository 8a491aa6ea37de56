// Pausing the removal of unused files, asked over HTTP: /management/datacoord/garbage_collection/
// pause and resume of the management port.
#pragma once

#include <vector>

#include "roles/garbage_collection.h"
#include "wire/http/management_server.h"

namespace elanus::wire {

/// Answers as JSON: {"msg":"OK"}, of pause with the "ticket"; of what is wrong in the request 400
/// and {"msg":...}. `garbage` must outlive the routes.
std::vector<ManagementRoute> GarbageRoutes(roles::GarbageCollection& garbage);

}  // namespace elanus::wire
