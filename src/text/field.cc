// The analyzers of a field.
#include "text/field.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace elanus::text {
namespace {

using nlohmann::json;
constexpr std::string_view kDefault = "default";

}  // namespace

bool IsSet(const model::FieldSchema& field, std::string_view param) {
  static constexpr std::string_view kTrue[] = {"1", "t", "T", "true", "True", "TRUE"};
  const std::string* text = model::Find(field.type_params, param);
  return text != nullptr && std::find(std::begin(kTrue), std::end(kTrue), *text) != std::end(kTrue);
}

Result<AnalyzerPtr> AnalyzerOf(const model::FieldSchema& field) {
  const std::string* params = model::Find(field.type_params, "analyzer_params");
  return AnalyzerOf(params == nullptr ? std::string_view() : std::string_view(*params));
}

Result<FieldAnalyzers> FieldAnalyzers::Of(const model::FieldSchema& field) {
  FieldAnalyzers made;
  const std::string* text = model::Find(field.type_params, "multi_analyzer_params");
  if (text == nullptr) {
    TRY_ASSIGN(AnalyzerPtr only, AnalyzerOf(field));
    made.analyzers_.emplace(kDefault, std::move(only));
    return made;
  }
  const json params = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (params.is_discarded() || !params.is_object()) {
    return Invalid("multi analyzer params is not a JSON object, field: {}", field.name);
  }
  const auto by_field = params.find("by_field");
  if (by_field == params.end()) {
    return Invalid(
        "multi analyzer params now must set by_field to specify with field decide "
        "analyzer, field: {}",
        field.name);
  }
  if (!by_field->is_string()) {
    return Invalid("multi analyzer params by_field must be string but now: {}", by_field->dump());
  }
  made.by_field_ = by_field->get<std::string>();
  if (const auto aliases = params.find("alias"); aliases != params.end()) {
    const bool is_map =
        aliases->is_object() && std::all_of(aliases->begin(), aliases->end(),
                                            [](const json& value) { return value.is_string(); });
    if (!is_map)
      return Invalid("multi analyzer alias must be string map but now: {}", aliases->dump());
    for (const auto& [alias, name] : aliases->items()) {
      made.aliases_.emplace(alias, name.get<std::string>());
    }
  }
  const auto analyzers = params.find("analyzers");
  if (analyzers == params.end()) {
    return Invalid("multi analyzer params must set analyzers, field: {}", field.name);
  }
  if (!analyzers->is_object()) {
    return Invalid("unmarshal analyzers failed: not an object, field: {}", field.name);
  }
  if (!analyzers->contains(kDefault)) {
    return Invalid("multi analyzer must set default analyzer for all unknown value");
  }
  for (const auto& [name, analyzer] : analyzers->items()) {
    TRY_ASSIGN(AnalyzerPtr one, AnalyzerOf(analyzer.dump()));
    made.analyzers_.emplace(name, std::move(one));
  }
  return made;
}

const Analyzer& FieldAnalyzers::Named(std::string_view name) const {
  if (const auto alias = aliases_.find(name); alias != aliases_.end()) name = alias->second;
  const auto found = analyzers_.find(name);
  return *(found != analyzers_.end() ? found : analyzers_.find(kDefault))->second;
}

}  // namespace elanus::text
