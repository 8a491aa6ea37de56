// Parameters that name files: where they may lie, what may be in them, what each filter and
// tokenizer makes of them.
#include "text/file_param.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "text/analyzer.h"
#include "text/options.h"

namespace elanus::text {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

// A folder of files that analyzers may name, until the end of a test.
class FilesOfAnalyzers : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(root_ / "inside");
    TextOptions options = before_;
    options.files_path = (root_ / "inside").string();
    options.file_bytes_max = 1000;
    SetTextOptions(options);
  }
  void TearDown() override {
    SetTextOptions(before_);
    std::filesystem::remove_all(root_);
  }

  // Analyzers are kept by their JSON, so each file has a name of its own.
  std::string Write(std::string_view text, std::string_view ending = "txt") {
    const std::string name = fmt::format("{}{}.{}", Name(), ++written_, ending);
    std::ofstream(root_ / "inside" / name, std::ios::binary) << text;
    return name;
  }
  static std::string Name() {
    return testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  static std::string Local(std::string_view path) {
    return fmt::format(R"({{"type":"local","path":"{}"}})", path);
  }
  static std::string Message(std::string_view file) {
    const auto params = nlohmann::json::parse(fmt::format(R"({{"words":{}}})", file));
    const auto lines = FileLines(params, "words");
    EXPECT_EQ(lines.status().code(), ErrorCode::kSegcore) << file;
    return std::string(lines.status().message());
  }
  static std::vector<std::string> Words(std::string_view params, std::string_view text) {
    const auto analyzer = AnalyzerOf(params);
    EXPECT_TRUE(analyzer.ok()) << params << ": " << analyzer.status().ToString();
    Tokens tokens;
    if (analyzer.ok()) (*analyzer)->Analyze(text, tokens);
    std::vector<std::string> words;
    for (const Token& token : tokens) words.push_back(token.text);
    return words;
  }
  static std::vector<std::string> Filtered(std::string_view filter, std::string_view text) {
    return Words(fmt::format(R"({{"tokenizer":"standard","filter":[{}]}})", filter), text);
  }

  const TextOptions before_ = GetTextOptions();
  const std::filesystem::path root_ =
      std::filesystem::path(testing::TempDir()) / fmt::format("elanus_files_{}", Name());
  int written_ = 0;
};

TEST_F(FilesOfAnalyzers, GiveTheirLinesWithoutSpaceAndEmptyOnes) {
  const std::string name = Write("\xEF\xBB\xBFone\r\n\n  two words \n\t\nlast");
  const auto params = nlohmann::json::parse(fmt::format(R"({{"words":{}}})", Local(name)));
  EXPECT_THAT(*FileLines(params, "words"), ElementsAre("one", "two words", "last"));
  EXPECT_THAT(*FileLines(params, "others"), ElementsAre());
}

TEST_F(FilesOfAnalyzers, LieInTheirFolderAndNowhereElse) {
  std::ofstream(root_ / "secret.txt") << "secret";
  std::filesystem::create_symlink(root_ / "secret.txt", root_ / "inside" / "link.txt");
  for (const std::string& path :
       {std::string("../secret.txt"), std::string("link.txt"), (root_ / "secret.txt").string()}) {
    const std::string message = Message(Local(path));
    EXPECT_THAT(message, HasSubstr("is not in the folder")) << path;
  }
  EXPECT_THAT(Message(Local("nothing.txt")), HasSubstr("is not in the folder"));
  EXPECT_THAT(Message(Local(".")), HasSubstr("is not in the folder"));
  const std::string name = Write("word");
  const auto whole = nlohmann::json::parse(
      fmt::format(R"({{"words":{}}})", Local((root_ / "inside" / name).string())));
  EXPECT_THAT(*FileLines(whole, "words"), ElementsAre("word"));
  SetTextOptions(before_);
  EXPECT_THAT(Message(Local(name)), HasSubstr("function.analyzer.local_resource_path"));
}

TEST_F(FilesOfAnalyzers, AreRefusedWhenTheyAreLargeOrNoText) {
  EXPECT_THAT(Message(Local(Write(std::string(1001, 'x')))),
              HasSubstr("function.analyzer.maxFileSize"));
  EXPECT_THAT(Message(Local(Write("caf\xE9"))), HasSubstr("no UTF-8"));
}

TEST_F(FilesOfAnalyzers, AreNamedByAnObject) {
  EXPECT_THAT(Message(R"("words.txt")"), HasSubstr("file config of words must be object"));
  EXPECT_THAT(Message("{}"), HasSubstr("file type of words must be set"));
  EXPECT_THAT(Message(R"({"type":"web"})"), HasSubstr("unsupported file type web of words"));
  EXPECT_THAT(Message(R"({"type":"local"})"), HasSubstr("path of words must be set"));
  EXPECT_THAT(Message(R"({"type":"remote","resource_name":"r","file_name":"f"})"),
              HasSubstr("file resource: r not found in local resource list"));
}

