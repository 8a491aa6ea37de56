// GET /metrics.
#include "wire/http/metrics_route.h"

#include "base/metrics.h"

namespace elanus::wire {

ManagementRoute MetricsRoute() {
  const auto run = [](Context&, std::string_view, std::string_view) -> HttpAnswer {
    return {.status = 200,
            .content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = MetricsText()};
  };
  return {.path = "/metrics", .run = run, .asked = ManagementRoute::Asked::kByGetOrHead};
}

}  // namespace elanus::wire
