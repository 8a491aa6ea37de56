// What each provider of embeddings is sent, and how its answer is read.
#include "functions/providers/embedding.h"

#include <gtest/gtest.h>

#include "functions/testing/fake_http.h"

namespace elanus::functions {
namespace {

using model::KeyValue;
using nlohmann::json;

struct Exchange {
  const char* provider;
  std::vector<KeyValue> params;  // Beside provider, model_name and credential.
  const char* url;
  const char* header;  // That shows the key,
  const char* value;   // and what it says.
  const char* document_body;
  const char* query_body;
  const char* answer;
  std::vector<std::string> texts = {"a", "b"};
};

// Vectors {1, 2} and {3, 4}, out of order where the provider numbers them.
const Exchange kExchanges[] = {
    {"openai",
     {{"user", "me"}, {"dim", "2"}},
     "https://api.openai.com/v1/embeddings",
     "Authorization",
     "Bearer secret",
     R"({"model":"m","input":["a","b"],"encoding_format":"float","dimensions":2,"user":"me"})",
     R"({"model":"m","input":["a","b"],"encoding_format":"float","dimensions":2,"user":"me"})",
     R"({"data":[{"index":1,"embedding":[3,4]},{"index":0,"embedding":[1,2]}]})"},
    {"azure_openai",
     {},
     "https://house.openai.azure.com/openai/deployments/m/embeddings?api-version=2024-06-01",
     "api-key",
     "secret",
     R"({"model":"m","input":["a","b"],"encoding_format":"float"})",
     R"({"model":"m","input":["a","b"],"encoding_format":"float"})",
     R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[3,4]}]})"},
    {"dashscope",
     {{"dim", "2"}},
     "https://dashscope.aliyuncs.com/api/v1/services/embeddings/text-embedding/text-embedding",
     "Authorization",
     "Bearer secret",
     R"({"model":"m","input":{"texts":["a","b"]},
         "parameters":{"text_type":"document","output_type":"dense","dimension":2}})",
     R"({"model":"m","input":{"texts":["a","b"]},
         "parameters":{"text_type":"query","output_type":"dense","dimension":2}})",
     R"({"output":{"embeddings":[{"text_index":1,"embedding":[3,4]},
                                 {"text_index":0,"embedding":[1,2]}]}})"},
    {"voyageai",
     {{"truncation", "False"}},
     "https://api.voyageai.com/v1/embeddings",
     "Authorization",
     "Bearer secret",
     R"({"model":"m","input":["a","b"],"input_type":"document","output_dtype":"float",
         "truncation":false})",
     R"({"model":"m","input":["a","b"],"input_type":"query","output_dtype":"float",
         "truncation":false})",
     R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[3,4]}]})"},
    {"cohere",
     {{"truncate", "START"}},
     "https://api.cohere.com/v2/embed",
     "Authorization",
     "Bearer secret",
     R"({"model":"m","texts":["a","b"],"input_type":"search_document",
         "embedding_types":["float"],"truncate":"START"})",
     R"({"model":"m","texts":["a","b"],"input_type":"search_query","embedding_types":["float"],
         "truncate":"START"})",
     R"({"embeddings":{"float":[[1,2],[3,4]]}})"},
    {"siliconflow",
     {},
     "https://api.siliconflow.cn/v1/embeddings",
     "Authorization",
     "Bearer secret",
     R"({"model":"m","input":["a","b"],"encoding_format":"float"})",
     R"({"model":"m","input":["a","b"],"encoding_format":"float"})",
     R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[3,4]}]})"},
    {"tei",
     {{"endpoint", "http://tei:8080/"},
      {"ingestion_prompt", "passage: "},
      {"search_prompt", "query: "},
      {"truncate", "true"},
      {"truncation_direction", "Left"}},
     "http://tei:8080/embed",
     "Authorization",
     "Bearer secret",
     R"({"inputs":["passage: a","passage: b"],"truncate":true,"truncation_direction":"Left"})",
     R"({"inputs":["query: a","query: b"],"truncate":true,"truncation_direction":"Left"})",
     R"([[1,2],[3,4]])"},
    {"zilliz",
     {{"model_deployment_id", "d"}, {"shade", "blue"}},
     "http://house/v1/embeddings",
     "Authorization",
     "Bearer secret",
     R"({"model":"d","input":["a","b"],"input_type":"document","output_dtype":"float",
         "parameters":{"MODEL_NAME":"m","shade":"blue"}})",
     R"({"model":"d","input":["a","b"],"input_type":"query","output_dtype":"float",
         "parameters":{"MODEL_NAME":"m","shade":"blue"}})",
     R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[3,4]}]})"},
    {"yc",
     {},
     "https://llm.api.cloud.yandex.net/v1/embeddings",
     "Authorization",
     "Bearer secret",
     R"({"model":"m","input":["a","b"],"encoding_format":"float"})",
     R"({"model":"m","input":["a","b"],"encoding_format":"float"})",
     R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[3,4]}]})"},
    {"gemini",
     {{"dim", "2"}},
     "https://generativelanguage.googleapis.com/v1beta/models/m:batchEmbedContents",
     "x-goog-api-key",
     "secret",
     R"({"requests":[
         {"model":"models/m","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_DOCUMENT",
          "outputDimensionality":2},
         {"model":"models/m","content":{"parts":[{"text":"b"}]},"taskType":"RETRIEVAL_DOCUMENT",
          "outputDimensionality":2}]})",
     R"({"requests":[
         {"model":"models/m","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY",
          "outputDimensionality":2},
         {"model":"models/m","content":{"parts":[{"text":"b"}]},"taskType":"RETRIEVAL_QUERY",
          "outputDimensionality":2}]})",
     R"({"embeddings":[{"values":[1,2]},{"values":[3,4]}]})"},
    {"huggingface",
     {{"normalize", "true"}, {"prompt_name", "query"}, {"hf_provider", "other"}},
     "https://router.huggingface.co/other/models/m/pipeline/feature-extraction",
     "Authorization",
     "Bearer secret",
     R"({"inputs":["a","b"],"normalize":true,"prompt_name":"query"})",
     R"({"inputs":["a","b"],"normalize":true,"prompt_name":"query"})",
     R"([[1,2],[3,4]])"},
    {"bedrock",
     {{"region", "eu-west-1"}, {"normalize", "false"}, {"dim", "2"}},
     "https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/invoke",
     "Authorization",
     "AWS4-HMAC-SHA256 Credential=id/",
     R"({"inputText":"a","normalize":false,"dimensions":2})",
     R"({"inputText":"a","normalize":false,"dimensions":2})",
     R"({"embedding":[1,2]})",
     {"a"}},
};

