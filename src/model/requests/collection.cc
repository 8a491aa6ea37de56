// Names of consistency levels.
#include "model/requests/collection.h"

#include <array>

namespace elanus::model {

std::optional<ConsistencyLevel> ConsistencyLevelOf(std::string_view text) {
  constexpr auto kNames =
      std::to_array<std::string_view>({"Strong", "Session", "Bounded", "Eventually", "Customized"});
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (text == kNames[i] || text == std::to_string(i)) return static_cast<ConsistencyLevel>(i);
  }
  return std::nullopt;
}

}  // namespace elanus::model
