// Drawing filters: each production writes its text and its meaning side by side.
#include "expr/testing/random_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "expr/testing/spatial_reference.h"

namespace elanus::expr::testing {

using model::Compare;
using model::DataType;

namespace {

using Kind = Datum::Kind;
using Meaning = std::function<Truth(const Row&)>;

struct Piece {
  std::string text;
  Meaning truth;
};

struct Sign {
  const char* text;
  Compare op;
  const char* mirrored;
};
constexpr Sign kSigns[] = {{"==", Compare::kEq, "=="}, {"!=", Compare::kNe, "!="},
                           {"<", Compare::kLt, ">"},   {"<=", Compare::kLe, ">="},
                           {">", Compare::kGt, "<"},   {">=", Compare::kGe, "<="}};

// A value that conditions are about, as text and as what it is in a row.
struct Subject {
  std::string text;
  DataType type;  // kJson: a place in a document.
  bool is_plain;  // A whole column of one value.
  std::function<Datum(const Row&)> value;
};

class Writer {
 public:
  explicit Writer(Dice& dice) : dice_(dice) {}

  Piece Condition(int depth) {
    if (depth == 0 || dice_.OneIn(4)) return Leaf();
    switch (dice_.Below(8)) {
      case 0:
        return Negation(depth);
      case 1:
        return Fixed(depth);
      case 2:
      case 3:
      case 4:
        return Chain(depth, /*is_and=*/true);
      default:
        return Chain(depth, /*is_and=*/false);
    }
  }

  Templates TakeTemplates() { return std::move(templates_); }

 private:
  std::string Space() { return dice_.OneIn(6) ? "  \t" : " "; }
  static std::string In(const std::string& text) { return "(" + text + ")"; }

  // -- Logic --------------------------------------------------------------------------------------
  Piece Negation(int depth) {
    const Piece inner = Condition(depth - 1);
    const char* words[] = {"not ", "NOT ", "!"};
    return {dice_.Pick(words) + In(inner.text),
            [truth = inner.truth](const Row& row) { return Not(truth(row)); }};
  }
  // A constant beside a condition.
  Piece Fixed(int depth) {
    const Piece inner = Condition(depth - 1);
    const bool value = dice_.OneIn(2);
    const bool is_and = dice_.OneIn(2);
    const Truth constant = value ? Truth::kTrue : Truth::kFalse;
    return {
        fmt::format("({} {} ({}))", value ? "TRUE" : "1 == 2", is_and ? "and" : "or", inner.text),
        [=, truth = inner.truth](const Row& row) {
          return is_and ? And(constant, truth(row)) : Or(constant, truth(row));
        }};
  }
  Piece Chain(int depth, bool is_and) {
    const char* ands[] = {"and", "AND", "&&"};
    const char* ors[] = {"or", "OR", "||"};
    std::string text;
    std::vector<Meaning> terms;
    for (size_t n = 2 + dice_.Below(3); n > 0; --n) {
      const Piece one = Condition(depth - 1);
      if (!text.empty()) text += Space() + (is_and ? dice_.Pick(ands) : dice_.Pick(ors)) + Space();
      text += In(one.text);
      terms.push_back(one.truth);
    }
    return {text, [=](const Row& row) {
              Truth all = terms[0](row);
              for (const Meaning& term : terms) {
                all = is_and ? And(all, term(row)) : Or(all, term(row));
              }
              return all;
            }};
  }

