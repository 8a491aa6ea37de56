// The streaming node between coordinator, query and data node on memory stores: loads, dropped
// partitions, deletes of one partition, and flushes that fail. Each test runs under several seeds.
#include "streaming/node.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "base/log.h"
#include "proxy/ops.h"
#include "proxy/segments.h"
#include "server/fake_cluster.h"

namespace elanus::streaming {
namespace {

using Keys = std::set<int64_t>;
using Names = std::vector<std::string>;

const model::CollectionName kName{.database = "", .collection = "c"};

class NodeTest : public testing::TestWithParam<uint64_t> {
 protected:
  NodeTest() { SetLogLevel(LogLevel::kOff); }
  ~NodeTest() override {
    cluster_.reset();
    SetLogLevel(LogLevel::kInfo);
  }

  void Open(const StreamingOptions& options = {}) {
    cluster_.reset();
    server::Config config = server::FakeConfig();
    config.streaming = options;
    auto opened = server::OpenFakeCluster(disk_, *executor_, clock_, config);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    cluster_ = std::move(*opened);
  }
  void Reopen() {
    std::mt19937_64 rng(GetParam());
    disk_.Crash(rng);
    Open();
  }
  proxy::Services& services() { return cluster_->services(); }

  void Create(uint32_t dim = 2) {
    dim_ = dim;
    model::CreateCollectionRequest create{.name = kName};
    create.schema.name = kName.collection;
    create.schema.fields.push_back(
        {.name = "id", .type = model::DataType::kInt64, .is_primary_key = true});
    create.schema.fields.push_back({.name = "vec",
                                    .type = model::DataType::kFloatVector,
                                    .type_params = {{"dim", std::to_string(dim)}}});
    Expect(proxy::CreateCollection(ctx_, services(), create));
    Expect(proxy::CreateIndex(
        ctx_, services(),
        {.name = kName, .field = "vec", .extra_params = {{"metric_type", "L2"}}}));
    for (const char* partition : {"p1", "p2"}) AddPartition(partition);
  }
  void AddPartition(const std::string& name) {
    Expect(proxy::CreatePartition(ctx_, services(), kName, name));
  }
  void DropPartition(const std::string& name) {
    Expect(proxy::DropPartition(ctx_, services(), kName, name));
  }
  static void Expect(const Status& status) { EXPECT_TRUE(status.ok()) << status.ToString(); }

  Status Write(const std::string& partition, int64_t first, int64_t count, bool upsert = false) {
    model::WriteRequest write{.name = kName,
                              .partition = partition,
                              .num_rows = static_cast<uint64_t>(count),
                              .upsert = upsert};
    model::Column ids =
        model::MakeColumn(FieldId(0), "id", model::DataType::kInt64, model::DataType::kNone, 0);
    model::Column vectors = model::MakeColumn(FieldId(0), "vec", model::DataType::kFloatVector,
                                              model::DataType::kNone, dim_);
    const std::vector<float> vector(dim_, 1.0f);
    for (int64_t id = first; id < first + count; ++id) {
      ids.AppendFixed(&id);
      vectors.AppendFixed(vector.data());
    }
    write.columns = {std::move(ids), std::move(vectors)};
    return proxy::Write(ctx_, services(), std::move(write)).status();
  }
  void Insert(const std::string& partition, int64_t first, int64_t count) {
    Expect(Write(partition, first, count));
  }
  void Delete(const std::string& partition, const std::string& filter) {
    Expect(
        proxy::Delete(ctx_, services(), {.name = kName, .partition = partition, .filter = filter})
            .status());
  }
  Result<Keys> Read(const Names& partitions = {}) {
    TRY_ASSIGN(const auto result,
               proxy::Query(ctx_, services(),
                            {.name = kName,
                             .partitions = partitions,
                             .filter = "id >= 0",
                             .output_fields = {"id"},
                             .consistency = {.level = model::ConsistencyLevel::kStrong}}));
    Keys keys;
    for (const model::Column& column : result.columns) {
      for (size_t i = 0; column.name == "id" && i < column.rows; ++i) {
        keys.insert(column.view().Get<int64_t>(i));
      }
    }
    return keys;
  }
  void ExpectKeys(const Keys& want, const Names& partitions = {}) {
    const auto keys = Read(partitions);
    ASSERT_TRUE(keys.ok()) << keys.status().ToString();
    EXPECT_EQ(*keys, want);
  }
  void ExpectKeysNowAndAfterARestart(const Keys& keys) {
    ExpectKeys(keys);
    Reopen();
    UntilLoaded();
    ExpectKeys(keys);
  }

