// Comparisons and ranges as closed intervals of the column's own type, which one kernel tests.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "expr/node.h"

namespace elanus::expr {

/// A value passes when it is in [low, high]; negated: when it is not, NaN included. Empty intervals
/// have low > high.
template <class T>
struct Interval {
  T low = std::numeric_limits<T>::lowest();
  T high = std::numeric_limits<T>::max();
  bool negated = false;
};

namespace intervals {

template <class T>
constexpr Interval<T> Nothing() {
  return {.low = 1, .high = 0};
}

// low and high of 64 bits, cut to what T holds.
template <class T>
Interval<T> OfInts(int64_t low, int64_t high) {
  constexpr int64_t kMin = std::numeric_limits<T>::min();
  constexpr int64_t kMax = std::numeric_limits<T>::max();
  if (low > high || high < kMin || low > kMax) return Nothing<T>();
  return {.low = static_cast<T>(low < kMin ? kMin : low),
          .high = static_cast<T>(high > kMax ? kMax : high)};
}

inline int64_t IntOf(const model::Scalar& s) { return s.is_bool() ? s.as_bool() : s.as_int(); }

// The closed bound of an exclusive one; false: nothing lies beyond it.
inline bool Step(int64_t& bound, bool up) {
  if (bound == (up ? INT64_MAX : INT64_MIN)) return false;
  bound += up ? 1 : -1;
  return true;
}
template <class T>
bool StepReal(T& bound, bool up) {
  const T end = up ? std::numeric_limits<T>::infinity() : -std::numeric_limits<T>::infinity();
  if (bound == end) return false;
  bound = std::nextafter(bound, end);
  return true;
}

// A constant of a Float column has been rounded to float, so T holds it exactly.
template <class T>
Interval<T> OfReals(T low, bool low_inclusive, T high, bool high_inclusive) {
  if (std::isnan(low) || std::isnan(high)) return Nothing<T>();
  if (!low_inclusive && !StepReal(low, /*up=*/true)) return Nothing<T>();
  if (!high_inclusive && !StepReal(high, /*up=*/false)) return Nothing<T>();
  return {.low = low, .high = high};
}

}  // namespace intervals

/// Of a test of kind kCompare or kRange.
template <class T>
Interval<T> IntervalOf(const Test& test) {
  using model::Compare;
  const bool is_range = test.kind == Test::Kind::kRange;
  const Compare op = test.op;
  const bool is_below = op == Compare::kLt || op == Compare::kLe;
  const bool is_above = op == Compare::kGt || op == Compare::kGe;
  const bool low_inclusive = is_range ? test.lower_inclusive : op != Compare::kGt;
  const bool high_inclusive = is_range ? test.upper_inclusive : op != Compare::kLt;
  const model::Scalar& first = test.values[0];
  const model::Scalar& last = test.values.back();
  Interval<T> interval;
  if constexpr (std::is_floating_point_v<T>) {
    constexpr T kEnd = std::numeric_limits<T>::infinity();
    if (!is_range && std::isnan(first.number())) {
      interval = intervals::Nothing<T>();  // Unequal to everything, in no order.
    } else {
      interval = intervals::OfReals<T>(
          is_below && !is_range ? -kEnd : static_cast<T>(first.number()), low_inclusive,
          is_above && !is_range ? kEnd : static_cast<T>(last.number()), high_inclusive);
    }
  } else {
    int64_t low = is_below && !is_range ? INT64_MIN : intervals::IntOf(first);
    int64_t high = is_above && !is_range ? INT64_MAX : intervals::IntOf(last);
    const bool some = (low_inclusive || intervals::Step(low, /*up=*/true)) &&
                      (high_inclusive || intervals::Step(high, /*up=*/false));
    interval = some ? intervals::OfInts<T>(low, high) : intervals::Nothing<T>();
  }
  interval.negated = !is_range && op == Compare::kNe;
  return interval;
}

}  // namespace elanus::expr
