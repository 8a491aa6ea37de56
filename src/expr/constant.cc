// Constant folding.
#include "expr/constant.h"

#include <cmath>

namespace elanus::expr {

using model::Compare;
using model::Scalar;

Compare Mirrored(Compare op) {
  switch (op) {
    case Compare::kLt:
      return Compare::kGt;
    case Compare::kLe:
      return Compare::kGe;
    case Compare::kGt:
      return Compare::kLt;
    case Compare::kGe:
      return Compare::kLe;
    default:
      return op;
  }
}

std::optional<Compare> CompareOf(TokenKind op) {
  switch (op) {
    case TokenKind::kEqual:
      return Compare::kEq;
    case TokenKind::kNotEqual:
      return Compare::kNe;
    case TokenKind::kLess:
      return Compare::kLt;
    case TokenKind::kLessEqual:
      return Compare::kLe;
    case TokenKind::kGreater:
      return Compare::kGt;
    case TokenKind::kGreaterEqual:
      return Compare::kGe;
    default:
      return std::nullopt;
  }
}

std::optional<ArithOp> ArithOf(TokenKind op) {
  switch (op) {
    case TokenKind::kPlus:
      return ArithOp::kAdd;
    case TokenKind::kMinus:
      return ArithOp::kSub;
    case TokenKind::kStar:
      return ArithOp::kMul;
    case TokenKind::kSlash:
      return ArithOp::kDiv;
    case TokenKind::kPercent:
      return ArithOp::kMod;
    case TokenKind::kAmpersand:
      return ArithOp::kAnd;
    case TokenKind::kPipe:
      return ArithOp::kOr;
    case TokenKind::kCaret:
      return ArithOp::kXor;
    default:
      return std::nullopt;
  }
}

namespace {

Result<Scalar> Power(const Scalar& left, const Scalar& right) {
  const double real = std::pow(left.number(), right.number());
  if (left.is_int() && right.is_int() && right.as_int() >= 0) {
    int64_t result = 1;
    bool fits = true;
    // Past 64 steps only 0, 1 and -1 still fit, and they repeat with period two.
    const int64_t steps = right.as_int() > 64 ? 64 + right.as_int() % 2 : right.as_int();
    for (int64_t i = 0; i < steps && fits; ++i) {
      fits = !__builtin_mul_overflow(result, left.as_int(), &result);
    }
    if (fits) return Scalar(result);
  }
  return Scalar(real);
}

}  // namespace

Result<Scalar> FoldArithmetic(TokenKind op, const Scalar& left, const Scalar& right) {
  const auto is_number = [](const Scalar& s) { return s.is_int() || s.is_double(); };
  if (!is_number(left) || !is_number(right)) {
    return Invalid("arithmetic can only be applied to numbers");
  }
  if (op == TokenKind::kPower) return Power(left, right);
  const bool ints = left.is_int() && right.is_int();
  const auto wrap = [](uint64_t v) { return Scalar(static_cast<int64_t>(v)); };
  const uint64_t a = ints ? static_cast<uint64_t>(left.as_int()) : 0;
  const uint64_t b = ints ? static_cast<uint64_t>(right.as_int()) : 0;
  switch (op) {
    case TokenKind::kPlus:
      return ints ? wrap(a + b) : Scalar(left.number() + right.number());
    case TokenKind::kMinus:
      return ints ? wrap(a - b) : Scalar(left.number() - right.number());
    case TokenKind::kStar:
      return ints ? wrap(a * b) : Scalar(left.number() * right.number());
    case TokenKind::kSlash:
      if (right.number() == 0) return Invalid("divide by zero");
      if (!ints) return Scalar(left.number() / right.number());
      return right.as_int() == -1 ? wrap(0 - a) : Scalar(left.as_int() / right.as_int());
    case TokenKind::kPercent:
      if (!ints) return Invalid("modulo can only apply on integer types");
      if (right.as_int() == 0) return Invalid("modulo by zero");
      return right.as_int() == -1 ? Scalar(int64_t{0}) : Scalar(left.as_int() % right.as_int());
    case TokenKind::kAmpersand:
    case TokenKind::kPipe:
    case TokenKind::kCaret:
      if (!ints) return Invalid("bitwise operations can only apply on integer types");
      return wrap(op == TokenKind::kAmpersand ? a & b : op == TokenKind::kPipe ? a | b : a ^ b);
    default:
      return Invalid("unsupported operator between constants");
  }
}

Result<bool> FoldCompare(Compare op, const Scalar& left, const Scalar& right) {
  const auto order = [](const auto& a, const auto& b) { return a < b ? -1 : b < a ? 1 : 0; };
  const auto is_number = [](const Scalar& s) { return s.is_int() || s.is_double(); };
  if (left.is_int() && right.is_int()) return Holds(op, order(left.as_int(), right.as_int()));
  if (is_number(left) && is_number(right)) {
    return HoldsDouble(op, left.number(), right.number());
  }
  if (left.is_string() && right.is_string()) {
    return Holds(op, order(left.as_string(), right.as_string()));
  }
  if (left.is_bool() && right.is_bool() && (op == Compare::kEq || op == Compare::kNe)) {
    return Holds(op, order(left.as_bool(), right.as_bool()));
  }
  return Invalid("comparison operations cannot be applied to two incompatible operands");
}

}  // namespace elanus::expr
