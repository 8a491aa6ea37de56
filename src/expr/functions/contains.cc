// array_contains, json_contains and their _all and _any: whether an array holds given values.
#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

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

// Over arrays of numbers: the elements lie packed in the row.
template <class T>
void EvaluateNumbers(const Node& node, const model::ColumnView& column, const BatchRows& rows,
                     Tri& out) {
  using Wide = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;
  std::vector<Wide> wanted;
  for (const model::Scalar& value : node.values) {
    if constexpr (std::is_floating_point_v<T>)
      wanted.push_back(value.number());
    else
      wanted.push_back(value.is_bool() ? int64_t{value.as_bool()} : value.as_int());
  }
  ForEachActive(column, rows, out, [&](size_t i) {
    const std::string_view row = column.Bytes(i);
    const auto has = [&](Wide one) {
      for (size_t at = 0; at + sizeof(T) <= row.size(); at += sizeof(T)) {
        T element;
        std::memcpy(&element, row.data() + at, sizeof(T));
        if (static_cast<Wide>(element) == one) return true;
      }
      return false;
    };
    return node.all ? std::all_of(wanted.begin(), wanted.end(), has)
                    : std::any_of(wanted.begin(), wanted.end(), has);
  });
}

void EvaluateArray(const Node& node, const model::ColumnView& column, const BatchRows& rows,
                   Tri& out) {
  using model::DataType;
  switch (column.element_type) {
    case DataType::kBool:
    case DataType::kInt8:
      return EvaluateNumbers<int8_t>(node, column, rows, out);
    case DataType::kInt16:
      return EvaluateNumbers<int16_t>(node, column, rows, out);
    case DataType::kInt32:
      return EvaluateNumbers<int32_t>(node, column, rows, out);
    case DataType::kInt64:
      return EvaluateNumbers<int64_t>(node, column, rows, out);
    case DataType::kFloat:
      return EvaluateNumbers<float>(node, column, rows, out);
    case DataType::kDouble:
      return EvaluateNumbers<double>(node, column, rows, out);
    default:
      break;
  }
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
                        .is_contains = true,
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
