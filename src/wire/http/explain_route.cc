// POST /explain.
#include "wire/http/explain_route.h"

#include <nlohmann/json.hpp>

#include "base/error_code.h"
#include "proxy/explain.h"

namespace elanus::wire {

ManagementRoute ExplainRoute(proxy::Services& services) {
  const auto run = [&services](Context& ctx, std::string_view query,
                               std::string_view body) -> HttpAnswer {
    const bool as_text = query == "format=text";
    const auto report = proxy::Explain(ctx, services, body, as_text);
    if (report.ok()) {
      return {.status = 200,
              .content_type = as_text ? "text/plain; charset=utf-8" : "application/json",
              .body = *report + "\n"};
    }
    const nlohmann::json error = {{"code", static_cast<int32_t>(report.status().code())},
                                  {"message", report.status().message()}};
    return {.status = InfoOf(report.status().code()).http_status,
            .body = error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
  };
  return {.path = "/explain", .run = run};
}

}  // namespace elanus::wire
