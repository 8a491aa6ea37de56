// Calls of model services.
#include "functions/models.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "functions/auth/google_token.h"
#include "functions/caller.h"
#include "functions/errors.h"
#include "functions/providers/body.h"
#include "functions/providers/embedding.h"
#include "functions/providers/rerank.h"
#include "http/aws_signature.h"

namespace elanus::functions {
namespace {

using model::DataType;
using nlohmann::json;

constexpr size_t kQueueMax = 4096;
constexpr int64_t kHighlightBatch = 64;
constexpr std::string_view kProbeText = "check";

bool IsEnabled(const NamedValues& configured, std::string_view provider) {
  const std::string* wish = FindNamed(configured, provider, "enable");
  return wish == nullptr || Lower(*wish) != "false";
}

// Writes a vector of the answer as a row of the field; false when it is none of its type.
template <class T>
bool WriteRow(const json& vector, uint32_t dim, uint8_t* to) {
  for (uint32_t d = 0; d < dim; ++d) {
    const json& number = vector[d];
    if (!number.is_number()) return false;
    const double value = number.get<double>();
    if (!std::isfinite(value)) return false;
    if constexpr (std::is_same_v<T, int8_t>) {
      if (value < -128 || value > 127 || value != std::floor(value)) return false;
    } else if (std::abs(value) > std::numeric_limits<float>::max()) {
      return false;
    }
    const T element = static_cast<T>(value);
    std::memcpy(to + d * sizeof(T), &element, sizeof(T));
  }
  return true;
}

bool WriteRow(const json& vector, const model::FieldSchema& field, uint8_t* to) {
  return field.type == DataType::kInt8Vector ? WriteRow<int8_t>(vector, field.dim(), to)
                                             : WriteRow<float>(vector, field.dim(), to);
}

// The parts of a list of `count` items in pieces of `batch`.
size_t Pieces(size_t count, int64_t batch) {
  const auto size = static_cast<size_t>(batch);
  return (count + size - 1) / size;
}
Texts Piece(Texts texts, int64_t batch, size_t i) {
  const auto size = static_cast<size_t>(batch);
  return texts.subspan(i * size, std::min(size, texts.size() - i * size));
}

}  // namespace

struct Models::Impl {
  Impl(Parts given, const FunctionOptions& wishes)
      : parts(std::move(given)),
        options(wishes),
        caller(parts.executor, parts.clock, parts.http, options),
        tokens(parts.clock, caller),
        pool(parts.executor, "models", static_cast<size_t>(options.parallel_batches), kQueueMax) {
    for (const auto& [key, value] : options.zilliz) {
      options.embedding_providers["zilliz." + key] = value;
      options.rerank_providers["zilliz." + key] = value;
    }
  }

  struct Embedding {
    const EmbeddingProvider* provider;
    ModelSetup setup;
    int64_t batch;
  };
  struct Reranker {
    const RerankProvider* provider;
    ModelSetup setup;
    int64_t batch;
  };

  Result<Embedding> ResolveEmbedding(const model::FunctionSchema& function,
                                     const model::FieldSchema& output) const {
    const std::string* name = FindAnyCase(function.params, "provider");
    if (name == nullptr) {
      return Invalid(
          "the text embedding service provider parameter:[provider] was not found, function: {}",
          function.name);
    }
    const EmbeddingProvider* provider = FindEmbeddingProvider(Lower(*name));
    if (provider == nullptr) {
      std::string known;
      for (const EmbeddingProvider& one : EmbeddingProviders()) {
        known += fmt::format("{}{}", known.empty() ? "" : ", ", one.place.name);
      }
      return Invalid("unsupported text embedding service provider: [{}], list of supported [{}]",
                     *name, known);
    }
    if (!IsEnabled(options.embedding_providers, provider->place.name)) {
      return Invalid("text embedding model provider [{}] is disabled", provider->place.name);
    }
    TRY_ASSIGN(ModelSetup setup, ResolveSetup(options, parts.environment,
                                              {.place = provider->place,
                                               .configured = options.embedding_providers,
                                               .params = function.params}));
    setup.output = output.type;
    TRY_ASSIGN(const int64_t batch, BatchOf(*provider, setup));
    return Embedding{.provider = provider, .setup = std::move(setup), .batch = batch};
  }

