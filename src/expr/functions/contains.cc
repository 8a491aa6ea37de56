// array_contains, json_contains and their _all and _any: whether an array holds given values.
#include <algorithm>

#include "expr/array_row.h"
#include "expr/function_list.h"
#include "expr/functions/functions.h"
#include "expr/json.h"

namespace elanus::expr {
namespace {

// Whether `has` holds for the value, every value or one of the values that the call asks for.
template <class Has>
bool HoldsWanted(const Node& node, Has has) {
  return node.all ? std::all_of(node.values.begin(), node.values.end(), has)
                  : std::any_of(node.values.begin(), node.values.end(), has);
}

void EvaluateJson(const Node& node, const model::ColumnView& column, const BatchRows& rows,
                  Tri& out) {
  TestJsonValues(node, column, rows, out, [&](const simdjson::dom::element& value) {
    if (!value.is_array()) return Outcome::kUnknown;
    return From(HoldsWanted(node, [&](const model::Scalar& wanted) {
      for (simdjson::dom::element item : value.get_array()) {
        if (EqualsJson(item, wanted)) return true;
      }
      return false;
    }));
  });
}

void EvaluateArray(const Node& node, const model::ColumnView& column, const BatchRows& rows,
                   Tri& out) {
  ForEachActive(column, rows, out, [&](size_t i) {
    const ArrayRow row(column.element_type, column.Bytes(i));
    return HoldsWanted(node, [&](const model::Scalar& wanted) { return row.Contains(wanted); });
  });
}

Result<Operand> BindValues(const Operand& value, model::ScalarList wanted, bool all) {
  const Source& source = value.source;
  const bool is_array = source.kind == Source::Kind::kArray;
  if (value.kind != Operand::Kind::kValue || (!is_array && source.kind != Source::Kind::kJson)) {
    return Invalid("contains operations are only supported on JSON or array fields");
  }
  if (wanted.empty()) return Always(all);
  if (is_array) {
    for (model::Scalar& item : wanted) {
      TRY_ASSIGN(item, Cast(item, source.type, value.name));
    }
  }
  return MakeCondition({.kind = Node::Kind::kFunction,
                        .source = source,
                        .values = std::move(wanted),
                        .all = all,
                        .evaluate = is_array ? EvaluateArray : EvaluateJson});
}

Status CheckArguments(const Call& call) {
  if (call.arguments.size() != 2) return Invalid("{} takes two arguments", call.name);
  if (call.arguments[1].kind != Operand::Kind::kConstant) {
    return Invalid("contains operations need constants");
  }
  return {};
}

Result<Operand> BindList(const Call& call, bool all) {
  TRY(CheckArguments(call));
  const model::Scalar& wanted = call.arguments[1].constant;
  if (!wanted.is_list()) return Invalid("{} operation element must be an array", call.name);
  return BindValues(call.arguments[0], wanted.as_list(), all);
}

}  // namespace

Result<Operand> BindContains(const Call& call) {
  TRY(CheckArguments(call));
  return BindValues(call.arguments[0], {call.arguments[1].constant}, /*all=*/false);
}
Result<Operand> BindContainsAll(const Call& call) { return BindList(call, /*all=*/true); }
Result<Operand> BindContainsAny(const Call& call) { return BindList(call, /*all=*/false); }

}  // namespace elanus::expr
