// Binding: walks the syntax, gives names, literals and placeholders their meaning, and hands the
// operands to conditions.h and to the functions. The walk keeps its own stack.
#include <algorithm>
#include <utility>
#include <vector>

#include "expr/conditions.h"
#include "expr/constant.h"
#include "expr/expr.h"
#include "expr/function_list.h"
#include "expr/node.h"
#include "expr/operand.h"
#include "expr/parser.h"
#include "expr/path_text.h"
#include "model/left_out.h"
#include "model/text_numbers.h"
#include "text/field.h"

namespace elanus::expr {
namespace {

using model::Compare;
using model::DataType;
using model::Scalar;

bool IsConstant(const NodePtr& node, bool value) {
  return node->kind == Node::Kind::kConstant && node->constant == value;
}
bool IsLogic(const Syntax& s) {
  return s.kind == Syntax::Kind::kBinary && (s.op == TokenKind::kAnd || s.op == TokenKind::kOr);
}

NodePtr ConstantNode(bool value) {
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::kConstant;
  node->constant = value;
  return node;
}

// A condition out of an operand inside and, or, not.
Result<NodePtr> AsCondition(const Operand& operand) {
  if (operand.kind == Operand::Kind::kCondition) return operand.node;
  if (operand.is_literal() && operand.constant.is_bool()) {
    return ConstantNode(operand.constant.as_bool());
  }
  return Invalid("'and', 'or' and 'not' can only be used between boolean expressions");
}

// What can only stand last: random_sample and element_filter.
bool IsLast(const Node& node) { return node.kind == Node::Kind::kSample || node.keeps_elements; }

// Such a term, or a conjunction that ends in one: its name; else empty.
std::string_view LastTerm(const Node& node) {
  const Node& last = node.kind == Node::Kind::kAnd ? *node.children.back() : node;
  if (!IsLast(last)) return {};
  return last.keeps_elements ? "element_filter" : "random_sample";
}

Result<Operand> BindNot(const Operand& inner) {
  TRY_ASSIGN(const NodePtr child, AsCondition(inner));
  if (child->kind == Node::Kind::kConstant) return Always(!child->constant);
  if (const std::string_view last = LastTerm(*child); !last.empty()) {
    return Invalid("{} cannot stand under not", last);
  }
  return MakeCondition({.kind = Node::Kind::kNot, .children = {child}});
}

Result<Operand> BindUnary(TokenKind op, Operand inner) {
  if (op == TokenKind::kNot || op == TokenKind::kBang) return BindNot(inner);
  const bool is_int = inner.is_literal() && inner.constant.is_int();
  const bool is_double = inner.is_literal() && inner.constant.is_double();
  if (op == TokenKind::kTilde) return Invalid("'~' is not supported");
  if (!is_int && !is_double) {
    return Invalid("'{}' can only be used before a number", op == TokenKind::kMinus ? '-' : '+');
  }
  if (op == TokenKind::kPlus) return inner;
  if (is_int) {
    inner.constant = static_cast<int64_t>(0 - static_cast<uint64_t>(inner.constant.as_int()));
  } else {
    inner.constant = -inner.constant.as_double();
  }
  return inner;
}

// A whole chain of one of `and`, `or`.
Result<Operand> BindLogic(TokenKind op, const std::vector<Operand>& terms) {
  const bool is_and = op == TokenKind::kAnd;
  Node node{.kind = is_and ? Node::Kind::kAnd : Node::Kind::kOr};
  bool decided = false;
  for (size_t i = 0; i < terms.size(); ++i) {
    TRY_ASSIGN(const NodePtr child, AsCondition(terms[i]));
    const std::string_view last = LastTerm(*child);
    if (!last.empty() && (!is_and || i + 1 != terms.size())) {
      return Invalid("{} can only be the last operand of and", last);
    }
    if (IsConstant(child, is_and)) continue;  // true and E, false or E.
    if (IsConstant(child, !is_and)) decided = true;
    if (child->kind == node.kind) {
      node.children.insert(node.children.end(), child->children.begin(), child->children.end());
    } else {
      node.children.push_back(child);
    }
  }
  if (decided || node.children.empty()) return Always(decided ? !is_and : is_and);
  if (node.children.size() == 1) {
    Operand only;
    only.kind = Operand::Kind::kCondition;
    only.node = node.children[0];
    return only;
  }
  std::stable_sort(node.children.begin(), node.children.end(), [](const auto& a, const auto& b) {
    const bool a_last = IsLast(*a);
    const bool b_last = IsLast(*b);
    return a_last != b_last ? b_last : a->cost < b->cost;
  });
  return MakeCondition(std::move(node));
}

Result<Operand> BindBinary(const Syntax& s, const Operand& left, const Operand& right) {
  if (s.op == TokenKind::kIn) return BindIn(left, right, s.negated);
  if (s.op == TokenKind::kLike || s.op == TokenKind::kMatches || s.op == TokenKind::kNotMatches) {
    return BindMatch(left, right, s.op);
  }
  if (const auto op = CompareOf(s.op)) return BindComparison(left, right, *op);
  return BindArithmetic(left, right, s.op);
}

// What stood between quotes as a pattern: only \\\\ and escaped quotes are processed, every other
// pair goes to the regex as written.
std::string PatternText(std::string_view raw) {
  std::string text;
  for (size_t i = 0; i < raw.size(); ++i) {
    const bool escapes = raw[i] == '\\' && i + 1 < raw.size() &&
                         (raw[i + 1] == '\\' || raw[i + 1] == '"' || raw[i + 1] == '\'');
    if (escapes) ++i;
    text += raw[i];
  }
  return text;
}

class Binder {
 public:
  Binder(const model::CollectionSchema& schema, const Templates& templates,
         std::string_view timezone)
      : schema_(schema), templates_(templates), timezone_(timezone) {}