  Result<Reranker> ResolveReranker(const std::vector<model::KeyValue>& params) const {
    const std::string* name = FindAnyCase(params, "provider");
    if (name == nullptr) return Invalid("lost rerank params:provider");
    const RerankProvider* provider = FindRerankProvider(Lower(*name));
    if (provider == nullptr) return Invalid("unknown rerank model provider:{}", *name);
    if (!IsEnabled(options.rerank_providers, provider->place.name)) {
      return Invalid("rerank provider: [{}] is disabled", provider->place.name);
    }
    TRY_ASSIGN(ModelSetup setup, ResolveSetup(options, parts.environment,
                                              {.place = provider->place,
                                               .configured = options.rerank_providers,
                                               .params = params}));
    TRY_ASSIGN(const int64_t batch, setup.Positive("max_client_batch_size", provider->batch_max));
    setup.url += provider->path;
    constexpr std::string_view kModel = "{model}";
    if (const size_t at = setup.url.find(kModel); at != std::string::npos) {
      setup.url.replace(at, kModel.size(), setup.model);
    }
    return Reranker{.provider = provider, .setup = std::move(setup), .batch = batch};
  }

  Status Authorize(Context& ctx, const ModelSetup& setup, http::Request& request) {
    switch (setup.auth) {
      case Auth::kOptionalBearer:
        if (setup.api_key.empty()) return {};
        [[fallthrough]];
      case Auth::kBearer:
        request.headers.emplace_back("Authorization", "Bearer " + setup.api_key);
        return {};
      case Auth::kApiKeyHeader:
        request.headers.emplace_back("api-key", setup.api_key);
        return {};
      case Auth::kGoogleHeader:
        request.headers.emplace_back("x-goog-api-key", setup.api_key);
        return {};
      case Auth::kAws: {
        const std::string* region = setup.Find("region");
        http::SignForAws({.id = setup.access_key_id,
                          .secret = setup.api_key,
                          .region = region == nullptr ? std::string() : *region,
                          .service = "bedrock"},
                         parts.clock.NowMs(), request);
        return {};
      }
      case Auth::kGoogleAccount: {
        TRY_ASSIGN(const std::string token, tokens.Get(ctx, setup.api_key, setup.timeout_ms));
        request.headers.emplace_back("Authorization", "Bearer " + token);
        return {};
      }
    }
    return {};
  }

  Result<json> Ask(Context& ctx, const ModelSetup& setup, std::string url, const json& body) {
    ServiceCall call{.service = fmt::format("model service {}", setup.provider)};
    call.request.url = std::move(url);
    call.request.headers = {{"Content-Type", "application/json"}};
    // Queries are the client's bytes: what is no text is not sent as it is.
    call.request.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
    call.secrets = {setup.api_key, setup.access_key_id};
    call.timeout_ms = setup.timeout_ms;
    TRY(Authorize(ctx, setup, call.request));
    return caller.Call(ctx, call);
  }

  Result<json> AskEmbedding(Context& ctx, const Embedding& embedding, Texts texts, TextUse use) {
    TRY_ASSIGN(std::string url, embedding.provider->address(embedding.setup));
    TRY_ASSIGN(const json body, embedding.provider->body(embedding.setup, texts, use));
    return Ask(ctx, embedding.setup, std::move(url), body);
  }

  // The vectors of an answer about `count` texts.
  static Status FindVectors(const EmbeddingProvider& provider, const json& answer, size_t count,
                            std::vector<const json*>& vectors) {
    if (!provider.vectors(answer, vectors)) {
      return Error(kFunctionFailed, "the answer of model service {} holds no vectors",
                   provider.place.name);
    }
    if (vectors.size() != count) {
      return Error(kFunctionFailed,
                   "the number of texts and of vectors of model service {} do not match: got {}, "
                   "want {}",
                   provider.place.name, vectors.size(), count);
    }
    const bool are_lists = std::all_of(vectors.begin(), vectors.end(),
                                       [](const json* vector) { return vector->is_array(); });
    if (are_lists) return {};
    return Error(kFunctionFailed, "a vector of model service {} is no list", provider.place.name);
  }

  // Embeds one batch into rows of the field from `to` on.
  Status EmbedBatch(Context& ctx, const Embedding& embedding, const model::FieldSchema& field,
                    Texts texts, TextUse use, uint8_t* to) {
    TRY_ASSIGN(const json answer, AskEmbedding(ctx, embedding, texts, use));
    std::vector<const json*> vectors;
    TRY(FindVectors(*embedding.provider, answer, texts.size(), vectors));
    const uint32_t width = model::WidthOf(field.type, field.dim());
    for (const json* vector : vectors) {
      if (vector->size() != field.dim()) {
        return Error(kFunctionFailed,
                     "a vector of model service {} does not have the dim of field {}: got {}, "
                     "want {}",
                     embedding.setup.provider, field.name, vector->size(), field.dim());
      }
      if (!WriteRow(*vector, field, to)) {
        return Error(kFunctionFailed, "a vector of model service {} is no {}",
                     embedding.setup.provider, model::NameOf(field.type));
      }
      to += width;
    }
    return {};
  }