FunctionOptions Options() {
  FunctionOptions options;
  options.credentials = {{"mine.apikey", "secret"},
                         {"mine.access_key_id", "id"},
                         {"mine.secret_access_key", "secret"}};
  options.embedding_providers = {{"azure_openai.resource_name", "house"}};
  options.zilliz = {{"url", "http://house"}};
  options.backoff_ms = 1;
  return options;
}

TEST(EmbeddingProvider, IsAskedAndReadAsItsDocumentationSays) {
  for (const Exchange& exchange : kExchanges) {
    SCOPED_TRACE(exchange.provider);
    FakeModels fake([&](const http::Request&) { return Json(json::parse(exchange.answer)); },
                    Options());
    std::vector<KeyValue> params = exchange.params;
    // Names are taken in any case.
    params.push_back({"Provider", exchange.provider});
    params.push_back({"MODEL_NAME", "m"});
    params.push_back({"credential", "mine"});
    const std::vector<std::string_view> texts(exchange.texts.begin(), exchange.texts.end());
    for (const TextUse use : {TextUse::kDocument, TextUse::kQuery}) {
      const auto made =
          fake.models.Embed(fake.ctx, EmbeddingFunction(params), VectorField(2), texts, use);
      ASSERT_TRUE(made.ok()) << made.status().ToString();
      ASSERT_EQ(made->rows, texts.size());
      for (size_t i = 0; i < 2 * texts.size(); ++i) {
        EXPECT_EQ(made->view().values<float>()[i], static_cast<float>(i + 1));
      }
      const http::Request& request = fake.http.requests.back();
      EXPECT_EQ(request.url, exchange.url);
      EXPECT_EQ(http::HeaderOf(request.headers, "Content-Type"), "application/json");
      const std::string key = http::HeaderOf(request.headers, exchange.header);
      EXPECT_EQ(key.substr(0, std::string_view(exchange.value).size()), exchange.value);
      EXPECT_EQ(json::parse(request.body),
                json::parse(use == TextUse::kQuery ? exchange.query_body : exchange.document_body));
    }
  }
}

