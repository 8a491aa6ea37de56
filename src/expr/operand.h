// What binding makes of a piece of syntax: a constant, a value that rows have, or a condition.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "expr/node.h"
#include "model/scalar.h"
#include "model/timestamptz.h"

namespace elanus::expr {

struct Operand {
  enum class Kind {
    kConstant,
    kValue,     // source.
    kArith,     // source arith arith_operand.
    kComputed,  // An integer that a function takes from source: evaluate, as in Node.
    kCondition,
    kTime,      // A moment: constant, in microseconds.
    kInterval,  // duration.
    kShifted,   // source, a moment, and duration with its sign.
  };
  Kind kind = Kind::kConstant;
  model::Scalar constant;
  bool is_template = false;
  bool is_pattern_only = false;  // A string with a pair that is no escape.
  std::string pattern;           // A string as =~ and !~ read it.
  Source source;
  std::string name;  // Of the field or dynamic key, for messages.
  ArithOp arith = ArithOp::kNone;
  model::Scalar arith_operand;
  model::Duration duration;
  int duration_sign = 1;
  EvaluateLeaf evaluate = nullptr;
  NodePtr node;

  /// A constant as the filter wrote it, not a placeholder's value.
  bool is_literal() const { return kind == Kind::kConstant && !is_template; }
};

/// A constant true or false.
Operand Always(bool value);
/// The condition `node`, with its cost set.
Operand MakeCondition(Node node);
/// The condition that is true where `condition` is false.
Operand Negated(const Operand& condition);
/// A literal as a value of `type`. Errors: kInvalidParameter, naming the field.
Result<model::Scalar> Cast(const model::Scalar& value, model::DataType type, std::string_view name);

}  // namespace elanus::expr
