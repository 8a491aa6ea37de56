// File resources as analyzers see them: read by name, found in schemas.
#include "text/file_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "text/analyzer.h"

namespace elanus::text {
namespace {

using testing::ElementsAre;

// Holds one file, and counts how often it is read.
class OneFile final : public FileSource {
 public:
  OneFile() { SetFileSource(this); }
  ~OneFile() override { ForgetFileSource(this); }
  std::optional<int64_t> Find(const std::string& resource) override {
    return resource == "r" ? std::optional<int64_t>(7) : std::nullopt;
  }
  Result<std::string> Read(const std::string& resource, const std::string& file) override {
    ++reads;
    if (resource != "r" || file != "f.csv") return UnknownFileResource(resource);
    return bytes;
  }
  std::string bytes = "und\n";
  int reads = 0;
};

constexpr std::string_view kParams =
    R"({"tokenizer":"standard","filter":[{"type":"stop","stop_words_file":
        {"type":"remote","resource_name":"r","file_name":"f.csv"}}]})";

std::vector<std::string> Words(std::string_view params, std::string_view text) {
  const auto analyzer = AnalyzerOf(params);
  if (!analyzer.ok()) return {std::string(analyzer.status().message())};
  Tokens tokens;
  (*analyzer)->Analyze(text, tokens);
  std::vector<std::string> words;
  for (const Token& token : tokens) words.push_back(token.text);
  return words;
}

TEST(FileSource, IsReadWhenAnAnalyzerIsMadeAndAfterAllWereForgotten) {
  ForgetAnalyzers();
  OneFile source;
  EXPECT_THAT(Words(kParams, "Rad und Bus"), ElementsAre("Rad", "Bus"));
  source.bytes = "Rad\n";
  EXPECT_THAT(Words(kParams, "Rad und Bus"), ElementsAre("Rad", "Bus"));
  EXPECT_EQ(source.reads, 1);
  ForgetAnalyzers();
  EXPECT_THAT(Words(kParams, "Rad und Bus"), ElementsAre("und", "Bus"));
  ForgetAnalyzers();
}

TEST(FileSource, TellsFormatsByTheNameOfTheFile) {
  OneFile source;
  source.bytes = "東京スカイツリー,カスタム名詞,トウキョウスカイツリー\n";
  EXPECT_THAT(Words(R"({"tokenizer":{"type":"lindera","dict_kind":"ipadic","user_dict":
                        {"type":"remote","resource_name":"r","file_name":"f.csv"}}})",
                    "東京スカイツリーの最寄り駅"),
              ElementsAre("東京スカイツリー", "の", "最寄り駅"));
  ForgetAnalyzers();
}

TEST(FileSource, IsAbsentBeforeItIsSetAndAfterItIsForgotten) {
  { OneFile source; }
  EXPECT_EQ(ReadFileResource("r", "f.csv").status().code(), ErrorCode::kSegcore);
  OneFile first;
  OneFile second;
  ForgetFileSource(&first);
  EXPECT_TRUE(ReadFileResource("r", "f.csv").ok()) << "another has been set since";
}

TEST(FileSource, ResourcesAreFoundWhereverAnalyzersNameThem) {
  const auto field = [](const char* name, const char* enabled, const char* key,
                        std::string_view params) {
    return model::FieldSchema{
        .name = name,
        .type = model::DataType::kVarChar,
        .type_params = {{"enable_analyzer", enabled}, {key, std::string(params)}}};
  };
  model::CollectionSchema schema;
  schema.fields = {
      field("a", "true", "analyzer_params", kParams),
      field("b", "true", "multi_analyzer_params",
            R"({"by_field":"l","analyzers":{"default":{},"x":{"tokenizer":{"type":"jieba",
                "extra_dict_file":{"type":"remote","resource_name":"d","file_name":"d.txt"}}}}})"),
      field("c", "false", "analyzer_params",
            R"({"f":{"type":"remote","resource_name":"not analyzed","file_name":"f"}})"),
      field("d", "true", "analyzer_params", R"({"f":{"type":"local","resource_name":"no"}})"),
      field("e", "true", "analyzer_params", R"({"f":{"type":"remote","resource_name":5}})"),
      field("f", "true", "analyzer_params", "no JSON"),
      field("g", "true", "analyzer_params", kParams)};
  EXPECT_THAT(FileResourcesOf(schema), ElementsAre("d", "r"));
}

}  // namespace
}  // namespace elanus::text