  // -- Subjects and constants ---------------------------------------------------------------------
  Subject Column() {
    static const std::pair<const char*, DataType> kColumns[] = {
        {"flag", DataType::kBool},  {"n8", DataType::kInt8},   {"n16", DataType::kInt16},
        {"n32", DataType::kInt32},  {"n64", DataType::kInt64}, {"f32", DataType::kFloat},
        {"f64", DataType::kDouble}, {"s", DataType::kVarChar}, {"id", DataType::kInt64}};
    const auto [name, type] = dice_.Pick(kColumns);
    return {name, type, true, [name = std::string(name)](const Row& row) { return row.at(name); }};
  }
  Subject Array() {
    static const std::pair<const char*, DataType> kArrays[] = {{"numbers", DataType::kInt64},
                                                               {"small", DataType::kInt8},
                                                               {"reals", DataType::kFloat},
                                                               {"words", DataType::kVarChar}};
    const auto [name, type] = dice_.Pick(kArrays);
    return {name, type, false, [name = std::string(name)](const Row& row) { return row.at(name); }};
  }
  Subject Element() {
    const Subject array = Array();
    const std::string index = std::to_string(dice_.Below(4));
    return {array.text + "[" + index + "]", array.type, false,
            [=](const Row& row) { return At(array.value(row), {index}); }};
  }
  Subject Place() {
    std::vector<std::string> path;
    std::string text;
    std::string field = "j";
    if (dice_.OneIn(3)) {
      field = "$meta";
      const char* keys[] = {"a", "b", "nosuch"};
      path.push_back(dice_.Pick(keys));
      text = dice_.OneIn(3) ? "$meta[\"" + path[0] + "\"]" : path[0];
    } else {
      text = "j";
    }
    for (size_t n = path.empty() + dice_.Below(2); n > 0; --n) {
      const char* steps[] = {"[\"a\"]", "['b']", "[0]", "[1]", "[r\"a\"]"};
      const char* keys[] = {"a", "b", "0", "1", "a"};
      const size_t step = dice_.Below(5);
      text += steps[step];
      path.push_back(keys[step]);
    }
    return {text, DataType::kJson, false, [=](const Row& row) { return At(row.at(field), path); }};
  }
  Subject Any() {
    const size_t kind = dice_.Below(4);
    return kind < 2 ? Column() : kind == 2 ? Element() : Place();
  }

  // A constant that may stand beside the subject, and what it is compared as.
  Datum ConstantFor(const Subject& subject) {
    if (subject.type == DataType::kJson) {
      const DataType types[] = {DataType::kBool, DataType::kInt64, DataType::kDouble,
                                DataType::kVarChar};
      return DrawValue(dice_, dice_.Pick(types));
    }
    if (model::IsInteger(subject.type) && dice_.OneIn(6)) {
      return DrawValue(dice_, DataType::kInt64);  // Perhaps out of a narrow type's range.
    }
    if (model::IsFloating(subject.type)) {
      if (dice_.OneIn(4)) return Datum::Int(static_cast<int64_t>(dice_.Below(3)));
      return Datum::Real(static_cast<double>(dice_.Below(9)) / 10 - 0.4);
    }
    return DrawValue(dice_, subject.type);
  }
  // A Float column is compared as it was stored.
  static Datum Stored(const Subject& subject, const Datum& constant) {
    if (!subject.is_plain || subject.type != DataType::kFloat) return constant;
    return Datum::Real(static_cast<float>(constant.number()));
  }
  std::string Written(const Datum& constant) {
    if (dice_.OneIn(5)) {
      const std::string name = "t" + std::to_string(templates_.size());
      templates_[name] = ScalarOf(constant);
      return "{" + name + "}";
    }
    if (constant.Is(Kind::kInt) && constant.integer >= 0 && dice_.OneIn(4)) {
      const char* forms[] = {"{:#x}", "0{:o}", "{:#b}", "{}+0", "{}*1"};
      return fmt::format(fmt::runtime(dice_.Pick(forms)), constant.integer);
    }
    return LiteralOf(constant);
  }
  static Truth Compared(const Subject& subject, const Datum& value, Compare op, const Datum& c) {
    return subject.type == DataType::kJson ? CompareJson(value, op, c)
                                           : CompareColumn(value, op, c);
  }

  // -- Leaves -------------------------------------------------------------------------------------
  Piece Leaf() {
    switch (dice_.Below(14)) {
      case 12:
        return Spatial();
      case 13:
        return Time();
      case 0:
        return Range();
      case 1:
        return Membership();
      case 2:
        return Pattern();
      case 3:
        return NullTest();
      case 4:
        return Calculation();
      case 5:
        return TwoColumns();
      case 6:
        return WholeArray();
      case 7:
        return Containing();
      case 8:
        return LengthOf();
      case 9:
        return Presence();
      default:
        return Comparison();
    }
  }

  Piece Comparison() {
    const Subject subject = Any();
    const Datum constant = ConstantFor(subject);
    const bool has_order = !constant.Is(Kind::kBool);
    const Sign sign = kSigns[dice_.Below(has_order ? 6 : 2)];
    const std::string written = Written(constant);
    const std::string text = dice_.OneIn(4)
                                 ? written + Space() + sign.mirrored + Space() + subject.text
                                 : subject.text + Space() + sign.text + Space() + written;
    return {text, [=, c = Stored(subject, constant)](const Row& row) {
              return Compared(subject, subject.value(row), sign.op, c);
            }};
  }

