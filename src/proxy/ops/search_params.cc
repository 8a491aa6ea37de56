// Parameters of a search.
#include "proxy/ops/search_params.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "expr/json_path.h"
#include "proxy/checks.h"
#include "proxy/json_text.h"
#include "proxy/ops/element_scope.h"

namespace elanus::proxy {
namespace {

using model::DataType;
using model::KeyValue;

constexpr int kParamDepthMax = 32;

// The text of `key`, or null when it is absent or empty.
const std::string* Given(const std::vector<KeyValue>& list, std::string_view key) {
  const std::string* text = model::Find(list, key);
  return text == nullptr || text->empty() ? nullptr : text;
}

Result<bool> BoolOf(const std::vector<KeyValue>& list, std::string_view key) {
  const std::string* text = Given(list, key);
  if (text == nullptr) return false;
  return ParseBool(key, *text);
}

Status ReadHints(std::string_view hints, SearchParams& params) {
  if (hints == "iterative_filter") {
    params.iterative_filter = true;
  } else if (!hints.empty() && hints != "disable") {
    return Error(ErrorCode::kSegcore, "hints {} are not known", hints);
  }
  return {};
}

Result<double> NumberOf(std::string_view key, const nlohmann::json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return ParseNumber(key, value.get_ref<const std::string&>());
  return Invalid("{} should be a number, got {}", key, value.dump());
}

// The JSON object under `params`.
Status ParseIndexParams(const std::string& text, SearchParams& params) {
  if (text.empty() || text == "{}") return {};
  TRY_ASSIGN(const nlohmann::json json, ParseJson("search params", text, kParamDepthMax));
  if (!json.is_object()) return Invalid("search params should be a JSON object, got {}", text);
  for (const auto& [key, value] : json.items()) {
    if (key == "radius") {
      TRY_ASSIGN(params.radius, NumberOf(key, value));
    } else if (key == "range_filter") {
      TRY_ASSIGN(params.range_filter, NumberOf(key, value));
    } else if (key == "hints") {
      TRY(ReadHints(value.is_string() ? value.get<std::string>() : value.dump(), params));
    } else if (key == "ignore_growing") {
      TRY_ASSIGN(const bool ignore,
                 ParseBool(key, value.is_string() ? value.get<std::string>() : value.dump()));
      params.ignore_growing = params.ignore_growing || ignore;
    } else if (key == "element_scope") {
      TRY_ASSIGN(params.fold, ParseElementScope(value));
    } else {
      params.index_params[key] = value.is_string() ? value.get<std::string>() : value.dump();
    }
  }
  return {};
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_mark = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_mark ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0)
      return false;
  }
  return true;
}

// The cursor of the second form of iterators; its page size becomes topk.
Status ParseCursor(const ProxyOptions& options, const std::vector<KeyValue>& list,
                   SearchParams& params) {
  TRY_ASSIGN(const bool is_second, BoolOf(list, "search_iter_v2"));
  if (!is_second) return {};
  if (!params.iterator)
    return Error(ErrorCode::kMissingParameter, "iterator is required with search_iter_v2");
  const std::string* batch = Given(list, "search_iter_batch_size");
  if (batch == nullptr)
    return Error(ErrorCode::kMissingParameter, "search_iter_batch_size is required");
  TRY_ASSIGN(params.top_k, ParseInt("search_iter_batch_size", *batch));
  if (params.top_k < 1 || params.top_k > options.top_k_max) {
    return Invalid("search_iter_batch_size [{}] is invalid, it should be in range [1, {}]",
                   params.top_k, options.top_k_max);
  }
  params.cursor.emplace();
  if (const std::string* token = Given(list, "search_iter_id")) {
    if (!IsUuid(*token)) return Invalid("search_iter_id {} is not a UUID", *token);
    params.cursor->token = *token;
  }
  if (const std::string* bound = Given(list, "search_iter_last_bound")) {
    TRY_ASSIGN(const double value, ParseNumber("search_iter_last_bound", *bound));
    params.cursor->has_bound = true;
    params.cursor->bound = static_cast<float>(value);
  }
  return {};
}

// What the second form of iterators and grouping do not go with.
Status CheckTogether(const SearchParams& params) {
  if (params.group.is_on() && params.iterator)
    return Invalid("search iterators cannot be grouped by a field");
  if (params.group.is_on() && params.radius)
    return Invalid("a range search cannot be grouped by a field");
  if (!params.order_by.empty() && params.iterator)
    return Invalid("order_by_fields cannot be used with an iterator");
  if (!params.order_by.empty() && params.group.fields.size() > 1)
    return Invalid("order_by_fields cannot be used with several group by fields");
  if (params.cursor && params.offset > 0)
    return Invalid("offset cannot be used with search_iter_v2");
  if (params.range_filter && !params.radius) return Invalid("range_filter needs radius");
  return {};
}

