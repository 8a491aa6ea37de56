// text_match, text_match_fuzzy and phrase_match: words of a text field. An index of words answers
// them; without one each row that is looked at is analyzed.
#include "expr/batch.h"
#include "expr/function_list.h"
#include "expr/functions/functions.h"
#include "text/match.h"

namespace elanus::expr {
namespace {

using model::WordQuery;

constexpr int64_t kShouldMatchMax = 1000;
constexpr int64_t kEditDistanceMax = 2;
constexpr int64_t kSlopMax = UINT32_MAX;

// A field that can be matched, and a text.
Status CheckTextArguments(const Call& call, size_t count_max) {
  if (call.arguments.size() < 2 || call.arguments.size() > count_max) {
    return Invalid("{} takes a field and a text", call.name);
  }
  const Operand& field = call.arguments[0];
  const bool is_text = field.kind == Operand::Kind::kValue &&
                       field.source.kind == Source::Kind::kColumn &&
                       (field.source.type == model::DataType::kVarChar ||
                        field.source.type == model::DataType::kText);
  if (!is_text) return Invalid("{} operation on non-string is unsupported", call.name);
  if (!field.source.has_match) return Invalid("field \"{}\" does not enable match", field.name);
  const Operand& query = call.arguments[1];
  if (query.kind != Operand::Kind::kConstant || !query.constant.is_string()) {
    return Invalid("{} needs a text to look for", call.name);
  }
  return {};
}

void EvaluateWords(const Node& node, const model::ColumnView& column, const BatchRows& rows,
                   Tri& out) {
  text::WordMatcher matcher(*node.words);
  text::Tokens tokens;
  ForEachActive(column, rows, out, [&](size_t i) {
    node.analyzer->Analyze(column.Bytes(i), tokens);
    return matcher.Matches(tokens);
  });
}

// The condition on the words of the call's text; `ask` says what else is asked of them.
template <class Ask>
Result<Operand> BindWords(const Call& call, WordQuery::Kind kind, Ask ask) {
  const Source& source = call.arguments[0].source;
  TRY_ASSIGN(text::AnalyzerPtr analyzer, text::AnalyzerOf(source.analyzer));
  text::Tokens tokens;
  analyzer->Analyze(call.arguments[1].constant.as_string(), tokens);
  WordQuery query = text::MakeWordQuery(kind, tokens);
  ask(query);
  return MakeCondition({.kind = Node::Kind::kFunction,
                        .source = source,
                        .evaluate = EvaluateWords,
                        .words = std::make_shared<const WordQuery>(std::move(query)),
                        .analyzer = std::move(analyzer)});
}

}  // namespace

Result<Operand> BindTextMatch(const Call& call) {
  TRY(CheckTextArguments(call, 2));
  const int64_t at_least = call.option.value_or(1);
  if (at_least < 1 || at_least > kShouldMatchMax) {
    return Invalid("minimum_should_match must be in [1, {}], got {}", kShouldMatchMax, at_least);
  }
  return BindWords(call, WordQuery::Kind::kSome,
                   [&](WordQuery& query) { query.at_least = static_cast<uint32_t>(at_least); });
}

Result<Operand> BindTextMatchFuzzy(const Call& call) {
  TRY(CheckTextArguments(call, 2));
  if (!call.option) return Invalid("{} needs max_edit_distance", call.name);
  const int64_t edits = *call.option;
  if (edits < 0 || edits > kEditDistanceMax) {
    return Invalid("max_edit_distance must be in [0, {}], got {}", kEditDistanceMax, edits);
  }
  return BindWords(call, WordQuery::Kind::kFuzzy,
                   [&](WordQuery& query) { query.edits = static_cast<uint32_t>(edits); });
}

Result<Operand> BindPhraseMatch(const Call& call) {
  TRY(CheckTextArguments(call, 3));
  int64_t places = 0;
  if (call.arguments.size() == 3) {
    const Operand& slop = call.arguments[2];
    // A slop that is no integer counts as 0, as in the reference.
    places = slop.constant.is_int() ? slop.constant.as_int() : 0;
    if (!slop.is_literal() || places < 0 || places > kSlopMax) {
      return Invalid("the slop of phrase_match must be a constant in [0, {}]", kSlopMax);
    }
  }
  return BindWords(call, WordQuery::Kind::kPhrase,
                   [&](WordQuery& query) { query.slop = static_cast<uint32_t>(places); });
}

}  // namespace elanus::expr
