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

}  // namespace elanus::expr