  Result<NodePtr> Root(const Syntax& syntax) {
    TRY_ASSIGN(const Operand root, Walk(syntax));
    if (root.is_literal() && root.constant.is_bool()) return ConstantNode(root.constant.as_bool());
    if (root.kind != Operand::Kind::kCondition) {
      return Invalid("predicate is not a boolean expression");
    }
    return root.node;
  }

 private:
  // A piece of syntax whose children are being bound, left to right.
  struct Frame {
    const Syntax* syntax;
    const Function* function = nullptr;  // Of kCall.
    std::vector<const Syntax*> children;
    size_t next = 0;
    std::vector<Operand> operands;
    model::ScalarList list;  // Of kList, whose items may be millions: no operands.
  };

  Result<Operand> Walk(const Syntax& root) {
    std::vector<Frame> frames;
    TRY_ASSIGN(Operand value, Enter(frames, root));
    while (!frames.empty()) {
      if (frames.back().next < frames.back().children.size()) {
        const size_t depth = frames.size();
        TRY_ASSIGN(value, Enter(frames, *frames.back().children[frames.back().next++]));
        if (frames.size() > depth) continue;
      } else {
        Frame done = std::move(frames.back());
        frames.pop_back();
        TRY_ASSIGN(value, Combine(done));
        if (frames.empty()) break;
      }
      TRY(Accept(frames.back(), std::exchange(value, Operand())));
    }
    return value;
  }

  // Binds an atom, or opens a frame for what has parts; the operand means nothing then.
  Result<Operand> Enter(std::vector<Frame>& frames, const Syntax& s) {
    switch (s.kind) {
      case Syntax::Kind::kLiteral:
        return Literal(s.token);
      case Syntax::Kind::kName:
        return Name(s.token);
      case Syntax::Kind::kPath:
        return Path(s.token);
      case Syntax::Kind::kSubField:
        return SubField(s.token);
      case Syntax::Kind::kElement:
        return Element(s.token);
      case Syntax::Kind::kTemplate:
        return Template(s.token);
      default:
        break;
    }
    if (s.kind == Syntax::Kind::kTime || s.kind == Syntax::Kind::kInterval) return Time(s);
    Frame frame{.syntax = &s, .children = {}, .operands = {}, .list = {}};
    if (s.kind == Syntax::Kind::kCall) {
      TRY_ASSIGN(frame.function, FunctionOf(s.token));
      if (frame.function->is_over_elements) {
        TRY(EnterElements(s, frame));
        frames.push_back(std::move(frame));
        return Operand();
      }
    }
    const Syntax* spine = &s;
    if (IsLogic(s)) {
      for (; spine->kind == Syntax::Kind::kBinary && spine->op == s.op;
           spine = spine->children[0].get()) {
        frame.children.push_back(spine->children[1].get());
      }
      frame.children.push_back(spine);
      std::reverse(frame.children.begin(), frame.children.end());
    } else {
      for (const auto& child : s.children) frame.children.push_back(child.get());
    }
    frames.push_back(std::move(frame));
    return Operand();
  }

