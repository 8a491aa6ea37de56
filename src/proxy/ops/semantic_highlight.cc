// The semantic highlighter.
#include "proxy/ops/semantic_highlight.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "functions/models.h"
#include "functions/setup.h"
#include "model/reduce.h"
#include "proxy/checks.h"
#include "proxy/functions.h"
#include "proxy/json_text.h"
#include "proxy/ops.h"

namespace elanus::proxy {
namespace {

// A field that is marked: one of the schema, or a key of the dynamic one.
struct Source {
  std::string name;
  const model::FieldSchema* field;
  bool is_key() const { return field->is_dynamic; }
};

Result<std::vector<std::string>> ParseTexts(const model::Highlighter& highlighter,
                                            std::string_view key) {
  const std::string* text = functions::FindAnyCase(highlighter.params, key);
  if (text == nullptr) return Invalid("{} is required for the semantic highlighter", key);
  constexpr int kDepthMax = 4;
  TRY_ASSIGN(const nlohmann::json json, ParseJson(key, *text, kDepthMax));
  std::vector<std::string> texts;
  for (const nlohmann::json& item : json) {
    if (!json.is_array() || !item.is_string())
      return Invalid("{} should be a list of texts, got {}", key, *text);
    texts.push_back(item.get<std::string>());
  }
  if (texts.empty()) return Invalid("{} should be a list that is not empty", key);
  return texts;
}

Result<std::vector<Source>> ResolveSources(const model::CollectionSchema& schema,
                                           const std::vector<std::string>& names) {
  std::vector<Source> sources;
  for (const std::string& name : names) {
    const model::FieldSchema* field = schema.FindField(name);
    if (field == nullptr) field = schema.dynamic_field();
    if (field == nullptr) return Invalid("highlight field not found in schema: {}", name);
    const bool is_text = field->is_dynamic || field->type == model::DataType::kVarChar ||
                         field->type == model::DataType::kText;
    if (!is_text) {
      return Invalid("the semantic highlighter takes VarChar and Text fields, {} is of type {}",
                     name, NameOf(field->type));
    }
    sources.push_back({name, field});
  }
  return sources;
}

const model::Column* ColumnOf(const model::SearchResult& result, const Source& source) {
  for (const model::Column& column : result.columns) {
    if (column.field_id == source.field->id) return &column;
  }
  return nullptr;
}

// The text of each hit; empty where there is none.
std::vector<std::string> TextsOf(const model::SearchResult& result, const Source& source) {
  std::vector<std::string> texts(result.primary_keys.rows);
  const model::Column* column = ColumnOf(result, source);
  if (column == nullptr) return texts;
  const model::ColumnView view = column->view();
  for (size_t i = 0; i < texts.size(); ++i) {
    if (!view.IsValid(i)) continue;
    texts[i] = view.Bytes(i);
    if (!source.is_key()) continue;
    const auto row = nlohmann::json::parse(texts[i], nullptr, /*allow_exceptions=*/false);
    const bool has_text =
        row.is_object() && row.contains(source.name) && row[source.name].is_string();
    texts[i] = has_text ? row[source.name].get<std::string>() : std::string();
  }
  return texts;
}

// Marks one field of all hits, query by query.
Result<model::FieldHighlights> Mark(Context& ctx, functions::Models& models, const Source& source,
                                    const model::Highlighter& highlighter,
                                    const std::vector<std::string>& queries,
                                    const model::SearchResult& result) {
  const std::vector<std::string> texts = TextsOf(result, source);
  model::FieldHighlights marked{.field = source.name, .fragments = {}, .scores = {}};
  marked.fragments.resize(texts.size());
  marked.scores.resize(texts.size());
  size_t begin = 0;
  for (size_t q = 0; q < result.counts.size(); ++q) {
    std::vector<size_t> hits;
    std::vector<std::string_view> of_query;
    for (size_t i = begin; i < begin + result.counts[q]; ++i) {
      if (texts[i].empty()) continue;
      hits.push_back(i);
      of_query.push_back(texts[i]);
    }
    begin += result.counts[q];
    if (hits.empty()) continue;
    TRY_ASSIGN(auto found, models.Highlight(ctx, highlighter.params, queries[q], of_query));
    for (size_t i = 0; i < hits.size(); ++i) {
      marked.fragments[hits[i]] = std::move(found[i].fragments);
      marked.scores[hits[i]] = std::move(found[i].scores);
    }
  }
  return marked;
}

bool Has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Takes out of the answer what only the highlighter asked for.
class Tidier {
 public:
  Tidier(const model::CollectionSchema& schema, std::vector<std::string> wanted)
      : schema_(schema), wanted_(std::move(wanted)) {}