std::optional<DataType> CastType(std::string_view name) {
  for (DataType type : {DataType::kBool, DataType::kInt8, DataType::kInt16, DataType::kInt32,
                        DataType::kInt64, DataType::kVarChar}) {
    if (name == model::NameOf(type)) return type;
  }
  return std::nullopt;
}

bool IsGroupable(DataType type) {
  return type == DataType::kBool || model::IsInteger(type) || type == DataType::kVarChar ||
         type == DataType::kTimestamptz;
}

Result<model::GroupKey> ResolveKey(const model::CollectionSchema& schema, const GroupParams& params,
                                   const std::string& name) {
  model::GroupKey key{.field = {}, .name = name, .path = {}};
  const model::FieldSchema* field = schema.FindField(name);
  if (field != nullptr && field->type != DataType::kJson) {
    if (!IsGroupable(field->type)) {
      return Error(ErrorCode::kSegcoreUnsupported, "unsupported data type {} for group by field {}",
                   model::NameOf(field->type), name);
    }
    key.field = field->id;
    key.type = field->type;
    return key;
  }
  const auto place = expr::ParseJsonPlace(name, schema);
  if (!place.ok()) {
    return Error(ErrorCode::kFieldNotFound, "{}[field={}]", InfoOf(ErrorCode::kFieldNotFound).name,
                 name);
  }
  if (params.fields.size() > 1)
    return Invalid("a JSON path cannot be one of several group by fields: {}", name);
  key.field = place->field;
  key.path = place->path + params.json_path;
  key.type = DataType::kJson;
  key.strict_cast = params.strict_cast;
  if (!params.json_type.empty()) {
    const auto type = CastType(params.json_type);
    if (!type) return Invalid("unsupported json cast type {}", params.json_type);
    key.type = *type;
  }
  return key;
}

}  // namespace

std::vector<std::string> SplitOutside(std::string_view text, char mark) {
  std::vector<std::string> pieces(1);
  char quote = '\0';
  int depth = 0;
  for (char c : text) {
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[' || c == ']') {
      depth += c == '[' ? 1 : -1;
    } else if (c == mark && depth == 0) {
      pieces.emplace_back();
      continue;
    }
    pieces.back() += c;
  }
  for (std::string& piece : pieces) {
    const size_t begin = piece.find_first_not_of(' ');
    const size_t end = piece.find_last_not_of(' ');
    piece = begin == std::string::npos ? std::string() : piece.substr(begin, end - begin + 1);
  }
  return pieces;
}

Result<double> ParseNumber(std::string_view key, std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  const double number = std::strtod(copy.c_str(), &end);
  if (!copy.empty() && *end == '\0' && std::isfinite(number)) return number;
  return Invalid("{} should be a number, got {}", key, text);
}

Status CheckWindow(const ProxyOptions& options, int64_t top_k, int64_t offset) {
  if (top_k < 1 || top_k > options.top_k_max) {
    return Invalid("topk [{}] is invalid, it should be in range [1, {}]", top_k, options.top_k_max);
  }
  if (offset < 0 || offset > options.top_k_max) {
    return Invalid("offset [{}] is invalid, it should be in range [0, {}]", offset,
                   options.top_k_max);
  }
  if (top_k + offset > options.top_k_max) {
    return Invalid("topk+offset [{}] is invalid, it should be in range [1, {}]", top_k + offset,
                   options.top_k_max);
  }
  return {};
}

Result<int64_t> ParseRoundDecimal(const std::vector<KeyValue>& list) {
  const std::string* text = Given(list, "round_decimal");
  if (text == nullptr) return -1;
  TRY_ASSIGN(const int64_t decimals, ParseInt("round_decimal", *text));
  if (decimals < -1 || decimals > 6) {
    return Invalid("round_decimal [{}] is invalid, it should be -1 or an integer in range [0, 6]",
                   decimals);
  }
  return decimals;
}

Result<GroupParams> ParseGroupParams(const ProxyOptions& options,
                                     const std::vector<KeyValue>& list) {
  GroupParams group;
  if (const std::string* field = Given(list, "group_by_field")) {
    group.fields = {*field};
  } else if (const std::string* fields = Given(list, "group_by_fields")) {
    group.fields = SplitOutside(*fields, ',');
    group.is_list = true;
    std::erase(group.fields, "");
  }
  if (group.fields.size() > static_cast<size_t>(options.group_fields_max)) {
    return Invalid("group_by_fields has {} fields, at most {} are allowed", group.fields.size(),
                   options.group_fields_max);
  }
  for (size_t i = 0; i < group.fields.size(); ++i) {
    const auto end = group.fields.begin() + static_cast<ptrdiff_t>(i);
    if (std::find(group.fields.begin(), end, group.fields[i]) != end)
      return Invalid("group_by_fields names {} twice", group.fields[i]);
  }
  if (const std::string* size = Given(list, "group_size")) {
    TRY_ASSIGN(group.size, ParseInt("group_size", *size));
    if (group.size < 1 || group.size > options.group_size_max) {
      return Invalid("group_size [{}] is invalid, it should be in range [1, {}]", group.size,
                     options.group_size_max);
    }
  }
  TRY_ASSIGN(group.is_strict, BoolOf(list, "strict_group_size"));
  if (const std::string* path = Given(list, "json_path")) {
    if (!path->starts_with('/')) return Invalid("json_path {} should begin with /", *path);
    group.json_path = *path;
  }
  if (const std::string* type = Given(list, "json_type")) group.json_type = *type;
  TRY_ASSIGN(group.strict_cast, BoolOf(list, "strict_cast"));
  return group;
}