  static Status Accept(Frame& frame, Operand value) {
    const bool is_pattern =
        frame.operands.size() == 1 &&
        (frame.syntax->op == TokenKind::kMatches || frame.syntax->op == TokenKind::kNotMatches);
    if (value.is_pattern_only && !is_pattern) return Invalid("invalid escape in a string");
    if (frame.syntax->kind != Syntax::Kind::kList) {
      frame.operands.push_back(std::move(value));
      return {};
    }
    if (!value.is_literal()) return Invalid("array elements must be constants");
    frame.list.push_back(std::move(value.constant));
    return {};
  }

  // Only calls read long texts.
  static Status NoText(const std::vector<Operand>& parts) {
    for (const Operand& part : parts) {
      if (part.kind == Operand::Kind::kValue && part.source.type == DataType::kText) {
        return Invalid("filter on text field ({}) is not supported yet", part.name);
      }
    }
    return {};
  }

  // The first argument is bound at once; inside the second $[sub] means something.
  Status EnterElements(const Syntax& s, Frame& frame) {
    const std::string_view name = frame.function->name;
    if (element_struct_ != nullptr) return Invalid("{} cannot stand inside another match", name);
    if (s.children.size() != 2 || s.children[0]->kind != Syntax::Kind::kName) {
      return Invalid("{} takes a struct array field and a condition", name);
    }
    const std::string& wanted = s.children[0]->token.text;
    element_struct_ = schema_.FindStruct(wanted);
    if (element_struct_ == nullptr) return Invalid("struct field not found: {}", wanted);
    frame.operands.push_back(Whole(*element_struct_));
    frame.children.push_back(s.children[1].get());
    return {};
  }

  Result<Operand> Combine(Frame& frame) {
    const Syntax& s = *frame.syntax;
    std::vector<Operand>& parts = frame.operands;
    if (s.kind != Syntax::Kind::kCall) TRY(NoText(parts));
    switch (s.kind) {
      case Syntax::Kind::kList: {
        Operand list;
        list.constant = std::move(frame.list);
        return list;
      }
      case Syntax::Kind::kUnary:
        return BindUnary(s.op, std::move(parts[0]));
      case Syntax::Kind::kBinary:
        return IsLogic(s) ? BindLogic(s.op, parts) : BindBinary(s, parts[0], parts[1]);
      case Syntax::Kind::kRange:
        return BindRange(std::move(parts[0]), parts[1], std::move(parts[2]), s.op, s.op2);
      case Syntax::Kind::kExists:
        return BindExists(parts[0]);
      case Syntax::Kind::kIsNull:
        return BindIsNull(parts[0], s.negated);
      default:
        if (frame.function->is_over_elements) element_struct_ = nullptr;
        return frame.function->bind(
            {.name = frame.function->name, .arguments = parts, .option = s.option});
    }
  }

  static Result<const Function*> FunctionOf(const Token& token) {
    const std::string& name = token.text;
    const Function* function =
        token.kind == TokenKind::kFunction ? FindKeyword(name) : FindFunction(name);
    if (function == nullptr) {
      return Error(ErrorCode::kSegcore, "function {} not found[segcoreCode=2028]", Lower(name));
    }
    return function;
  }

