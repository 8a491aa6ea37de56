// Places in JSON columns.
#include "expr/json_path.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "expr/json.h"
#include "expr/lexer.h"
#include "expr/path_text.h"

namespace elanus::expr {
namespace {

using model::DataType;

constexpr size_t kRowsPerCheck = 8192;

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string Escaped(std::string_view key) {
  std::string text;
  for (char c : key) {
    if (c == '~')
      text += "~0";
    else if (c == '/')
      text += "~1";
    else
      text += c;
  }
  return text;
}

std::string PointerOf(const std::vector<PathStep>& steps) {
  std::string pointer;
  for (const PathStep& step : steps) {
    pointer += '/';
    pointer += Escaped(step.key);
  }
  return pointer;
}

// Appends a JSON value as `type` to the bytes of fixed-width elements or to the texts; false: it is
// none.
bool AppendAs(const simdjson::dom::element& value, DataType type, std::string& bytes) {
  if (type == DataType::kBool) {
    if (!value.is_bool()) return false;
    bytes += static_cast<char>(bool(value) ? 1 : 0);
    return true;
  }
  if (type == DataType::kVarChar) {
    if (!value.is_string()) return false;
    bytes += std::string_view(value);
    return true;
  }
  double number = 0;
  if (!NumberOf(value, number)) return false;
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
  return true;
}

bool AppendNumberOf(std::string_view text, std::string& bytes) {
  double number = 0;
  if (!LeadingNumber(text, number)) return false;
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
  return true;
}

void AppendArray(const simdjson::dom::array& items, DataType type, model::Column& column) {
  std::string bytes;
  std::vector<std::string_view> texts;
  for (simdjson::dom::element item : items) {
    if (type == DataType::kVarChar) {
      if (item.is_string()) texts.push_back(std::string_view(item));
    } else {
      AppendAs(item, type, bytes);
    }
  }
  column.AppendBytes(type == DataType::kVarChar ? model::PackTexts(texts) : bytes);
}

}  // namespace

std::string PathText(const std::vector<PathStep>& steps) {
  std::string path;
  for (const PathStep& step : steps) {
    path += !step.is_index && IsDigits(step.key) ? "/~2" : "/";
    path += Escaped(step.key);
  }
  return path;
}

std::vector<PathStep> StepsOf(std::string_view path) {
  std::vector<PathStep> steps;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at + 1), path.size());
    std::string_view part = path.substr(at + 1, end - at - 1);
    at = end;
    PathStep step;
    step.is_index = IsDigits(part);
    if (part.starts_with("~2")) part.remove_prefix(2);
    for (size_t i = 0; i < part.size(); ++i) {
      const bool is_escape = part[i] == '~' && i + 1 < part.size();
      step.key += !is_escape ? part[i] : part[++i] == '1' ? '/' : '~';
    }
    for (char digit : step.is_index ? std::string_view(step.key) : std::string_view()) {
      step.index = step.index * 10 + static_cast<uint64_t>(digit - '0');
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

std::optional<JsonCast> JsonCastOf(std::string_view name) {
  if (name == kStringToDouble) return JsonCast{.type = DataType::kDouble};
  const bool is_array = name.starts_with("ARRAY_");
  if (is_array) name.remove_prefix(6);
  const DataType type = name == "BOOL"      ? DataType::kBool
                        : name == "DOUBLE"  ? DataType::kDouble
                        : name == "VARCHAR" ? DataType::kVarChar
                                            : DataType::kNone;
  if (type == DataType::kNone) return std::nullopt;
  return JsonCast{.type = is_array ? DataType::kArray : type,
                  .element_type = is_array ? type : DataType::kNone};
}

Result<JsonPlace> ParseJsonPlace(std::string_view text, const model::CollectionSchema& schema) {
  Lexer lexer(text);
  TRY_ASSIGN(const Token token, lexer.Next());
  TRY_ASSIGN(const Token end, lexer.Next());
  const bool is_path = token.kind == TokenKind::kPath;
  if (end.kind != TokenKind::kEnd || (!is_path && token.kind != TokenKind::kName)) {
    return Invalid("cannot parse json path: {}", text);
  }
  std::vector<PathStep> steps = token.path;
  const model::FieldSchema* field = schema.FindField(token.text);
  if (field == nullptr) {
    field = schema.dynamic_field();
    if (field == nullptr) return Invalid("field {} not exist", token.text);
    steps.insert(steps.begin(), PathStep{.is_index = false, .key = token.text});
  }
  if (field->type != DataType::kJson) return Invalid("field {} is not of JSON", token.text);
  return JsonPlace{.field = field->id, .path = PathText(steps), .pointer = PointerOf(steps)};
}

Result<model::Column> ExtractJson(Context& ctx, const model::ColumnView& json,
                                  std::string_view path, std::string_view cast_type) {
  const auto cast = JsonCastOf(cast_type);
  if (!cast) return Invalid("json_cast_type {} is not supported", cast_type);
  const bool is_array = cast->type == DataType::kArray;
  const bool reads_texts = cast_type == kStringToDouble;
  const std::vector<PathStep> steps = StepsOf(path);
  model::Column column =
      model::MakeColumn(FieldId(0), std::string(path), cast->type, cast->element_type, 0);
  JsonReader& reader = ThreadReader();
  std::string bytes;
  for (size_t row = 0; row < json.rows; ++row) {
    if (row % kRowsPerCheck == 0) TRY(ctx.CheckAlive());
    simdjson::dom::element value;
    const bool is_there = json.IsValid(row) && reader.Find(json.Bytes(row), steps, value);
    bytes.clear();
    if (is_there && is_array && value.is_array()) {
      AppendArray(value.get_array(), cast->element_type, column);
    } else if (is_there && reads_texts && value.is_string() &&
               AppendNumberOf(std::string_view(value), bytes)) {
      column.AppendFixed(bytes.data());
    } else if (is_there && !is_array && AppendAs(value, cast->type, bytes)) {
      if (cast->type == DataType::kVarChar)
        column.AppendBytes(bytes);
      else
        column.AppendFixed(bytes.data());
    } else {
      column.AppendNull();
    }
  }
  return column;
}

Result<model::Column> ExtractJsonText(Context& ctx, const model::ColumnView& json,
                                      std::string_view path) {
  const std::vector<PathStep> steps = StepsOf(path);
  model::Column column =
      model::MakeColumn(FieldId(0), std::string(path), DataType::kVarChar, DataType::kNone, 0);
  JsonReader& reader = ThreadReader();
  for (size_t row = 0; row < json.rows; ++row) {
    if (row % kRowsPerCheck == 0) TRY(ctx.CheckAlive());
    simdjson::dom::element value;
    if (json.IsValid(row) && reader.Find(json.Bytes(row), steps, value))
      column.AppendBytes(simdjson::minify(value));
    else
      column.AppendNull();
  }
  return column;
}

}  // namespace elanus::expr
