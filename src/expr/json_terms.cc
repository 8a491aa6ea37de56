// Terms of documents. A term is the place below the index's as model::Predicate::path writes it, a
// mark (of a value of its own or of an element), a class, and the value in bytes that sort as it
// does.
#include "expr/json_terms.h"

#include <algorithm>
#include <bit>

#include "expr/json.h"
#include "expr/path_text.h"

namespace elanus::expr {
namespace {

using model::Compare;
using model::DataType;
using model::Predicate;
using model::Scalar;

constexpr size_t kRowsPerCheck = 1024;
constexpr size_t kPlaceBytesMax = 256;
constexpr size_t kTextBytesMax = 64;
constexpr char kOwn = '\0';
constexpr char kElement = '\1';

// Above all values of a class, for ranges without an end.
constexpr std::string_view kNoEnd = "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF";

std::string TextOf(std::string_view text) {
  return "s" + std::string(text.substr(0, kTextBytesMax));
}

// Big-endian, the sign turned, negative numbers turned whole.
std::string TextOf(double number) {
  if (number == 0) number = 0;  // One zero.
  uint64_t bits = std::bit_cast<uint64_t>(number);
  bits = bits >> 63 != 0 ? ~bits : bits | uint64_t{1} << 63;
  std::string text = "d";
  for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>(bits >> shift & 0xFF);
  return text;
}

std::string TextOf(bool value) { return value ? "b1" : "b0"; }

std::string TextOf(const Scalar& value) {
  if (value.is_bool()) return TextOf(value.as_bool());
  if (value.is_string()) return TextOf(std::string_view(value.as_string()));
  return TextOf(value.number());
}

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Walks over one document; recurses as deep as a place may be long.
class Collector {
 public:
  explicit Collector(std::vector<std::string>& terms) : terms_(terms) {}

  void Add(const simdjson::dom::element& value, const std::string& place) {
    if (place.size() > kPlaceBytesMax) return;
    if (value.is_object()) {
      for (const auto& [key, member] : simdjson::dom::object(value)) AddMember(key, member, place);
    } else if (value.is_array()) {
      size_t index = 0;
      for (simdjson::dom::element item : simdjson::dom::array(value)) {
        AddValue(item, place + kElement);
        Add(item, place + "/" + std::to_string(index++));
      }
    } else {
      AddValue(value, place + kOwn);
    }
  }

 private:
  void AddMember(std::string_view key, const simdjson::dom::element& value,
                 const std::string& place) {
    Add(value, place + PathText({{.is_index = false, .key = std::string(key)}}));
    // An index in a filter means such a key too.
    if (IsDigits(key)) Add(value, place + "/" + std::string(key));
  }

  void AddValue(const simdjson::dom::element& value, const std::string& begin) {
    double number = 0;
    if (value.is_bool())
      terms_.push_back(begin + TextOf(bool(value)));
    else if (value.is_string())
      terms_.push_back(begin + TextOf(std::string_view(value)));
    else if (NumberOf(value, number))
      terms_.push_back(begin + TextOf(number));
  }

  std::vector<std::string>& terms_;
};

// Texts are cut, so the bounds of a range are in it.
Predicate Between(Predicate asked, std::string low, std::string high) {
  asked.kind = Predicate::Kind::kRange;
  asked.values = {Scalar(std::move(low)), Scalar(std::move(high))};
  asked.lower_inclusive = true;
  asked.upper_inclusive = true;
  return asked;
}

std::optional<Predicate> AskCompare(const Predicate& predicate, Predicate asked,
                                    const std::string& begin) {
  const std::string value = TextOf(predicate.values[0]);
  const std::string kind(1, value[0]);
  switch (predicate.op) {
    case Compare::kEq:
      asked.kind = Predicate::Kind::kIn;
      asked.values = {Scalar(begin + value)};
      return asked;
    case Compare::kLt:
    case Compare::kLe:
      return Between(std::move(asked), begin + kind, begin + value);
    case Compare::kGt:
    case Compare::kGe:
      return Between(std::move(asked), begin + value, begin + kind + std::string(kNoEnd));
    case Compare::kNe:
      break;
  }
  return std::nullopt;
}

}  // namespace

Result<model::Column> ExtractJsonTerms(Context& ctx, const model::ColumnView& json,
                                       std::string_view path) {
  const std::vector<PathStep> steps = StepsOf(path);
  model::Column column =
      model::MakeColumn(FieldId(0), std::string(path), DataType::kArray, DataType::kVarChar, 0);
  JsonReader& reader = ThreadReader();
  std::vector<std::string> terms;
  for (size_t row = 0; row < json.rows; ++row) {
    if (row % kRowsPerCheck == 0) TRY(ctx.CheckAlive());
    simdjson::dom::element value;
    if (!json.IsValid(row) || !reader.Find(json.Bytes(row), steps, value)) {
      column.AppendNull();
      continue;
    }
    terms.clear();
    Collector(terms).Add(value, "");
    column.AppendBytes(model::PackTexts(std::vector<std::string_view>(terms.begin(), terms.end())));
  }
  return column;
}

std::optional<Predicate> AskTerms(const Predicate& predicate, std::string_view path) {
  using Kind = Predicate::Kind;
  if (!predicate.path.starts_with(path)) return std::nullopt;
  const std::string place = predicate.path.substr(path.size());
  if (!place.empty() && place[0] != '/') return std::nullopt;
  if (place.size() > kPlaceBytesMax) return std::nullopt;
  Predicate asked{.field = predicate.field, .type = DataType::kVarChar};
  const std::string begin = place + (predicate.kind == Kind::kContains ? kElement : kOwn);
  switch (predicate.kind) {
    case Kind::kCompare:
      return AskCompare(predicate, std::move(asked), begin);
    case Kind::kRange:
      return Between(std::move(asked), begin + TextOf(predicate.values[0]),
                     begin + TextOf(predicate.values[1]));
    case Kind::kPrefix:
    case Kind::kText: {
      const std::string_view prefix = predicate.kind == Kind::kPrefix
                                          ? std::string_view(predicate.values[0].as_string())
                                          : predicate.text->prefix();
      asked.kind = Kind::kPrefix;
      asked.values = {Scalar(begin + TextOf(prefix))};
      return asked;
    }
    case Kind::kIn:
    case Kind::kContains:
      asked.kind = predicate.kind;
      asked.all = predicate.all;
      for (const Scalar& value : predicate.values) asked.values.emplace_back(begin + TextOf(value));
      return asked;
    default:
      return std::nullopt;
  }
}

}  // namespace elanus::expr