  static Result<Operand> Literal(const Token& token) {
    Operand operand;
    if (token.kind == TokenKind::kString || token.kind == TokenKind::kRawString) {
      operand.constant = token.text;
      operand.pattern = token.kind == TokenKind::kRawString ? token.text : PatternText(token.raw);
      operand.is_pattern_only = token.has_bad_escape;
    } else {
      operand.constant = token.value;
    }
    return operand;
  }

  Result<Operand> Time(const Syntax& s) const {
    if (s.token.has_bad_escape) return Invalid("invalid escape in a string");
    Operand operand;
    if (s.kind == Syntax::Kind::kTime) {
      operand.kind = Operand::Kind::kTime;
      TimeZone zone;
      if (!timezone_.empty()) {
        TRY_ASSIGN(zone, TimeZone::Of(timezone_));
      }
      TRY_ASSIGN(operand.constant, model::ParseTimestamptz(s.token.text, zone));
    } else {
      operand.kind = Operand::Kind::kInterval;
      TRY_ASSIGN(operand.duration, model::ParseDuration(s.token.text));
    }
    return operand;
  }

  Result<Operand> Template(const Token& token) {
    const auto found = templates_.find(token.text);
    if (found == templates_.end()) {
      return Invalid("the value of expression template variable name {{{}}} is not found",
                     token.text);
    }
    Operand operand;
    operand.constant = found->second;
    operand.is_template = true;
    if (operand.constant.is_string()) operand.pattern = operand.constant.as_string();
    return operand;
  }

  Status NotOfElement(const Token& token) const {
    if (element_struct_ == nullptr) return {};
    return Invalid("a condition over elements of {} reads $[sub] only, not {}",
                   element_struct_->name, token.text);
  }

  // A struct by its name: as an array, that of its first sub-field.
  Operand Whole(const model::StructSchema& known) const {
    Operand operand;
    operand.kind = Operand::Kind::kValue;
    operand.name = known.name;
    for (const model::FieldSchema& field : schema_.fields) {
      if (field.struct_name != known.name) continue;
      operand.source = SourceOf(field);
      operand.source.type = DataType::kArrayOfStruct;
      break;
    }
    return operand;
  }

  Result<Operand> SubField(const Token& token) {
    TRY(NotOfElement(token));
    const std::string name = model::SubFieldName(token.text, token.path.back().key);
    const model::FieldSchema* field = schema_.FindField(name);
    if (field == nullptr) return Invalid("struct field not found: {}", name);
    Operand operand;
    operand.kind = Operand::Kind::kValue;
    operand.name = name;
    operand.source = SourceOf(*field);
    if (token.path.size() == 1) return operand;
    if (token.path.size() > 2 || !token.path[0].is_index) {
      return Invalid("an element of {} is {}[integer][{}]", token.text, token.text,
                     token.path.back().key);
    }
    if (field->type != DataType::kArray) {
      return Invalid("{} data type not supported accessed with []", NameOf(field->type));
    }
    operand.source.kind = Source::Kind::kElement;
    operand.source.index = token.path[0].index;
    return operand;
  }

  Result<Operand> Element(const Token& token) {
    if (element_struct_ == nullptr) {
      return Invalid("$[{}] can only be used inside element_filter or match_*", token.text);
    }
    const std::string name = model::SubFieldName(element_struct_->name, token.text);
    const model::FieldSchema* field = schema_.FindField(name);
    if (field == nullptr) return Invalid("struct field not found: {}", name);
    if (field->type != DataType::kArray) {
      return Invalid("{} holds vectors, a condition over elements reads scalars", name);
    }
    Operand operand;
    operand.kind = Operand::Kind::kValue;
    operand.name = name;
    operand.source.field = field->id;
    operand.source.type = field->element_type;
    return operand;
  }

  Result<Operand> Name(const Token& token) {
    TRY(NotOfElement(token));
    if (const model::StructSchema* known = schema_.FindStruct(token.text)) return Whole(*known);
    const model::FieldSchema* field = schema_.FindField(token.text);
    if (field == nullptr) {
      if (Lower(token.text) == "null") return Invalid("NULL literal is not supported, use is null");
      return Dynamic(token.text, {});
    }
    Operand operand;
    operand.kind = Operand::Kind::kValue;
    operand.name = token.text;
    operand.source = SourceOf(*field);
    if (field->type == DataType::kJson) SetPath(*field, {}, operand.source);
    return operand;
  }

