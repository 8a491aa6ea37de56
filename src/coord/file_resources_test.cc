// File resources: copies that stay what they were, names that are used stay, nothing is left
// behind.
#include "coord/file_resources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coord/test_meta.h"
#include "text/analyzer.h"

namespace elanus::coord {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kStops =
    R"({"tokenizer":"standard","filter":[{"type":"stop","stop_words_file":
        {"type":"remote","resource_name":"stops","file_name":"stop.txt"}}]})";

class FileResourcesTest : public testing::Test {
 protected:
  FileResourcesTest() {
    Put("dicts/stop.txt", "und\noder\n");
    Open();
  }
  void Open(CatalogOptions options = {}) {
    files_.reset();
    process_.reset();
    process_ = std::make_unique<Process>(disk_, *executor_, clock_, options);
    auto opened = FileResources::Open(ctx(), {.clock = clock_,
                                              .objects = *objects_,
                                              .catalog = *process_->catalog,
                                              .oracle = *process_->oracle});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    files_ = std::move(*opened);
  }
  Context& ctx() { return process_->ctx; }
  void Put(const std::string& key, std::string_view bytes) {
    Context ctx(clock_);
    ASSERT_TRUE(objects_->Put(ctx, key, bytes).ok());
  }
  std::vector<std::string> Copies() { return *objects_->List(ctx(), "resources/"); }
  static std::vector<std::string> Words(std::string_view text) {
    const auto analyzer = text::AnalyzerOf(kStops);
    if (!analyzer.ok()) return {std::string(analyzer.status().message())};
    text::Tokens tokens;
    (*analyzer)->Analyze(text, tokens);
    std::vector<std::string> words;
    for (const text::Token& token : tokens) words.push_back(token.text);
    return words;
  }
  static model::CreateCollectionRequest WithStops() {
    model::CreateCollectionRequest request = MakeRequest("c");
    request.schema.fields.push_back(
        {.name = "text",
         .type = model::DataType::kVarChar,
         .type_params = {{"enable_analyzer", "true"}, {"analyzer_params", std::string(kStops)}}});
    return request;
  }
  void ExpectInvalid(const Status& status, const char* words) {
    EXPECT_EQ(status.code(), ErrorCode::kInvalidParameter);
    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
  }

  ManualClock clock_;
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  store::MemoryDisk disk_;
  std::unique_ptr<store::ObjectStore> objects_ = disk_.OpenObjects();
  std::unique_ptr<Process> process_;
  std::unique_ptr<FileResources> files_;
};

TEST_F(FileResourcesTest, AnalyzersReadTheCopyWhateverBecomesOfThePath) {
  EXPECT_THAT(Words("x"), ElementsAre(HasSubstr("file resource: stops not found")));
  ASSERT_TRUE(files_->Add(ctx(), "stops", "dicts/stop.txt").ok());
  EXPECT_THAT(Words("Rad und Bus"), ElementsAre("Rad", "Bus"));
  Put("dicts/stop.txt", "Rad");
  text::ForgetAnalyzers();
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(Words("Rad und Bus"), ElementsAre("Rad", "Bus"));
    ASSERT_EQ(files_->List().size(), 1u);
    EXPECT_EQ(files_->List()[0].name, "stops");
    EXPECT_EQ(files_->List()[0].path, "dicts/stop.txt");
    EXPECT_NE(files_->List()[0].id, 0);
    EXPECT_EQ(Copies(), std::vector<std::string>{files_->List()[0].copy});
    Open();
    text::ForgetAnalyzers();
  }
}

TEST_F(FileResourcesTest, ANameHasOnePath) {
  Put("dicts/other.txt", "x");
  ASSERT_TRUE(files_->Add(ctx(), "stops", "dicts/stop.txt").ok());
  EXPECT_TRUE(files_->Add(ctx(), "stops", "dicts/stop.txt").ok()) << "the same";
  ExpectInvalid(files_->Add(ctx(), "stops", "dicts/other.txt"),
                "file resource stops already exists");
  EXPECT_EQ(Copies().size(), 1u);
}

TEST_F(FileResourcesTest, ThePathLeadsToAnObjectOfTheClients) {
  Put("segments/1/2/manifest", "x");
  for (const char* path : {"dicts/none.txt", "", "/etc/passwd", "../stop.txt",
                           "segments/1/2/manifest", "resources/1/x"}) {
    ExpectInvalid(files_->Add(ctx(), "stops", path), "file resource path not exist");
  }
  EXPECT_TRUE(files_->List().empty());
}

