// Operators over bound operands.
#include "expr/conditions.h"

#include <algorithm>
#include <cmath>

#include "expr/constant.h"
#include "expr/regex.h"
#include "expr/value_set.h"

namespace elanus::expr {
namespace {

using model::Compare;
using model::DataType;
using model::Scalar;

// A literal for comparing with `source`. A Float column is compared as it was stored: 0.1 finds the
// rows into which 0.1 was written.
Result<Scalar> CastFor(const Source& source, const Scalar& value, std::string_view name) {
  TRY_ASSIGN(Scalar cast, Cast(value, source.type, name));
  if (source.kind == Source::Kind::kColumn && source.type == DataType::kFloat) {
    cast = static_cast<double>(static_cast<float>(cast.as_double()));
  }
  return cast;
}

Status CheckArith(const Operand& operand) {
  const Scalar& constant = operand.arith_operand;
  if (!constant.is_int() && !constant.is_double()) return Invalid("arithmetic needs a number");
  const bool int_only = operand.arith == ArithOp::kMod || operand.arith >= ArithOp::kAnd;
  if (int_only && !constant.is_int()) return Invalid("modulo and bitwise need an integer constant");
  const Source& source = operand.source;
  if (source.kind == Source::Kind::kArray) return Invalid("arithmetic on a whole array");
  if (source.kind != Source::Kind::kJson) {
    const bool is_int = model::IsInteger(source.type);
    if (!is_int && !model::IsFloating(source.type))
      return Invalid("arithmetic on a field that is no number");
    if (is_int && !constant.is_int()) {
      return Invalid("float constant cannot be used with an integer field in arithmetic");
    }
    if (!is_int && int_only) return Invalid("modulo and bitwise need an integer field");
  }
  if ((operand.arith == ArithOp::kDiv || operand.arith == ArithOp::kMod) &&
      constant.number() == 0) {
    return Invalid("divide by zero");
  }
  return {};
}

Result<Operand> Columns(const Operand& left, const Operand& right, Compare op) {
  const auto is_json = [](const Source& s) { return s.kind == Source::Kind::kJson; };
  if (is_json(left.source) || is_json(right.source)) {
    return Invalid("two column comparison with JSON type is not supported");
  }
  if (left.source.kind != Source::Kind::kColumn || right.source.kind != Source::Kind::kColumn) {
    return Error(ErrorCode::kSegcore,
                 "comparison of array elements is not supported[segcoreCode=2028]");
  }
  const auto is_number = [](DataType t) { return model::IsInteger(t) || model::IsFloating(t); };
  const DataType a = left.source.type;
  const DataType b = right.source.type;
  const bool comparable = (is_number(a) && is_number(b)) ||
                          (a == b && (a == DataType::kVarChar || a == DataType::kBool));
  if (!comparable) return Invalid("cannot compare {} with {}", NameOf(a), NameOf(b));
  Node node{.kind = Node::Kind::kColumns, .source = left.source, .other = right.source, .op = op};
  return MakeCondition(std::move(node));
}

Result<Operand> CompareArith(const Operand& value, const Scalar& constant, Node node) {
  if (!constant.is_int() && !constant.is_double()) return Invalid("arithmetic gives a number");
  const Source& source = value.source;
  Scalar right = constant;
  if (source.kind == Source::Kind::kJson) {
    if (value.arith_operand.is_int() && !constant.is_int()) {
      return Invalid("an integer is needed beside integer arithmetic on JSON");
    }
    if (value.arith_operand.is_double()) right = constant.number();
  } else if (model::IsInteger(source.type)) {
    if (!constant.is_int())
      return Invalid("float constant cannot be compared with an integer field");
  } else {
    right = constant.number();
  }
  node.test.values = {std::move(right)};
  return MakeCondition(std::move(node));
}

Result<Operand> CompareWith(const Operand& value, const Scalar& constant, Compare op) {
  if (value.kind == Operand::Kind::kCondition) {
    return Invalid("comparison operations cannot be applied to boolean expressions");
  }
  Node node{.kind = Node::Kind::kTest, .source = value.source};
  node.test.op = op;
  if (value.kind == Operand::Kind::kComputed) {
    if (!constant.is_int()) return Invalid("{} can only be compared with an integer", value.name);
    node.kind = Node::Kind::kFunction;
    node.evaluate = value.evaluate;
    node.test.values = {constant};
    return MakeCondition(std::move(node));
  }
  if (value.kind == Operand::Kind::kArith) {
    node.test.kind = Test::Kind::kArith;
    node.test.arith = value.arith;
    node.test.arith_operand = value.arith_operand;
    return CompareArith(value, constant, std::move(node));
  }
  const Source& source = value.source;
  if (source.kind == Source::Kind::kJson) {
    if (constant.is_null()) return Invalid("comparison with null is not supported");
    if (constant.is_list() && op != Compare::kEq && op != Compare::kNe) {
      return Invalid("arrays can only be compared with == and !=");
    }
    node.test.values = {constant};
  } else if (source.kind == Source::Kind::kArray) {
    if (!constant.is_list() || constant.as_list().empty() ||
        (op != Compare::kEq && op != Compare::kNe)) {
      return Invalid("array field {} can only be compared with an array by == and !=", value.name);
    }
    model::ScalarList list;
    for (const Scalar& item : constant.as_list()) {
      TRY_ASSIGN(Scalar cast, Cast(item, source.type, value.name));
      list.push_back(std::move(cast));
    }
    node.test.values = {Scalar(std::move(list))};
  } else {
    TRY_ASSIGN(Scalar cast, CastFor(source, constant, value.name));
    node.test.values = {std::move(cast)};
  }
  return MakeCondition(std::move(node));
}

// Of JSON: a list of ints and floats is a list of floats, as in the reference.
void UnifyNumbers(model::ScalarList& list) {
  const auto is_int = [](const Scalar& s) { return s.is_int(); };
  const auto is_double = [](const Scalar& s) { return s.is_double(); };
  const bool is_mixed = std::any_of(list.begin(), list.end(), is_int) &&
                        std::any_of(list.begin(), list.end(), is_double);
  if (!is_mixed) return;
  for (Scalar& item : list) {
    if (item.is_int()) item = item.number();
  }
}

bool IsNan(const Scalar& s) { return s.is_double() && std::isnan(s.as_double()); }

// Sorts what has an order: values of one kind, no lists and no NaN. Tells whether it did.
bool SortValues(model::ScalarList& values) {
  const bool has_order = std::all_of(values.begin(), values.end(), [&](const Scalar& s) {
    return s.value.index() == values[0].value.index() && !s.is_list() && !s.is_null() && !IsNan(s);
  });
  if (!has_order) return false;
  const auto less = [](const Scalar& a, const Scalar& b) {
    if (a.is_string()) return a.as_string() < b.as_string();
    if (a.is_bool()) return a.as_bool() < b.as_bool();
    return a.is_int() ? a.as_int() < b.as_int() : a.as_double() < b.as_double();
  };
  std::sort(values.begin(), values.end(), less);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return true;
}

// Above so many values a hash set tells faster than a search whether one of them is meant.
constexpr size_t kSearchedValuesMax = 8;

// A pattern without signs is a comparison, which more indexes know.
void SetLike(LikePattern pattern, Test& test) {
  if (pattern.kind() == LikePattern::Kind::kEquals) {
    test.kind = Test::Kind::kCompare;
    test.values = {pattern.literal()};
    return;
  }
  test.kind = Test::Kind::kLike;
  test.like = std::make_shared<const LikePattern>(std::move(pattern));
}

bool IsMoment(const Source& source) {
  return source.kind == Source::Kind::kColumn && source.type == DataType::kTimestamptz;
}

// A column of moments and an interval.
Result<Operand> BindShift(const Operand& left, const Operand& interval, TokenKind op) {
  const bool is_sum = op == TokenKind::kPlus;
  if (left.kind != Operand::Kind::kValue || !IsMoment(left.source) ||
      (!is_sum && op != TokenKind::kMinus)) {
    return Invalid("INTERVAL can only be added to or taken from a timestamptz field");
  }
  Operand shifted = left;
  shifted.kind = Operand::Kind::kShifted;
  shifted.duration = interval.duration;
  shifted.duration_sign = is_sum ? 1 : -1;
  return shifted;
}

Result<Operand> CompareTime(const Operand& value, const Operand& time, Compare op) {
  const bool is_shifted = value.kind == Operand::Kind::kShifted;
  if (!is_shifted && (value.kind != Operand::Kind::kValue || !IsMoment(value.source))) {
    return Invalid("ISO can only be compared with a timestamptz field");
  }
  Node node{.kind = Node::Kind::kTest, .source = value.source};
  node.test.kind = is_shifted ? Test::Kind::kShift : Test::Kind::kCompare;
  node.test.op = op;
  node.test.values = {time.constant};
  node.test.duration = value.duration;
  node.test.duration_sign = value.duration_sign;
  return MakeCondition(std::move(node));
}

bool IsComparable(DataType type) {
  return type == DataType::kBool || type == DataType::kVarChar || model::IsInteger(type) ||
         model::IsFloating(type);
}

bool IsTextual(const Source& source) {
  if (source.kind == Source::Kind::kJson) return true;
  return source.kind != Source::Kind::kArray && source.type == DataType::kVarChar;
}

}  // namespace

Result<Operand> BindArithmetic(const Operand& left, const Operand& right, TokenKind op) {
  using Kind = Operand::Kind;
  if (op == TokenKind::kShiftLeft || op == TokenKind::kShiftRight) {
    return Invalid("shift operators are not supported");
  }
  if (left.kind == Kind::kConstant && right.kind == Kind::kConstant) {
    if (left.is_template || right.is_template) {
      return Invalid("placeholder was not supported between two constants with operator");
    }
    Operand folded;
    TRY_ASSIGN(folded.constant, FoldArithmetic(op, left.constant, right.constant));
    return folded;
  }
  if (right.kind == Kind::kInterval) return BindShift(left, right, op);
  const auto arith = ArithOf(op);
  const bool value_left = left.kind == Kind::kValue && right.kind == Kind::kConstant;
  const bool commutes = op == TokenKind::kPlus || op == TokenKind::kStar;
  const bool value_right = left.kind == Kind::kConstant && right.kind == Kind::kValue && commutes;
  if (!arith || (!value_left && !value_right)) {
    return Invalid("arithmetic is only supported between one field and a constant");
  }
  Operand operand = value_left ? left : right;
  operand.kind = Kind::kArith;
  operand.arith = *arith;
  operand.arith_operand = value_left ? right.constant : left.constant;
  TRY(CheckArith(operand));
  return operand;
}

Result<Operand> BindComparison(const Operand& left, const Operand& right, Compare op) {
  using Kind = Operand::Kind;
  if (left.kind == Kind::kConstant && right.kind == Kind::kConstant) {
    if (left.is_template || right.is_template) {
      return Invalid("placeholder was not supported between two constants with operator");
    }
    Operand folded;
    TRY_ASSIGN(const bool value, FoldCompare(op, left.constant, right.constant));
    folded.constant = value;
    return folded;
  }
  if (left.kind == Kind::kTime) return CompareTime(right, left, Mirrored(op));
  if (right.kind == Kind::kTime) return CompareTime(left, right, op);
  if (left.kind == Kind::kConstant) return CompareWith(right, left.constant, Mirrored(op));
  if (right.kind == Kind::kConstant) return CompareWith(left, right.constant, op);
  if (left.kind == Kind::kValue && right.kind == Kind::kValue) return Columns(left, right, op);
  return Invalid(
      "comparison operations are only supported between a field and a constant, or two fields");
}

Result<Operand> BindIn(const Operand& left, const Operand& right, bool negated) {
  if (left.kind != Operand::Kind::kValue) {
    return Invalid("'term' can only be used on single field");
  }
  const Source& source = left.source;
  if (source.kind == Source::Kind::kArray) {
    return Invalid("'in' on a whole array is not supported");
  }
  // An empty list has no value whose cast could fail.
  if (source.kind == Source::Kind::kColumn && !IsComparable(source.type)) {
    return Invalid("'in' on field {} of type {} is not supported", left.name, NameOf(source.type));
  }
  if (right.kind != Operand::Kind::kConstant || !right.constant.is_list()) {
    return Invalid("the right-hand side of 'in' must be a list, value is not array");
  }
  Node node{.kind = Node::Kind::kTest, .source = source};
  node.test.kind = Test::Kind::kIn;
  node.test.values = right.constant.as_list();
  if (source.kind == Source::Kind::kJson) {
    UnifyNumbers(node.test.values);
  } else {
    for (Scalar& item : node.test.values) {
      TRY_ASSIGN(item, CastFor(source, item, left.name));
    }
    if (source.is_primary_key) node.values = node.test.values;
    // NaN, which a template can bring, is in no row's `in` and has no place in a sorted list.
    std::erase_if(node.test.values, IsNan);
  }
  node.test.is_sorted = SortValues(node.test.values);
  if (source.kind != Source::Kind::kJson && node.test.values.size() > kSearchedValuesMax) {
    node.test.set = std::make_shared<const ValueSet>(node.test.values);
  }
  Operand condition = MakeCondition(std::move(node));
  return negated ? Negated(condition) : condition;
}

Result<Operand> BindMatch(const Operand& left, const Operand& right, TokenKind op) {
  if (left.kind != Operand::Kind::kValue || !IsTextual(left.source)) {
    return Invalid("like operation on non-string or no-json field is unsupported");
  }
  if (right.kind != Operand::Kind::kConstant || !right.constant.is_string()) {
    return Invalid("the pattern must be a string");
  }
  Node node{.kind = Node::Kind::kTest, .source = left.source};
  if (op == TokenKind::kLike) {
    TRY_ASSIGN(LikePattern pattern, LikePattern::Make(right.constant.as_string()));
    SetLike(std::move(pattern), node.test);
    return MakeCondition(std::move(node));
  }
  if (auto like = AsLike(right.pattern)) {
    SetLike(std::move(*like), node.test);
  } else {
    node.test.kind = Test::Kind::kRegex;
    TRY_ASSIGN(node.test.regex, RegexPattern::Make(right.pattern));
  }
  Operand condition = MakeCondition(std::move(node));
  return op == TokenKind::kMatches ? condition : Negated(condition);
}

Result<Operand> BindRange(Operand low, const Operand& value, Operand high, TokenKind op,
                          TokenKind op2) {
  if (low.kind != Operand::Kind::kConstant || high.kind != Operand::Kind::kConstant) {
    return Invalid("the bounds of a range must be constants");
  }
  bool low_inclusive = op == TokenKind::kLessEqual || op == TokenKind::kGreaterEqual;
  bool high_inclusive = op2 == TokenKind::kLessEqual || op2 == TokenKind::kGreaterEqual;
  if (op == TokenKind::kGreater || op == TokenKind::kGreaterEqual) {
    std::swap(low, high);
    std::swap(low_inclusive, high_inclusive);
  }
  const Source& source = value.source;
  if (source.kind == Source::Kind::kArray || source.type == DataType::kBool) {
    return Invalid("range operations are not supported on {}", value.name);
  }
  model::ScalarList bounds = {low.constant, high.constant};
  if (source.kind == Source::Kind::kJson) UnifyNumbers(bounds);
  TRY_ASSIGN(const bool ordered,
             FoldCompare(low_inclusive && high_inclusive ? Compare::kLe : Compare::kLt, bounds[0],
                         bounds[1]));
  if (!ordered) return Invalid("invalid range: lowerbound is greater than upperbound");
  if (source.kind != Source::Kind::kJson) {
    for (Scalar& bound : bounds) {
      TRY_ASSIGN(bound, CastFor(source, bound, value.name));
    }
  }
  Node node{.kind = Node::Kind::kTest, .source = source};
  node.test.kind = Test::Kind::kRange;
  node.test.values = std::move(bounds);
  node.test.lower_inclusive = low_inclusive;
  node.test.upper_inclusive = high_inclusive;
  return MakeCondition(std::move(node));
}

Result<Operand> BindExists(const Operand& value) {
  if (value.kind != Operand::Kind::kValue || value.source.kind != Source::Kind::kJson ||
      value.source.path.empty()) {
    return Invalid("exists operations are only supported on a JSON path");
  }
  return MakeCondition({.kind = Node::Kind::kExists, .source = value.source});
}

Result<Operand> BindIsNull(const Operand& value, bool negated) {
  const Source& source = value.source;
  if (source.kind == Source::Kind::kElement) {
    return Invalid("is null is not supported on array element access");
  }
  if (model::IsVector(source.type) && source.type != DataType::kArrayOfVector)
    return Invalid("is null is not supported on vector fields");
  // A path is null when it does not exist.
  const bool is_path = source.kind == Source::Kind::kJson && !source.path.empty();
  if (!is_path && !source.nullable) return Always(negated);
  const Operand condition = MakeCondition(
      {.kind = is_path ? Node::Kind::kExists : Node::Kind::kIsNull, .source = source});
  return is_path == negated ? condition : Negated(condition);
}

}  // namespace elanus::expr