  Result<Operand> Path(const Token& token) {
    TRY(NotOfElement(token));
    const model::FieldSchema* field = schema_.FindField(token.text);
    if (field == nullptr) return Dynamic(token.text, token.path);
    Operand operand;
    operand.kind = Operand::Kind::kValue;
    operand.name = token.text;
    operand.source = SourceOf(*field);
    if (field->type == DataType::kJson) {
      SetPath(*field, token.path, operand.source);
    } else if (field->type == DataType::kArray) {
      if (!token.path[0].is_index) return Invalid("can only access array field with integer index");
      operand.source.kind = Source::Kind::kElement;
      operand.source.index = token.path[0].index;
    } else {
      return Invalid("{} data type not supported accessed with []", NameOf(field->type));
    }
    return operand;
  }

  Result<Operand> Dynamic(const std::string& name, const std::vector<PathStep>& path) {
    const model::FieldSchema* dynamic = schema_.dynamic_field();
    if (dynamic == nullptr) return Invalid("field {} not exist", name);
    if (model::IsLeftOut(schema_, name)) return Invalid("field {} is not loaded", name);
    Operand operand;
    operand.kind = Operand::Kind::kValue;
    operand.name = name;
    operand.source = SourceOf(*dynamic);
    std::vector<PathStep> whole = {{.is_index = false, .key = name}};
    whole.insert(whole.end(), path.begin(), path.end());
    SetPath(*dynamic, std::move(whole), operand.source);
    return operand;
  }

  static void SetPath(const model::FieldSchema& field, std::vector<PathStep> path, Source& source) {
    source.path = std::move(path);
    source.reads_texts = model::HasTextNumbers(field, PathText(source.path));
  }

  static Source SourceOf(const model::FieldSchema& field) {
    Source source;
    source.field = field.id;
    source.nullable = field.nullable;
    source.is_primary_key = field.is_primary_key;
    source.has_match = text::HasMatch(field);
    const std::string* analyzer = model::Find(field.type_params, "analyzer_params");
    if (source.has_match && analyzer != nullptr) source.analyzer = *analyzer;
    source.type = field.type == DataType::kArray ? field.element_type : field.type;
    source.kind = field.type == DataType::kArray || field.type == DataType::kArrayOfVector
                      ? Source::Kind::kArray
                  : field.type == DataType::kJson ? Source::Kind::kJson
                                                  : Source::Kind::kColumn;
    return source;
  }

  const model::CollectionSchema& schema_;
  const Templates& templates_;
  const std::string_view timezone_;
  const model::StructSchema* element_struct_ = nullptr;  // While a condition over it is bound.
};

// The keys as written when `node` is `pk == v` or `pk in [...]`, else null.
const model::ScalarList* KeysOf(const Node& node) {
  if (node.kind != Node::Kind::kTest || !node.source.is_primary_key) return nullptr;
  if (node.test.kind == Test::Kind::kIn) return &node.values;
  const bool is_equality = node.test.kind == Test::Kind::kCompare && node.test.op == Compare::kEq;
  return is_equality ? &node.test.values : nullptr;
}

}  // namespace

Result<Plan> Bind(std::string_view text, const model::CollectionSchema& schema,
                  const Templates& templates, std::string_view timezone) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return Plan(nullptr);
  const auto explain = [&](const Status& status) {
    return Error(status.code(), "cannot parse expression: {}, error: {}", text, status.message());
  };
  Result<std::unique_ptr<Syntax>> syntax = Parse(text);
  if (!syntax.ok()) return explain(syntax.status());
  Result<NodePtr> root = Binder(schema, templates, timezone).Root(**syntax);
  if (!root.ok()) return explain(root.status());
  if (IsConstant(*root, true)) return Plan(nullptr);
  Plan plan(*root);
  if (const model::ScalarList* keys = KeysOf(**root)) plan.set_primary_keys(*keys);
  return plan;
}

}  // namespace elanus::expr
