// Tests of single values.
#include <algorithm>
#include <cmath>

#include "expr/batch.h"
#include "expr/constant.h"
#include "expr/regex.h"
#include "expr/value_set.h"

namespace elanus::expr {
namespace {

using model::Scalar;

template <class T, class Get>
bool TestOrdered(const Test& test, const T& value, Get get) {
  const auto order = [&](const Scalar& constant) {
    const auto& c = get(constant);
    return value < c ? -1 : c < value ? 1 : 0;
  };
  switch (test.kind) {
    case Test::Kind::kCompare:
      return Holds(test.op, order(test.values[0]));
    case Test::Kind::kIn: {
      const auto found =
          std::lower_bound(test.values.begin(), test.values.end(), value,
                           [&](const Scalar& constant, const T& v) { return get(constant) < v; });
      return found != test.values.end() && order(*found) == 0;
    }
    case Test::Kind::kRange: {
      const int low = order(test.values[0]);
      const int high = order(test.values[1]);
      return (test.lower_inclusive ? low >= 0 : low > 0) &&
             (test.upper_inclusive ? high <= 0 : high < 0);
    }
    default:
      return false;
  }
}

}  // namespace

bool TestText(const Test& test, std::string_view text) {
  if (test.kind == Test::Kind::kLike) return test.like->Matches(text);
  if (test.kind == Test::Kind::kRegex) return test.regex->Matches(text);
  if (test.set != nullptr) return test.set->Has(text);
  return TestOrdered(test, text, [](const Scalar& s) -> std::string_view { return s.as_string(); });
}

bool TestInt(const Test& test, int64_t value) {
  if (test.set != nullptr) return test.set->Has(ValueSet::KeyOf(value));
  return TestOrdered(
      test, value, [](const Scalar& s) { return s.is_bool() ? int64_t{s.as_bool()} : s.as_int(); });
}

bool TestDouble(const Test& test, double value) {
  if (test.kind == Test::Kind::kCompare) {
    return HoldsDouble(test.op, value, test.values[0].number());
  }
  if (std::isnan(value)) return false;
  if (test.set != nullptr) return test.set->Has(ValueSet::KeyOf(value));
  return TestOrdered(test, value, [](const Scalar& s) { return s.number(); });
}

bool TestArithInt(const Test& test, int64_t value) {
  const int64_t operand = test.arith_operand.as_int();
  const auto a = static_cast<uint64_t>(value);
  const auto b = static_cast<uint64_t>(operand);
  int64_t result = 0;
  switch (test.arith) {
    case ArithOp::kAdd:
      result = static_cast<int64_t>(a + b);
      break;
    case ArithOp::kSub:
      result = static_cast<int64_t>(a - b);
      break;
    case ArithOp::kMul:
      result = static_cast<int64_t>(a * b);
      break;
    case ArithOp::kDiv:
      result = operand == -1 ? static_cast<int64_t>(0 - a) : value / operand;
      break;
    case ArithOp::kMod:
      result = operand == -1 ? 0 : value % operand;
      break;
    case ArithOp::kAnd:
      result = static_cast<int64_t>(a & b);
      break;
    case ArithOp::kOr:
      result = static_cast<int64_t>(a | b);
      break;
    case ArithOp::kXor:
      result = static_cast<int64_t>(a ^ b);
      break;
    case ArithOp::kNone:
      result = value;
      break;
  }
  const int64_t right = test.values[0].as_int();
  return Holds(test.op, result < right ? -1 : result > right);
}

bool TestArithDouble(const Test& test, double value) {
  const double operand = test.arith_operand.number();
  double result = value;
  switch (test.arith) {
    case ArithOp::kAdd:
      result = value + operand;
      break;
    case ArithOp::kSub:
      result = value - operand;
      break;
    case ArithOp::kMul:
      result = value * operand;
      break;
    case ArithOp::kDiv:
      result = value / operand;
      break;
    default:
      break;
  }
  return HoldsDouble(test.op, result, test.values[0].number());
}

}  // namespace elanus::expr
