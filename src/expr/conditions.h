// What operators make of bound operands: conditions, folded constants, arithmetic.
#pragma once

#include "base/status.h"
#include "expr/lexer.h"
#include "expr/operand.h"
#include "model/predicate.h"

namespace elanus::expr {

// All fail with kInvalidParameter when the operands do not fit, unless said otherwise.

/// `left op right` of + - * / % ** & | ^: a constant, or a value with one arithmetic step.
Result<Operand> BindArithmetic(const Operand& left, const Operand& right, TokenKind op);
/// `left op right`. kSegcore for two array elements, which the reference refuses when it runs.
Result<Operand> BindComparison(const Operand& left, const Operand& right, model::Compare op);
/// `left in right`.
Result<Operand> BindIn(const Operand& left, const Operand& right, bool negated);
/// `left like right`, =~, !~. kSegcore for a LIKE pattern that ends in a lone escape.
Result<Operand> BindMatch(const Operand& left, const Operand& right, TokenKind op);
/// `low op value op2 high`.
Result<Operand> BindRange(Operand low, const Operand& value, Operand high, TokenKind op,
                          TokenKind op2);
/// `exists path`.
Result<Operand> BindExists(const Operand& value);
/// `value is null`, or `is not null`.
Result<Operand> BindIsNull(const Operand& value, bool negated);

}  // namespace elanus::expr