TEST_F(FilesOfAnalyzers, HoldStopWordsBesideThoseOfTheList) {
  const std::string file = Local(Write("foo\n_german_\n"));
  EXPECT_THAT(
      Filtered(fmt::format(R"({{"type":"stop","stop_words":["bar"],"stop_words_file":{}}})", file),
               "foo bar und baz"),
      ElementsAre("baz"));
}

TEST_F(FilesOfAnalyzers, HoldWordsThatLongOnesAreMadeOf) {
  const std::string file = Local(Write("rain\ncoat\n"));
  EXPECT_THAT(
      Filtered(fmt::format(R"({{"type":"decompounder","word_list_file":{}}})", file), "raincoat"),
      ElementsAre("rain", "coat"));
  const auto empty = AnalyzerOf(fmt::format(
      R"({{"tokenizer":"standard","filter":[{{"type":"decompounder","word_list_file":{}}}]}})",
      Local(Write("\n"))));
  EXPECT_EQ(empty.status().code(), ErrorCode::kSegcore);
  EXPECT_THAT(std::string(empty.status().message()), HasSubstr("word list is empty"));
}

TEST_F(FilesOfAnalyzers, HoldSynonyms) {
  const std::string file = Local(Write("car, auto\nbig => large\n"));
  EXPECT_THAT(
      Filtered(fmt::format(R"({{"type":"synonym","synonyms":["a, b"],"synonyms_file":{}}})", file),
               "big auto b"),
      UnorderedElementsAre("big", "large", "auto", "car", "a", "b"));
  EXPECT_FALSE(
      AnalyzerOf(
          fmt::format(
              R"({{"tokenizer":"standard","filter":[{{"type":"synonym","synonyms_file":{}}}]}})",
              Local(Write("a => b => c\n"))))
          .ok());
}

TEST_F(FilesOfAnalyzers, HoldChineseWords) {
  const auto cut = [&](std::string_view lines, const char* dict, std::string_view text) {
    return Words(fmt::format(R"({{"tokenizer":{{"type":"jieba","mode":"exact","hmm":false{},
                                 "extra_dict_file":{}}}}})",
                             dict, Local(Write(lines))),
                 text);
  };
  EXPECT_THAT(cut("甲乙\n丙丁 3 n\n", R"(,"dict":[])", "甲乙丙丁"), ElementsAre("甲乙", "丙丁"));
  EXPECT_THAT(cut("丙乙 1000000 n\n", "", "甲丙乙丁"), ElementsAre("甲", "丙乙", "丁"));
  EXPECT_THAT(cut("丙乙 n\n", R"(,"dict":["_default_","甲"])", "甲丙乙丁"),
              ElementsAre("甲", "丙乙", "丁"));
  const auto bad = AnalyzerOf(fmt::format(
      R"({{"tokenizer":{{"type":"jieba","extra_dict_file":{}}}}})", Local(Write("甲乙 3x\n"))));
  EXPECT_EQ(bad.status().code(), ErrorCode::kSegcore);
}

TEST_F(FilesOfAnalyzers, HoldJapaneseWords) {
  constexpr const char* kText = "東京スカイツリーの最寄り駅";
  const auto cut = [&](std::string_view text, const char* more) {
    return Words(fmt::format(R"({{"tokenizer":{{"type":"lindera","dict_kind":"ipadic"{},
                                 "user_dict":{}}}}})",
                             more, Local(Write(text, "csv"))),
                 kText);
  };
  const std::string simple = "東京スカイツリー,カスタム名詞,トウキョウスカイツリー\n";
  EXPECT_THAT(cut(simple, ""), ElementsAre("東京スカイツリー", "の", "最寄り駅"));
  EXPECT_THAT(cut(simple, R"(,"mode":"decompose")"), Contains("東京スカイツリー"));
  EXPECT_THAT(cut(simple, R"(,"filter":[{"kind":"japanese_keep_tags","tags":["カスタム名詞"]}])"),
              ElementsAre("東京スカイツリー"));
  EXPECT_THAT(cut("スカイツリー,1288,1288,-1000,名詞,固有名詞,一般,カスタム,*,*,*,*,*\n",
                  R"(,"filter":[{"kind":"japanese_keep_tags",
                                 "tags":["名詞,固有名詞,一般,カスタム"]}])"),
              ElementsAre("スカイツリー"));
  const auto message = [&](std::string_view file) {
    const auto bad = AnalyzerOf(fmt::format(
        R"({{"tokenizer":{{"type":"lindera","dict_kind":"ipadic","user_dict":{}}}}})", file));
    EXPECT_EQ(bad.status().code(), ErrorCode::kSegcore) << file;
    return std::string(bad.status().message());
  };
  EXPECT_THAT(message(Local(Write("a,b", "csv"))), HasSubstr("a line of user_dict"));
  EXPECT_THAT(message(Local(Write("", "bin"))), HasSubstr("should be a .csv file"));
}

}  // namespace
}  // namespace elanus::text