  void Load(const Names& partitions = {}) {
    Expect(proxy::Load(ctx_, services(), kName, partitions));
    UntilLoaded();
  }
  void Release(const Names& partitions = {}) {
    Expect(proxy::Release(ctx_, services(), kName, partitions));
  }
  int64_t Progress() {
    const auto progress = proxy::LoadProgress(ctx_, services(), kName, {});
    EXPECT_TRUE(progress.ok()) << progress.status().ToString();
    return progress.ok() ? *progress : -1;
  }
  void UntilLoaded() {
    for (int i = 0; i < 10'000; ++i) {
      if (Progress() == 100) return;
      executor_->Yield();
    }
    FAIL() << "the load never ends";
  }

  // The others work until they wait; no time passes.
  void LetOthersWork() {
    for (int i = 0; i < 3000; ++i) executor_->Yield();
  }
  // The same, and time passes.
  void LetTimePass() {
    const auto monitor = executor_->MakeMonitor();
    std::lock_guard<Monitor> lock(*monitor);
    for (int i = 0; i < 5; ++i) (void)monitor->WaitFor(1);
  }
  Timestamp Seal() {
    const auto flush = proxy::Flush(ctx_, services(), "", {"c"});
    EXPECT_TRUE(flush.ok()) << flush.status().ToString();
    return flush->collections[0].flush_ts;
  }
  bool IsFlushed(Timestamp timestamp) {
    const auto flushed = proxy::IsFlushed(ctx_, services(), kName, timestamp);
    EXPECT_TRUE(flushed.ok()) << flushed.status().ToString();
    return flushed.ok() && *flushed;
  }
  void Flush() {
    const Timestamp sealed = Seal();
    LetOthersWork();
    EXPECT_TRUE(IsFlushed(sealed));
  }
  // Of all segments, with their content.
  std::map<std::string, std::string> Files() {
    const auto objects = disk_.OpenObjects();
    const auto keys = objects->List(ctx_, "segments/");
    EXPECT_TRUE(keys.ok());
    std::map<std::string, std::string> files;
    for (const std::string& key : *keys) {
      const auto blob = objects->Open(ctx_, key);
      EXPECT_TRUE(blob.ok());
      files[key] = blob->bytes();
    }
    return files;
  }
  CollectionId Id() { return (*services().coord.catalog.Find(ctx_, kName))->id; }

  ManualClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeSimExecutor(GetParam());
  store::MemoryDisk disk_{executor_.get()};
  std::unique_ptr<server::RoleSet> cluster_;
  uint32_t dim_ = 0;
};

TEST_P(NodeTest, ALoadThatAddsToAnotherIsOverWhenAllRowsAreRead) {
  Open();
  Create();
  Insert("", 1, 1);
  Insert("p1", 2, 1);
  Flush();
  Insert("p2", 3, 1);
  Load({"p1"});
  ExpectKeys({2});
  Load({"p2"});
  ExpectKeys({2, 3});
  Load();
  ExpectKeys({1, 2, 3});
}

TEST_P(NodeTest, ALoadRightBehindAReleaseIsOverWhenItsRowsAreRead) {
  Open();
  Create();
  Insert("p1", 1, 1);
  Flush();
  Insert("p2", 2, 1);
  Load();
  for (int i = 0; i < 5; ++i) {
    Release();
    Load();
    ExpectKeys({1, 2});
    Release();
    Load({"p2"});
    ExpectKeys({2});
    Release({"p2"});
    Load();
    ExpectKeys({1, 2});
  }
}

TEST_P(NodeTest, ANewIndexDoesNotUndoALoad) {
  Open();
  Create();
  Insert("p1", 1, 1);
  Load();
  LetOthersWork();
  for (int i = 0; i < 20; ++i) {
    Expect(services().streaming.SyncLoaded(ctx_, Id()));
    EXPECT_EQ(Progress(), 100);
    executor_->Yield();
    EXPECT_EQ(Progress(), 100);
  }
}

TEST_P(NodeTest, ARestartedNodeIsLoadedWhenItsRowsAreRead) {
  Open();
  Create();
  Insert("p1", 1, 1);
  Flush();
  Load();
  Reopen();
  UntilLoaded();
  ExpectKeys({1});
}

TEST_P(NodeTest, RowsOfADroppedPartitionAreGoneAlsoWhenTheShardNeverHeardOfIt) {
  Open();
  Create();
  for (int64_t i = 0; i < 5; ++i) {
    AddPartition("short");
    Insert("short", i, 1);
    DropPartition("short");
  }
  Load();
  ExpectKeysNowAndAfterARestart({});
}

TEST_P(NodeTest, RowsOfAPartitionThatIsDroppedBeforeTheirFlushEndsStayGone) {
  Open();
  Create();
  Insert("p1", 1, 1);
  Insert("p2", 2, 1);
  disk_.FailPuts(1'000'000);
  const Timestamp sealed = Seal();
  LetOthersWork();
  DropPartition("p1");
  Load();
  ExpectKeys({2});
  EXPECT_FALSE(IsFlushed(sealed));
  disk_.FailPuts(0);
  LetTimePass();
  EXPECT_TRUE(IsFlushed(sealed));
  ExpectKeys({2});
}

TEST_P(NodeTest, AFlushEndsWhenAllThatWasWrittenIsDropped) {
  Open();
  Create();
  Insert("p1", 1, 1);
  LetOthersWork();
  DropPartition("p1");
  LetOthersWork();
  Flush();
}

TEST_P(NodeTest, DeletesAndUpsertsOfAPartitionLeaveTheOthersAlone) {
  Open();
  Create();
  for (const char* partition : {"p1", "p2"}) Insert(partition, 1, 4);
  Load();
  const auto check = [&](const Keys& p1, const Keys& p2) {
    ExpectKeys(p1, {"p1"});
    ExpectKeys(p2, {"p2"});
  };
  Delete("p2", "id == 1");  // In growing segments.
  Expect(Write("p2", 2, 1, /*upsert=*/true));
  check({1, 2, 3, 4}, {2, 3, 4});
  Reopen();  // Recovered from the log.
  UntilLoaded();
  check({1, 2, 3, 4}, {2, 3, 4});
  Flush();
  check({1, 2, 3, 4}, {2, 3, 4});
  Delete("p1", "id == 3");  // In loaded segments.
  Expect(Write("p1", 4, 1, /*upsert=*/true));
  Delete("p2", "id in [2, 4]");
  check({1, 2, 4}, {3});
  Release();
  Load();  // Loaded later, the deletes are still in memory.
  check({1, 2, 4}, {3});
  Flush();
  Release();
  Load();  // Now they are in a delta log.
  check({1, 2, 4}, {3});
  Reopen();
  UntilLoaded();
  check({1, 2, 4}, {3});
  Delete("", "id == 4");  // From every partition.
  check({1, 2}, {3});
}

// A checkpoint says that all before it is in files.
TEST_P(NodeTest, AFlushThatFailedIsNotOvertakenByTheNextOne) {
  Open();
  Create();
  Load();
  Insert("p1", 0, 3);
  disk_.FailPuts(1);
  (void)Seal();
  LetOthersWork();
  Insert("p1", 10, 3);
  (void)Seal();
  LetOthersWork();
  ExpectKeysNowAndAfterARestart({0, 1, 2, 10, 11, 12});
}

TEST_P(NodeTest, FlushesThatFailedAreMadeGoodInTheirOrder) {
  Open();
  Create();
  Load();
  Insert("p1", 0, 3);
  disk_.FailPuts(1);
  (void)Seal();
  LetOthersWork();
  Insert("p2", 10, 3);
  disk_.FailCommits(1);
  const Timestamp second = Seal();
  LetTimePass();
  EXPECT_TRUE(IsFlushed(second));
  ExpectKeysNowAndAfterARestart({0, 1, 2, 10, 11, 12});
}

TEST_P(NodeTest, FilesOfAFlushAreNotWrittenOverByItsNextTry) {
  Open();
  Create();
  Load();
  Insert("p1", 0, 3);
  disk_.FailCommits(1'000'000);
  const Timestamp sealed = Seal();
  LetOthersWork();
  const auto files = Files();
  EXPECT_GT(files.size(), 1u);
  Delete("p1", "id == 1");
  disk_.FailCommits(0);
  LetTimePass();
  EXPECT_TRUE(IsFlushed(sealed));
  EXPECT_EQ(Files(), files);
  ExpectKeysNowAndAfterARestart({0, 2});
}

TEST_P(NodeTest, ATruncationTakesWhatGrowsWhatIsBeingWrittenAndWhatIsLoaded) {
  Open();
  Create();
  Insert("p1", 0, 3);
  Flush();
  Load();
  Delete("p1", "id == 0");
  Insert("p2", 10, 3);
  disk_.FailPuts(1'000'000);
  (void)Seal();
  LetOthersWork();
  Insert("p1", 20, 3);
  ExpectKeys({1, 2, 10, 11, 12, 20, 21, 22});
  Expect(proxy::TruncateCollection(ctx_, services(), kName));
  EXPECT_EQ(Progress(), 100);
  ExpectKeys({});
  EXPECT_EQ(*proxy::CountRows(ctx_, services(), kName, ""), 0);
  Insert("p1", 0, 1);  // The delete was of the row before it.
  ExpectKeys({0});
  disk_.FailPuts(0);
  LetTimePass();
  ExpectKeys({0});
  Flush();
  Insert("p2", 10, 1);
  ExpectKeysNowAndAfterARestart({0, 10});
  Expect(proxy::TruncateCollection(ctx_, services(), kName));
  ExpectKeysNowAndAfterARestart({});
}

TEST_P(NodeTest, ATruncationThatFailsLeavesEveryRow) {
  Open();
  Create();
  Insert("p1", 0, 3);
  Flush();
  Load();
  Insert("p1", 10, 1);
  disk_.FailCommits(1);
  EXPECT_FALSE(proxy::TruncateCollection(ctx_, services(), kName).ok());
  ExpectKeysNowAndAfterARestart({0, 1, 2, 10});
}

TEST_P(NodeTest, ALoadThatBeganBeforeATruncationShowsNothingOfIt) {
  Open();
  Create();
  for (int wait = 0; wait < 60; ++wait) {
    Insert("p1", 0, 3);
    Flush();
    Expect(proxy::Load(ctx_, services(), kName, {}));
    for (int i = 0; i < wait; ++i) executor_->Yield();
    Expect(proxy::TruncateCollection(ctx_, services(), kName));
    UntilLoaded();
    ExpectKeys({});
    LetOthersWork();
    ExpectKeys({});
    EXPECT_TRUE(proxy::ListLoadedSegments(ctx_, services(), kName)->empty());
    Release();
    LetOthersWork();
  }
}

TEST_P(NodeTest, ASegmentIsListedOnceWhileItGrowsWhileItIsWrittenAndInItsFiles) {
  using State = model::SegmentState;
  Open();
  Create();
  Load();
  const auto expect = [&](State kept, State served) {
    const auto segments = proxy::ListSegments(ctx_, services(), kName);
    ASSERT_TRUE(segments.ok() && segments->size() == 1);
    EXPECT_EQ((*segments)[0].state, kept);
    EXPECT_EQ((*segments)[0].rows, 3);
    const auto loaded = proxy::ListLoadedSegments(ctx_, services(), kName);
    ASSERT_TRUE(loaded.ok() && loaded->size() == 1);
    EXPECT_EQ((*loaded)[0].segment.info.state, served);
    EXPECT_GT((*loaded)[0].segment.memory_bytes, 0);
    EXPECT_EQ((*loaded)[0].segment.info.id, (*segments)[0].id);
  };
  Insert("p1", 0, 3);
  expect(State::kGrowing, State::kGrowing);
  disk_.FailCommits(1'000'000);
  (void)Seal();
  LetOthersWork();
  expect(State::kSealed, State::kSealed);
  disk_.FailCommits(0);
  LetTimePass();
  expect(State::kFlushed, State::kFlushed);
  Release();
  EXPECT_TRUE(proxy::ListLoadedSegments(ctx_, services(), kName)->empty());
}

TEST_P(NodeTest, RowsWhoseFlushFailedCountAsUnflushed) {
  constexpr uint32_t kDim = 512;
  constexpr int64_t kRows = 700;  // More than a megabyte.
  Open({.unflushed_mb_max = 1});
  Create(kDim);
  Insert("p1", 0, kRows);
  EXPECT_EQ(Write("p1", kRows, 1).code(), ErrorCode::kTooManyRequests);
  disk_.FailPuts(1'000'000);
  const Timestamp sealed = Seal();
  LetOthersWork();
  EXPECT_EQ(Write("p1", kRows, 1).code(), ErrorCode::kTooManyRequests);
  LetTimePass();
  EXPECT_EQ(Write("p1", kRows, 1).code(), ErrorCode::kTooManyRequests);
  disk_.FailPuts(0);
  LetTimePass();
  EXPECT_TRUE(IsFlushed(sealed));
  Expect(Write("p1", kRows, 1));
}

INSTANTIATE_TEST_SUITE_P(Seeds, NodeTest, testing::Range<uint64_t>(1, 6));

}  // namespace
}  // namespace elanus::streaming
