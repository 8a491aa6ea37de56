// The providers of embeddings. Each row follows the public documentation of its HTTP interface.
#include "functions/providers/embedding.h"

#include "functions/providers/body.h"
#include "http/aws_signature.h"

namespace elanus::functions {
namespace {

using nlohmann::json;
using Vectors = std::vector<const json*>;

bool IsInt8(const ModelSetup& setup) { return setup.output == model::DataType::kInt8Vector; }

Result<std::string> AsConfigured(const ModelSetup& setup) { return setup.url; }

// As CopyBool.
void CopyText(const ModelSetup& setup, std::string_view key, json& to, const char* name) {
  if (const std::string* value = setup.Find(key)) to[name] = *value;
}

// -- OpenAI and those who speak like it -----------------------------------------------------------

Result<json> OpenAiBody(const ModelSetup& setup, Texts texts, TextUse) {
  json body = {{"model", setup.model}, {"input", ListOf(texts)}, {"encoding_format", "float"}};
  if (setup.dim != 0) body["dimensions"] = setup.dim;
  CopyText(setup, "user", body, "user");
  return body;
}

bool OpenAiVectors(const json& answer, Vectors& vectors) {
  return InOrder(At(answer, {"data"}), "index", "embedding", vectors);
}

Result<std::string> AzureAddress(const ModelSetup& setup) {
  constexpr std::string_view kVersion = "2024-06-01";
  return fmt::format("{}/openai/deployments/{}/embeddings?api-version={}", setup.url,
                     http::EncodePathPart(setup.model), kVersion);
}

Result<json> VoyageBody(const ModelSetup& setup, Texts texts, TextUse use) {
  json body = {{"model", setup.model},
               {"input", ListOf(texts)},
               {"input_type", use == TextUse::kQuery ? "query" : "document"},
               {"output_dtype", IsInt8(setup) ? "int8" : "float"}};
  if (setup.dim != 0) body["output_dimension"] = setup.dim;
  TRY(CopyBool(setup, "truncation", body, "truncation"));
  return body;
}

// -- Others with batches --------------------------------------------------------------------------

Result<json> DashScopeBody(const ModelSetup& setup, Texts texts, TextUse use) {
  json body = {
      {"model", setup.model},
      {"input", {{"texts", ListOf(texts)}}},
      {"parameters",
       {{"text_type", use == TextUse::kQuery ? "query" : "document"}, {"output_type", "dense"}}}};
  if (setup.dim != 0) body["parameters"]["dimension"] = setup.dim;
  return body;
}

bool DashScopeVectors(const json& answer, Vectors& vectors) {
  return InOrder(At(answer, {"output", "embeddings"}), "text_index", "embedding", vectors);
}

Result<json> CohereBody(const ModelSetup& setup, Texts texts, TextUse use) {
  json body = {{"model", setup.model},
               {"texts", ListOf(texts)},
               {"input_type", use == TextUse::kQuery ? "search_query" : "search_document"},
               {"embedding_types", json::array({IsInt8(setup) ? "int8" : "float"})}};
  if (setup.dim != 0) body["output_dimension"] = setup.dim;
  TRY_ASSIGN(body["truncate"], setup.Choice("truncate", "NONE|START|END", "END"));
  return body;
}

bool CohereVectors(const json& answer, Vectors& vectors) {
  const json* list = At(answer, {"embeddings", "float"});
  return AsTheyCome(list != nullptr ? list : At(answer, {"embeddings", "int8"}), vectors);
}

// The prompt is what the model wants to stand before a text ("query: ").
Result<json> TeiBody(const ModelSetup& setup, Texts texts, TextUse use) {
  const std::string* prompt =
      setup.Find(use == TextUse::kQuery ? "search_prompt" : "ingestion_prompt");
  json inputs = json::array();
  for (std::string_view text : texts) {
    inputs.push_back(prompt == nullptr ? std::string(text) : *prompt + std::string(text));
  }
  json body = {{"inputs", std::move(inputs)}};
  TRY(CopyBool(setup, "truncate", body, "truncate"));
  TRY(CopyDirection(setup, body));
  return body;
}

Result<std::string> TeiAddress(const ModelSetup& setup) { return setup.url + "/embed"; }

bool ListVectors(const json& answer, Vectors& vectors) { return AsTheyCome(&answer, vectors); }

Result<std::string> HuggingFaceAddress(const ModelSetup& setup) {
  const std::string* provider = setup.Find("hf_provider");
  return fmt::format("{}/{}/models/{}/pipeline/feature-extraction", setup.url,
                     provider == nullptr ? "hf-inference" : *provider, setup.model);
}

Result<json> HuggingFaceBody(const ModelSetup& setup, Texts texts, TextUse) {
  json body = {{"inputs", ListOf(texts)}};
  TRY(CopyBool(setup, "normalize", body, "normalize"));
  TRY(CopyBool(setup, "truncate", body, "truncate"));
  TRY(CopyDirection(setup, body));
  CopyText(setup, "prompt_name", body, "prompt_name");
  return body;
}

// -- Amazon and Google ----------------------------------------------------------------------------

Result<std::string> BedrockAddress(const ModelSetup& setup) {
  TRY_ASSIGN(const std::string region, Needed(setup, "region"));
  std::string url = setup.url;
  const size_t place = url.find("{region}");
  if (place != std::string::npos) url.replace(place, std::string_view("{region}").size(), region);
  return fmt::format("{}/model/{}/invoke", url, http::EncodePathPart(setup.model));
}

Result<json> BedrockBody(const ModelSetup& setup, Texts texts, TextUse) {
  json body = {{"inputText", std::string(texts[0])}};
  TRY_ASSIGN(const std::optional<bool> normalize, setup.Bool("normalize"));
  body["normalize"] = normalize.value_or(true);
  if (setup.dim != 0) body["dimensions"] = setup.dim;
  return body;
}

bool BedrockVectors(const json& answer, Vectors& vectors) {
  vectors = {At(answer, {"embedding"})};
  return vectors[0] != nullptr;
}

Result<std::string> VertexAddress(const ModelSetup& setup) {
  if (setup.url.find('{') == std::string::npos) return setup.url;  // As configured, whole.
  const std::string* location = setup.Find("location");
  TRY_ASSIGN(const std::string project, Needed(setup, "projectid"));
  const std::string place = location == nullptr || location->empty() ? "us-central1" : *location;
  return fmt::format(
      "https://{}-aiplatform.googleapis.com/v1/projects/{}/locations/{}/publishers/google/models/"
      "{}:predict",
      place, http::EncodePathPart(project), place, http::EncodePathPart(setup.model));
}

Result<json> VertexBody(const ModelSetup& setup, Texts texts, TextUse use) {
  TRY_ASSIGN(const std::string task,
             setup.Choice("task", "DOC_RETRIEVAL|CODE_RETRIEVAL|STS", "DOC_RETRIEVAL"));
  const char* type = use == TextUse::kDocument ? "RETRIEVAL_DOCUMENT" : "RETRIEVAL_QUERY";
  if (task == "STS") type = "SEMANTIC_SIMILARITY";
  if (task == "CODE_RETRIEVAL" && use == TextUse::kQuery) type = "CODE_RETRIEVAL_QUERY";
  json body = {{"instances", json::array()}};
  for (std::string_view text : texts) {
    body["instances"].push_back({{"content", std::string(text)}, {"task_type", type}});
  }
  if (setup.dim != 0) body["parameters"] = {{"outputDimensionality", setup.dim}};
  return body;
}

bool VertexVectors(const json& answer, Vectors& vectors) {
  const json* list = At(answer, {"predictions"});
  if (list == nullptr || !list->is_array()) return false;
  for (const json& one : *list) {
    vectors.push_back(At(one, {"embeddings", "values"}));
    if (vectors.back() == nullptr) return false;
  }
  return true;
}

Result<std::string> GeminiAddress(const ModelSetup& setup) {
  return fmt::format("{}/models/{}:batchEmbedContents", setup.url,
                     http::EncodePathPart(setup.model));
}

Result<json> GeminiBody(const ModelSetup& setup, Texts texts, TextUse use) {
  const std::string* task = setup.Find("task");
  const std::string type = task != nullptr             ? *task
                           : use == TextUse::kDocument ? "RETRIEVAL_DOCUMENT"
                                                       : "RETRIEVAL_QUERY";
  json requests = json::array();
  for (std::string_view text : texts) {
    json part = {{"text", std::string(text)}};
    json request = {{"model", "models/" + setup.model},
                    {"content", {{"parts", json::array({std::move(part)})}}},
                    {"taskType", type}};
    if (setup.dim != 0) request["outputDimensionality"] = setup.dim;
    requests.push_back(std::move(request));
  }
  return json{{"requests", std::move(requests)}};
}

bool GeminiVectors(const json& answer, Vectors& vectors) {
  return InOrder(At(answer, {"embeddings"}), "", "values", vectors);
}

// -- A service of the operator's own, see docs/functions.md ---------------------------------------

Result<std::string> ZillizAddress(const ModelSetup& setup) { return setup.url + "/v1/embeddings"; }

Result<json> ZillizBody(const ModelSetup& setup, Texts texts, TextUse use) {
  TRY_ASSIGN(const std::string deployment, Needed(setup, "model_deployment_id"));
  json body = {{"model", deployment},
               {"input", ListOf(texts)},
               {"input_type", use == TextUse::kQuery ? "query" : "document"},
               {"output_dtype", IsInt8(setup) ? "int8" : "float"}};
  json& params = body["parameters"] = json::object();
  for (const model::KeyValue& pair : setup.params) {
    const std::string key = Lower(pair.key);
    // What is meant for this server stays here.
    if (key != "provider" && key != "credential" && key != "model_deployment_id" &&
        key != "timeout_ms" && key != "max_client_batch_size") {
      params[pair.key] = pair.value;
    }
  }
  return body;
}

const EmbeddingProvider kProviders[] = {
    {{.name = "openai",
      .url = "https://api.openai.com/v1/embeddings",
      .key_variable = "OPENAI_API_KEY"},
     128,
     false,
     AsConfigured,
     OpenAiBody,
     OpenAiVectors},
    {{.name = "azure_openai",
      .url = "https://{resource}.openai.azure.com",
      .auth = Auth::kApiKeyHeader,
      .key_variable = "AZURE_OPENAI_API_KEY"},
     128,
     false,
     AzureAddress,
     OpenAiBody,
     OpenAiVectors},
    {{.name = "dashscope",
      .url = "https://dashscope.aliyuncs.com/api/v1/services/embeddings/text-embedding/"
             "text-embedding",
      .key_variable = "DASHSCOPE_API_KEY"},
     25,
     false,
     AsConfigured,
     DashScopeBody,
     DashScopeVectors},
    {{.name = "bedrock",
      .url = "https://bedrock-runtime.{region}.amazonaws.com",
      .auth = Auth::kAws,
      .key_variable = "BEDROCK_SECRET_ACCESS_KEY"},
     1,
     false,
     BedrockAddress,
     BedrockBody,
     BedrockVectors},
    {{.name = "vertexai",
      .url = "https://{location}-aiplatform.googleapis.com",
      .auth = Auth::kGoogleAccount,
      .key_variable = "GOOGLE_APPLICATION_CREDENTIALS"},
     128,
     false,
     VertexAddress,
     VertexBody,
     VertexVectors},
    {{.name = "voyageai",
      .url = "https://api.voyageai.com/v1/embeddings",
      .key_variable = "VOYAGEAI_API_KEY"},
     128,
     true,
     AsConfigured,
     VoyageBody,
     OpenAiVectors},
    {{.name = "cohere", .url = "https://api.cohere.com/v2/embed", .key_variable = "COHERE_API_KEY"},
     96,
     true,
     AsConfigured,
     CohereBody,
     CohereVectors},
    {{.name = "siliconflow",
      .url = "https://api.siliconflow.cn/v1/embeddings",
      .key_variable = "SILICONFLOW_API_KEY"},
     32,
     false,
     AsConfigured,
     OpenAiBody,
     OpenAiVectors},
    {{.name = "tei",
      .url = "",
      .auth = Auth::kOptionalBearer,
      .needs_model = false,
      .takes_endpoint = true},
     32,
     false,
     TeiAddress,
     TeiBody,
     ListVectors},
    {{.name = "zilliz", .url = "", .auth = Auth::kOptionalBearer, .needs_model = false},
     64,
     true,
     ZillizAddress,
     ZillizBody,
     OpenAiVectors},
    {{.name = "yc",
      .url = "https://llm.api.cloud.yandex.net/v1/embeddings",
      .key_variable = "YC_API_KEY"},
     128,
     false,
     AsConfigured,
     OpenAiBody,
     OpenAiVectors},
    {{.name = "gemini",
      .url = "https://generativelanguage.googleapis.com/v1beta",
      .auth = Auth::kGoogleHeader,
      .key_variable = "GEMINI_API_KEY"},
     32,
     false,
     GeminiAddress,
     GeminiBody,
     GeminiVectors},
    {{.name = "huggingface",
      .url = "https://router.huggingface.co",
      .key_variable = "HUGGINGFACE_API_KEY"},
     128,
     false,
     HuggingFaceAddress,
     HuggingFaceBody,
     ListVectors},
};

}  // namespace

std::span<const EmbeddingProvider> EmbeddingProviders() { return kProviders; }

const EmbeddingProvider* FindEmbeddingProvider(std::string_view name) {
  return FindIn(kProviders, name);
}

Result<int64_t> BatchOf(const EmbeddingProvider& provider, const ModelSetup& setup) {
  if (setup.provider == "dashscope" && setup.model == "text-embedding-v3") return int64_t{6};
  if (setup.provider == "vertexai" && setup.model.starts_with("gemini")) return int64_t{1};
  const bool may_say =
      setup.provider == "tei" || setup.provider == "huggingface" || setup.provider == "zilliz";
  if (!may_say) return provider.batch_max;
  return setup.Positive("max_client_batch_size", provider.batch_max);
}

}  // namespace elanus::functions
