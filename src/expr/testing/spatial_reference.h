// What spatial tests mean, for points, lines along an axis and rectangles: few enough that plain
// comparisons of their sides say it all. Shares no code with geometry/.
#pragma once

#include <string>
#include <string_view>

#include "expr/testing/world.h"

namespace elanus::expr::testing {

/// A geometry as rows hold it: a list of least and greatest x, least and greatest y; an empty list
/// for one without a point.
Datum DrawShape(Dice& dice);
/// As well-known text.
std::string WktOf(const Datum& shape);

/// `value RELATION constant`, the relation as functions spell it behind "st_".
Truth Related(const Datum& value, std::string_view relation, const Datum& constant);
/// Whether `value` is within `metres` of a point.
Truth IsNear(const Datum& value, int64_t x, int64_t y, double metres);

}  // namespace elanus::expr::testing
