// What the process counts, asked over HTTP: GET /metrics of the management port.
#pragma once

#include "wire/http/management_server.h"

namespace elanus::wire {

/// Answers in the text format of Prometheus.
ManagementRoute MetricsRoute();

}  // namespace elanus::wire
