// What a bound plan tells of itself.
#include <algorithm>

#include "expr/expr.h"
#include "expr/node.h"

namespace elanus::expr {

std::vector<FieldId> Plan::fields() const {
  std::vector<FieldId> fields;
  const auto add = [&](FieldId id) {
    if (id != FieldId() && std::find(fields.begin(), fields.end(), id) == fields.end()) {
      fields.push_back(id);
    }
  };
  std::vector<const Node*> pending;
  if (root_ != nullptr) pending.push_back(root_.get());
  while (!pending.empty()) {
    const Node& node = *pending.back();
    pending.pop_back();
    add(node.source.field);
    add(node.other.field);
    if (node.element != nullptr) pending.push_back(node.element.get());
    for (const NodePtr& child : node.children) pending.push_back(child.get());
  }
  return fields;
}

const model::Scalar* KeyFloor(const Plan& plan) {
  const auto floor_of = [](const Node& node) -> const model::Scalar* {
    const Test& test = node.test;
    const bool tests_key = node.kind == Node::Kind::kTest && node.source.is_primary_key &&
                           node.source.kind == Source::Kind::kColumn && !test.values.empty();
    if (!tests_key) return nullptr;
    const bool has_floor = test.kind == Test::Kind::kRange ||
                           (test.kind == Test::Kind::kCompare &&
                            (test.op == model::Compare::kGt || test.op == model::Compare::kGe ||
                             test.op == model::Compare::kEq));
    return has_floor ? &test.values[0] : nullptr;
  };
  if (plan.root() == nullptr) return nullptr;
  if (plan.root()->kind != Node::Kind::kAnd) return floor_of(*plan.root());
  for (const NodePtr& child : plan.root()->children) {
    if (const model::Scalar* floor = floor_of(*child)) return floor;
  }
  return nullptr;
}

}  // namespace elanus::expr