  Piece Range() {
    Subject subject = Any();
    while (subject.type == DataType::kBool) subject = Any();
    Datum low = ConstantFor(subject);
    while (low.Is(Kind::kBool)) low = ConstantFor(subject);
    Datum high = low;
    while (CompareJson(low, Compare::kLt, high) != Truth::kTrue) {
      high = ConstantFor(subject);
      low = low.Is(Kind::kInt) && low.integer == INT64_MAX ? Datum::Int(0) : low;
      if (low.is_number() && low.number() >= 0.4) low = Datum::Int(-1);
      if (low.Is(Kind::kText)) low = Datum::Text("");
    }
    const bool low_in = dice_.OneIn(2);
    const bool high_in = dice_.OneIn(2);
    std::string text;
    if (dice_.OneIn(2)) {
      text = fmt::format("{} {} {} {} {}", Written(low), low_in ? "<=" : "<", subject.text,
                         high_in ? "<=" : "<", Written(high));
    } else {
      text = fmt::format("{} {} {} {} {}", Written(high), high_in ? ">=" : ">", subject.text,
                         low_in ? ">=" : ">", Written(low));
    }
    const bool mixes = subject.type == DataType::kJson && low.kind != high.kind;
    if (mixes) low = Datum::Real(low.number()), high = Datum::Real(high.number());
    return {text, [=, low = Stored(subject, low), high = Stored(subject, high)](const Row& row) {
              const Datum value = subject.value(row);
              return And(Compared(subject, value, low_in ? Compare::kGe : Compare::kGt, low),
                         Compared(subject, value, high_in ? Compare::kLe : Compare::kLt, high));
            }};
  }

  Piece Membership() {
    const Subject subject = Any();
    std::vector<Datum> list;
    for (size_t n = dice_.Below(5); n > 0; --n) list.push_back(ConstantFor(subject));
    const bool negated = dice_.OneIn(2);
    std::string written = Written(Datum::List(list));
    if (written.size() > 2 && written.back() == ']' && dice_.OneIn(4)) {
      written.insert(written.size() - 1, ",");
    }
    const std::string text = subject.text + (negated ? " not in " : " in ") + written;
    for (Datum& one : list) one = Stored(subject, one);
    return {text, [=](const Row& row) {
              const Datum value = subject.value(row);
              const Truth in =
                  subject.type == DataType::kJson ? InJson(value, list) : InColumn(value, list);
              return negated ? Not(in) : in;
            }};
  }

  Piece Pattern() {
    Subject subject = Any();
    while (subject.type != DataType::kVarChar && subject.type != DataType::kJson) subject = Any();
    if (dice_.OneIn(4)) return Regex(subject);
    static const std::string kPieces[] = {"a", "b", "%", "%", "_", "\\%", "\\\\", "é"};
    std::string pattern;
    for (size_t n = dice_.Below(5); n > 0; --n) pattern += dice_.Pick(kPieces);
    return {subject.text + " like " + Written(Datum::Text(pattern)),
            [=](const Row& row) { return Like(subject.value(row), pattern); }};
  }
  // Literals with anchors, whose meaning needs no regular expressions.
  Piece Regex(const Subject& subject) {
    std::string literal(dice_.Below(3), 'a');
    if (dice_.OneIn(2)) literal += "é";
    const bool at_begin = dice_.OneIn(2);
    const bool at_end = dice_.OneIn(2);
    const bool negated = dice_.OneIn(2);
    const std::string pattern = (at_begin ? "^" : "") + literal + (at_end ? "$" : "");
    const std::string like = (at_begin ? "" : "%") + literal + (at_end ? "" : "%");
    return {subject.text + (negated ? " !~ " : " =~ ") + Written(Datum::Text(pattern)),
            [=](const Row& row) {
              const Truth found = Like(subject.value(row), like);
              return negated ? Not(found) : found;
            }};
  }

  Piece NullTest() {
    Subject subject = dice_.OneIn(2) ? Column() : dice_.OneIn(2) ? Array() : Place();
    if (dice_.OneIn(8)) {
      subject = {"g", DataType::kGeometry, true, [](const Row& row) { return row.at("g"); }};
    }
    const bool negated = dice_.OneIn(2);
    const bool is_place = subject.type == DataType::kJson;
    return {subject.text + (negated ? " is not null" : " IS NULL"), [=](const Row& row) {
              const Datum value = subject.value(row);
              const bool is_null = is_place ? !Exists(value) : !value.has_value();
              return is_null != negated ? Truth::kTrue : Truth::kFalse;
            }};
  }

