// Binding: names, types, constants, templates. A bound operand is a constant, a value source
// (perhaps with one arithmetic step or array_length around it), or a condition.
#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "expr/constant.h"
#include "expr/expr.h"
#include "expr/node.h"
#include "expr/parser.h"

namespace elanus::expr {
namespace {

using model::Compare;
using model::DataType;
using model::Scalar;

struct Operand {
  enum class Kind { kConstant, kValue, kArith, kLength, kCondition };
  Kind kind = Kind::kConstant;
  Scalar constant;
  bool is_template = false;
  bool is_pattern_only = false;  // A string with a pair that is no escape.
  std::string raw;
  Source source;
  std::string name;
  ArithOp arith = ArithOp::kNone;
  Scalar arith_operand;
  NodePtr node;
};

NodePtr Constant(bool value) {
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::kConstant;
  node->constant = value;
  return node;
}
bool IsConstant(const NodePtr& node, bool value) {
  return node->kind == Node::Kind::kConstant && node->constant == value;
}

constexpr std::string_view kNotBuilt[] = {
    "text_match", "text_match_fuzzy", "phrase_match", "element_filter", "match_all",
    "match_any",  "match_least",      "match_most",   "match_exact",    "st_equals",
    "st_touches", "st_overlaps",      "st_crosses",   "st_contains",    "st_intersects",
    "st_within",  "st_dwithin",       "st_isvalid"};

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

class Binder {
 public:
  Binder(const model::CollectionSchema& schema, const Templates& templates)
      : schema_(schema), templates_(templates) {}

  Result<NodePtr> Root(const Syntax& syntax) {
    TRY_ASSIGN(const Operand root, Bind(syntax));
    if (root.kind == Operand::Kind::kConstant && root.constant.is_bool()) {
      return Constant(root.constant.as_bool());
    }
    if (root.kind != Operand::Kind::kCondition) {
      return Invalid("predicate is not a boolean expression");
    }
    return root.node;
  }

 private:
  Result<Operand> Bind(const Syntax& s) {
    switch (s.kind) {
      case Syntax::Kind::kLiteral:
        return Literal(s.token);
      case Syntax::Kind::kName:
        return Name(s.token);
      case Syntax::Kind::kPath:
        return Path(s.token);
      case Syntax::Kind::kTemplate:
        return Template(s.token);
      case Syntax::Kind::kList:
        return List(s);
      case Syntax::Kind::kUnary:
        return Unary(s);
      case Syntax::Kind::kBinary:
        return Binary(s);
      case Syntax::Kind::kRange:
        return Range(s);
      case Syntax::Kind::kExists:
        return Exists(s);
      case Syntax::Kind::kIsNull:
        return IsNull(s);
      case Syntax::Kind::kCall:
        return Call(s);
    }
    return Invalid("unsupported expression");
  }

