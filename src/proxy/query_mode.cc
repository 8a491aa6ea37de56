// Modes of queries.
#include "proxy/query_mode.h"

#include <algorithm>

namespace elanus::proxy {
namespace {

constexpr std::string_view kLargeTopK = "large_topk";

}  // namespace

Status CheckQueryMode(const std::vector<model::KeyValue>& properties) {
  const std::string* mode = model::Find(properties, kQueryModeKey);
  if (mode == nullptr || *mode == kLargeTopK) return {};
  return Invalid("query_mode should be {}, got {}", kLargeTopK, *mode);
}

ProxyOptions LimitsOf(const ProxyOptions& options, const std::vector<model::KeyValue>& properties) {
  ProxyOptions limits = options;
  const std::string* mode = model::Find(properties, kQueryModeKey);
  if (mode == nullptr || *mode != kLargeTopK) return limits;
  limits.top_k_max = std::max(options.top_k_max, options.large_top_k_max);
  limits.query_window_max = std::max(options.query_window_max, options.large_query_window_max);
  return limits;
}

}  // namespace elanus::proxy
