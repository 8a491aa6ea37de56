// The statements of a case that read: filter, count, query, search.
#include "columns.h"
#include "runner.h"
#include "vectors.h"

namespace elanus::cases {

namespace pb = milvus::proto::milvus;
namespace common = milvus::proto::common;

namespace {

constexpr int kLimit = 16384;

std::string TextOf(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// What queries and searches share: partitions, output fields, templates, and every other key as a
// parameter of the same name.
template <class Request, class Params>
void FillRead(const Json& spec, const Step& step, bool sealed, Request& request, Params* params) {
  request.set_collection_name(kCollection);
  request.set_consistency_level(common::ConsistencyLevel::Strong);
  for (const std::string& name : step.partitions) request.add_partition_names(name);
  const auto put = [&](const std::string& key, const std::string& value) {
    auto* pair = params->Add();
    pair->set_key(key);
    pair->set_value(value);
  };
  for (const auto& [key, value] : spec.items()) {
    if (key == "output") {
      for (const Json& name : value) request.add_output_fields(name.get<std::string>());
    } else if (key == "templates") {
      for (const auto& [name, constant] : value.items()) {
        EncodeTemplate(constant, &(*request.mutable_expr_template_values())[name]);
      }
    } else if (key != "filter" && key != "vector" && key != "vectors" && key != "as") {
      put(key, TextOf(value));
    }
  }
  // What is in a sealed segment must be found there.
  if (sealed && !spec.contains("ignore_growing")) put("ignore_growing", "true");
}

// Vectors of `wanted`, or of the type that they can be; the numbers of types and placeholders
// agree.
std::string Placeholders(model::DataType wanted, const std::vector<Json>& vectors) {
  common::PlaceholderGroup group;
  auto* placeholder = group.add_placeholders();
  placeholder->set_tag("$0");
  const model::DataType type = vectors.empty() ? wanted : VectorTypeOf(wanted, vectors[0]);
  placeholder->set_type(static_cast<common::PlaceholderType>(type));
  for (const Json& vector : vectors) placeholder->add_values(VectorBytes(type, vector));
  return group.SerializeAsString();
}

// The type of the field that is searched, as far as that can be told.
model::DataType SearchedType(const model::CollectionSchema& schema, const std::string& name) {
  for (const model::FieldSchema& field : schema.fields) {
    if (model::IsVector(field.type) && (name.empty() || field.name == name)) return field.type;
  }
  return model::DataType::kFloatVector;
}

// "1:0.5 2:1 | 3:0": hits of two queries as [id, score].
Result<Json> ParseHits(const std::string& text) {
  Json queries = Json::array({Json::array()});
  for (const std::string& word : Words(text)) {
    if (word == "none") continue;
    if (word == "|") {
      queries.push_back(Json::array());
      continue;
    }
    const size_t colon = word.rfind(':');
    if (colon == std::string::npos) return Invalid("a hit is id:score, not {}", word);
    TRY_ASSIGN(Json id, ParseValue(word.substr(0, colon)));
    TRY_ASSIGN(Json score, ParseValue(word.substr(colon + 1)));
    queries.back().push_back(Json::array({std::move(id), std::move(score)}));
  }
  return queries;
}

std::string PrintHits(const Json& queries) {
  std::string text;
  for (const Json& query : queries) {
    if (!text.empty()) text += " |";
    for (const Json& hit : query) text += fmt::format(" {}:{}", hit[0].dump(), hit[1].dump());
    if (query.empty()) text += " none";
  }
  return text;
}

}  // namespace

Status Runner::DoFilter(const Step& step) {
  return ReadRows(step, {{"filter", step.body}, {"limit", kLimit}});
}

Status Runner::DoCount(const Step& step) {
  return ReadRows(step, {{"filter", step.body}, {"output", {"count(*)"}}});
}

Status Runner::DoQuery(const Step& step) {
  TRY_ASSIGN(const Json spec, ParseValue(step.body));
  if (!spec.is_object()) return Invalid("a query is an object: {}", step.body);
  return ReadRows(step, spec);
}

Status Runner::ReadRows(const Step& step, const Json& spec) {
  pb::QueryRequest request;
  FillRead(spec, step, sealed(), request, request.mutable_query_params());
  request.set_expr(spec.value("filter", ""));
  const auto result = client_->Call<pb::QueryResults>("Query", request);
  if (!result.ok() || step.outcome == "error") return CheckOutcome(step, result.status());
  if (result->fields_data().empty()) return Invalid("an answer without columns");
  Rows rows(RowsOf(result->fields_data(0)), Json::object());
  if (!AddColumns(result->fields_data(), rows)) return Invalid("columns of different lengths");
  if (step.outcome == "rows") return CheckRows(step, std::move(rows));
  if (step.outcome == "count") return CheckCount(step, rows.at(0).value("count(*)", int64_t{-1}));
  Rows ids;
  for (const Json& row : rows) ids.push_back(row.value(result->primary_field_name(), Json()));
  return CheckIds(step, ids);
}

Status Runner::DoSearch(const Step& step) {
  TRY_ASSIGN(Json spec, ParseValue(step.body));
  if (spec.is_array()) spec = {{"vector", spec}};
  if (!spec.is_object()) return Invalid("a search is a vector or an object: {}", step.body);
  if (!spec.contains("topk")) spec["topk"] = spec.value("limit", Json(10));
  spec.erase("limit");
  std::vector<Json> vectors = spec.value("vectors", std::vector<Json>());
  if (spec.contains("vector")) vectors.push_back(spec["vector"]);
  pb::SearchRequest request;
  FillRead(spec, step, sealed(), request, request.mutable_search_params());
  request.set_dsl(spec.value("filter", ""));
  request.set_dsl_type(common::DslType::BoolExprV1);
  request.set_nq(static_cast<int64_t>(vectors.size()));
  const model::DataType searched = SearchedType(schema_, spec.value("anns_field", ""));
  const bool as_floats = spec.value("as", "") == "floats";
  request.set_placeholder_group(
      Placeholders(as_floats ? model::DataType::kFloatVector : searched, vectors));
  const auto result = client_->Call<pb::SearchResults>("Search", request);
  if (!result.ok() || step.outcome == "error") return CheckOutcome(step, result.status());
  const auto& data = result->results();
  const Rows ids = DecodeIds(data.ids());
  Rows rows(ids.size(), Json::object());
  if (!AddColumns(data.fields_data(), rows) ||
      ids.size() != static_cast<size_t>(data.scores_size())) {
    return Invalid("columns of different lengths");
  }
  if (step.outcome == "ids") return CheckIds(step, ids);
  if (step.outcome == "rows") return CheckRows(step, std::move(rows));
  if (step.outcome != "hits") return Invalid("a search has hits, ids, rows or an error");
  Json hits = Json::array();
  int at = 0;
  for (int64_t count : data.topks()) {
    hits.push_back(Json::array());
    for (; count > 0; --count, ++at) {
      if (static_cast<size_t>(at) >= ids.size()) return Invalid("topks say more hits than ids");
      hits.back().push_back(Json::array({ids[static_cast<size_t>(at)], data.scores(at)}));
    }
  }
  TRY_ASSIGN(const Json wanted, ParseHits(step.expected));
  if (!AboutEqual(hits, wanted)) Complain(step, fmt::format("hits{}", PrintHits(hits)));
  return {};
}

}  // namespace elanus::cases
