// Leaves of a filter as text.
#include "expr/describe.h"

#include <fmt/format.h>

#include <algorithm>

#include "expr/regex.h"
#include "geometry/spatial.h"

namespace elanus::expr {
namespace {

using model::Scalar;

constexpr size_t kValuesShown = 5;
constexpr size_t kTextBytesShown = 60;

std::string Quoted(std::string_view text) {
  if (text.size() <= kTextBytesShown) return fmt::format("\"{}\"", text);
  size_t end = kTextBytesShown;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;  // Not inside of a character.
  return fmt::format("\"{}...\"", text.substr(0, end));
}

std::string ListText(const model::ScalarList& values);

std::string ValueText(const Scalar& value) {
  if (value.is_bool()) return value.as_bool() ? "true" : "false";
  if (value.is_int()) return fmt::format("{}", value.as_int());
  if (value.is_double()) return fmt::format("{}", value.as_double());
  if (value.is_string()) return Quoted(value.as_string());
  return value.is_list() ? ListText(value.as_list()) : "null";
}

std::string ListText(const model::ScalarList& values) {
  std::string text = "[";
  for (size_t i = 0; i < std::min(values.size(), kValuesShown); ++i) {
    text += (i == 0 ? "" : ", ") + ValueText(values[i]);
  }
  if (values.size() > kValuesShown) {
    text += fmt::format(", ... {} values in all", values.size());
  }
  return text + "]";
}

std::string_view SignOf(model::Compare op) {
  switch (op) {
    case model::Compare::kEq:
      return "==";
    case model::Compare::kNe:
      return "!=";
    case model::Compare::kLt:
      return "<";
    case model::Compare::kLe:
      return "<=";
    case model::Compare::kGt:
      return ">";
    case model::Compare::kGe:
      return ">=";
  }
  return "?";
}

std::string_view SignOf(ArithOp op) {
  constexpr std::string_view kSigns[] = {"", "+", "-", "*", "/", "%", "&", "|", "^"};
  return kSigns[static_cast<size_t>(op)];
}

std::string SourceText(const Source& from, const ColumnSource& source) {
  std::string text(source.NameOf(from.field));
  if (text.empty()) text = fmt::format("field {}", from.field.value());
  for (const PathStep& step : from.path) {
    text += step.is_index ? fmt::format("[{}]", step.index) : fmt::format("[\"{}\"]", step.key);
  }
  if (from.kind == Source::Kind::kElement) text += fmt::format("[{}]", from.index);
  return text;
}

std::string PatternText(const Test& test) {
  if (test.kind == Test::Kind::kRegex) {
    const auto& literals = test.regex->literals();
    return literals.empty() ? "=~ a pattern"
                            : fmt::format("=~ a pattern with {}", Quoted(literals[0]));
  }
  const LikePattern& like = *test.like;
  switch (like.kind()) {
    case LikePattern::Kind::kEquals:
      return "like " + Quoted(like.literal());
    case LikePattern::Kind::kPrefix:
      return "like " + Quoted(like.literal() + "%");
    case LikePattern::Kind::kSuffix:
      return "like " + Quoted("%" + like.literal());
    case LikePattern::Kind::kInfix:
      return "like " + Quoted("%" + like.literal() + "%");
    default:
      break;
  }
  return like.literals().empty()
             ? "like a pattern"
             : fmt::format("like a pattern with {}", Quoted(like.literals()[0]));
}

std::string TestText(const Node& node, const std::string& name) {
  const Test& test = node.test;
  switch (test.kind) {
    case Test::Kind::kCompare:
      return fmt::format("{} {} {}", name, SignOf(test.op), ValueText(test.values[0]));
    case Test::Kind::kIn:
      return fmt::format("{} in {}", name, ListText(test.values));
    case Test::Kind::kRange:
      return fmt::format("{} {} {} {} {}", ValueText(test.values[0]),
                         test.lower_inclusive ? "<=" : "<", name, test.upper_inclusive ? "<=" : "<",
                         ValueText(test.values[1]));
    case Test::Kind::kArith:
      return fmt::format("{} {} {} {} {}", name, SignOf(test.arith), ValueText(test.arith_operand),
                         SignOf(test.op), ValueText(test.values[0]));
    case Test::Kind::kShift:
      return fmt::format("{} {} an interval {} {} us since 1970", name,
                         test.duration_sign < 0 ? "-" : "+", SignOf(test.op),
                         ValueText(test.values[0]));
    default:
      return fmt::format("{} {}", name, PatternText(test));
  }
}

std::string CallText(const Node& node, const std::string& name) {
  if (node.words != nullptr) {
    model::ScalarList words;
    for (const std::string& word : node.words->words) words.emplace_back(word);
    const bool is_phrase = node.words->kind == model::WordQuery::Kind::kPhrase;
    return fmt::format("{}({}, {})", is_phrase ? "phrase_match" : "text_match", name,
                       ListText(words));
  }
  if (node.spatial != nullptr) {
    return fmt::format("{}({}, ...)", node.spatial->function(), name);
  }
  if (node.is_contains) {
    return fmt::format("{}({}, {})", node.all ? "contains_all" : "contains", name,
                       ListText(node.values));
  }
  return fmt::format("a function of {}", name);
}

}  // namespace

std::string Describe(const Node& leaf, const ColumnSource& source) {
  if (leaf.kind == Node::Kind::kConstant) return leaf.constant ? "true" : "false";
  if (leaf.kind == Node::Kind::kSample) return fmt::format("random_sample({})", leaf.fraction);
  const std::string name = SourceText(leaf.source, source);
  switch (leaf.kind) {
    case Node::Kind::kTest:
      return TestText(leaf, name);
    case Node::Kind::kColumns:
      return fmt::format("{} {} {}", name, SignOf(leaf.op), SourceText(leaf.other, source));
    case Node::Kind::kIsNull:
      return name + " is null";
    case Node::Kind::kExists:
      return "exists " + name;
    case Node::Kind::kElements:
      return fmt::format("{} over the elements of {}",
                         leaf.keeps_elements ? "element_filter" : "match", name);
    default:
      return CallText(leaf, name);
  }
}

}  // namespace elanus::expr
