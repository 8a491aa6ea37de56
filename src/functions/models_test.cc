// What functions may ask of model services, and what their answers must be.
#include "functions/models.h"

#include <gtest/gtest.h>

#include "functions/errors.h"
#include "functions/testing/fake_http.h"

namespace elanus::functions {
namespace {

using model::KeyValue;
using nlohmann::json;

const std::vector<KeyValue> kTei = {{"provider", "TEI"}, {"endpoint", "http://t"}};

// One vector a text, whose first number is the text's.
Result<http::Response> Numbered(const http::Request& request) {
  json answer = json::array();
  const json body = json::parse(request.body);
  for (const json& text : body["inputs"]) {
    const auto number = text.get<std::string>();
    answer.push_back({std::atoi(number.c_str()), 0.5});
  }
  return Json(answer);
}

std::vector<std::string> Numbers(size_t count) {
  std::vector<std::string> numbers;
  for (size_t i = 0; i < count; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

Result<model::Column> Embed(FakeModels& fake, const std::vector<KeyValue>& params,
                            const std::vector<std::string>& texts, uint32_t dim = 2) {
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  return fake.models.Embed(fake.ctx, EmbeddingFunction(params), VectorField(dim), views,
                           TextUse::kDocument);
}

TEST(Models, EmbedInBatchesAndKeepTheOrder) {
  FakeModels fake(Numbered, {});
  auto params = kTei;
  params.push_back({"max_client_batch_size", "8"});
  const auto made = Embed(fake, params, Numbers(37));
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  EXPECT_EQ(fake.http.requests.size(), 5u);
  for (size_t i = 0; i < 37; ++i) {
    EXPECT_EQ(made->view().values<float>()[2 * i], static_cast<float>(i));
    EXPECT_EQ(made->view().values<float>()[2 * i + 1], 0.5f);
  }
}

TEST(Models, RefuseTooManyTextsAndEmptyOnes) {
  FakeModels fake(Numbered, {.batch_factor = 2});
  EXPECT_TRUE(Embed(fake, kTei, Numbers(64)).ok());
  const size_t asked = fake.http.requests.size();
  const Status many = Embed(fake, kTei, Numbers(65)).status();
  EXPECT_EQ(many.code(), ErrorCode::kInvalidParameter);
  EXPECT_EQ(many.message(), "numRows [65] > function [embed]'s max batch [64]");
  const Status empty = Embed(fake, kTei, {"1", ""}).status();
  EXPECT_EQ(empty.code(), ErrorCode::kInvalidParameter);
  EXPECT_NE(empty.message().find("does not support empty text"), std::string_view::npos);
  EXPECT_EQ(fake.http.requests.size(), asked) << "nobody was asked";
}

TEST(Models, RefuseAnswersOfTheWrongCountOrDimensionOrKind) {
  for (const char* answer : {"[[1,2]]", "[[1,2],[3,4],[5,6]]", "[[1,2],[3]]", "[[1,2],[3,4,5]]",
                             "[[1,2],[3,\"x\"]]", "[[1,2],7]", "[[1,2],[3,1e300]]", "{}"}) {
    FakeModels fake(
        [&](const http::Request&) { return http::Response{.status = 200, .body = answer}; }, {});
    EXPECT_EQ(Embed(fake, kTei, {"1", "2"}).status().code(), kFunctionFailed) << answer;
  }
}

TEST(Models, ProbeAFunctionBeforeItIsUsed) {
  FakeModels fake(Numbered, {});
  const auto probe = [&](std::vector<KeyValue> params, const model::FieldSchema& field) {
    return fake.models.ProbeEmbedding(fake.ctx, EmbeddingFunction(std::move(params)), field);
  };
  EXPECT_TRUE(probe(kTei, VectorField(2)).ok());
  const Status dim = probe(kTei, VectorField(3));
  EXPECT_EQ(dim.code(), ErrorCode::kInvalidParameter);
  EXPECT_NE(
      dim.message().find("the dim set in the schema is inconsistent with the dim of the model"),
      std::string_view::npos);
  const Status type = probe(kTei, VectorField(2, model::DataType::kInt8Vector));
  EXPECT_NE(type.message().find("embedding model output and field type mismatch"),
            std::string_view::npos);
  auto params = kTei;
  params.push_back({"dim", "4"});
  EXPECT_EQ(probe(params, VectorField(2)).code(), ErrorCode::kInvalidParameter);
  params.back() = {"truncate", "perhaps"};
  EXPECT_EQ(probe(params, VectorField(2)).code(), ErrorCode::kInvalidParameter);
}

TEST(Models, KnowTheirProviders) {
  FakeModels fake(Numbered, {.embedding_providers = {{"tei.enable", "false"}}});
  const auto message = [&](std::vector<KeyValue> params) {
    const Status status =
        fake.models.CheckEmbedding(EmbeddingFunction(std::move(params)), VectorField(2));
    EXPECT_EQ(status.code(), ErrorCode::kInvalidParameter);
    return std::string(status.message());
  };
  EXPECT_EQ(message({{"model_name", "m"}}),
            "the text embedding service provider parameter:[provider] was not found, function: "
            "embed");
  EXPECT_TRUE(message({{"provider", "acme"}})
                  .starts_with("unsupported text embedding service provider: [acme]"));
  EXPECT_EQ(message(kTei), "text embedding model provider [tei] is disabled");
}

TEST(Models, FindTheirSecretsInThreePlaces) {
  const auto key_of = [](FunctionOptions options, std::vector<KeyValue> more,
                         std::map<std::string, std::string> variables) -> std::string {
    FakeModels fake(
        [](const http::Request&) {
          return Json(json::parse(R"({"data":[{"index":0,"embedding":[1,2]}]})"));
        },
        std::move(options), std::move(variables));
    std::vector<KeyValue> params = {{"provider", "openai"}, {"model_name", "m"}};
    params.insert(params.end(), more.begin(), more.end());
    const auto made = Embed(fake, params, {"1"});
    return made.ok() ? http::HeaderOf(fake.http.requests[0].headers, "Authorization")
                     : std::string(made.status().message());
  };
  const FunctionOptions options = {.credentials = {{"a.apikey", "of a"}, {"b.apikey", "of b"}},
                                   .embedding_providers = {{"openai.credential", "b"}}};
  const std::map<std::string, std::string> variables = {{"MILVUS_OPENAI_API_KEY", "new"},
                                                        {"MILVUSAI_OPENAI_API_KEY", "old"}};
  EXPECT_EQ(key_of(options, {{"credential", "a"}}, variables), "Bearer of a");
  EXPECT_EQ(key_of(options, {}, variables), "Bearer of b");
  EXPECT_EQ(key_of({}, {}, variables), "Bearer new");
  EXPECT_EQ(key_of({}, {}, {{"MILVUSAI_OPENAI_API_KEY", "old"}}), "Bearer old");
  EXPECT_EQ(key_of(options, {{"credential", "c"}}, variables),
            "c is not a apikey crediential, can not find key: c.apikey");
  EXPECT_TRUE(key_of({}, {}, {})
                  .starts_with("missing credentials config or configure the "
                               "MILVUS_OPENAI_API_KEY environment variable"));
}

TEST(Models, HighlightThroughTheServiceOfTheOperator) {
  FunctionOptions options;
  options.zilliz = {{"url", "http://house"}};
  FakeModels fake(
      [](const http::Request& request) {
        json results = json::array();
        const json body = json::parse(request.body);
        for (size_t i = 0; i < body["documents"].size(); ++i) {
          results.push_back({{"index", i},
                             {"fragments", json::array({body["documents"][i]})},
                             {"scores", json::array({0.5})}});
        }
        return Json({{"results", results}});
      },
      options);
  const std::vector<std::string_view> texts = {"one", "two", "three"};
  const std::vector<KeyValue> params = {{"model_deployment_id", "d"},
                                        {"pre_tags", R"(["<b>"])"},
                                        {"threshold", "0.25"},
                                        {"highlight_only", "True"},
                                        {"max_client_batch_size", "2"}};
  const auto marked = fake.models.Highlight(fake.ctx, params, "q", texts);
  ASSERT_TRUE(marked.ok()) << marked.status().ToString();
  ASSERT_EQ(marked->size(), 3u);
  EXPECT_EQ((*marked)[2].fragments, std::vector<std::string>{"three"});
  EXPECT_EQ((*marked)[2].scores, std::vector<float>{0.5f});
  EXPECT_EQ(fake.http.requests.size(), 2u);
  EXPECT_EQ(fake.http.requests[0].url, "http://house/v1/highlight");
  const json body = json::parse(fake.http.requests[0].body);
  EXPECT_EQ(body["pre_tags"], json({"<b>"}));
  EXPECT_EQ(body["threshold"], 0.25);
  EXPECT_EQ(body["highlight_only"], true);
  FakeModels none(Numbered, {});
  EXPECT_EQ(none.models.Highlight(none.ctx, params, "q", texts).status().code(),
            ErrorCode::kInvalidParameter);
}

}  // namespace
}  // namespace elanus::functions
