// The providers of rerankers. Each row follows the public documentation of its HTTP interface.
#include "functions/providers/rerank.h"

#include "functions/providers/body.h"

namespace elanus::functions {
namespace {

using nlohmann::json;
using Scores = std::vector<const json*>;

Status CopyPositive(const ModelSetup& setup, const char* key, json& to) {
  if (setup.Find(key) == nullptr) return {};
  TRY_ASSIGN(to[key], setup.Positive(key, 1));
  return {};
}

json Documents(const ModelSetup& setup, std::string_view query, Texts texts) {
  json body = {{"query", std::string(query)}, {"documents", ListOf(texts)}};
  if (!setup.model.empty()) body["model"] = setup.model;
  return body;
}

Result<json> TeiBody(const ModelSetup& setup, std::string_view query, Texts texts) {
  json body = {{"query", std::string(query)}, {"texts", ListOf(texts)}};
  TRY(CopyBool(setup, "truncate", body, "truncate"));
  TRY(CopyDirection(setup, body));
  return body;
}

Result<json> VllmBody(const ModelSetup& setup, std::string_view query, Texts texts) {
  json body = Documents(setup, query, texts);
  TRY(CopyPositive(setup, "truncate_prompt_tokens", body));
  return body;
}

Result<json> CohereBody(const ModelSetup& setup, std::string_view query, Texts texts) {
  json body = Documents(setup, query, texts);
  TRY(CopyPositive(setup, "max_tokens_per_doc", body));
  return body;
}

Result<json> VoyageBody(const ModelSetup& setup, std::string_view query, Texts texts) {
  json body = Documents(setup, query, texts);
  TRY(CopyBool(setup, "truncation", body, "truncation"));
  return body;
}

Result<json> SiliconFlowBody(const ModelSetup& setup, std::string_view query, Texts texts) {
  json body = Documents(setup, query, texts);
  body["return_documents"] = false;
  TRY(CopyPositive(setup, "max_chunks_per_doc", body));
  TRY(CopyPositive(setup, "overlap_tokens", body));
  return body;
}

Result<json> AliBody(const ModelSetup& setup, std::string_view query, Texts texts) {
  return json{{"model", setup.model},
              {"input", {{"query", std::string(query)}, {"documents", ListOf(texts)}}},
              {"parameters", {{"return_documents", false}}}};
}

Result<json> HuggingFaceBody(const ModelSetup&, std::string_view query, Texts texts) {
  return json{{"inputs", {{"source_sentence", std::string(query)}, {"sentences", ListOf(texts)}}}};
}

Result<json> ZillizBody(const ModelSetup& setup, std::string_view query, Texts texts) {
  TRY_ASSIGN(const std::string deployment, Needed(setup, "model_deployment_id"));
  return json{{"model", deployment}, {"query", std::string(query)}, {"documents", ListOf(texts)}};
}

bool TeiScores(const json& answer, Scores& scores) {
  return InOrder(&answer, "index", "score", scores);
}
bool ResultScores(const json& answer, Scores& scores) {
  return InOrder(At(answer, {"results"}), "index", "relevance_score", scores);
}
bool VoyageScores(const json& answer, Scores& scores) {
  return InOrder(At(answer, {"data"}), "index", "relevance_score", scores);
}
bool AliScores(const json& answer, Scores& scores) {
  return InOrder(At(answer, {"output", "results"}), "index", "relevance_score", scores);
}
bool ListScores(const json& answer, Scores& scores) { return AsTheyCome(&answer, scores); }

const RerankProvider kProviders[] = {
    {{.name = "tei",
      .url = "",
      .auth = Auth::kOptionalBearer,
      .needs_model = false,
      .takes_endpoint = true},
     32,
     "/rerank",
     TeiBody,
     TeiScores},
    {{.name = "vllm",
      .url = "",
      .auth = Auth::kOptionalBearer,
      .needs_model = false,
      .takes_endpoint = true},
     32,
     "/v2/rerank",
     VllmBody,
     ResultScores},
    {{.name = "cohere",
      .url = "https://api.cohere.com/v2/rerank",
      .key_variable = "COHERE_API_KEY"},
     128,
     "",
     CohereBody,
     ResultScores},
    {{.name = "voyageai",
      .url = "https://api.voyageai.com/v1/rerank",
      .key_variable = "VOYAGEAI_API_KEY"},
     128,
     "",
     VoyageBody,
     VoyageScores},
    {{.name = "siliconflow",
      .url = "https://api.siliconflow.cn/v1/rerank",
      .key_variable = "SILICONFLOW_API_KEY"},
     128,
     "",
     SiliconFlowBody,
     ResultScores},
    {{.name = "ali",
      .url = "https://dashscope.aliyuncs.com/api/v1/services/rerank/text-rerank/text-rerank",
      .key_variable = "DASHSCOPE_API_KEY"},
     128,
     "",
     AliBody,
     AliScores},
    {{.name = "huggingface",
      .url = "https://router.huggingface.co/hf-inference/models/{model}/pipeline/"
             "sentence-similarity",
      .key_variable = "HUGGINGFACE_API_KEY"},
     32,
     "",
     HuggingFaceBody,
     ListScores},
    {{.name = "zilliz", .url = "", .auth = Auth::kOptionalBearer, .needs_model = false},
     64,
     "/v1/rerank",
     ZillizBody,
     ResultScores},
};

}  // namespace

const RerankProvider* FindRerankProvider(std::string_view name) { return FindIn(kProviders, name); }

}  // namespace elanus::functions
