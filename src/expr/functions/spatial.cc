// st_equals and its kin, st_dwithin, st_isvalid: a geometry column against a geometry of the
// filter. Boxes, in statistics and indexes, tell of most rows that they do not pass.
#include "geometry/spatial.h"

#include <memory>
#include <utility>

#include "expr/batch.h"
#include "expr/function_list.h"
#include "expr/functions/functions.h"

namespace elanus::expr {
namespace {

using geometry::Relation;
using geometry::SpatialTest;

// The arguments begin with a geometry column.
Status CheckArguments(const Call& call, size_t count) {
  if (call.arguments.size() != count) {
    return Invalid("{} takes {} arguments, got {}", call.name, count, call.arguments.size());
  }
  const Operand& column = call.arguments[0];
  if (column.kind == Operand::Kind::kValue && column.source.kind == Source::Kind::kColumn &&
      column.source.type == model::DataType::kGeometry) {
    return {};
  }
  return Invalid("{} operation on non-geometry field is unsupported", call.name);
}

Result<std::string_view> TextOf(const Call& call, const Operand& shape) {
  if (shape.kind == Operand::Kind::kConstant && shape.constant.is_string()) {
    return std::string_view(shape.constant.as_string());
  }
  return Invalid("{} needs a geometry as well-known text", call.name);
}

void EvaluateSpatial(const Node& node, const model::ColumnView& column, const BatchRows& rows,
                     Tri& out) {
  SpatialTest::Session session(*node.spatial);
  ForEachActive(column, rows, out, [&](size_t i) { return session.Matches(column.Bytes(i)); });
}

Operand Condition(const Call& call, std::shared_ptr<const SpatialTest> test) {
  return MakeCondition({.kind = Node::Kind::kFunction,
                        .source = call.arguments[0].source,
                        .evaluate = EvaluateSpatial,
                        .spatial = std::move(test)});
}

Status Explained(const Call& call, const Status& status) {
  return Invalid("{}: not a geometry: {}", call.name, status.message());
}

}  // namespace

Result<Operand> BindSpatialRelation(const Call& call) {
  TRY(CheckArguments(call, 2));
  TRY_ASSIGN(const std::string_view text, TextOf(call, call.arguments[1]));
  Relation relation = Relation::kEquals;
  for (Relation known : geometry::kRelations) {
    if (geometry::FunctionOf(known) == call.name) relation = known;
  }
  auto test = SpatialTest::Related(relation, text);
  if (!test.ok()) return Explained(call, test.status());
  return Condition(call, *std::move(test));
}

Result<Operand> BindDistanceWithin(const Call& call) {
  TRY(CheckArguments(call, 3));
  TRY_ASSIGN(const std::string_view text, TextOf(call, call.arguments[1]));
  const Operand& distance = call.arguments[2];
  const bool is_number =
      distance.is_literal() && (distance.constant.is_int() || distance.constant.is_double());
  if (!is_number || distance.constant.number() < 0) {
    return Invalid("the distance of {} must be a constant of 0 metres or more", call.name);
  }
  auto test = SpatialTest::Near(text, distance.constant.number());
  if (!test.ok()) return Explained(call, test.status());
  return Condition(call, *std::move(test));
}

Result<Operand> BindIsValid(const Call& call) {
  TRY(CheckArguments(call, 1));
  return Condition(call, SpatialTest::Valid());
}

}  // namespace elanus::expr
