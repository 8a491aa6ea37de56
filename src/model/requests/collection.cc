// Names of consistency levels.
#include "model/requests/collection.h"

#include <array>

namespace elanus::model {
namespace {

constexpr auto kNames =
    std::to_array<std::string_view>({"Strong", "Session", "Bounded", "Eventually", "Customized"});

}  // namespace

std::string_view NameOf(ConsistencyLevel level) {
  const auto place = static_cast<size_t>(level);
  return place < kNames.size() ? kNames[place] : "unknown";
}

std::optional<ConsistencyLevel> ConsistencyLevelOf(std::string_view text) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (text == kNames[i] || text == std::to_string(i)) return static_cast<ConsistencyLevel>(i);
  }
  return std::nullopt;
}

}  // namespace elanus::model