  // -- Atoms --------------------------------------------------------------------------------------
  static Result<Operand> Literal(const Token& token) {
    Operand operand;
    if (token.kind == TokenKind::kString || token.kind == TokenKind::kRawString) {
      operand.constant = token.text;
      operand.raw = token.kind == TokenKind::kRawString ? token.text : token.raw;
      operand.is_pattern_only = token.has_bad_escape;
    } else {
      operand.constant = token.value;
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
    if (operand.constant.is_string()) operand.raw = operand.constant.as_string();
    return operand;
  }

  Result<Operand> List(const Syntax& s) {
    model::ScalarList list;
    for (const auto& child : s.children) {
      TRY_ASSIGN(const Operand item, Bind(*child));
      if (item.kind != Operand::Kind::kConstant || item.is_template || item.is_pattern_only) {
        return Invalid("array elements must be constants");
      }
      list.push_back(item.constant);
    }
    Operand operand;
    operand.constant = std::move(list);
    return operand;
  }

  Result<Operand> Name(const Token& token) {
    const model::FieldSchema* field = schema_.FindField(token.text);
    if (field == nullptr) {
      if (Lower(token.text) == "null") return Invalid("NULL literal is not supported, use is null");
      return Dynamic(token.text, {});
    }
    Operand operand;
    operand.kind = Operand::Kind::kValue;
    operand.name = token.text;
    operand.source = SourceOf(*field);
    return operand;
  }

  Result<Operand> Path(const Token& token) {
    const model::FieldSchema* field = schema_.FindField(token.text);
    if (field == nullptr) return Dynamic(token.text, token.path);
    Operand operand;
    operand.kind = Operand::Kind::kValue;
    operand.name = token.text;
    operand.source = SourceOf(*field);
    if (field->type == DataType::kJson) {
      operand.source.path = token.path;
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
    Operand operand;
    operand.kind = Operand::Kind::kValue;
    operand.name = name;
    operand.source = SourceOf(*dynamic);
    operand.source.path.push_back({.is_index = false, .key = name});
    operand.source.path.insert(operand.source.path.end(), path.begin(), path.end());
    return operand;
  }

  static Source SourceOf(const model::FieldSchema& field) {
    Source source;
    source.field = field.id;
    source.nullable = field.nullable;
    source.type = field.type == DataType::kArray ? field.element_type : field.type;
    source.kind = field.type == DataType::kArray  ? Source::Kind::kArray
                  : field.type == DataType::kJson ? Source::Kind::kJson
                                                  : Source::Kind::kColumn;
    return source;
  }

  // -- Conditions ---------------------------------------------------------------------------------
  static Operand Condition(Node node) {
    Operand operand;
    operand.kind = Operand::Kind::kCondition;
    const int by_source = node.source.kind == Source::Kind::kJson     ? 20
                          : node.source.kind != Source::Kind::kColumn ? 8
                          : node.source.type == DataType::kVarChar    ? 3
                                                                      : 1;
    const bool by_pattern =
        node.kind == Node::Kind::kTest &&
        (node.test.kind == Test::Kind::kLike || node.test.kind == Test::Kind::kRegex);
    node.cost = by_source + (by_pattern ? 6 : 0);
    for (const NodePtr& child : node.children) node.cost += child->cost;
    operand.node = std::make_shared<const Node>(std::move(node));
    return operand;
  }

  // A condition out of an operand inside and, or, not.
  static Result<NodePtr> AsCondition(const Operand& operand) {
    if (operand.kind == Operand::Kind::kCondition) return operand.node;
    if (operand.kind == Operand::Kind::kConstant && operand.constant.is_bool() &&
        !operand.is_template) {
      return Constant(operand.constant.as_bool());
    }
    return Invalid("'and', 'or' and 'not' can only be used between boolean expressions");
  }

  Result<Operand> Unary(const Syntax& s) {
    TRY_ASSIGN(Operand inner, Bind(*s.children[0]));
    const bool is_constant = inner.kind == Operand::Kind::kConstant && !inner.is_template;
    switch (s.op) {
      case TokenKind::kNot:
      case TokenKind::kBang: {
        TRY_ASSIGN(const NodePtr child, AsCondition(inner));
        if (child->kind == Node::Kind::kConstant) {
          Operand folded;
          folded.constant = !child->constant;
          return folded;
        }
        if (child->kind == Node::Kind::kSample)
          return Invalid("random_sample cannot stand under not");
        Node node{.kind = Node::Kind::kNot, .children = {child}};
        return Condition(std::move(node));
      }
      case TokenKind::kMinus:
        if (is_constant && inner.constant.is_int()) {
          inner.constant = static_cast<int64_t>(0 - static_cast<uint64_t>(inner.constant.as_int()));
          return inner;
        }
        if (is_constant && inner.constant.is_double()) {
          inner.constant = -inner.constant.as_double();
          return inner;
        }
        return Invalid("'-' can only be used before a number");
      case TokenKind::kPlus:
        if (is_constant && (inner.constant.is_int() || inner.constant.is_double())) return inner;
        return Invalid("'+' can only be used before a number");
      default:
        return Invalid("'~' is not supported");
    }
  }

  Result<Operand> Logic(const Syntax& s) {
    // The left spine of a chain of one operator, taken without recursion: chains may be very long.
    std::vector<const Syntax*> terms;
    const Syntax* spine = &s;
    while (spine->kind == Syntax::Kind::kBinary && spine->op == s.op) {
      terms.push_back(spine->children[1].get());
      spine = spine->children[0].get();
    }
    terms.push_back(spine);
    std::reverse(terms.begin(), terms.end());
    const bool is_and = s.op == TokenKind::kAnd;
    Node node{.kind = is_and ? Node::Kind::kAnd : Node::Kind::kOr};
    bool decided = false;
    for (size_t i = 0; i < terms.size(); ++i) {
      TRY_ASSIGN(const Operand operand, Bind(*terms[i]));
      TRY_ASSIGN(const NodePtr child, AsCondition(operand));
      const bool is_sample = child->kind == Node::Kind::kSample ||
                             (child->kind == Node::Kind::kAnd && HasSample(*child));
      if (is_sample && (!is_and || i + 1 != terms.size())) {
        return Invalid("random_sample can only be the last operand of and");
      }
      if (IsConstant(child, is_and)) continue;  // true and E, false or E.
      if (IsConstant(child, !is_and)) decided = true;
      if (child->kind == node.kind) {
        node.children.insert(node.children.end(), child->children.begin(), child->children.end());
      } else {
        node.children.push_back(child);
      }
    }
    Operand folded;
    if (decided || node.children.empty()) {
      folded.constant = decided ? !is_and : is_and;
      return folded;
    }
    if (node.children.size() == 1) {
      folded.kind = Operand::Kind::kCondition;
      folded.node = node.children[0];
      return folded;
    }
    std::stable_sort(node.children.begin(), node.children.end(), [](const auto& a, const auto& b) {
      const bool a_last = a->kind == Node::Kind::kSample;
      const bool b_last = b->kind == Node::Kind::kSample;
      return a_last != b_last ? b_last : a->cost < b->cost;
    });
    return Condition(std::move(node));
  }
  static bool HasSample(const Node& node) {
    return std::any_of(node.children.begin(), node.children.end(),
                       [](const NodePtr& child) { return child->kind == Node::Kind::kSample; });
  }

  Result<Operand> Binary(const Syntax& s) {
    if (s.op == TokenKind::kAnd || s.op == TokenKind::kOr) return Logic(s);
    TRY_ASSIGN(const Operand left, Bind(*s.children[0]));
    TRY_ASSIGN(const Operand right, Bind(*s.children[1]));
    if (s.op == TokenKind::kIn) return In(left, right, s.negated);
    if (s.op == TokenKind::kLike || s.op == TokenKind::kMatches || s.op == TokenKind::kNotMatches) {
      return Match(left, right, s.op);
    }
    if (left.is_pattern_only || right.is_pattern_only) return Invalid("invalid escape in a string");
    if (const auto op = CompareOf(s.op)) return Comparison(left, right, *op);
    return Arithmetic(left, right, s.op);
  }

  static Result<Operand> Arithmetic(const Operand& left, const Operand& right, TokenKind op) {
    using Kind = Operand::Kind;
    if (op == TokenKind::kShiftLeft || op == TokenKind::kShiftRight) {
      return Invalid("shift operators are not supported");
    }
    if (left.kind == Kind::kConstant && right.kind == Kind::kConstant) {
      if (left.is_template || right.is_template) {
        return Invalid("placeholder was not supported between two constants with operator");
      }
      Operand folded;
      TRY_ASSIGN(folded.constant, FoldArithmetic(op, left.constant, right.constant));
      return folded;
    }
    const auto arith = ArithOf(op);
    const bool value_left = left.kind == Kind::kValue && right.kind == Kind::kConstant;
    const bool commutes = op == TokenKind::kPlus || op == TokenKind::kStar;
    const bool value_right = left.kind == Kind::kConstant && right.kind == Kind::kValue && commutes;
    if (!arith || (!value_left && !value_right)) {
      return Invalid("arithmetic is only supported between one field and a constant");
    }
    Operand operand = value_left ? left : right;
    operand.kind = Kind::kArith;
    operand.arith = *arith;
    operand.arith_operand = value_left ? right.constant : left.constant;
    TRY(CheckArith(operand));
    return operand;
  }

  static Status CheckArith(const Operand& operand) {
    const Scalar& constant = operand.arith_operand;
    if (!constant.is_int() && !constant.is_double()) return Invalid("arithmetic needs a number");
    const bool int_only = operand.arith == ArithOp::kMod || operand.arith >= ArithOp::kAnd;
    if (int_only && !constant.is_int())
      return Invalid("modulo and bitwise need an integer constant");
    const Source& source = operand.source;
    if (source.kind == Source::Kind::kArray) return Invalid("arithmetic on a whole array");
    if (source.kind != Source::Kind::kJson) {
      const bool is_int = model::IsInteger(source.type);
      if (!is_int && !model::IsFloating(source.type))
        return Invalid("arithmetic on a field that is no number");
      if (is_int && !constant.is_int()) {
        return Invalid("float constant cannot be used with an integer field in arithmetic");
      }
      if (!is_int && int_only) return Invalid("modulo and bitwise need an integer field");
    }
    if ((operand.arith == ArithOp::kDiv || operand.arith == ArithOp::kMod) &&
        constant.number() == 0) {
      return Invalid("divide by zero");
    }
    return {};
  }

  Result<Operand> Comparison(const Operand& left, const Operand& right, Compare op) {
    using Kind = Operand::Kind;
    if (left.kind == Kind::kConstant && right.kind == Kind::kConstant) {
      if (left.is_template || right.is_template) {
        return Invalid("placeholder was not supported between two constants with operator");
      }
      Operand folded;
      TRY_ASSIGN(const bool value, FoldCompare(op, left.constant, right.constant));
      folded.constant = value;
      return folded;
    }
    if (left.kind == Kind::kConstant) return CompareWith(right, left.constant, Mirrored(op));
    if (right.kind == Kind::kConstant) return CompareWith(left, right.constant, op);
    if (left.kind == Kind::kValue && right.kind == Kind::kValue) return Columns(left, right, op);
    return Invalid(
        "comparison operations are only supported between a field and a constant, or two fields");
  }

  static Result<Operand> Columns(const Operand& left, const Operand& right, Compare op) {
    const auto is_json = [](const Source& s) { return s.kind == Source::Kind::kJson; };
    if (is_json(left.source) || is_json(right.source)) {
      return Invalid("two column comparison with JSON type is not supported");
    }
    if (left.source.kind != Source::Kind::kColumn || right.source.kind != Source::Kind::kColumn) {
      return Error(ErrorCode::kSegcore,
                   "comparison of array elements is not supported[segcoreCode=2028]");
    }
    const auto is_number = [](DataType t) { return model::IsInteger(t) || model::IsFloating(t); };
    const DataType a = left.source.type;
    const DataType b = right.source.type;
    const bool comparable = (is_number(a) && is_number(b)) ||
                            (a == b && (a == DataType::kVarChar || a == DataType::kBool));
    if (!comparable) return Invalid("cannot compare {} with {}", NameOf(a), NameOf(b));
    Node node{.kind = Node::Kind::kColumns, .source = left.source, .other = right.source, .op = op};
    return Condition(std::move(node));
  }

  // Casts a literal for a plain column or array element. nullopt: no value of the type can equal
  // it.
  static Result<Scalar> Cast(const Scalar& value, DataType type, std::string_view name) {
    const auto mismatch = [&] {
      return Invalid("value cannot be casted to {}, field: {}", NameOf(type), name);
    };
    if (type == DataType::kBool) return value.is_bool() ? Result<Scalar>(value) : mismatch();
    if (model::IsInteger(type)) return value.is_int() ? Result<Scalar>(value) : mismatch();
    if (model::IsFloating(type)) {
      if (!value.is_int() && !value.is_double()) return mismatch();
      return Scalar(value.number());
    }
    if (type == DataType::kVarChar) return value.is_string() ? Result<Scalar>(value) : mismatch();
    return Invalid("field {} of type {} cannot be used in a comparison", name, NameOf(type));
  }

  Result<Operand> CompareWith(const Operand& value, const Scalar& constant, Compare op) {
    if (value.kind == Operand::Kind::kCondition) {
      return Invalid("comparison operations cannot be applied to boolean expressions");
    }
    Node node{.kind = Node::Kind::kTest, .source = value.source};
    node.test.op = op;
    if (value.kind == Operand::Kind::kLength) {
      if (!constant.is_int()) return Invalid("array_length can only be compared with an integer");
      node.kind = Node::Kind::kLength;
      node.test.values = {constant};
      return Condition(std::move(node));
    }
    if (value.kind == Operand::Kind::kArith) {
      node.test.kind = Test::Kind::kArith;
      node.test.arith = value.arith;
      node.test.arith_operand = value.arith_operand;
      return CompareArith(value, constant, std::move(node));
    }
    const Source& source = value.source;
    if (source.kind == Source::Kind::kJson) {
      if (constant.is_null()) return Invalid("comparison with null is not supported");
      if (constant.is_list() && op != Compare::kEq && op != Compare::kNe) {
        return Invalid("arrays can only be compared with == and !=");
      }
      node.test.values = {constant};
    } else if (source.kind == Source::Kind::kArray) {
      if (!constant.is_list() || constant.as_list().empty() ||
          (op != Compare::kEq && op != Compare::kNe)) {
        return Invalid("array field {} can only be compared with an array by == and !=",
                       value.name);
      }
      model::ScalarList list;
      for (const Scalar& item : constant.as_list()) {
        TRY_ASSIGN(Scalar cast, Cast(item, source.type, value.name));
        list.push_back(std::move(cast));
      }
      node.test.values = {Scalar(std::move(list))};
    } else {
      TRY_ASSIGN(Scalar cast, Cast(constant, source.type, value.name));
      node.test.values = {std::move(cast)};
    }
    return Condition(std::move(node));
  }

  static Result<Operand> CompareArith(const Operand& value, const Scalar& constant, Node node) {
    if (!constant.is_int() && !constant.is_double()) return Invalid("arithmetic gives a number");
    const Source& source = value.source;
    Scalar right = constant;
    if (source.kind == Source::Kind::kJson) {
      if (value.arith_operand.is_int() && !constant.is_int()) {
        return Invalid("an integer is needed beside integer arithmetic on JSON");
      }
      if (value.arith_operand.is_double()) right = constant.number();
    } else if (model::IsInteger(source.type)) {
      if (!constant.is_int())
        return Invalid("float constant cannot be compared with an integer field");
    } else {
      right = constant.number();
    }
    node.test.values = {std::move(right)};
    return Condition(std::move(node));
  }

  Result<Operand> In(const Operand& left, const Operand& right, bool negated) {
    if (left.kind != Operand::Kind::kValue)
      return Invalid("'term' can only be used on single field");
    if (left.source.kind == Source::Kind::kArray)
      return Invalid("'in' on a whole array is not supported");
    if (right.kind != Operand::Kind::kConstant || !right.constant.is_list()) {
      return Invalid("the right-hand side of 'in' must be a list, value is not array");
    }
    Node node{.kind = Node::Kind::kTest, .source = left.source};
    node.test.kind = Test::Kind::kIn;
    const model::ScalarList& list = right.constant.as_list();
    if (left.source.kind == Source::Kind::kJson) {
      node.test.values = list;
    } else {
      for (const Scalar& item : list) {
        TRY_ASSIGN(Scalar cast, Cast(item, left.source.type, left.name));
        // NaN, which a template can bring, is in no row's `in` and has no place in a sorted list.
        if (cast.is_double() && std::isnan(cast.as_double())) continue;
        node.test.values.push_back(std::move(cast));
      }
      // All of one type after the cast.
      const auto less = [](const Scalar& a, const Scalar& b) {
        if (a.is_string()) return a.as_string() < b.as_string();
        if (a.is_bool()) return a.as_bool() < b.as_bool();
        return a.is_int() ? a.as_int() < b.as_int() : a.as_double() < b.as_double();
      };
      std::sort(node.test.values.begin(), node.test.values.end(), less);
      node.test.values.erase(std::unique(node.test.values.begin(), node.test.values.end()),
                             node.test.values.end());
    }
    Operand condition = Condition(std::move(node));
    if (!negated) return condition;
    Node inverse{.kind = Node::Kind::kNot, .children = {condition.node}};
    return Condition(std::move(inverse));
  }

  static bool IsTextual(const Source& source) {
    if (source.kind == Source::Kind::kJson) return true;
    return source.kind != Source::Kind::kArray && source.type == DataType::kVarChar;
  }

  Result<Operand> Match(const Operand& left, const Operand& right, TokenKind op) {
    if (left.kind != Operand::Kind::kValue || !IsTextual(left.source)) {
      return Invalid("like operation on non-string or no-json field is unsupported");
    }
    if (right.kind != Operand::Kind::kConstant || !right.constant.is_string()) {
      return Invalid("the pattern must be a string");
    }
    Node node{.kind = Node::Kind::kTest, .source = left.source};
    if (op == TokenKind::kLike) {
      if (right.is_pattern_only) return Invalid("invalid escape in a string");
      TRY_ASSIGN(LikePattern pattern, LikePattern::Make(right.constant.as_string()));
      node.test.kind = Test::Kind::kLike;
      node.test.like = std::make_shared<const LikePattern>(std::move(pattern));
      return Condition(std::move(node));
    }
    re2::RE2::Options options;
    options.set_dot_nl(true);
    options.set_log_errors(false);
    auto regex = std::make_shared<const re2::RE2>(RegexText(right), options);
    if (!regex->ok()) return Invalid("invalid regular expression: {}", regex->error());
    node.test.kind = Test::Kind::kRegex;
    node.test.regex = std::move(regex);
    Operand condition = Condition(std::move(node));
    if (op == TokenKind::kMatches) return condition;
    Node inverse{.kind = Node::Kind::kNot, .children = {condition.node}};
    return Condition(std::move(inverse));
  }

  // In a pattern only \\ and escaped quotes are processed; every other pair goes to the regex as
  // written.
  static std::string RegexText(const Operand& pattern) {
    std::string text;
    const std::string& raw = pattern.raw;
    if (pattern.is_template) return raw;
    for (size_t i = 0; i < raw.size(); ++i) {
      const bool escapes = raw[i] == '\\' && i + 1 < raw.size() &&
                           (raw[i + 1] == '\\' || raw[i + 1] == '"' || raw[i + 1] == '\'');
      if (escapes) ++i;
      text += raw[i];
    }
    return text;
  }

  Result<Operand> Range(const Syntax& s) {
    TRY_ASSIGN(Operand low, Bind(*s.children[0]));
    TRY_ASSIGN(const Operand value, Bind(*s.children[1]));
    TRY_ASSIGN(Operand high, Bind(*s.children[2]));
    if (low.kind != Operand::Kind::kConstant || high.kind != Operand::Kind::kConstant) {
      return Invalid("the bounds of a range must be constants");
    }
    bool low_inclusive = s.op == TokenKind::kLessEqual || s.op == TokenKind::kGreaterEqual;
    bool high_inclusive = s.op2 == TokenKind::kLessEqual || s.op2 == TokenKind::kGreaterEqual;
    if (s.op == TokenKind::kGreater || s.op == TokenKind::kGreaterEqual) {
      std::swap(low, high);
      std::swap(low_inclusive, high_inclusive);
    }
    const Source& source = value.source;
    if (source.kind == Source::Kind::kArray || source.type == DataType::kBool) {
      return Invalid("range operations are not supported on {}", value.name);
    }
    if (source.kind != Source::Kind::kJson) {
      TRY_ASSIGN(low.constant, Cast(low.constant, source.type, value.name));
      TRY_ASSIGN(high.constant, Cast(high.constant, source.type, value.name));
    }
    TRY_ASSIGN(const bool ordered,
               FoldCompare(low_inclusive && high_inclusive ? Compare::kLe : Compare::kLt,
                           low.constant, high.constant));
    if (!ordered) return Invalid("invalid range: lowerbound is greater than upperbound");
    Node node{.kind = Node::Kind::kTest, .source = source};
    node.test.kind = Test::Kind::kRange;
    node.test.values = {low.constant, high.constant};
    node.test.lower_inclusive = low_inclusive;
    node.test.upper_inclusive = high_inclusive;
    return Condition(std::move(node));
  }

  Result<Operand> Exists(const Syntax& s) {
    TRY_ASSIGN(const Operand value, Bind(*s.children[0]));
    if (value.kind != Operand::Kind::kValue || value.source.kind != Source::Kind::kJson ||
        value.source.path.empty()) {
      return Invalid("exists operations are only supported on a JSON path");
    }
    Node node{.kind = Node::Kind::kExists, .source = value.source};
    return Condition(std::move(node));
  }

  Result<Operand> IsNull(const Syntax& s) {
    TRY_ASSIGN(const Operand value, Bind(*s.children[0]));
    const Source& source = value.source;
    if (source.kind == Source::Kind::kElement) {
      return Invalid("is null is not supported on array element access");
    }
    if (model::IsVector(source.type)) return Invalid("is null is not supported on vector fields");
    Node node{.kind = Node::Kind::kIsNull, .source = source};
    const bool is_path = source.kind == Source::Kind::kJson && !source.path.empty();
    if (is_path) node.kind = Node::Kind::kExists;
    if (!is_path && !source.nullable) {
      Operand folded;
      folded.constant = s.negated;
      return folded;
    }
    Operand condition = Condition(std::move(node));
    // A path is null when it does not exist.
    if (is_path == s.negated) return condition;
    Node inverse{.kind = Node::Kind::kNot, .children = {condition.node}};
    return Condition(std::move(inverse));
  }

  // -- Calls --------------------------------------------------------------------------------------
  Result<Operand> Call(const Syntax& s) {
    const std::string name = Lower(s.token.text);
    for (std::string_view not_built : kNotBuilt) {
      if (name == not_built) {
        return Error(ErrorCode::kUnimplemented, "{} in a filter is not supported yet", name);
      }
    }
    const size_t underscore = name.find("_contains");
    if ((name.starts_with("json_contains") || name.starts_with("array_contains")) &&
        underscore != std::string::npos) {
      const std::string_view rest = std::string_view(name).substr(underscore + 9);
      if (rest.empty() || rest == "_all" || rest == "_any") return Contains(s, rest);
    }
    if (name == "array_length") return Length(s);
    if (name == "random_sample") return Sample(s);
    if (name == "empty" || name == "starts_with") return TextCall(s, name);
    return Error(ErrorCode::kSegcore, "function {} not found[segcoreCode=2028]", name);
  }

  Result<Operand> Contains(const Syntax& s, std::string_view variant) {
    if (s.children.size() != 2) return Invalid("contains operations take two arguments");
    TRY_ASSIGN(const Operand value, Bind(*s.children[0]));
    TRY_ASSIGN(const Operand wanted, Bind(*s.children[1]));
    const Source& source = value.source;
    const bool is_array = source.kind == Source::Kind::kArray;
    if (value.kind != Operand::Kind::kValue || (!is_array && source.kind != Source::Kind::kJson)) {
      return Invalid("contains operations are only supported on JSON or array fields");
    }
    if (wanted.kind != Operand::Kind::kConstant)
      return Invalid("contains operations need constants");
    Node node{.kind = Node::Kind::kContains, .source = source};
    node.all = variant == "_all";
    if (variant.empty()) {
      node.values = {wanted.constant};
    } else {
      if (!wanted.constant.is_list()) {
        return Invalid("contains{} operation element must be an array", variant);
      }
      node.values = wanted.constant.as_list();
      if (node.values.empty()) {
        Operand folded;
        folded.constant = node.all;
        return folded;
      }
    }
    if (is_array) {
      for (Scalar& item : node.values) {
        TRY_ASSIGN(item, Cast(item, source.type, value.name));
      }
    }
    return Condition(std::move(node));
  }

  Result<Operand> Length(const Syntax& s) {
    if (s.children.size() != 1) return Invalid("array_length takes one argument");
    TRY_ASSIGN(Operand value, Bind(*s.children[0]));
    const bool has_length =
        value.kind == Operand::Kind::kValue &&
        (value.source.kind == Source::Kind::kArray || value.source.kind == Source::Kind::kJson);
    if (!has_length)
      return Invalid("array_length operation are only supported on JSON or array fields");
    value.kind = Operand::Kind::kLength;
    return value;
  }

  Result<Operand> Sample(const Syntax& s) {
    if (s.children.size() != 1) return Invalid("random_sample takes one argument");
    TRY_ASSIGN(const Operand fraction, Bind(*s.children[0]));
    if (fraction.kind != Operand::Kind::kConstant || fraction.is_template ||
        !fraction.constant.is_double()) {
      return Invalid("random_sample needs a float constant");
    }
    const double value = fraction.constant.as_double();
    if (value <= 1e-10 || value >= 1 - 1e-10)
      return Invalid("random_sample must be between 0 and 1");
    Node node{.kind = Node::Kind::kSample};
    node.fraction = value;
    return Condition(std::move(node));
  }

  Result<Operand> TextCall(const Syntax& s, const std::string& name) {
    const size_t arguments = name == "empty" ? 1 : 2;
    if (s.children.size() != arguments) {
      return Error(ErrorCode::kSegcore, "function {} with {} arguments not found[segcoreCode=2028]",
                   name, s.children.size());
    }
    TRY_ASSIGN(const Operand value, Bind(*s.children[0]));
    Scalar text = std::string();
    if (arguments == 2) {
      TRY_ASSIGN(const Operand prefix, Bind(*s.children[1]));
      text = prefix.constant;
    }
    const bool fits = value.kind == Operand::Kind::kValue &&
                      value.source.kind == Source::Kind::kColumn &&
                      value.source.type == DataType::kVarChar && text.is_string();
    if (!fits)
      return Error(ErrorCode::kSegcore,
                   "function {} for these arguments not found[segcoreCode=2028]", name);
    Node node{.kind = Node::Kind::kTest, .source = value.source};
    if (name == "empty") {
      node.test.values = {text};
      return Condition(std::move(node));
    }
    std::string escaped;
    for (char c : text.as_string()) {
      if (c == '%' || c == '_' || c == '\\') escaped += '\\';
      escaped += c;
    }
    TRY_ASSIGN(LikePattern pattern, LikePattern::Make(escaped + "%"));
    node.test.kind = Test::Kind::kLike;
    node.test.like = std::make_shared<const LikePattern>(std::move(pattern));
    return Condition(std::move(node));
  }

  const model::CollectionSchema& schema_;
  const Templates& templates_;
};

}  // namespace

Result<Plan> Bind(std::string_view text, const model::CollectionSchema& schema,
                  const Templates& templates) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return Plan(nullptr);
  const auto explain = [&](const Status& status) {
    return Error(status.code(), "cannot parse expression: {}, error: {}", text, status.message());
  };
  Result<std::unique_ptr<Syntax>> syntax = Parse(text);
  if (!syntax.ok()) return explain(syntax.status());
  Result<NodePtr> root = Binder(schema, templates).Root(**syntax);
  if (!root.ok()) return explain(root.status());
  if (IsConstant(*root, true)) return Plan(nullptr);
  Plan plan(*root);
  const Node& node = **root;
  const bool is_lookup = node.kind == Node::Kind::kTest &&
                         node.source.kind == Source::Kind::kColumn &&
                         node.source.field == schema.primary_key().id &&
                         (node.test.kind == Test::Kind::kIn ||
                          (node.test.kind == Test::Kind::kCompare && node.test.op == Compare::kEq));
  if (is_lookup) plan.set_primary_keys(node.test.values);
  return plan;
}

}  // namespace elanus::expr
