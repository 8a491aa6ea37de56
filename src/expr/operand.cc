// Making operands.
#include "expr/operand.h"

#include "expr/leaf.h"

namespace elanus::expr {

using model::DataType;
using model::Scalar;

Operand Always(bool value) {
  Operand operand;
  operand.constant = value;
  return operand;
}

Operand MakeCondition(Node node) {
  const int by_source = node.source.kind == Source::Kind::kJson     ? 20
                        : node.source.kind != Source::Kind::kColumn ? 8
                        : node.source.type == DataType::kVarChar    ? 3
                                                                    : 1;
  const bool by_pattern = node.kind == Node::Kind::kTest && (node.test.kind == Test::Kind::kLike ||
                                                             node.test.kind == Test::Kind::kRegex);
  node.cost = by_source + (by_pattern ? 6 : 0) + (node.words != nullptr ? 60 : 0) +
              (node.spatial != nullptr ? 40 : 0);
  for (const NodePtr& child : node.children) node.cost += child->cost;
  if (node.element != nullptr) node.cost += 8 * node.element->cost;
  if (auto predicate = AsPredicate(node)) {
    node.predicate = std::make_shared<const model::Predicate>(std::move(*predicate));
  }
  Operand operand;
  operand.kind = Operand::Kind::kCondition;
  operand.node = std::make_shared<const Node>(std::move(node));
  return operand;
}

Operand Negated(const Operand& condition) {
  return MakeCondition({.kind = Node::Kind::kNot, .children = {condition.node}});
}

Result<Scalar> Cast(const Scalar& value, DataType type, std::string_view name) {
  const bool is_real = model::IsFloating(type);
  const bool fits = type == DataType::kBool      ? value.is_bool()
                    : model::IsInteger(type)     ? value.is_int()
                    : is_real                    ? value.is_int() || value.is_double()
                    : type == DataType::kVarChar ? value.is_string()
                                                 : false;
  if (fits) return is_real ? Scalar(value.number()) : value;
  if (is_real || type == DataType::kBool || model::IsInteger(type) || type == DataType::kVarChar) {
    return Invalid("value cannot be casted to {}, field: {}", NameOf(type), name);
  }
  return Invalid("field {} of type {} cannot be used in a comparison", name, NameOf(type));
}

}  // namespace elanus::expr
