// Arithmetic and comparison of constants, as binding folds them.
#pragma once

#include <optional>

#include "base/status.h"
#include "expr/lexer.h"
#include "expr/node.h"

namespace elanus::expr {

/// Folds `left op right`. Errors: kInvalidParameter (types, zero divisor).
Result<model::Scalar> FoldArithmetic(TokenKind op, const model::Scalar& left,
                                     const model::Scalar& right);
/// Folds a comparison.
Result<bool> FoldCompare(model::Compare op, const model::Scalar& left, const model::Scalar& right);

/// `order` (-1, 0, 1) under a comparison.
constexpr bool Holds(model::Compare op, int order) {
  switch (op) {
    case model::Compare::kEq:
      return order == 0;
    case model::Compare::kNe:
      return order != 0;
    case model::Compare::kLt:
      return order < 0;
    case model::Compare::kLe:
      return order <= 0;
    case model::Compare::kGt:
      return order > 0;
    case model::Compare::kGe:
      return order >= 0;
  }
  return false;
}

/// `left op right` as IEEE has it: NaN is unequal to everything and has no order.
constexpr bool HoldsDouble(model::Compare op, double left, double right) {
  if (left != left || right != right) return op == model::Compare::kNe;
  return Holds(op, left < right ? -1 : left > right);
}

/// The comparison with its sides exchanged.
model::Compare Mirrored(model::Compare op);
std::optional<model::Compare> CompareOf(TokenKind op);
std::optional<ArithOp> ArithOf(TokenKind op);

}  // namespace elanus::expr
