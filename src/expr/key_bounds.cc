// Bounds of keys.
#include "expr/key_bounds.h"

#include <memory>
#include <utility>

#include "expr/node.h"

namespace elanus::expr {
namespace {

// -1, 0, 1 as keys order. Both are of the key's type, as binding casts them.
int CompareKeys(const model::Scalar& a, const model::Scalar& b) {
  if (a.is_int()) return a.as_int() < b.as_int() ? -1 : a.as_int() > b.as_int() ? 1 : 0;
  const int order = a.as_string().compare(b.as_string());
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

// `side` is 1 where larger keys are stricter, -1 where smaller ones are.
void Tighten(std::optional<KeyBound>& bound, KeyBound other, int side) {
  if (bound) {
    const int order = side * CompareKeys(other.key, bound->key);
    if (order < 0 || (order == 0 && other.is_inside)) return;
  }
  bound = std::move(other);
}

// Whether the condition says nothing but where keys lie; then the bounds say it too.
bool TakeBounds(const Node& node, KeyBounds& bounds) {
  const Test& test = node.test;
  const bool tests_key = node.kind == Node::Kind::kTest && node.source.is_primary_key &&
                         node.source.kind == Source::Kind::kColumn && !test.values.empty();
  if (!tests_key || !(test.values[0].is_int() || test.values[0].is_string())) return false;
  if (test.kind == Test::Kind::kRange) {
    Tighten(bounds.least, {test.values[0], test.lower_inclusive}, 1);
    Tighten(bounds.greatest, {test.values[1], test.upper_inclusive}, -1);
    return true;
  }
  if (test.kind != Test::Kind::kCompare || test.op == model::Compare::kNe) return false;
  const bool is_inside = test.op != model::Compare::kGt && test.op != model::Compare::kLt;
  const bool is_least = test.op == model::Compare::kGt || test.op == model::Compare::kGe;
  const bool is_greatest = test.op == model::Compare::kLt || test.op == model::Compare::kLe;
  if (!is_greatest) Tighten(bounds.least, {test.values[0], is_inside}, 1);
  if (!is_least) Tighten(bounds.greatest, {test.values[0], is_inside}, -1);
  return true;
}

}  // namespace

KeyBounds SplitKeyBounds(const Plan& plan) {
  KeyBounds bounds;
  const Node* root = plan.root();
  if (root == nullptr || TakeBounds(*root, bounds)) return bounds;
  bounds.rest = plan;
  if (root->kind != Node::Kind::kAnd) return bounds;
  Node rest = *root;
  std::erase_if(rest.children, [&](const NodePtr& child) { return TakeBounds(*child, bounds); });
  if (rest.children.empty()) {
    bounds.rest = Plan(nullptr);
  } else if (rest.children.size() == 1) {
    bounds.rest = Plan(rest.children[0]);
  } else if (rest.children.size() < root->children.size()) {
    bounds.rest = Plan(std::make_shared<const Node>(std::move(rest)));
  }
  return bounds;
}

}  // namespace elanus::expr