  // The names to ask for.
  std::vector<std::string> Outputs(const std::vector<Source>& sources) {
    std::vector<std::string> outputs = wanted_;
    for (const Source& source : sources) {
      const bool is_there = Has(outputs, source.name) || Has(outputs, "*") ||
                            (source.is_key() && Has(outputs, source.field->name));
      if (is_there) continue;
      outputs.push_back(source.name);
      added_.push_back(source);
    }
    return outputs;
  }

  void Run(model::SearchResult& result) const {
    for (const Source& source : added_) {
      std::erase(result.output_fields, source.name);
      if (source.is_key() && WantsKeys()) {
        for (model::Column& column : result.columns) {
          if (column.field_id == source.field->id) RemoveKey(source.name, column);
        }
      } else {
        std::erase_if(result.columns, [&](const model::Column& column) {
          return column.field_id == source.field->id;
        });
      }
    }
  }

 private:
  // Whether the client asked for keys of the dynamic field.
  bool WantsKeys() const {
    return std::any_of(wanted_.begin(), wanted_.end(), [&](const std::string& name) {
      const model::FieldSchema* field = schema_.FindField(name);
      return field == nullptr ? schema_.FindStruct(name) == nullptr : field->is_dynamic;
    });
  }

  static void RemoveKey(const std::string& key, model::Column& column) {
    model::Column kept = model::EmptyLike(column);
    kept.is_dynamic = column.is_dynamic;
    const model::ColumnView view = column.view();
    for (size_t i = 0; i < view.rows; ++i) {
      auto row = nlohmann::json::parse(view.Bytes(i), nullptr, /*allow_exceptions=*/false);
      if (row.is_object()) row.erase(key);
      kept.AppendBytes(row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    column = std::move(kept);
  }

  const model::CollectionSchema& schema_;
  const std::vector<std::string> wanted_;
  std::vector<Source> added_;
};

}  // namespace

Result<model::HighlightedResult> SearchAndHighlightMeaning(Context& ctx, Services& services,
                                                           model::SearchRequest request,
                                                           const model::Highlighter& highlighter) {
  TRY_ASSIGN(functions::Models* const models, ModelsOf(services));
  TRY_ASSIGN(const std::vector<std::string> queries, ParseTexts(highlighter, "queries"));
  TRY_ASSIGN(const std::vector<std::string> names, ParseTexts(highlighter, "input_fields"));
  const size_t nq = request.queries.rows + request.query_keys.rows;
  if (queries.size() != nq) {
    return Invalid("nq must equal to the number of queries of the highlighter: nq {}, queries {}",
                   nq, queries.size());
  }
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, request.name));
  TRY_ASSIGN(const std::vector<Source> sources, ResolveSources(collection->schema, names));
  Tidier tidier(collection->schema, request.output_fields);
  request.output_fields = tidier.Outputs(sources);
  model::HighlightedResult answer;
  TRY_ASSIGN(answer.result, Search(ctx, services, std::move(request)));
  if (answer.result.primary_keys.rows > 0) {
    for (const Source& source : sources) {
      TRY_ASSIGN(model::FieldHighlights marked,
                 Mark(ctx, *models, source, highlighter, queries, answer.result));
      answer.highlights.push_back(std::move(marked));
    }
  }
  tidier.Run(answer.result);
  return answer;
}

}  // namespace elanus::proxy
