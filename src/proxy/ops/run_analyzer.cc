// What an analyzer makes of texts, and how far from a phrase they are.
#include <limits>

#include "proxy/checks.h"
#include "proxy/ops.h"
#include "text/bm25.h"
#include "text/field.h"
#include "text/match.h"

namespace elanus::proxy {
namespace {

using AnalyzedTexts = std::vector<std::vector<model::AnalyzedToken>>;

void Append(const text::Analyzer& analyzer, const std::string& text, AnalyzedTexts& to) {
  text::Tokens tokens;
  analyzer.Analyze(text, tokens);
  auto& list = to.emplace_back();
  for (const text::Token& token : tokens) {
    list.push_back({.text = token.text,
                    .begin = token.begin,
                    .end = token.end,
                    .position = token.position,
                    .length = token.length,
                    .hash = text::TermId(token.text)});
  }
}

Result<text::FieldAnalyzers> AnalyzersOfField(Context& ctx, Services& services,
                                              const model::RunAnalyzerRequest& request) {
  if (!request.analyzer_params.empty()) {
    return Invalid("run analyzer can't use analyzer params and (collection,field) in same time");
  }
  if (request.field.empty()) {
    return Invalid("must set field name when collection name was set");
  }
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, request.name));
  if (!collection->loaded) {
    return Error(ErrorCode::kCollectionNotLoaded, "{}[collection={}]",
                 InfoOf(ErrorCode::kCollectionNotLoaded).name, request.name.collection);
  }
  const model::FieldSchema* field = collection->schema.FindField(request.field);
  if (field == nullptr || !text::HasAnalyzer(*field)) {
    return Invalid(
        "analyzer runner for field {} not exist, now only support for fields that "
        "enable analyzer",
        request.field);
  }
  TRY_ASSIGN(text::FieldAnalyzers analyzers, text::FieldAnalyzers::Of(*field));
  if (!analyzers.is_multiple() && !request.analyzer_names.empty()) {
    return Invalid("analyzer names are for fields with several analyzers, field: {}",
                   request.field);
  }
  return analyzers;
}

}  // namespace

Result<AnalyzedTexts> RunAnalyzer(Context& ctx, Services& services,
                                  const model::RunAnalyzerRequest& request) {
  AnalyzedTexts analyzed;
  if (request.texts.empty()) return analyzed;
  if (request.name.collection.empty()) {
    TRY_ASSIGN(const text::AnalyzerPtr analyzer, text::AnalyzerOf(request.analyzer_params));
    for (const std::string& text : request.texts) {
      TRY(ctx.CheckAlive());
      Append(*analyzer, text, analyzed);
    }
    return analyzed;
  }
  TRY_ASSIGN(const text::FieldAnalyzers analyzers, AnalyzersOfField(ctx, services, request));
  const auto& names = request.analyzer_names;
  if (names.size() > 1 && names.size() != request.texts.size()) {
    return Invalid("there must be no analyzer name, one, or one for each of {} texts, got {}",
                   request.texts.size(), names.size());
  }
  for (size_t i = 0; i < request.texts.size(); ++i) {
    TRY(ctx.CheckAlive());
    std::string_view name = "default";
    if (!names.empty()) name = names[names.size() == 1 ? 0 : i];
    Append(analyzers.Named(name), request.texts[i], analyzed);
  }
  return analyzed;
}

Result<std::vector<std::optional<uint32_t>>> PhraseSlops(Context& ctx,
                                                         const model::PhraseSlopRequest& request) {
  TRY_ASSIGN(const text::AnalyzerPtr analyzer, text::AnalyzerOf(request.analyzer_params));
  text::Tokens tokens;
  analyzer->Analyze(request.phrase, tokens);
  model::WordQuery query = text::MakeWordQuery(model::WordQuery::Kind::kPhrase, tokens);
  query.slop = std::numeric_limits<uint32_t>::max();
  text::WordMatcher matcher(query);
  std::vector<std::optional<uint32_t>> slops;
  for (const std::string& text : request.texts) {
    TRY(ctx.CheckAlive());
    analyzer->Analyze(text, tokens);
    slops.push_back(matcher.PhraseSlop(tokens));
  }
  return slops;
}

}  // namespace elanus::proxy