  Piece Calculation() {
    Subject subject = Any();
    while (subject.type == DataType::kBool || subject.type == DataType::kVarChar) subject = Any();
    const bool is_json = subject.type == DataType::kJson;
    const bool ints = model::IsInteger(subject.type) || (is_json && dice_.OneIn(2));
    const char signs[] = {'+', '-', '*', '/', '%', '&', '|', '^'};
    const char sign = signs[dice_.Below(ints ? 8 : 4)];
    const auto draw = [&] {
      const auto value = static_cast<int64_t>(dice_.Below(6)) - 3;
      return ints ? Datum::Int(value) : Datum::Real(static_cast<double>(value) / 2);
    };
    Datum operand = draw();
    while ((sign == '/' || sign == '%') && operand.number() == 0) operand = draw();
    const Datum right = draw();
    const Sign compare = dice_.Pick(kSigns);
    const bool swaps = (sign == '+' || sign == '*') && dice_.OneIn(3);
    const std::string first = swaps ? Parenthesised(operand) : subject.text;
    const std::string second = swaps ? subject.text : Parenthesised(operand);
    return {fmt::format("({} {} {}) {} {}", first, sign, second, compare.text, Written(right)),
            [=](const Row& row) {
              return Arithmetic(subject.value(row), sign, operand, compare.op, right);
            }};
  }
  std::string Parenthesised(const Datum& constant) {
    const std::string text = Written(constant);
    return text[0] == '{' ? text : In(text);
  }

  Piece TwoColumns() {
    static const std::pair<const char*, const char*> kPairs[] = {
        {"n8", "n16"}, {"n64", "f64"},   {"f32", "f64"}, {"n32", "id"},
        {"s", "s"},    {"flag", "flag"}, {"f32", "n8"}};
    const auto [left, right] = dice_.Pick(kPairs);
    const Sign sign = dice_.Pick(kSigns);
    return {fmt::format("{} {} {}", left, sign.text, right),
            [=, a = std::string(left), b = std::string(right)](const Row& row) {
              if (!row.at(b).has_value()) return Truth::kUnknown;
              return CompareColumn(row.at(a), sign.op, row.at(b));
            }};
  }

  Piece WholeArray() {
    const Subject array = dice_.OneIn(3) ? Place() : Array();
    const bool is_json = array.type == DataType::kJson;
    std::vector<Datum> items;
    for (size_t n = is_json + dice_.Below(2) + !is_json; n > 0; --n) {
      items.push_back(ConstantFor(array));
    }
    const Datum list = Datum::List(items);
    const Sign sign = kSigns[dice_.Below(2)];
    return {fmt::format("{} {} {}", array.text, sign.text, Written(list)), [=](const Row& row) {
              const Datum value = array.value(row);
              return CompareJson(value, sign.op, list);
            }};
  }

  Piece Containing() {
    const Subject array = dice_.OneIn(2) ? Place() : Array();
    std::vector<Datum> wanted;
    for (size_t n = dice_.Below(4); n > 0; --n) wanted.push_back(ConstantFor(array));
    const bool is_one = wanted.size() == 1 && dice_.OneIn(2);
    const bool all = !is_one && dice_.OneIn(2);
    const char* names[] = {"array_contains", "JSON_CONTAINS", "json_contains"};
    std::string name = dice_.Pick(names);
    const bool upper = name[0] == 'J';
    if (!is_one) name += upper ? (all ? "_ALL" : "_ANY") : (all ? "_all" : "_any");
    return {name + In(array.text + ", " + Written(is_one ? wanted[0] : Datum::List(wanted))),
            [=](const Row& row) { return Contains(array.value(row), wanted, all); }};
  }

  Piece LengthOf() {
    const Subject array = dice_.OneIn(2) ? Place() : Array();
    const auto length = static_cast<int64_t>(dice_.Below(4));
    const Sign sign = dice_.Pick(kSigns);
    return {
        fmt::format("array_length({}) {} {}", array.text, sign.text, Written(Datum::Int(length))),
        [=](const Row& row) { return Length(array.value(row), sign.op, length); }};
  }

  Piece Presence() {
    if (dice_.OneIn(3)) {
      const Datum prefix = DrawValue(dice_, DataType::kVarChar);
      return {"Starts_With(s, " + LiteralOf(prefix) + ")", [=](const Row& row) {
                const Datum& value = row.at("s");
                if (!value.has_value()) return Truth::kUnknown;
                return value.text.starts_with(prefix.text) ? Truth::kTrue : Truth::kFalse;
              }};
    }
    const Subject place = Place();
    return {"exists " + place.text, [=](const Row& row) {
              return Exists(place.value(row)) ? Truth::kTrue : Truth::kFalse;
            }};
  }

