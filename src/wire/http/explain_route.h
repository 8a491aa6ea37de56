// How reads are run, asked over HTTP: POST /explain of the management port.
#pragma once

#include "proxy/services.h"
#include "wire/http/management_server.h"

namespace elanus::wire {

/// The body describes a read, see proxy::Explain; "format=text" in the query asks for lines of text
/// instead of JSON. A failed read is answered with the HTTP status of its code, and code and
/// message as JSON. `services` must outlive the route.
ManagementRoute ExplainRoute(proxy::Services& services);

}  // namespace elanus::wire
