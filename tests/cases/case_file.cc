// Reading case files.
#include "case_file.h"

#include <algorithm>
#include <array>
#include <map>

namespace elanus::cases {
namespace {

using model::DataType;
using model::FieldSchema;

constexpr std::array<std::string_view, 5> kOutcomes = {"ids", "hits", "rows", "count", "error"};

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
}

// Cuts the outcome off: the last place where two blanks and an outcome's word stand.
void SplitOutcome(std::string_view text, Step& step) {
  for (size_t at = text.size(); at-- > 2;) {
    if (text[at - 1] != ' ' || text[at - 2] != ' ') continue;
    for (std::string_view word : kOutcomes) {
      if (!text.substr(at).starts_with(word)) continue;
      const std::string_view rest = text.substr(at + word.size());
      if (!rest.empty() && rest[0] != ' ') continue;
      step.outcome = word;
      step.expected = Trim(rest);
      step.body = Trim(text.substr(0, at));
      return;
    }
  }
  step.body = Trim(text);
}

Step ParseStep(int line, std::string_view text) {
  Step step{.line = line};
  const size_t end = std::min(text.find(' '), text.size());
  step.verb = text.substr(0, end);
  // The blanks before the body stay: an outcome may follow them at once.
  SplitOutcome(text.substr(end), step);
  if (!step.body.starts_with('@')) return step;
  std::string names = step.body.substr(1, step.body.find(' ') - 1);
  step.body = Trim(std::string_view(step.body).substr(names.size() + 1));
  for (size_t begin = 0; begin <= names.size();) {
    const size_t comma = std::min(names.find(',', begin), names.size());
    step.partitions.push_back(names.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return step;
}

// "varchar(16)" -> "varchar" and 16; 0 when there are no parentheses.
std::pair<std::string_view, std::string_view> Parenthesised(std::string_view text) {
  const size_t open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')')) return {text, {}};
  return {text.substr(0, open), text.substr(open + 1, text.size() - open - 2)};
}

DataType TypeOf(std::string_view name) {
  static const std::map<std::string_view, DataType> kTypes = {
      {"bool", DataType::kBool},
      {"int8", DataType::kInt8},
      {"int16", DataType::kInt16},
      {"int32", DataType::kInt32},
      {"int64", DataType::kInt64},
      {"float", DataType::kFloat},
      {"double", DataType::kDouble},
      {"varchar", DataType::kVarChar},
      {"json", DataType::kJson},
      {"float_vector", DataType::kFloatVector},
      {"string", DataType::kString},
      {"geometry", DataType::kGeometry},
      {"text", DataType::kText},
      {"timestamptz", DataType::kTimestamptz},
      {"binary_vector", DataType::kBinaryVector},
      {"float16_vector", DataType::kFloat16Vector},
      {"bfloat16_vector", DataType::kBFloat16Vector},
      {"int8_vector", DataType::kInt8Vector},
      {"sparse_vector", DataType::kSparseFloatVector}};
  const auto found = kTypes.find(name);
  return found == kTypes.end() ? DataType::kNone : found->second;
}

Status ParseType(std::string_view text, FieldSchema& field) {
  std::string_view scalar = text;
  if (text.starts_with("array<")) {
    field.type = DataType::kArray;
    const size_t close = text.find('>');
    if (close == std::string_view::npos) return Invalid("a type has no '>': {}", text);
    scalar = text.substr(6, close - 6);
    std::string_view capacity = text.substr(close + 1);
    if (capacity.starts_with('[') && capacity.ends_with(']')) {
      model::Put(field.type_params, "max_capacity",
                 std::string(capacity.substr(1, capacity.size() - 2)));
    }
  }
  const auto [name, number] = Parenthesised(scalar);
  const DataType type = TypeOf(name);
  if (type == DataType::kNone) return Invalid("unknown type: {}", text);
  (field.type == DataType::kArray ? field.element_type : field.type) = type;
  if (!number.empty()) {
    model::Put(field.type_params, model::IsVector(type) ? "dim" : "max_length",
               std::string(number));
  }
  return {};
}

Result<model::Scalar> DefaultOf(DataType type, std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_boolean()) return model::Scalar(json.get<bool>());
  if (json.is_string()) return model::Scalar(json.get<std::string>());
  if (json.is_number() && model::IsFloating(type)) return model::Scalar(json.get<double>());
  if (json.is_number_integer()) return model::Scalar(json.get<int64_t>());
  if (json.is_number()) return model::Scalar(json.get<double>());
  return Invalid("not a default value: {}", text);
}

