// array_length: how many elements an array has.
#include "expr/function_list.h"
#include "expr/functions/functions.h"
#include "expr/json.h"

namespace elanus::expr {
namespace {

void EvaluateJson(const Node& node, const model::ColumnView& column, const BatchRows& rows,
                  Tri& out) {
  TestJsonValues(node, column, rows, out, [&](const simdjson::dom::element& value) {
    if (!value.is_array()) return Outcome::kUnknown;
    // Counted: size() of a parsed array stops at 2^24 - 1.
    int64_t size = 0;
    for ([[maybe_unused]] simdjson::dom::element item : value.get_array()) ++size;
    return From(TestInt(node.test, size));
  });
}

void EvaluateArray(const Node& node, const model::ColumnView& column, const BatchRows& rows,
                   Tri& out) {
  ForEachActive(column, rows, out, [&](size_t i) {
    return TestInt(node.test, static_cast<int64_t>(model::ElementCount(column, i)));
  });
}

}  // namespace

Result<Operand> BindArrayLength(const Call& call) {
  if (call.arguments.size() != 1) return Invalid("array_length takes one argument");
  Operand value = call.arguments[0];
  const bool is_array = value.source.kind == Source::Kind::kArray;
  if (value.kind != Operand::Kind::kValue ||
      (!is_array && value.source.kind != Source::Kind::kJson)) {
    return Invalid("array_length operation are only supported on JSON or array fields");
  }
  value.kind = Operand::Kind::kComputed;
  value.name = call.name;
  value.evaluate = is_array ? EvaluateArray : EvaluateJson;
  return value;
}

}  // namespace elanus::expr
