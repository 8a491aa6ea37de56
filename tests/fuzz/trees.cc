// Models of trees: any bytes are refused with an error, or any row finds its leaves.
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <vector>

#include "target.h"
#include "trees/xgboost.h"

namespace elanus::fuzz {

void Trees(const uint8_t* bytes, size_t size) {
  if (size == 0) return;
  const auto forest = trees::ReadXgboost({reinterpret_cast<const char*>(bytes) + 1, size - 1});
  if (!forest.ok()) {
    if (forest.status().message().empty()) std::abort();
    return;
  }
  const float values[] = {0,
                          1,
                          -1,
                          3,
                          std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::lowest(),
                          static_cast<float>(bytes[0])};
  std::vector<float> row(forest->features());
  for (size_t first = 0; first < std::size(values); ++first) {
    for (size_t i = 0; i < row.size(); ++i) row[i] = values[(first + i) % std::size(values)];
    if (std::isnan(forest->Margin(row))) std::abort();
  }
}

}  // namespace elanus::fuzz
