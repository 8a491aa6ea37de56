// What is known of the values of a few thousand rows without reading them: enough to tell that all
// or none of them pass a test.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "model/box.h"
#include "model/column.h"

namespace elanus::model {

/// Of the valid rows: least and greatest value, in the member that the column's type asks for
/// (Bool, integers, Timestamptz: ints; Float, Double: reals, NaN apart; VarChar: texts, which
/// borrow the column's bytes).
struct BlockStats {
  uint64_t nulls = 0;
  bool has_range = false;  // False: no value, or a type without an order; the range means nothing.
  bool has_nan = false;
  int64_t int_min = 0;
  int64_t int_max = 0;
  double real_min = 0;
  double real_max = 0;
  std::string_view text_min;
  std::string_view text_max;
  std::optional<Box> box;  // Of Geometry: around all of them. None: unknown.
};

BlockStats StatsOf(const ColumnView& column);

}  // namespace elanus::model