  Piece Spatial() {
    const bool is_upper = dice_.OneIn(3);
    if (dice_.OneIn(5)) return Near(is_upper ? "ST_DWITHIN" : "st_dwithin");
    if (dice_.OneIn(8)) {
      return {is_upper ? "ST_ISVALID(g)" : "st_isvalid(g)", [](const Row& row) {
                return row.at("g").has_value() ? Truth::kTrue : Truth::kUnknown;
              }};
    }
    static const std::pair<const char*, const char*> kRelations[] = {
        {"equals", "EQUALS"},   {"touches", "TOUCHES"},   {"overlaps", "OVERLAPS"},
        {"crosses", "CROSSES"}, {"contains", "CONTAINS"}, {"intersects", "INTERSECTS"},
        {"within", "WITHIN"}};
    const auto [lower, upper] = dice_.Pick(kRelations);
    const Datum shape = DrawShape(dice_);
    const std::string name = is_upper ? std::string("ST_") + upper : std::string("st_") + lower;
    return {fmt::format("{}(g, {})", name, Written(Datum::Text(WktOf(shape)))),
            [=, relation = std::string(lower)](const Row& row) {
              return Related(row.at("g"), relation, shape);
            }};
  }
  Piece Near(const std::string& name) {
    const int64_t xs[] = {0, -2, 3, 90, 179};
    const int64_t ys[] = {0, 1, 2, -60, 89};
    // No two of the drawn places are just so far apart.
    const double distances[] = {0, 130'000, 300'000.5, 9'000'000, 3e7};
    const int64_t x = dice_.Pick(xs);
    const int64_t y = dice_.Pick(ys);
    const double metres = dice_.Pick(distances);
    return {
        fmt::format("{}(g, {}, {})", name, Written(Datum::Text(fmt::format("POINT({} {})", x, y))),
                    LiteralOf(Datum::Real(metres))),
        [=](const Row& row) { return IsNear(row.at("g"), x, y, metres); }};
  }

  // Moments that rows have, written by several clocks.
  Piece Time() {
    static const std::pair<const char*, int64_t> kMoments[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01 00:00:00", 0},
        {"1970-01-01T01:30:00+01:30", 0},
        {"1969-12-31T23:59:59.5Z", -500'000},
        {"2024-02-29T12:00:00.000001-00:00", 1'709'208'000'000'001},
        {"2024-02-29 04:00:00.000001999-08", 1'709'208'000'000'001},
        {"2024-03-01T12:00:00.000001Z", 1'709'294'400'000'001},
        {"9999-12-31T23:59:59.999999Z", 253'402'300'799'999'999}};
    static const std::pair<const char*, int64_t> kSpans[] = {{"P1D", 86'400'000'000},
                                                             {"PT1S", 1'000'000},
                                                             {"P0Y", 0},
                                                             {"P366DT12H", 31'665'600'000'000}};
    const auto [text, moment] = dice_.Pick(kMoments);
    const Sign sign = dice_.Pick(kSigns);
    const std::string literal = fmt::format("{} '{}'", dice_.OneIn(2) ? "ISO" : "iso", text);
    std::string subject = "t";
    int64_t shift = 0;
    if (dice_.OneIn(3)) {
      const auto [span, length] = dice_.Pick(kSpans);
      const bool adds = dice_.OneIn(2);
      subject = fmt::format("t {} INTERVAL \"{}\"", adds ? '+' : '-', span);
      shift = adds ? length : -length;
    }
    return {dice_.OneIn(3) ? fmt::format("{} {} {}", literal, sign.mirrored, subject)
                           : fmt::format("{} {} {}", subject, sign.text, literal),
            [=, wanted = moment](const Row& row) {
              const Datum& value = row.at("t");
              if (!value.has_value()) return Truth::kUnknown;
              return CompareColumn(Datum::Int(value.integer + shift), sign.op, Datum::Int(wanted));
            }};
  }

  Dice& dice_;
  Templates templates_;
};

}  // namespace

int ShareOf(int filters, int all) {
  const char* wanted = std::getenv("ELANUS_FILTERS");
  const double share = wanted == nullptr ? 1 : std::max(0.0, std::atof(wanted)) / all;
  return std::max(1, static_cast<int>(std::ceil(filters * share)));
}

Filter DrawFilter(Dice& dice, int depth) {
  Writer writer(dice);
  Piece piece = writer.Condition(depth);
  return {std::move(piece.text), writer.TakeTemplates(), std::move(piece.truth)};
}

}  // namespace elanus::expr::testing
