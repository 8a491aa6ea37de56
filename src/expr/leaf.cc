// Leaves as the planner sees them.
#include "expr/leaf.h"

#include <algorithm>
#include <cmath>

#include "expr/path_text.h"
#include "expr/regex.h"
#include "geometry/spatial.h"

namespace elanus::expr {
namespace {

using model::Compare;
using model::DataType;
using model::Predicate;
using model::Scalar;

// Integers below this are doubles without loss, and order among other integers as they do.
constexpr int64_t kExactMax = int64_t{1} << 53;

// Makes the values those of one class of JSON, the one that `type` becomes. False: they are mixed,
// or nested, or too large for an index of doubles.
bool AsJsonClass(model::ScalarList& values, DataType& type) {
  if (values.empty()) return false;
  const auto all = [&](auto is) { return std::all_of(values.begin(), values.end(), is); };
  if (all([](const Scalar& s) { return s.is_bool(); })) {
    type = DataType::kBool;
    return true;
  }
  if (all([](const Scalar& s) { return s.is_string(); })) {
    type = DataType::kVarChar;
    return true;
  }
  type = DataType::kDouble;
  for (Scalar& value : values) {
    if (!value.is_int() && !value.is_double()) return false;
    if (value.is_int() && (value.as_int() >= kExactMax || value.as_int() <= -kExactMax)) {
      return false;
    }
    value = value.number();
  }
  return true;
}

// Fills in what the test asks. False: no index knows its kind.
bool SetTest(const Test& test, Predicate& predicate) {
  switch (test.kind) {
    case Test::Kind::kCompare:
      predicate.kind = Predicate::Kind::kCompare;
      predicate.op = test.op;
      return true;
    case Test::Kind::kIn:
      predicate.kind = Predicate::Kind::kIn;
      return true;
    case Test::Kind::kRange:
      predicate.kind = Predicate::Kind::kRange;
      predicate.lower_inclusive = test.lower_inclusive;
      predicate.upper_inclusive = test.upper_inclusive;
      return true;
    case Test::Kind::kLike:
      if (test.like->kind() == LikePattern::Kind::kPrefix) {
        predicate.kind = Predicate::Kind::kPrefix;
        predicate.values = {Scalar(test.like->literal())};
        return true;
      }
      predicate.kind = Predicate::Kind::kText;
      predicate.text = test.like;
      return true;
    case Test::Kind::kRegex:
      predicate.kind = Predicate::Kind::kText;
      predicate.text = test.regex;
      return true;
    default:
      return false;
  }
}

Verdict JudgeOrdered(const Test& test, const auto& min, const auto& max, auto get) {
  // Whether [min, max] lies wholly outside of, or inside, the values that pass.
  const auto& first = get(test.values[0]);
  const auto& last = get(test.values.back());
  const auto verdict = [](bool none, bool all) {
    return none ? Verdict::kNone : all ? Verdict::kAll : Verdict::kMixed;
  };
  if (test.kind == Test::Kind::kRange) {
    const bool below = test.lower_inclusive ? max < first : max <= first;
    const bool above = test.upper_inclusive ? min > last : min >= last;
    const bool inside = (test.lower_inclusive ? min >= first : min > first) &&
                        (test.upper_inclusive ? max <= last : max < last);
    return verdict(below || above, inside);
  }
  // Values are sorted.
  if (test.kind == Test::Kind::kIn) return verdict(max < first || min > last, false);
  switch (test.op) {
    case Compare::kEq:
      return verdict(max < first || min > first, min == first && max == first);
    case Compare::kNe:
      return verdict(min == first && max == first, max < first || min > first);
    case Compare::kLt:
      return verdict(min >= first, max < first);
    case Compare::kLe:
      return verdict(min > first, max <= first);
    case Compare::kGt:
      return verdict(max <= first, min > first);
    case Compare::kGe:
      return verdict(max < first, min >= first);
  }
  return Verdict::kMixed;
}

Verdict JudgePrefix(const Test& test, const model::BlockStats& stats) {
  const std::string& prefix = test.like->literal();
  if (stats.text_max < prefix) return Verdict::kNone;
  const bool min_begins = stats.text_min.starts_with(prefix);
  if (!min_begins && stats.text_min > prefix) return Verdict::kNone;
  return min_begins && stats.text_max.starts_with(prefix) ? Verdict::kAll : Verdict::kMixed;
}

}  // namespace

std::optional<Predicate> AsPredicate(const Node& node) {
  const Source& source = node.source;
  Predicate predicate{.field = source.field, .type = source.type};
  const bool is_json = source.kind == Source::Kind::kJson;
  if (node.kind == Node::Kind::kIsNull) {
    if (source.kind != Source::Kind::kColumn) return std::nullopt;
    predicate.kind = Predicate::Kind::kIsNull;
    return predicate;
  }
  if (node.words != nullptr) {
    predicate.kind = Predicate::Kind::kWords;
    predicate.path = model::kWordsPath;
    predicate.words = node.words;
    return predicate;
  }
  if (node.spatial != nullptr) {
    if (!node.spatial->boxes()) return std::nullopt;
    predicate.kind = Predicate::Kind::kShape;
    predicate.boxes = *node.spatial->boxes();
    return predicate;
  }
  if (node.is_contains) {
    predicate.kind = Predicate::Kind::kContains;
    predicate.all = node.all;
    predicate.values = node.values;
  } else {
    const bool is_one_value = source.kind == Source::Kind::kColumn || is_json;
    if (node.kind != Node::Kind::kTest || !is_one_value) return std::nullopt;
    predicate.values = node.test.values;
    if (!SetTest(node.test, predicate)) return std::nullopt;
  }
  if (!is_json) return predicate;
  predicate.path = PathText(source.path);
  if (predicate.kind == Predicate::Kind::kText) {
    predicate.type = DataType::kVarChar;
  } else if (!AsJsonClass(predicate.values, predicate.type)) {
    return std::nullopt;
  }
  return predicate;
}

double ScanNs(const Node& node) {
  if (node.kind == Node::Kind::kIsNull) return 0.2;
  if (node.kind == Node::Kind::kElements) return 50;
  if (node.words != nullptr) return 3000;  // The row is analyzed.
  // The row's box. What comes after it is not for an index to save: it gives candidates by boxes.
  if (node.spatial != nullptr) return node.spatial->boxes() ? 50 : 1500;
  switch (node.source.kind) {
    case Source::Kind::kJson:
      return 150;
    case Source::Kind::kArray:
    case Source::Kind::kElement:
      return 15;
    default:
      break;
  }
  const bool is_text = node.source.type == DataType::kVarChar;
  if (node.kind == Node::Kind::kColumns) return 5;
  switch (node.test.kind) {
    case Test::Kind::kIn:
      return is_text ? 10 : 2;
    case Test::Kind::kLike:
      return 5;
    case Test::Kind::kRegex:
      return 200;
    case Test::Kind::kArith:
      return 3;
    case Test::Kind::kShift:
      return 20;
    default:
      return is_text ? 4 : 0.5;
  }
}

Verdict Judge(const Node& node, const model::BlockStats& stats) {
  if (node.spatial != nullptr) {
    const bool is_told = stats.box && node.spatial->boxes();
    return is_told && !node.spatial->boxes()->MayPassWithin(*stats.box) ? Verdict::kNone
                                                                        : Verdict::kMixed;
  }
  const Test& test = node.test;
  if (!stats.has_range || test.values.empty()) {
    const bool knows_prefix = stats.has_range && test.kind == Test::Kind::kLike &&
                              test.like->kind() == LikePattern::Kind::kPrefix;
    return knows_prefix ? JudgePrefix(test, stats) : Verdict::kMixed;
  }
  if (test.kind != Test::Kind::kCompare && test.kind != Test::Kind::kIn &&
      test.kind != Test::Kind::kRange) {
    return Verdict::kMixed;
  }
  if (node.source.type == DataType::kVarChar) {
    return JudgeOrdered(test, stats.text_min, stats.text_max,
                        [](const Scalar& s) { return std::string_view(s.as_string()); });
  }
  if (!model::IsFloating(node.source.type)) {
    return JudgeOrdered(test, stats.int_min, stats.int_max, [](const Scalar& s) {
      return s.is_bool() ? int64_t{s.as_bool()} : s.as_int();
    });
  }
  const auto is_nan = [](const Scalar& s) { return std::isnan(s.number()); };
  if (stats.has_nan || std::any_of(test.values.begin(), test.values.end(), is_nan)) {
    return Verdict::kMixed;
  }
  return JudgeOrdered(test, stats.real_min, stats.real_max,
                      [](const Scalar& s) { return s.number(); });
}

}  // namespace elanus::expr
