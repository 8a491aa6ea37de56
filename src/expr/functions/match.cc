// match_any, match_all, match_least, match_most, match_exact, element_filter: how many elements of
// a struct array pass a condition, and which.
#include <memory>
#include <utility>
#include <vector>

#include "expr/function_list.h"
#include "expr/functions/functions.h"

namespace elanus::expr {
namespace {

bool HoldsSample(const Node& root) {
  std::vector<const Node*> pending = {&root};
  while (!pending.empty()) {
    const Node& node = *pending.back();
    pending.pop_back();
    if (node.kind == Node::Kind::kSample) return true;
    for (const NodePtr& child : node.children) pending.push_back(child.get());
  }
  return false;
}

Result<NodePtr> ConditionOf(const Call& call) {
  const Operand& condition = call.arguments[1];
  if (condition.is_literal() && condition.constant.is_bool()) {
    Node constant{.kind = Node::Kind::kConstant, .constant = condition.constant.as_bool()};
    return std::make_shared<const Node>(std::move(constant));
  }
  if (condition.kind != Operand::Kind::kCondition) {
    return Invalid("the second argument of {} is not a boolean expression", call.name);
  }
  if (HoldsSample(*condition.node)) return Invalid("random_sample cannot stand in {}", call.name);
  return condition.node;
}

Result<Operand> BindCount(const Call& call, model::Compare op, int64_t threshold) {
  TRY_ASSIGN(NodePtr condition, ConditionOf(call));
  return MakeCondition({.kind = Node::Kind::kElements,
                        .source = call.arguments[0].source,
                        .op = op,
                        .values = {model::Scalar(threshold)},
                        .element = std::move(condition)});
}

Result<Operand> BindThreshold(const Call& call, model::Compare op, int64_t least) {
  if (!call.option) return Invalid("{} needs a threshold", call.name);
  if (*call.option < least) {
    return Invalid("the threshold of {} must be at least {}, got {}", call.name, least,
                   *call.option);
  }
  return BindCount(call, op, *call.option);
}

}  // namespace

Result<Operand> BindMatchAny(const Call& call) { return BindCount(call, model::Compare::kGe, 1); }

Result<Operand> BindMatchAll(const Call& call) {
  TRY_ASSIGN(NodePtr condition, ConditionOf(call));
  return MakeCondition({.kind = Node::Kind::kElements,
                        .source = call.arguments[0].source,
                        .all = true,
                        .element = std::move(condition)});
}

Result<Operand> BindMatchLeast(const Call& call) {
  return BindThreshold(call, model::Compare::kGe, 1);
}
Result<Operand> BindMatchMost(const Call& call) {
  return BindThreshold(call, model::Compare::kLe, 0);
}
Result<Operand> BindMatchExact(const Call& call) {
  return BindThreshold(call, model::Compare::kEq, 0);
}

Result<Operand> BindElementFilter(const Call& call) {
  TRY_ASSIGN(NodePtr condition, ConditionOf(call));
  return MakeCondition({.kind = Node::Kind::kElements,
                        .source = call.arguments[0].source,
                        .op = model::Compare::kGe,
                        .values = {model::Scalar(int64_t{1})},
                        .keeps_elements = true,
                        .element = std::move(condition)});
}

}  // namespace elanus::expr
