// Spatial tests by comparing sides.
#include "expr/testing/spatial_reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace elanus::expr::testing {
namespace {

// The side of a shape on one axis; a point of it when both ends are the same.
struct Side {
  int64_t low, high;
  bool is_point() const { return low == high; }
  bool Meets(const Side& other) const { return low <= other.high && other.low <= high; }
  bool LiesIn(const Side& other) const { return other.low <= low && high <= other.high; }
  // Whether the inner parts meet: that of a longer side is without its ends, that of a point is it.
  bool MeetsInside(const Side& other) const {
    if (is_point() && other.is_point()) return low == other.low;
    if (is_point()) return other.low < low && low < other.high;
    if (other.is_point()) return low < other.low && other.low < high;
    return std::max(low, other.low) < std::min(high, other.high);
  }
};

struct Shape {
  Side x, y;
  explicit Shape(const Datum& datum)
      : x{datum.items[0].integer, datum.items[1].integer},
        y{datum.items[2].integer, datum.items[3].integer} {}
  int dimension() const { return (x.is_point() ? 0 : 1) + (y.is_point() ? 0 : 1); }
  bool Meets(const Shape& other) const { return x.Meets(other.x) && y.Meets(other.y); }
  bool LiesIn(const Shape& other) const { return x.LiesIn(other.x) && y.LiesIn(other.y); }
  bool MeetsInside(const Shape& other) const {
    return x.MeetsInside(other.x) && y.MeetsInside(other.y);
  }
  // Of what the inner parts have in common, when they do.
  int CommonDimension(const Shape& other) const {
    return (x.is_point() || other.x.is_point() ? 0 : 1) +
           (y.is_point() || other.y.is_point() ? 0 : 1);
  }
};

bool Holds(const Shape& a, std::string_view relation, const Shape& b) {
  const bool within = a.LiesIn(b) && a.MeetsInside(b);
  const bool contains = b.LiesIn(a) && b.MeetsInside(a);
  if (relation == "equals") return a.LiesIn(b) && b.LiesIn(a);
  if (relation == "intersects") return a.Meets(b);
  if (relation == "touches") return a.Meets(b) && !a.MeetsInside(b);
  if (relation == "within") return within;
  if (relation == "contains") return contains;
  if (!a.MeetsInside(b)) return false;
  const bool is_same_kind = a.dimension() == b.dimension();
  if (relation == "overlaps") {
    return is_same_kind && a.CommonDimension(b) == a.dimension() && !a.LiesIn(b) && !b.LiesIn(a);
  }
  // Crosses: a part of the lesser lies in the greater and a part does not; of lines a point.
  if (is_same_kind) return a.dimension() == 1 && a.CommonDimension(b) == 0;
  return a.dimension() < b.dimension() ? !a.LiesIn(b) : !b.LiesIn(a);
}

struct Arrow {
  double x, y, z;
};
Arrow Towards(int64_t longitude, int64_t latitude) {
  const double along = static_cast<double>(longitude) * M_PI / 180;
  const double up = static_cast<double>(latitude) * M_PI / 180;
  return {std::cos(up) * std::cos(along), std::cos(up) * std::sin(along), std::sin(up)};
}
// By the angle between the two directions, not by haversines.
double SphereMetres(int64_t x1, int64_t y1, int64_t x2, int64_t y2) {
  if (x1 == x2 && y1 == y2) return 0;
  const Arrow a = Towards(x1, y1);
  const Arrow b = Towards(x2, y2);
  const double cross =
      std::hypot(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
  return 6371000.0 * std::atan2(cross, a.x * b.x + a.y * b.y + a.z * b.z);
}

double PlaneDegrees(const Shape& shape, int64_t x, int64_t y) {
  const auto gap = [](const Side& side, int64_t at) {
    return static_cast<double>(std::max<int64_t>({side.low - at, at - side.high, 0}));
  };
  return std::hypot(gap(shape.x, x), gap(shape.y, y));
}

Truth From(bool value) { return value ? Truth::kTrue : Truth::kFalse; }

}  // namespace

Datum DrawShape(Dice& dice) {
  if (dice.OneIn(12)) return Datum::List({});
  const bool is_wide = !dice.OneIn(3);
  const bool is_high = !dice.OneIn(3);
  std::vector<Datum> ends;
  for (const bool is_long : {is_wide, is_high}) {
    const auto low = static_cast<int64_t>(dice.Below(5)) - 2;
    ends.push_back(Datum::Int(low));
    ends.push_back(Datum::Int(low + (is_long ? 1 + static_cast<int64_t>(dice.Below(3)) : 0)));
  }
  return Datum::List(std::move(ends));
}

std::string WktOf(const Datum& datum) {
  if (datum.items.empty()) return "POLYGON EMPTY";
  const Shape shape(datum);
  const auto [left, right] = shape.x;
  const auto [lower, upper] = shape.y;
  switch (shape.dimension()) {
    case 0:
      return fmt::format("POINT ({} {})", left, lower);
    case 1:
      return fmt::format("LINESTRING ({} {}, {} {})", left, lower, right, upper);
    default:
      return fmt::format("POLYGON (({0} {2}, {1} {2}, {1} {3}, {0} {3}, {0} {2}))", left, right,
                         lower, upper);
  }
}

Truth Related(const Datum& value, std::string_view relation, const Datum& constant) {
  if (!value.has_value()) return Truth::kUnknown;
  if (value.items.empty() || constant.items.empty()) {
    return From(relation == "equals" && value.items.empty() && constant.items.empty());
  }
  return From(Holds(Shape(value), relation, Shape(constant)));
}

Truth IsNear(const Datum& value, int64_t x, int64_t y, double metres) {
  if (!value.has_value()) return Truth::kUnknown;
  if (value.items.empty()) return Truth::kFalse;
  const Shape shape(value);
  if (shape.dimension() == 0) {
    return From(SphereMetres(shape.x.low, shape.y.low, x, y) <= metres);
  }
  const double shrunk = std::cos(static_cast<double>(y) * M_PI / 180);
  const double degree = 111320 * std::sqrt((1 + shrunk * shrunk) / 2);
  return From(PlaneDegrees(shape, x, y) * degree <= metres);
}

}  // namespace elanus::expr::testing