TEST_F(FileResourcesTest, ThereIsALimitToThem) {
  Open({.file_resources_max = 1});
  ASSERT_TRUE(files_->Add(ctx(), "stops", "dicts/stop.txt").ok());
  ExpectInvalid(files_->Add(ctx(), "more", "dicts/stop.txt"), "common.fileResource.maxNum");
  EXPECT_EQ(Copies().size(), 1u) << "what was refused leaves nothing";
}

TEST_F(FileResourcesTest, OneThatACollectionNamesStays) {
  const auto unknown = process_->catalog->CreateCollection(ctx(), WithStops());
  EXPECT_EQ(unknown.code(), ErrorCode::kSegcore) << "it is not there yet";
  ASSERT_TRUE(files_->Add(ctx(), "stops", "dicts/stop.txt").ok());
  ASSERT_TRUE(process_->catalog->CreateCollection(ctx(), WithStops()).ok());
  for (int round = 0; round < 2; ++round) {
    ExpectInvalid(files_->Remove(ctx(), "stops"), "file resource stops is still in use: 1");
    EXPECT_EQ(files_->List().size(), 1u);
    Open();
  }
  ASSERT_TRUE(process_->catalog->DropCollection(ctx(), {.collection = "c"}).ok());
  EXPECT_TRUE(files_->Remove(ctx(), "stops").ok());
  EXPECT_TRUE(files_->Remove(ctx(), "stops").ok()) << "unknown";
}

TEST_F(FileResourcesTest, AFieldThatIsAddedCannotNameOneThatIsNotThere) {
  ASSERT_TRUE(process_->catalog->CreateCollection(ctx(), MakeRequest("c")).ok());
  const auto before = process_->Find("c");
  model::CollectionSchema schema = before->schema;
  schema.fields.push_back(WithStops().schema.fields.back());
  EXPECT_EQ(process_->catalog->ChangeSchema(ctx(), before->id, schema, {}).code(),
            ErrorCode::kSegcore);
  EXPECT_EQ(process_->Find("c")->schema.version, before->schema.version);
}

TEST_F(FileResourcesTest, ARemovedNameIsFreeForAnotherFile) {
  ASSERT_TRUE(files_->Add(ctx(), "stops", "dicts/stop.txt").ok());
  EXPECT_THAT(Words("Rad und Bus"), ElementsAre("Rad", "Bus"));
  const std::string copy = files_->List()[0].copy;
  ASSERT_TRUE(files_->Remove(ctx(), "stops").ok());
  ASSERT_EQ(process_->catalog->ListGarbage(ctx())->size(), 1u);
  EXPECT_THAT((*process_->catalog->ListGarbage(ctx()))[0].keys, ElementsAre(copy));
  EXPECT_THAT(Words("x"), ElementsAre(HasSubstr("file resource: stops not found")));
  Put("new/stop.txt", "Rad");
  ASSERT_TRUE(files_->Add(ctx(), "stops", "new/stop.txt").ok());
  EXPECT_THAT(Words("Rad und Bus"), ElementsAre("und", "Bus"));
}

TEST_F(FileResourcesTest, ACrashLeavesTheNameWithItsCopyOrNeither) {
  ASSERT_TRUE(files_->Add(ctx(), "other", "dicts/stop.txt").ok());
  const std::string before = process_->Everything();
  process_->meta.refusing = true;
  EXPECT_EQ(files_->Add(ctx(), "stops", "dicts/stop.txt").code(), ErrorCode::kIoFailed);
  process_->meta.refusing = false;
  EXPECT_EQ(Copies().size(), 2u) << "who knows whether the commit was made";
  Open();
  EXPECT_EQ(process_->Everything(), before);
  EXPECT_EQ(Copies().size(), 1u);
  ASSERT_TRUE(files_->Add(ctx(), "stops", "dicts/stop.txt").ok());
  const std::string added = process_->Everything();
  process_->meta.refusing = true;
  EXPECT_EQ(files_->Remove(ctx(), "stops").code(), ErrorCode::kIoFailed);
  process_->meta.refusing = false;
  EXPECT_EQ(process_->Everything(), added);
}

}  // namespace
}  // namespace elanus::coord