  // The scores of one batch.
  Status RerankBatch(Context& ctx, const Reranker& reranker, std::string_view query, Texts texts,
                     float* to) {
    TRY_ASSIGN(const json body, reranker.provider->body(reranker.setup, query, texts));
    TRY_ASSIGN(const json answer, Ask(ctx, reranker.setup, reranker.setup.url, body));
    std::vector<const json*> scores;
    if (!reranker.provider->scores(answer, scores)) {
      return Error(kFunctionFailed, "the answer of model service {} holds no scores",
                   reranker.setup.provider);
    }
    if (scores.size() != texts.size()) {
      return Error(kFunctionFailed,
                   "the number of texts and of scores of model service {} do not match: got {}, "
                   "want {}",
                   reranker.setup.provider, scores.size(), texts.size());
    }
    for (const json* score : scores) {
      if (!score->is_number() || !std::isfinite(score->get<double>())) {
        return Error(kFunctionFailed, "a score of model service {} is no number",
                     reranker.setup.provider);
      }
      *to++ = score->get<float>();
    }
    return {};
  }

  Status HighlightBatch(Context& ctx, const ModelSetup& setup, json body, Texts texts,
                        TextHighlights* to) {
    for (std::string_view text : texts) body["documents"].push_back(std::string(text));
    TRY_ASSIGN(const json answer, Ask(ctx, setup, setup.url + "/v1/highlight", body));
    const auto bad = [&] {
      return Error(kFunctionFailed,
                   "the answer of model service {} holds no highlights of {} texts", setup.provider,
                   texts.size());
    };
    std::vector<const json*> fragments;
    std::vector<const json*> scores;
    const json* results = At(answer, {"results"});
    if (!InOrder(results, "index", "fragments", fragments)) return bad();
    if (!InOrder(results, "index", "scores", scores)) return bad();
    if (fragments.size() != texts.size()) return bad();
    for (size_t i = 0; i < texts.size(); ++i) {
      const bool are_lists = fragments[i]->is_array() && scores[i]->is_array() &&
                             fragments[i]->size() == scores[i]->size();
      if (!are_lists) return bad();
      for (const json& fragment : *fragments[i]) {
        if (!fragment.is_string()) return bad();
        to[i].fragments.push_back(fragment.get<std::string>());
      }
      for (const json& score : *scores[i]) {
        if (!score.is_number()) return bad();
        to[i].scores.push_back(score.get<float>());
      }
    }
    return {};
  }

