// From a description in JSON to the read, and its report.
#include "proxy/explain.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/profile.h"
#include "expr/expr.h"
#include "proxy/json_text.h"
#include "proxy/ops.h"
#include "proxy/read_report.h"

namespace elanus::proxy {
namespace {

using nlohmann::json;

constexpr int kDepthMax = 32;

// What a read has come to.
struct Outcome {
  std::string_view what;  // That is counted.
  size_t count = 0;
};

std::string TextAt(const json& from, const char* key) {
  const auto found = from.find(key);
  if (found == from.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::vector<std::string> TextsAt(const json& from, const char* key) {
  std::vector<std::string> texts;
  const auto found = from.find(key);
  if (found == from.end() || !found->is_array()) return texts;
  for (const json& one : *found)
    texts.push_back(one.is_string() ? one.get<std::string>() : one.dump());
  return texts;
}

model::CollectionName NameAt(const json& from) {
  std::string database = TextAt(from, "db_name");
  if (database.empty()) database = model::kDefaultDatabase;
  return {.database = std::move(database), .collection = TextAt(from, "collection_name")};
}

bool IsInt64(const json& value) {
  if (value.is_number_unsigned()) return std::in_range<int64_t>(value.get<uint64_t>());
  return value.is_number_integer();
}

// Integers that are too large for one are read as clients' JSON is: as a double.
model::Scalar ToScalar(const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (IsInt64(value)) return value.get<int64_t>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return {};
  model::ScalarList list;
  for (const json& one : value) list.push_back(ToScalar(one));
  return list;
}

std::map<std::string, model::Scalar> TemplatesAt(const json& from) {
  std::map<std::string, model::Scalar> templates;
  const auto found = from.find("filter_params");
  if (found == from.end() || !found->is_object()) return templates;
  for (const auto& [name, value] : found->items()) templates[name] = ToScalar(value);
  return templates;
}

Result<model::ReadConsistency> ConsistencyAt(const json& from) {
  const std::string level = TextAt(from, "consistency_level");
  constexpr std::string_view kLevels[] = {"Strong", "Session", "Bounded", "Eventually"};
  if (level.empty()) return model::ReadConsistency{.use_default = true};
  for (int32_t i = 0; i < 4; ++i) {
    if (level != kLevels[i]) continue;
    // As clients say Bounded and Eventually; of a session nothing is known here.
    return model::ReadConsistency{.level = static_cast<model::ConsistencyLevel>(i),
                                  .guarantee = Timestamp(i == 0   ? 0
                                                         : i == 2 ? 2
                                                                  : 1)};
  }
  return Invalid("consistency_level should be Strong, Session, Bounded or Eventually, got {}",
                 level);
}

// Members of an object that become parameters of the read, each as text.
void AddParams(const json& from, const char* key, std::vector<model::KeyValue>& params) {
  const auto found = from.find(key);
  if (found == from.end() || !found->is_object()) return;
  for (const auto& [name, value] : found->items()) {
    params.push_back({name, value.is_string() ? value.get<std::string>() : value.dump()});
  }
}

// Query vectors as lists of numbers, or texts.
Result<model::Column> QueriesAt(const json& from) {
  const auto data = from.find("data");
  if (data == from.end() || !data->is_array() || data->empty())
    return Invalid("data should be a list of vectors or texts");
  if (data->front().is_string()) {
    model::Column texts =
        model::MakeColumn({}, "", model::DataType::kVarChar, model::DataType::kNone, 0);
    for (const json& text : *data) {
      if (!text.is_string()) return Invalid("data should hold vectors or texts, not both");
      texts.AppendBytes(text.get_ref<const std::string&>());
    }
    return texts;
  }
  model::Column vectors;
  for (const json& vector : *data) {
    if (!vector.is_array() || vector.empty())
      return Invalid("a vector should be a list of numbers; search by ids for other vectors");
    if (vectors.rows == 0) {
      vectors = model::MakeColumn({}, "", model::DataType::kFloatVector, model::DataType::kNone,
                                  static_cast<uint32_t>(vector.size()));
    }
    std::vector<float> values;
    for (const json& value : vector) {
      if (!value.is_number()) return Invalid("a vector should be a list of numbers");
      values.push_back(value.get<float>());
    }
    if (values.size() != vectors.dim) return Invalid("the vectors differ in length");
    vectors.AppendFixed(values.data());
  }
  return vectors;
}

Result<model::Column> KeysAt(const json& ids) {
  if (!ids.is_array() || ids.empty()) return Invalid("ids should be a list of primary keys");
  const bool is_text = ids.front().is_string();
  model::Column keys =
      model::MakeColumn({}, "", is_text ? model::DataType::kVarChar : model::DataType::kInt64,
                        model::DataType::kNone, 0);
  for (const json& id : ids) {
    if (is_text != id.is_string() || (!is_text && !IsInt64(id)))
      return Invalid("ids should be integers of 64 bits or texts, and all of one kind");
    if (is_text) {
      keys.AppendBytes(id.get_ref<const std::string&>());
    } else {
      const auto number = id.get<int64_t>();
      keys.AppendFixed(&number);
    }
  }
  return keys;
}

Result<model::SearchRequest> SearchAt(const json& from) {
  model::SearchRequest request{.name = NameAt(from),
                               .partitions = TextsAt(from, "partition_names"),
                               .filter = TextAt(from, "filter")};
  request.templates = TemplatesAt(from);
  request.anns_field = TextAt(from, "anns_field");
  request.output_fields = TextsAt(from, "output_fields");
  TRY_ASSIGN(request.consistency, ConsistencyAt(from));
  if (const auto ids = from.find("ids"); ids != from.end()) {
    TRY_ASSIGN(request.query_keys, KeysAt(*ids));
  } else {
    TRY_ASSIGN(request.queries, QueriesAt(from));
  }
  request.params.push_back({"topk", from.contains("limit") ? TextAt(from, "limit") : "10"});
  if (from.contains("offset")) request.params.push_back({"offset", TextAt(from, "offset")});
  const auto index_params = from.find("search_params");
  if (index_params != from.end()) request.params.push_back({"params", index_params->dump()});
  AddParams(from, "params", request.params);
  return request;
}

Result<Outcome> RunSearch(Context& ctx, Services& services, const json& from) {
  TRY_ASSIGN(model::SearchRequest request, SearchAt(from));
  TRY_ASSIGN(const auto result, Search(ctx, services, std::move(request)));
  return Outcome{.what = "hits", .count = result.scores.size()};
}

Result<Outcome> RunHybrid(Context& ctx, Services& services, const json& from) {
  model::HybridSearchRequest request{.name = NameAt(from),
                                     .partitions = TextsAt(from, "partition_names")};
  const auto parts = from.find("search");
  if (parts == from.end() || !parts->is_array())
    return Invalid("search should be a list of the searches to be fused");
  for (const json& part : *parts) {
    if (!part.is_object()) return Invalid("search should be a list of objects");
    TRY_ASSIGN(model::SearchRequest one, SearchAt(part));
    request.requests.push_back(std::move(one));
  }
  request.output_fields = TextsAt(from, "output_fields");
  TRY_ASSIGN(request.consistency, ConsistencyAt(from));
  request.rank_params.push_back({"limit", from.contains("limit") ? TextAt(from, "limit") : "10"});
  AddParams(from, "params", request.rank_params);
  TRY_ASSIGN(const auto result, HybridSearch(ctx, services, std::move(request)));
  return Outcome{.what = "hits", .count = result.scores.size()};
}

Result<Outcome> RunQuery(Context& ctx, Services& services, const json& from) {
  model::QueryRequest request{.name = NameAt(from),
                              .partitions = TextsAt(from, "partition_names"),
                              .filter = TextAt(from, "filter")};
  request.templates = TemplatesAt(from);
  request.output_fields = TextsAt(from, "output_fields");
  TRY_ASSIGN(request.consistency, ConsistencyAt(from));
  for (const char* key : {"limit", "offset"}) {
    if (from.contains(key)) request.params.push_back({key, TextAt(from, key)});
  }
  AddParams(from, "params", request.params);
  TRY_ASSIGN(const auto result, Query(ctx, services, request));
  const size_t rows = result.columns.empty() ? 0 : result.columns[0].rows;
  return Outcome{.what = "rows", .count = rows};
}

// Looks for what a delete would take away.
Result<Outcome> RunDelete(Context& ctx, Services& services, const json& from) {
  const model::CollectionName name = NameAt(from);
  TRY_ASSIGN(const auto collection, services.coord.catalog.Find(ctx, name));
  const std::string filter = TextAt(from, "filter");
  const auto plan = expr::Bind(filter, collection->schema, TemplatesAt(from));
  if (!plan.ok()) return Status(plan.status()).WithContext("failed to create delete plan");
  if (plan->always_true()) return Invalid("delete plan can't be empty or always true : {}", filter);
  if (plan->primary_keys()) {
    ProfileSays(ctx, "filter", filter);
    ProfileSays(ctx, "reads", "nothing: the filter names the keys");
    return Outcome{.what = "keys", .count = plan->primary_keys()->size()};
  }
  json query = from;
  query["consistency_level"] = "Strong";
  query.erase("output_fields");
  return RunQuery(ctx, services, query);
}

Result<Outcome> Run(Context& ctx, Services& services, std::string_view method, const json& from) {
  if (method == "search") return RunSearch(ctx, services, from);
  if (method == "hybrid_search") return RunHybrid(ctx, services, from);
  if (method == "query") return RunQuery(ctx, services, from);
  if (method == "delete") return RunDelete(ctx, services, from);
  return Invalid("method should be search, hybrid_search, query or delete, got {}", method);
}

}  // namespace

Result<std::string> Explain(Context& ctx, Services& services, std::string_view description,
                            bool as_text) {
  TRY_ASSIGN(const json from, ParseJson("the description of a read", description, kDepthMax));
  if (!from.is_object()) return Invalid("the description of a read should be a JSON object");
  const std::string method = TextAt(from, "method");
  ProfileStep step(ctx, method, /*wanted=*/true, services.options.explain_steps_max);
  TRY_ASSIGN(const Outcome outcome, Run(step.ctx(), services, method, from));
  step.Says(outcome.what, outcome.count);
  step.End();
  if (as_text) return ReportText(*step.tree());
  return ReportJson(*step.tree());
}

}  // namespace elanus::proxy
