// Models of chains: found by their resources, read once, forgotten when there are too many.
#include "trees/chain_models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "text/file_source.h"

namespace elanus::trees {
namespace {

using testing::HasSubstr;

// Files of tests/tree_models by names of resources.
class Files final : public text::FileSource {
 public:
  struct File {
    int64_t id;
    std::string name;
  };
  Files() { text::SetFileSource(this); }
  ~Files() override { text::ForgetFileSource(this); }
  std::optional<int64_t> Find(const std::string& resource) override {
    const auto found = files.find(resource);
    return found == files.end() ? std::nullopt : std::optional(found->second.id);
  }
  Result<std::string> Read(const std::string& resource, const std::string&) override {
    ++reads;
    std::ifstream file(std::filesystem::path(ELANUS_TREE_MODELS) / files.at(resource).name,
                       std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  std::map<std::string, File> files;
  int reads = 0;
};

Result<model::ScoreChain> ChainOf(const std::string& resource, size_t features = 4) {
  model::CollectionSchema schema;
  schema.fields.push_back(
      {.id = FieldId(100), .name = "id", .type = model::DataType::kInt64, .is_primary_key = true});
  model::ChainStep step{
      .op = "map",
      .expression = {.name = "xgboost", .arguments = {}, .params = {{"model_resource", resource}}},
      .inputs = std::vector<std::string>(features, "$score"),
      .outputs = {"$score"},
      .params = {}};
  return model::ScoreChain::Compile({step}, model::ChainStage::kMerged, schema);
}

double Ask(const std::string& resource) {
  const auto predict = PredictorOf(*ChainOf(resource));
  EXPECT_TRUE(predict.ok()) << predict.status().ToString();
  return predict.ok() ? (*predict)(0, std::vector<float>(4, 0.5f)) : 0;
}

TEST(ChainModelsTest, AreReadOnceAndAgainOnlyWhenTheNameMeansAnotherResource) {
  SetTreesOptions({});
  Files files;
  files.files = {{"a", {.id = 11, .name = "base.ubj"}}, {"b", {.id = 12, .name = "dart.json"}}};
  const double a = Ask("a");
  const double b = Ask("b");
  EXPECT_NE(a, b);
  EXPECT_EQ(Ask("a"), a);
  EXPECT_EQ(Ask("b"), b);
  EXPECT_EQ(files.reads, 2);
  files.files["a"] = {.id = 13, .name = "dart.json"};
  EXPECT_EQ(Ask("a"), b);
  EXPECT_EQ(files.reads, 3);
}

TEST(ChainModelsTest, AreForgottenBeyondWhatTheOperatorAllowsTheLatestUsedLast) {
  SetTreesOptions({.kept_bytes_max = 0});
  Files files;
  files.files = {{"a", {.id = 21, .name = "base.ubj"}}, {"b", {.id = 22, .name = "dart.json"}}};
  for (const char* resource : {"a", "a", "b", "b", "a"}) Ask(resource);
  EXPECT_EQ(files.reads, 3) << "one is kept all the same";
  SetTreesOptions({});
}

TEST(ChainModelsTest, SayWhatIsWrongWithWhichResource) {
  Files files;
  files.files = {{"a", {.id = 31, .name = "base.ubj"}}, {"bad", {.id = 32, .name = "make.py"}}};
  const auto refusal = [](const std::string& resource, size_t features) {
    const Status status = PredictorOf(*ChainOf(resource, features)).status();
    EXPECT_EQ(status.code(), ErrorCode::kInvalidParameter);
    return std::string(status.message());
  };
  EXPECT_THAT(refusal("nobody", 4), HasSubstr("there is no file resource nobody"));
  EXPECT_THAT(refusal("bad", 4), HasSubstr("file resource bad"));
  EXPECT_THAT(refusal("a", 3), HasSubstr("takes 4 features, got 3"));
}

}  // namespace
}  // namespace elanus::trees
