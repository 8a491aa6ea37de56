// What a bound plan tells of itself.
#include <algorithm>

#include "expr/expr.h"
#include "expr/node.h"

namespace elanus::expr {
namespace {

void CollectFields(const Node& node, std::vector<FieldId>& fields) {
  const auto add = [&](FieldId id) {
    if (id != FieldId() && std::find(fields.begin(), fields.end(), id) == fields.end()) {
      fields.push_back(id);
    }
  };
  add(node.source.field);
  add(node.other.field);
  for (const NodePtr& child : node.children) CollectFields(*child, fields);
}

}  // namespace

std::vector<FieldId> Plan::fields() const {
  std::vector<FieldId> fields;
  if (root_ != nullptr) CollectFields(*root_, fields);
  return fields;
}

}  // namespace elanus::expr
