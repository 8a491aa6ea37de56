// Search whose hits come with the words that were looked for marked in their texts.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "proxy/checks.h"
#include "proxy/json_text.h"
#include "proxy/ops.h"
#include "proxy/ops/search_params.h"
#include "proxy/ops/semantic_highlight.h"
#include "text/field.h"
#include "text/highlight.h"

namespace elanus::proxy {
namespace {

using WordSet = std::unordered_set<std::string>;
constexpr int kDepthMax = 8;

// What is marked in one field.
struct Target {
  const model::FieldSchema* field;
  text::FieldAnalyzers analyzers;
  const model::FieldSchema* names;  // Whose value names the analyzer of a row; null: there is one.
  WordSet words;                    // Of every query,
  std::vector<WordSet> of_query;    // and of each; may be empty.
};

struct Highlighting {
  text::HighlightOptions options;
  bool marks_search_text = false;
  std::vector<std::pair<std::string, std::string>> queries;  // Field, text.
};

Status ParseTags(const std::string& key, const std::string& text, std::vector<std::string>& tags) {
  TRY_ASSIGN(const nlohmann::json json, ParseJson(key, text, kDepthMax));
  const bool is_list = json.is_array() && !json.empty() &&
                       std::all_of(json.begin(), json.end(),
                                   [](const nlohmann::json& tag) { return tag.is_string(); });
  if (!is_list) return Invalid("{} should be a list of strings that is not empty", key);
  tags.clear();
  for (const auto& tag : json) tags.push_back(tag.get<std::string>());
  return {};
}

Status ParseCount(const std::string& key, const std::string& text, int64_t min, uint64_t& count) {
  TRY_ASSIGN(const int64_t value, ParseInt(key, text));
  if (value < min) return Invalid("{} should be at least {}, got {}", key, min, value);
  count = static_cast<uint64_t>(value);
  return {};
}

Status ParseQueries(const std::string& text, Highlighting& to) {
  TRY_ASSIGN(const nlohmann::json json, ParseJson("highlight_query", text, kDepthMax));
  if (!json.is_array()) return Invalid("highlight_query should be a list");
  for (const auto& query : json) {
    const auto part = [&](const char* key) -> std::string {
      const bool is_there = query.is_object() && query.contains(key) && query[key].is_string();
      return is_there ? query[key].get<std::string>() : std::string();
    };
    if (part("type") != "TextMatch") {
      return Invalid("the type of a highlight_query should be TextMatch, got {}", query.dump());
    }
    if (part("field").empty() || !query.contains("text") || !query["text"].is_string()) {
      return Invalid("a highlight_query should have a field and a text, got {}", query.dump());
    }
    to.queries.emplace_back(part("field"), part("text"));
  }
  return {};
}

Result<Highlighting> Parse(const model::Highlighter& highlighter) {
  Highlighting parsed;
  for (const auto& [key, value] : highlighter.params) {
    if (key == "pre_tags") {
      TRY(ParseTags(key, value, parsed.options.pre_tags));
    } else if (key == "post_tags") {
      TRY(ParseTags(key, value, parsed.options.post_tags));
    } else if (key == "fragment_size") {
      TRY(ParseCount(key, value, 1, parsed.options.fragment_size));
    } else if (key == "num_of_fragments") {
      TRY(ParseCount(key, value, 0, parsed.options.fragments_max));
    } else if (key == "fragment_offset") {
      TRY(ParseCount(key, value, 0, parsed.options.fragment_offset));
    } else if (key == "highlight_search_text") {
      TRY_ASSIGN(parsed.marks_search_text, ParseBool(key, value));
    } else if (key == "highlight_query") {
      TRY(ParseQueries(value, parsed));
    } else {
      return Invalid("unknown parameter of the highlighter: {}", key);
    }
  }
  return parsed;
}

// The BM25 field that is searched, or null.
const model::FieldSchema* SearchedTextField(const model::CollectionSchema& schema,
                                            const std::string& name) {
  for (const model::FieldSchema& field : schema.fields) {
    const bool is_meant = name.empty() ? model::IsVector(field.type) : field.name == name;
    if (is_meant && schema.IsBm25Output(field)) {
      return schema.FindField(schema.FunctionOf(field)->inputs[0]);
    }
  }
  return nullptr;
}

class Planner {
 public:
  Planner(const model::CollectionSchema& schema, const model::SearchRequest& request)
      : schema_(schema), request_(request), analyzer_(AnalyzerNameOf(request.params)) {}

  Result<std::vector<Target>> Run(const Highlighting& wanted) {
    if (wanted.marks_search_text) TRY(AddSearchText());
    for (const auto& [name, text] : wanted.queries) {
      const model::FieldSchema* field = schema_.FindField(name);
      if (field == nullptr) return Invalid("highlight field not found in schema: {}", name);
      TRY_ASSIGN(Target * target, TargetOf(*field));
      AddWords(target->analyzers, text, target->words);
    }
    return std::move(targets_);
  }

