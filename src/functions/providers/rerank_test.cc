// What each provider of rerankers is sent, and how its answer is read.
#include "functions/providers/rerank.h"

#include <gtest/gtest.h>

#include "functions/testing/fake_http.h"

namespace elanus::functions {
namespace {

using model::KeyValue;
using nlohmann::json;

struct Exchange {
  const char* provider;
  std::vector<KeyValue> params;
  const char* url;
  const char* body;
  const char* answer;
};

// Scores 0.25 and 0.75, out of order where the provider numbers them.
const Exchange kExchanges[] = {
    {"tei",
     {{"endpoint", "http://tei"}, {"truncate", "true"}, {"truncation_direction", "Right"}},
     "http://tei/rerank",
     R"({"query":"q","texts":["a","b"],"truncate":true,"truncation_direction":"Right"})",
     R"([{"index":1,"score":0.75},{"index":0,"score":0.25}])"},
    {"vllm",
     {{"endpoint", "http://vllm"}, {"truncate_prompt_tokens", "9"}},
     "http://vllm/v2/rerank",
     R"({"query":"q","documents":["a","b"],"model":"m","truncate_prompt_tokens":9})",
     R"({"results":[{"index":1,"relevance_score":0.75},{"index":0,"relevance_score":0.25}]})"},
    {"cohere",
     {{"max_tokens_per_doc", "9"}},
     "https://api.cohere.com/v2/rerank",
     R"({"query":"q","documents":["a","b"],"model":"m","max_tokens_per_doc":9})",
     R"({"results":[{"index":1,"relevance_score":0.75},{"index":0,"relevance_score":0.25}]})"},
    {"voyageai",
     {{"truncation", "true"}},
     "https://api.voyageai.com/v1/rerank",
     R"({"query":"q","documents":["a","b"],"model":"m","truncation":true})",
     R"({"data":[{"index":1,"relevance_score":0.75},{"index":0,"relevance_score":0.25}]})"},
    {"siliconflow",
     {{"max_chunks_per_doc", "3"}, {"overlap_tokens", "4"}},
     "https://api.siliconflow.cn/v1/rerank",
     R"({"query":"q","documents":["a","b"],"model":"m","return_documents":false,
         "max_chunks_per_doc":3,"overlap_tokens":4})",
     R"({"results":[{"index":1,"relevance_score":0.75},{"index":0,"relevance_score":0.25}]})"},
    {"ali",
     {},
     "https://dashscope.aliyuncs.com/api/v1/services/rerank/text-rerank/text-rerank",
     R"({"model":"m","input":{"query":"q","documents":["a","b"]},
         "parameters":{"return_documents":false}})",
     R"({"output":{"results":[{"index":1,"relevance_score":0.75},
                              {"index":0,"relevance_score":0.25}]}})"},
    {"huggingface",
     {},
     "https://router.huggingface.co/hf-inference/models/m/pipeline/sentence-similarity",
     R"({"inputs":{"source_sentence":"q","sentences":["a","b"]}})",
     R"([0.25,0.75])"},
    {"zilliz",
     {{"model_deployment_id", "d"}},
     "http://house/v1/rerank",
     R"({"model":"d","query":"q","documents":["a","b"]})",
     R"({"results":[{"index":1,"relevance_score":0.75},{"index":0,"relevance_score":0.25}]})"},
};

FunctionOptions Options() {
  FunctionOptions options;
  options.credentials = {{"mine.apikey", "secret"}};
  options.zilliz = {{"url", "http://house/"}};
  options.backoff_ms = 1;
  return options;
}

TEST(RerankProvider, IsAskedAndReadAsItsDocumentationSays) {
  for (const Exchange& exchange : kExchanges) {
    SCOPED_TRACE(exchange.provider);
    FakeModels fake([&](const http::Request&) { return Json(json::parse(exchange.answer)); },
                    Options());
    std::vector<KeyValue> params = exchange.params;
    params.push_back({"provider", exchange.provider});
    params.push_back({"model_name", "m"});
    params.push_back({"credential", "mine"});
    ASSERT_TRUE(fake.models.CheckReranker(params).ok());
    const std::vector<std::string_view> texts = {"a", "b"};
    const auto scores = fake.models.Rerank(fake.ctx, params, "q", texts);
    ASSERT_TRUE(scores.ok()) << scores.status().ToString();
    EXPECT_EQ(*scores, (std::vector<float>{0.25f, 0.75f}));
    ASSERT_EQ(fake.http.requests.size(), 1u);
    EXPECT_EQ(fake.http.requests[0].url, exchange.url);
    EXPECT_EQ(http::HeaderOf(fake.http.requests[0].headers, "Authorization"), "Bearer secret");
    EXPECT_EQ(json::parse(fake.http.requests[0].body), json::parse(exchange.body));
  }
}

TEST(RerankProvider, IsSentNoMoreThanItsBatch) {
  FakeModels fake(
      [](const http::Request& request) {
        json answer = json::array();
        const json texts = json::parse(request.body)["texts"];
        for (size_t i = 0; i < texts.size(); ++i) {
          answer.push_back({{"index", i}, {"score", std::stoi(texts[i].get<std::string>())}});
        }
        return Json(answer);
      },
      Options());
  std::vector<std::string> numbers;
  for (int i = 0; i < 11; ++i) numbers.push_back(std::to_string(i));
  const std::vector<std::string_view> texts(numbers.begin(), numbers.end());
  const auto scores = fake.models.Rerank(
      fake.ctx, {{"provider", "tei"}, {"endpoint", "http://t"}, {"max_client_batch_size", "4"}},
      "q", texts);
  ASSERT_TRUE(scores.ok()) << scores.status().ToString();
  EXPECT_EQ(fake.http.requests.size(), 3u);
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ((*scores)[i], static_cast<float>(i));
}

TEST(RerankProvider, ThatIsUnknownOrDisabledOrAnswersWronglyIsRefused) {
  FunctionOptions options = Options();
  options.rerank_providers = {{"tei.enable", "false"}};
  FakeModels fake([](const http::Request&) { return Json({{"results", json::array()}}); }, options);
  const auto message = [&](std::vector<KeyValue> params) {
    const Status status = fake.models.CheckReranker(params);
    EXPECT_EQ(status.code(), ErrorCode::kInvalidParameter);
    return std::string(status.message());
  };
  EXPECT_EQ(message({}), "lost rerank params:provider");
  EXPECT_EQ(message({{"provider", "acme"}}), "unknown rerank model provider:acme");
  EXPECT_EQ(message({{"provider", "TEI"}}), "rerank provider: [tei] is disabled");
  EXPECT_EQ(fake.models.CheckReranker({{"provider", "cohere"}}).code(),
            ErrorCode::kMissingParameter);
  EXPECT_EQ(fake.models.CheckReranker({{"provider", "vllm"}}).code(), ErrorCode::kMissingParameter);
  const std::string_view text = "a";
  const auto scores = fake.models.Rerank(fake.ctx, {{"provider", "vllm"}, {"endpoint", "http://v"}},
                                         "q", {&text, 1});
  EXPECT_EQ(scores.status().code(), ErrorCode{2400});
}

}  // namespace
}  // namespace elanus::functions