TEST(EmbeddingProvider, OfVertexExchangesATokenAndSaysItsTask) {
  // A key made for this test.
  FunctionOptions options = Options();
  options.embedding_providers["vertexai.credential"] = "nobody";
  FakeModels fake([](const http::Request&) { return Json({}); }, options);
  const auto function =
      EmbeddingFunction({{"provider", "vertexai"}, {"model_name", "m"}, {"projectid", "p"}});
  const Status status = fake.models.CheckEmbedding(function, VectorField(2));
  EXPECT_EQ(status.code(), ErrorCode::kInvalidParameter);
  EXPECT_EQ(status.message(),
            "nobody is not a gcp crediential, can not find key: nobody.credential_json");
  ModelSetup setup{.provider = "vertexai", .url = "https://{location}", .model = "m"};
  setup.params = {{"projectid", "p"}, {"task", "CODE_RETRIEVAL"}, {"location", "here"}};
  setup.dim = 2;
  const EmbeddingProvider& vertex = *FindEmbeddingProvider("vertexai");
  EXPECT_EQ(*vertex.address(setup),
            "https://here-aiplatform.googleapis.com/v1/projects/p/locations/here/publishers/google/"
            "models/m:predict");
  const std::string_view text = "a";
  EXPECT_EQ(*vertex.body(setup, {&text, 1}, TextUse::kQuery),
            json::parse(R"({"instances":[{"content":"a","task_type":"CODE_RETRIEVAL_QUERY"}],
                            "parameters":{"outputDimensionality":2}})"));
  const json answer = json::parse(R"({"predictions":[{"embeddings":{"values":[1,2]}}]})");
  std::vector<const json*> vectors;
  ASSERT_TRUE(vertex.vectors(answer, vectors));
  EXPECT_EQ(*vectors[0], json({1, 2}));
  setup.model = "gemini-embedding-001";
  EXPECT_EQ(*BatchOf(vertex, setup), 1);
}

TEST(EmbeddingProvider, MakesBytesWhereItCan) {
  for (const char* provider : {"voyageai", "cohere"}) {
    SCOPED_TRACE(provider);
    const bool is_cohere = std::string_view(provider) == "cohere";
    FakeModels fake(
        [&](const http::Request&) {
          return Json(json::parse(is_cohere ? R"({"embeddings":{"int8":[[-128,127]]}})"
                                            : R"({"data":[{"index":0,"embedding":[-128,127]}]})"));
        },
        Options());
    const auto function =
        EmbeddingFunction({{"provider", provider}, {"model_name", "m"}, {"credential", "mine"}});
    const std::string_view text = "a";
    const auto made =
        fake.models.Embed(fake.ctx, function, VectorField(2, model::DataType::kInt8Vector),
                          {&text, 1}, TextUse::kDocument);
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    EXPECT_EQ(made->view().values<int8_t>()[0], -128);
    EXPECT_EQ(made->view().values<int8_t>()[1], 127);
    const json body = json::parse(fake.http.requests[0].body);
    EXPECT_EQ(is_cohere ? body["embedding_types"] : body["output_dtype"],
              is_cohere ? json({"int8"}) : json("int8"));
  }
}

TEST(EmbeddingProvider, HasTheBatchOfItsModel) {
  const auto batch = [](const char* provider, const char* model, std::vector<KeyValue> params) {
    ModelSetup setup{.provider = provider, .model = model};
    setup.params = std::move(params);
    return BatchOf(*FindEmbeddingProvider(provider), setup);
  };
  EXPECT_EQ(*batch("openai", "m", {}), 128);
  EXPECT_EQ(*batch("dashscope", "text-embedding-v2", {}), 25);
  EXPECT_EQ(*batch("dashscope", "text-embedding-v3", {}), 6);
  EXPECT_EQ(*batch("tei", "", {{"max_client_batch_size", "7"}}), 7);
  EXPECT_EQ(batch("tei", "", {{"max_client_batch_size", "0"}}).status().code(),
            ErrorCode::kInvalidParameter);
}

TEST(EmbeddingProvider, ThatSendsSomethingElseIsNotUnderstood) {
  for (const EmbeddingProvider& provider : EmbeddingProviders()) {
    for (const char* text :
         {"{}", "7", R"({"data":7})", R"({"data":[{"index":0}]})", "\"x\"",
          R"({"data":[{"index":5,"embedding":[1]}]})", R"({"data":[{"index":-1,"embedding":[1]}]})",
          R"({"embeddings":[{"x":1}]})", R"({"predictions":[{}]})",
          R"({"output":{"embeddings":[{"text_index":0}]}})"}) {
      std::vector<const json*> vectors;
      const json answer = json::parse(text);
      EXPECT_FALSE(provider.vectors(answer, vectors)) << provider.place.name << " " << text;
    }
  }
}

}  // namespace
}  // namespace elanus::functions
