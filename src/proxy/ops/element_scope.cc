// Reading element_scope.
#include "proxy/ops/element_scope.h"

#include <nlohmann/json.hpp>
#include <string>

namespace elanus::proxy {
namespace {

using nlohmann::json;
using Kind = model::ElementFold::Kind;

Result<Kind> KindNamed(const std::string& name) {
  if (name == "max") return Kind::kMax;
  if (name == "sum") return Kind::kSum;
  if (name == "avg") return Kind::kAvg;
  if (name == "topk_sum") return Kind::kTopSum;
  if (name == "topk_avg") return Kind::kTopAvg;
  return Invalid("element_scope: strategy should be max, sum, avg, topk_sum or topk_avg, got {}",
                 name);
}

bool TakesTop(Kind kind) { return kind == Kind::kTopSum || kind == Kind::kTopAvg; }

}  // namespace

Result<model::ElementFold> ParseElementScope(const json& scope) {
  if (!scope.is_object()) return Invalid("element_scope should be a JSON object");
  model::ElementFold fold;
  for (const auto& [key, value] : scope.items()) {
    if (key != "collapse" || !value.is_object())
      return Invalid("element_scope should hold an object collapse, got {}", key);
    for (const auto& [name, setting] : value.items()) {
      if (name == "strategy" && setting.is_string()) {
        TRY_ASSIGN(fold.kind, KindNamed(setting.get<std::string>()));
      } else if (name == "topk" && setting.is_number_integer() && setting.get<int64_t>() > 0 &&
                 setting.get<int64_t>() <= UINT32_MAX) {
        fold.top = static_cast<uint32_t>(setting.get<int64_t>());
      } else {
        return Invalid("element_scope: collapse takes a strategy and a topk above 0, got {}: {}",
                       name, setting.dump());
      }
    }
  }
  if (TakesTop(fold.kind) && fold.top == 0)
    return Invalid("element_scope: topk is required with topk_sum and topk_avg");
  if (!TakesTop(fold.kind) && fold.top != 0)
    return Invalid("element_scope: topk is for topk_sum and topk_avg");
  return fold;
}

Status CheckFold(const model::ElementFold& fold, model::Metric metric) {
  if (fold.kind == Kind::kMax || model::LargerIsBetter(metric)) return {};
  return Invalid("element_scope: metric {} takes the strategy max only", NameOf(metric));
}

}  // namespace elanus::proxy