 private:
  Status AddSearchText() {
    const model::FieldSchema* field = SearchedTextField(schema_, request_.anns_field);
    if (field == nullptr || request_.queries.type != model::DataType::kVarChar) {
      return Invalid(
          R"(Search highlight only support with metric type "BM25" and a text to search)");
    }
    TRY_ASSIGN(Target * target, TargetOf(*field));
    const model::ColumnView texts = request_.queries.view();
    target->of_query.resize(texts.rows);
    for (size_t q = 0; q < texts.rows; ++q) {
      AddWords(target->analyzers, texts.Bytes(q), target->of_query[q]);
    }
    return {};
  }

  Result<Target*> TargetOf(const model::FieldSchema& field) {
    if (!text::HasAnalyzer(field)) {
      return Invalid("highlight field {} does not enable analyzer", field.name);
    }
    for (Target& target : targets_) {
      if (target.field->id == field.id) return &target;
    }
    TRY_ASSIGN(text::FieldAnalyzers analyzers, text::FieldAnalyzers::Of(field));
    const model::FieldSchema* names =
        analyzers.is_multiple() ? schema_.FindField(analyzers.by_field()) : nullptr;
    targets_.push_back({.field = &field,
                        .analyzers = std::move(analyzers),
                        .names = names,
                        .words = {},
                        .of_query = {}});
    return &targets_.back();
  }

  // By the analyzer that the search names, as what it searches for.
  void AddWords(const text::FieldAnalyzers& analyzers, std::string_view text,
                WordSet& words) const {
    text::Tokens tokens;
    analyzers.Named(analyzer_).Analyze(text, tokens);
    for (const text::Token& token : tokens) words.insert(token.text);
  }

  const model::CollectionSchema& schema_;
  const model::SearchRequest& request_;
  const std::string analyzer_;
  std::vector<Target> targets_;
};

// Asks for what marking reads too; returns the fields that nobody else asked for.
std::vector<const model::FieldSchema*> AddOutputs(const std::vector<Target>& targets,
                                                  std::vector<std::string>& outputs) {
  std::vector<const model::FieldSchema*> added;
  if (std::find(outputs.begin(), outputs.end(), "*") != outputs.end()) return added;
  for (const Target& target : targets) {
    for (const model::FieldSchema* field : {target.field, target.names}) {
      if (field == nullptr) continue;
      if (std::find(outputs.begin(), outputs.end(), field->name) != outputs.end()) continue;
      outputs.push_back(field->name);
      added.push_back(field);
    }
  }
  return added;
}

const model::Column* ColumnOf(const model::SearchResult& result, const model::FieldSchema* field) {
  if (field == nullptr) return nullptr;
  const auto found =
      std::find_if(result.columns.begin(), result.columns.end(),
                   [&](const model::Column& column) { return column.field_id == field->id; });
  return found == result.columns.end() ? nullptr : &*found;
}

model::FieldHighlights Mark(const Target& target, const model::SearchResult& result,
                            const text::HighlightOptions& options) {
  model::FieldHighlights marked{.field = target.field->name, .fragments = {}};
  const model::Column* texts = ColumnOf(result, target.field);
  const model::Column* names = ColumnOf(result, target.names);
  size_t row = 0;
  for (size_t q = 0; q < result.counts.size(); ++q) {
    WordSet words = target.words;
    if (!target.of_query.empty()) {
      words.insert(target.of_query[q].begin(), target.of_query[q].end());
    }
    for (uint32_t i = 0; i < result.counts[q]; ++i, ++row) {
      auto& fragments = marked.fragments.emplace_back();
      if (texts == nullptr || !texts->view().IsValid(row)) continue;
      const bool is_named = names != nullptr && names->view().IsValid(row);
      const std::string_view name = is_named ? names->view().Bytes(row) : "default";
      fragments =
          text::Highlight(target.analyzers.Named(name), texts->view().Bytes(row), words, options);
    }
  }
  return marked;
}

}  // namespace

Result<model::HighlightedResult> SearchAndHighlight(Context& ctx, Services& services,
                                                    model::SearchRequest request,
                                                    const model::Highlighter& highlighter) {
  if (highlighter.is_semantic) {
    return SearchAndHighlightMeaning(ctx, services, std::move(request), highlighter);
  }
  TRY_ASSIGN(const Highlighting wanted, Parse(highlighter));
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, request.name));
  TRY_ASSIGN(const std::vector<Target> targets, Planner(collection->schema, request).Run(wanted));
  const auto added = AddOutputs(targets, request.output_fields);
  model::HighlightedResult answer;
  TRY_ASSIGN(answer.result, Search(ctx, services, std::move(request)));
  if (answer.result.primary_keys.rows > 0) {
    for (const Target& target : targets) {
      answer.highlights.push_back(Mark(target, answer.result, wanted.options));
    }
  }
  for (const model::FieldSchema* field : added) {
    std::erase(answer.result.output_fields, field->name);
    std::erase_if(answer.result.columns,
                  [&](const model::Column& column) { return column.field_id == field->id; });
  }
  return answer;
}

}  // namespace elanus::proxy
