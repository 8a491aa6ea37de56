// Values of one field that a filter lets pass.
#include "expr/key_values.h"

#include <algorithm>
#include <iterator>

#include "expr/node.h"

namespace elanus::expr {
namespace {

using model::Scalar;
using Values = std::optional<std::vector<Scalar>>;

// An order of the values that partition keys have.
bool Before(const Scalar& a, const Scalar& b) {
  if (a.is_int() && b.is_int()) return a.as_int() < b.as_int();
  if (a.is_string() && b.is_string()) return a.as_string() < b.as_string();
  return a.value.index() < b.value.index();
}

bool IsTestOf(const Node& node, FieldId field) {
  return node.kind == Node::Kind::kTest && node.source.field == field &&
         node.source.kind == Source::Kind::kColumn;
}

bool IsEquality(const Node& node, FieldId field) {
  return IsTestOf(node, field) && node.test.kind == Test::Kind::kCompare &&
         node.test.op == model::Compare::kEq && node.test.values.size() == 1;
}

Values Union(Values a, const Values& b) {
  if (!a || !b) return std::nullopt;
  std::vector<Scalar> all;
  std::set_union(a->begin(), a->end(), b->begin(), b->end(), std::back_inserter(all), Before);
  return all;
}

Values Intersection(Values a, const Values& b) {
  if (!a || !b) return a ? a : b;
  std::vector<Scalar> both;
  std::set_intersection(a->begin(), a->end(), b->begin(), b->end(), std::back_inserter(both),
                        Before);
  return both;
}

Values ValuesOf(const Node& node, FieldId field) {
  if (IsEquality(node, field)) return node.test.values;
  if (IsTestOf(node, field) && node.test.kind == Test::Kind::kIn) {
    std::vector<Scalar> values = node.test.values;
    std::sort(values.begin(), values.end(), Before);
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
  }
  const bool is_or = node.kind == Node::Kind::kOr;
  if ((!is_or && node.kind != Node::Kind::kAnd) || node.children.empty()) return std::nullopt;
  Values values = ValuesOf(*node.children[0], field);
  for (size_t i = 1; i < node.children.size(); ++i) {
    const Values more = ValuesOf(*node.children[i], field);
    values = is_or ? Union(std::move(values), more) : Intersection(std::move(values), more);
  }
  return values;
}

bool Mentions(const Node& node, FieldId field) {
  if (node.source.field == field || node.other.field == field) return true;
  return std::any_of(node.children.begin(), node.children.end(),
                     [&](const NodePtr& child) { return Mentions(*child, field); });
}

// False: the field stands in something else than one equality.
bool FindEquality(const Node& node, FieldId field, const Node*& found) {
  if (node.kind == Node::Kind::kAnd) {
    return std::all_of(node.children.begin(), node.children.end(),
                       [&](const NodePtr& child) { return FindEquality(*child, field, found); });
  }
  if (!IsEquality(node, field)) return !Mentions(node, field);
  if (found != nullptr) return false;
  found = &node;
  return true;
}

}  // namespace

std::optional<std::vector<Scalar>> PossibleValues(const Plan& plan, FieldId field) {
  if (plan.root() == nullptr) return std::nullopt;
  return ValuesOf(*plan.root(), field);
}

std::optional<Scalar> RequiredValue(const Plan& plan, FieldId field) {
  const Node* found = nullptr;
  if (plan.root() == nullptr || !FindEquality(*plan.root(), field, found) || found == nullptr) {
    return std::nullopt;
  }
  return found->test.values[0];
}

}  // namespace elanus::expr