  Parts parts;
  FunctionOptions options;
  ServiceCaller caller;
  GoogleTokens tokens;
  Pool pool;
};

Models::Models(Parts parts, const FunctionOptions& options)
    : impl_(std::make_unique<Impl>(std::move(parts), options)) {}
Models::~Models() = default;

Status Models::ParallelFor(Context& ctx, size_t count, const std::function<Status(size_t)>& fn) {
  return impl_->pool.ParallelFor(ctx, count, fn);
}

Status Models::CheckEmbedding(const model::FunctionSchema& function,
                              const model::FieldSchema& output) const {
  TRY_ASSIGN(const Impl::Embedding embedding, impl_->ResolveEmbedding(function, output));
  const ModelSetup& setup = embedding.setup;
  if (output.type == DataType::kInt8Vector && !embedding.provider->has_int8) {
    return Invalid(
        "embedding model output and field type mismatch: provider {} makes no Int8Vector, field {}",
        setup.provider, output.name);
  }
  if (setup.dim != 0 && setup.dim != output.dim()) {
    return Invalid("function {}: dim param does not match field {}: got {}, want {}", function.name,
                   output.name, setup.dim, output.dim());
  }
  TRY(embedding.provider->address(setup).status());
  for (const TextUse use : {TextUse::kDocument, TextUse::kQuery}) {
    TRY(embedding.provider->body(setup, {&kProbeText, 1}, use).status());
  }
  return {};
}

Status Models::ProbeEmbedding(Context& ctx, const model::FunctionSchema& function,
                              const model::FieldSchema& output) {
  TRY(CheckEmbedding(function, output));
  TRY_ASSIGN(const Impl::Embedding embedding, impl_->ResolveEmbedding(function, output));
  TRY_ASSIGN(const json answer,
             impl_->AskEmbedding(ctx, embedding, {&kProbeText, 1}, TextUse::kDocument));
  std::vector<const json*> vectors;
  TRY(Impl::FindVectors(*embedding.provider, answer, 1, vectors));
  if (vectors[0]->size() != output.dim()) {
    return Invalid(
        "the dim set in the schema is inconsistent with the dim of the model, dim in schema is {}, "
        "dim of model is {}",
        output.dim(), vectors[0]->size());
  }
  std::vector<uint8_t> row(model::WidthOf(output.type, output.dim()));
  if (WriteRow(*vectors[0], output, row.data())) return {};
  return Invalid("embedding model output and field type mismatch, field {} is {}", output.name,
                 model::NameOf(output.type));
}

Result<model::Column> Models::Embed(Context& ctx, const model::FunctionSchema& function,
                                    const model::FieldSchema& output, Texts texts, TextUse use) {
  TRY_ASSIGN(const Impl::Embedding embedding, impl_->ResolveEmbedding(function, output));
  const int64_t texts_max = embedding.batch * std::max<int64_t>(1, impl_->options.batch_factor);
  if (texts.size() > static_cast<size_t>(texts_max)) {
    return Invalid("{} [{}] > function [{}]'s max batch [{}]",
                   use == TextUse::kQuery ? "nq" : "numRows", texts.size(), function.name,
                   texts_max);
  }
  const bool has_empty =
      std::any_of(texts.begin(), texts.end(), [](std::string_view text) { return text.empty(); });
  if (has_empty) return Invalid("function [{}] does not support empty text", function.name);
  const uint32_t width = model::WidthOf(output.type, output.dim());
  model::Column column =
      model::MakeColumn(output.id, output.name, output.type, DataType::kNone, output.dim());
  column.rows = texts.size();
  column.data.resize(texts.size() * width);
  TRY(ParallelFor(ctx, Pieces(texts.size(), embedding.batch), [&](size_t i) {
    const size_t first = i * static_cast<size_t>(embedding.batch);
    return impl_->EmbedBatch(ctx, embedding, output, Piece(texts, embedding.batch, i), use,
                             column.data.data() + first * width);
  }));
  return column;
}

Status Models::CheckReranker(const std::vector<model::KeyValue>& params) const {
  TRY_ASSIGN(const Impl::Reranker reranker, impl_->ResolveReranker(params));
  return reranker.provider->body(reranker.setup, kProbeText, {&kProbeText, 1}).status();
}

Result<std::vector<float>> Models::Rerank(Context& ctx, const std::vector<model::KeyValue>& params,
                                          std::string_view query, Texts texts) {
  TRY_ASSIGN(const Impl::Reranker reranker, impl_->ResolveReranker(params));
  std::vector<float> scores(texts.size());
  TRY(ParallelFor(ctx, Pieces(texts.size(), reranker.batch), [&](size_t i) {
    return impl_->RerankBatch(ctx, reranker, query, Piece(texts, reranker.batch, i),
                              scores.data() + i * static_cast<size_t>(reranker.batch));
  }));
  return scores;
}

Result<std::vector<TextHighlights>> Models::Highlight(Context& ctx,
                                                      const std::vector<model::KeyValue>& params,
                                                      std::string_view query, Texts texts) {
  static constexpr ServicePlace kPlace = {
      .name = "zilliz", .url = "", .auth = Auth::kOptionalBearer, .needs_model = false};
  if (!IsEnabled(impl_->options.rerank_providers, kPlace.name)) {
    return Invalid("the service of the semantic highlighter is disabled");
  }
  TRY_ASSIGN(const ModelSetup setup, ResolveSetup(impl_->options, impl_->parts.environment,
                                                  {.place = kPlace,
                                                   .configured = impl_->options.rerank_providers,
                                                   .params = params}));
  TRY_ASSIGN(const int64_t batch, setup.Positive("max_client_batch_size", kHighlightBatch));
  json body = {{"query", std::string(query)}, {"documents", json::array()}};
  if (const std::string* model = setup.Find("model_deployment_id")) body["model"] = *model;
  for (const char* key : {"pre_tags", "post_tags", "threshold", "highlight_only"}) {
    const std::string* text = setup.Find(key);
    if (text == nullptr) continue;
    body[key] =
        json::parse(Lower(*text) == "true" || Lower(*text) == "false" ? Lower(*text) : *text,
                    nullptr, /*allow_exceptions=*/false);
    if (body[key].is_discarded()) return Invalid("{} is no JSON: {}", key, *text);
  }
  std::vector<TextHighlights> marked(texts.size());
  TRY(ParallelFor(ctx, Pieces(texts.size(), batch), [&](size_t i) {
    return impl_->HighlightBatch(ctx, setup, body, Piece(texts, batch, i),
                                 marked.data() + i * static_cast<size_t>(batch));
  }));
  return marked;
}

}  // namespace elanus::functions
