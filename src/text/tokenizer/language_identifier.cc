// The tokenizer language_identifier: finds the language of each text and leaves it to the analyzer
// of that language.
#include <map>
#include <nlohmann/json.hpp>

#include "text/analyzer.h"
#include "text/tokenizer/language.h"
#include "text/tokenizer/tokenizer.h"

namespace elanus::text {
namespace {

using nlohmann::json;

constexpr const char* kDefault = "default";

class LanguageIdentifier final : public Tokenizer {
 public:
  void Tokenize(std::string_view text, Tokens& tokens) const override {
    Tokens made;
    For(text).Analyze(text, made);
    tokens.insert(tokens.end(), std::make_move_iterator(made.begin()),
                  std::make_move_iterator(made.end()));
  }

  bool as_lingua = false;
  double confidence = 0;  // What a language must have more of.
  std::map<std::string, AnalyzerPtr, std::less<>> analyzers;
  std::map<std::string, std::string, std::less<>> mapping;  // Names of languages to analyzers.

 private:
  const Analyzer& For(std::string_view text) const {
    const Language language = DetectLanguage(text);
    std::string_view name = kDefault;
    if (!language.code.empty() && language.confidence > confidence) {
      name = LanguageName(language.code, as_lingua);
    }
    if (const auto mapped = mapping.find(name); mapped != mapping.end()) name = mapped->second;
    const auto found = analyzers.find(name);
    return *(found == analyzers.end() ? analyzers.find(kDefault) : found)->second;
  }
};

Status ReadIdentifier(const json& params, LanguageIdentifier& made) {
  const auto given = params.find("identifier");
  if (given == params.end()) return {};
  std::string name;
  if (given->is_string()) {
    name = given->get<std::string>();
  } else if (given->is_object() && given->contains("type") && (*given)["type"].is_string()) {
    name = (*given)["type"].get<std::string>();
    if (const auto confidence = given->find("confidence"); confidence != given->end()) {
      if (!confidence->is_number()) {
        return Status(ErrorCode::kSegcore, "confidence of the identifier must be a number");
      }
      made.confidence = confidence->get<double>();
    }
  } else {
    return Status(ErrorCode::kSegcore, "identifier should be a name or an object with a type");
  }
  made.as_lingua = name == "lingua";
  if (name == "lingua" || name == "whatlang") return {};
  return Error(ErrorCode::kSegcore, "unknown identifier name: {}", name);
}

}  // namespace

Result<TokenizerPtr> MakeLanguageIdentifier(const json& params) {
  auto made = std::make_unique<LanguageIdentifier>();
  TRY(ReadIdentifier(params, *made));
  const auto analyzers = params.find("analyzers");
  if (analyzers == params.end()) return Status(ErrorCode::kSegcore, "analyzers must be set");
  if (!analyzers->is_object()) return Status(ErrorCode::kSegcore, "analyzers must be dict");
  for (const auto& [name, analyzer] : analyzers->items()) {
    if (!analyzer.is_object()) {
      return Error(ErrorCode::kSegcore, "sub analyzer \"{}\" params must be dict", name);
    }
    TRY_ASSIGN(AnalyzerPtr one, AnalyzerOf(analyzer.dump()));
    made->analyzers.emplace(name, std::move(one));
  }
  if (made->analyzers.count(kDefault) == 0) {
    return Status(ErrorCode::kSegcore,
                  "default sub analyzer for language identifier analyzer must be set");
  }
  if (const auto mapping = params.find("mapping"); mapping != params.end()) {
    if (!mapping->is_object()) return Status(ErrorCode::kSegcore, "mapping must be dict");
    for (const auto& [language, name] : mapping->items()) {
      if (!name.is_string()) return Status(ErrorCode::kSegcore, "mapping must be dict of names");
      made->mapping.emplace(language, name.get<std::string>());
    }
  }
  return TokenizerPtr(std::move(made));
}

}  // namespace elanus::text
