// empty and starts_with: tests of text that have another spelling as operators too.
#include "expr/function_list.h"
#include "expr/functions/functions.h"

namespace elanus::expr {
namespace {

Status CheckCount(const Call& call, size_t count) {
  if (call.arguments.size() == count) return {};
  return Error(ErrorCode::kSegcore, "function {} with {} arguments not found[segcoreCode=2028]",
               call.name, call.arguments.size());
}

// The test of a text column against one text constant that both functions are.
Result<Node> TextTest(const Call& call, const Operand& value) {
  if (value.kind != Operand::Kind::kValue || value.source.kind != Source::Kind::kColumn ||
      value.source.type != model::DataType::kVarChar) {
    return Error(ErrorCode::kSegcore, "function {} for these arguments not found[segcoreCode=2028]",
                 call.name);
  }
  return Node{.kind = Node::Kind::kTest, .source = value.source};
}

}  // namespace

Result<Operand> BindEmpty(const Call& call) {
  TRY(CheckCount(call, 1));
  TRY_ASSIGN(Node node, TextTest(call, call.arguments[0]));
  node.test.values = {std::string()};
  return MakeCondition(std::move(node));
}

Result<Operand> BindStartsWith(const Call& call) {
  TRY(CheckCount(call, 2));
  TRY_ASSIGN(Node node, TextTest(call, call.arguments[0]));
  const Operand& prefix = call.arguments[1];
  if (prefix.kind != Operand::Kind::kConstant || !prefix.constant.is_string()) {
    return Error(ErrorCode::kSegcore, "function {} for these arguments not found[segcoreCode=2028]",
                 call.name);
  }
  std::string escaped;
  for (char c : prefix.constant.as_string()) {
    if (c == '%' || c == '_' || c == '\\') escaped += '\\';
    escaped += c;
  }
  escaped += '%';
  TRY_ASSIGN(LikePattern pattern, LikePattern::Make(escaped));
  node.test.kind = Test::Kind::kLike;
  node.test.like = std::make_shared<const LikePattern>(std::move(pattern));
  return MakeCondition(std::move(node));
}

}  // namespace elanus::expr
