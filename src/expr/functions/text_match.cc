// text_match, text_match_fuzzy and phrase_match: their rules. What they find is not built yet.
#include "expr/function_list.h"
#include "expr/functions/functions.h"

namespace elanus::expr {
namespace {

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

}  // namespace

Result<Operand> BindTextMatch(const Call& call) {
  TRY(CheckTextArguments(call, 2));
  if (call.option && (*call.option < 1 || *call.option > kShouldMatchMax)) {
    return Invalid("minimum_should_match must be in [1, {}], got {}", kShouldMatchMax,
                   *call.option);
  }
  return NotBuilt(call.name);
}

Result<Operand> BindTextMatchFuzzy(const Call& call) {
  TRY(CheckTextArguments(call, 2));
  if (!call.option) return Invalid("{} needs max_edit_distance", call.name);
  if (*call.option > kEditDistanceMax) {
    return Invalid("max_edit_distance must be in [0, {}], got {}", kEditDistanceMax, *call.option);
  }
  return NotBuilt(call.name);
}

Result<Operand> BindPhraseMatch(const Call& call) {
  TRY(CheckTextArguments(call, 3));
  if (call.arguments.size() == 3) {
    const Operand& slop = call.arguments[2];
    // A slop that is no integer counts as 0, as in the reference.
    const int64_t words = slop.constant.is_int() ? slop.constant.as_int() : 0;
    if (!slop.is_literal() || words < 0 || words > kSlopMax) {
      return Invalid("the slop of phrase_match must be a constant in [0, {}]", kSlopMax);
    }
  }
  return NotBuilt(call.name);
}

}  // namespace elanus::expr