std::string AnalyzerNameOf(const std::vector<KeyValue>& list) {
  static constexpr std::string_view kKey = "analyzer_name";
  static constexpr const char* kDefault = "default";
  if (const std::string* name = Given(list, kKey)) return *name;
  const std::string* text = model::Find(list, "params");
  // Most searches name none: nothing is parsed for them.
  if (text == nullptr || text->find(kKey) == std::string::npos) return kDefault;
  const auto json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  const bool has_name = json.is_object() && json.contains(kKey) && json[kKey].is_string();
  return has_name ? json[kKey].get<std::string>() : kDefault;
}

Status SearchParamsReader::ReadGrowing() {
  TRY_ASSIGN(params_.ignore_growing, BoolOf(list_, "ignore_growing"));
  return {};
}

// They take the place of groups. The values themselves are looked at in their own steps.
Status SearchParamsReader::CheckBuckets() const {
  if (!form_.buckets) return {};
  if (Given(list_, "group_by_field") != nullptr || Given(list_, "group_by_fields") != nullptr)
    return Invalid("search_aggregation cannot be used with group by");
  const Result<bool> iterator = BoolOf(list_, "iterator");
  if (iterator.ok() && *iterator)
    return Invalid("search_aggregation cannot be used with an iterator");
  if (const std::string* text = Given(list_, "offset"); text != nullptr && !form_.is_part) {
    const auto offset = ParseInt("offset", *text);
    if (offset.ok() && *offset > 0)
      return Invalid("search_aggregation cannot be used with an offset");
  }
  if (Given(list_, "order_by_fields") != nullptr)
    return Invalid("search_aggregation cannot be used with order_by_fields");
  return {};
}

Status SearchParamsReader::ReadWindow() {
  TRY_ASSIGN(params_.iterator, BoolOf(list_, "iterator"));
  const std::string* top_k = model::Find(list_, "topk");
  if (top_k == nullptr) top_k = model::Find(list_, "limit");
  if (top_k == nullptr && form_.top_k_default == 0)
    return Error(ErrorCode::kMissingParameter, "topk is required");
  params_.top_k = form_.top_k_default;
  if (top_k != nullptr) {
    TRY_ASSIGN(params_.top_k, ParseInt("topk", *top_k));
  }
  if (params_.iterator) params_.top_k = std::min(params_.top_k, options_.top_k_max);
  if (const std::string* text = Given(list_, "offset"); text != nullptr && !form_.is_part) {
    TRY_ASSIGN(params_.offset, ParseInt("offset", *text));
  }
  TRY(CheckWindow(options_, params_.top_k, params_.offset));
  if (const std::string* text = model::Find(list_, "metric_type")) params_.metric = *text;
  return {};
}

Status SearchParamsReader::ReadRest(CollectionId collection) {
  TRY_ASSIGN(params_.round_decimal, ParseRoundDecimal(list_));
  if (const std::string* text = model::Find(list_, "params")) TRY(ParseIndexParams(*text, params_));
  if (const std::string* hints = Given(list_, "hints")) TRY(ReadHints(*hints, params_));
  if (const std::string* text = Given(list_, "collection_id")) {
    TRY_ASSIGN(const int64_t id, ParseInt("collection_id", *text));
    if (id != collection.value())
      return Invalid("collection_id {} is not the collection's, it was recreated", id);
  }
  TRY(ParseCursor(options_, list_, params_));
  TRY_ASSIGN(params_.group, ParseGroupParams(options_, list_));
  if (const std::string* text = Given(list_, "order_by_fields")) params_.order_by = *text;
  TRY_ASSIGN(params_.wants_recall, BoolOf(list_, "enable_recall_calculation"));
  if (form_.buckets) {
    params_.group = *form_.buckets;
    params_.top_k = form_.buckets_max;
  }
  return CheckTogether(params_);
}

Result<model::Grouping> ResolveGrouping(const model::CollectionSchema& schema,
                                        const GroupParams& params) {
  model::Grouping grouping;
  for (const std::string& name : params.fields) {
    TRY_ASSIGN(model::GroupKey key, ResolveKey(schema, params, name));
    grouping.keys.push_back(std::move(key));
  }
  grouping.group_size = static_cast<uint32_t>(params.size);
  return grouping;
}

}  // namespace elanus::proxy