Result<FieldSchema> ParseField(const std::string& word) {
  FieldSchema field;
  size_t colon = word.find(':');
  field.name = word.substr(0, colon);
  for (int part = 0; colon != std::string::npos; ++part) {
    const size_t begin = colon + 1;
    // A default may hold colons, so it comes last.
    const bool is_default = word.compare(begin, 8, "default=") == 0;
    colon = is_default ? std::string::npos : word.find(':', begin);
    const std::string text = word.substr(begin, colon - begin);
    if (part == 0) {
      TRY(ParseType(text, field));
    } else if (text == "pk") {
      field.is_primary_key = true;
    } else if (text == "auto") {
      field.auto_id = true;
    } else if (text == "null") {
      field.nullable = true;
    } else if (text == "match") {
      model::Put(field.type_params, "enable_analyzer", "true");
      model::Put(field.type_params, "enable_match", "true");
    } else if (is_default) {
      TRY_ASSIGN(field.default_value, DefaultOf(field.type, text.substr(8)));
    } else {
      return Invalid("unknown word in a field: {}", text);
    }
  }
  return field;
}

}  // namespace

Result<Case> ParseCase(std::string name, std::string_view text) {
  Case parsed{.name = std::move(name)};
  std::string pending;
  int pending_line = 0;
  const auto finish = [&] {
    if (!pending.empty()) parsed.steps.push_back(ParseStep(pending_line, pending));
    pending.clear();
  };
  int line = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view raw = text.substr(begin, end - begin);
    begin = end + 1;
    ++line;
    if (Trim(raw).empty() || raw[0] == '#') {
      finish();
      continue;
    }
    if (raw[0] == ' ') {  // Goes on from the line before.
      if (pending.empty()) return Invalid("line {}: nothing to go on with: {}", line, raw);
      pending += raw;
      continue;
    }
    finish();
    pending = raw;
    pending_line = line;
  }
  finish();
  if (parsed.steps.empty()) return Invalid("there is no statement");
  return parsed;
}

Result<SchemaLine> ParseSchema(std::string_view body) {
  SchemaLine line;
  line.schema.name = "c";
  for (const std::string& word : Words(body)) {
    if (word == "dynamic") {
      line.schema.enable_dynamic_field = true;
    } else if (word.starts_with("shards=")) {
      line.shards = std::stoi(word.substr(7));
    } else if (word.starts_with("timezone=")) {
      line.timezone = word.substr(9);
    } else if (word.find(':') == std::string::npos) {
      return Invalid("unknown word in the schema: {}", word);
    } else {
      TRY_ASSIGN(FieldSchema field, ParseField(word));
      line.schema.fields.push_back(std::move(field));
    }
  }
  return line;
}

Result<IndexLine> ParseIndex(std::string_view body) {
  const std::vector<std::string> words = Words(body);
  if (words.empty()) return Invalid("an index needs a field");
  IndexLine line{.field = words[0]};
  size_t at = 1;
  if (at < words.size() && model::MetricOf(words[at])) {
    line.metric = words[at++];
  }
  IndexLine::Choice choice;
  for (; at < words.size(); ++at) {
    if (words[at] == "|") {
      line.choices.push_back(std::exchange(choice, {}));
    } else if (words[at].starts_with('{')) {
      choice.params = words[at];
    } else {
      choice.type = words[at];
    }
  }
  line.choices.push_back(std::move(choice));
  return line;
}

std::vector<std::string> Variants(const Case& parsed) {
  std::vector<std::string> names = {""};
  for (const Step& step : parsed.steps) {
    if (step.verb != "index") continue;
    const auto line = ParseIndex(step.body);
    if (!line.ok() || line->choices.size() <= names.size()) continue;
    names.clear();
    // Two choices may be of one type, with other parameters.
    std::map<std::string, int> seen;
    for (const IndexLine::Choice& choice : line->choices) {
      const int times = ++seen[choice.type];
      names.push_back(times == 1 ? choice.type : fmt::format("{}_{}", choice.type, times));
    }
  }
  return names;
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  int depth = 0;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && depth == 0 && c == ' ') {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
      continue;
    }
    word += c;
    if (quote != 0) {
      if (c == '\\' && i + 1 < text.size())
        word += text[++i];
      else if (c == quote)
        quote = 0;
    } else if (c == '"') {
      quote = c;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

Result<Json> ParseValue(const std::string& word) {
  Json json = Json::parse(word, nullptr, /*allow_exceptions=*/false);
  if (!json.is_discarded()) return json;
  const bool meant_as_json = word[0] == '{' || word[0] == '[' || word[0] == '"';
  if (meant_as_json) return Invalid("not a value: {}", word);
  return Json(word);
}

Result<std::vector<Json>> ParseObjects(const std::string& text) {
  std::vector<Json> objects;
  if (text == "none") return objects;
  for (const std::string& word : Words(text)) {
    TRY_ASSIGN(Json json, ParseValue(word));
    if (!json.is_object()) return Invalid("not a row: {}", word);
    objects.push_back(std::move(json));
  }
  return objects;
}

}  // namespace elanus::cases
