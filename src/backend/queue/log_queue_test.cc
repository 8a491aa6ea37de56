// The queue on the log, on memory and on files; and the log as its writer sees it.
#include "backend/log_queue.h"

#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include "backend/backend.h"
#include "backend/faulty/faulty_disk.h"
#include "backend/local/file_wal.h"
#include "backend/rocksdb/rocksdb_env.h"
#include "backend/rocksdb/rocksdb_meta_store.h"
#include "store/conformance/queue_conformance.h"
#include "store/memory/memory_disk.h"

namespace elanus::backend {
using store::QueueConformance;

namespace {

using Medium = std::shared_ptr<void>;

struct MemoryStores {
  std::unique_ptr<store::MetaStore> meta;
  std::unique_ptr<store::Wal> wal;
};

// A queue with what it stands on.
template <class Stores>
struct Opened {
  Stores stores;
  std::unique_ptr<LogQueue> queue;
};

template <class Stores>
std::shared_ptr<store::Queue> OpenOver(Stores stores, Executor& executor, Clock& clock,
                                       const store::QueueRules& rules) {
  auto opened = std::make_shared<Opened<Stores>>();
  opened->stores = std::move(stores);
  Context ctx(clock);
  auto queue =
      LogQueue::Open(ctx,
                     {.executor = executor,
                      .clock = clock,
                      .meta = *opened->stores.meta,
                      .wal = *opened->stores.wal},
                     {.retention_min = rules.retention_min, .retention_mb = rules.retention_mb});
  EXPECT_TRUE(queue.ok()) << queue.status().ToString();
  if (!queue.ok()) return nullptr;
  opened->queue = std::move(*queue);
  return {opened, opened->queue.get()};
}

// A disk with RocksDB's view of it.
struct Disk {
  FaultyDisk files{1};
  std::unique_ptr<rocksdb::Env> env = MakeRocksDbEnv(files);
};

INSTANTIATE_TEST_SUITE_P(
    All, QueueConformance,
    testing::Values(
        store::QueueMedium{.name = "memory",
                           .make = [] { return std::make_shared<store::MemoryDisk>(); },
                           .open =
                               [](const Medium& medium, Executor& executor, Clock& clock,
                                  const store::QueueRules& rules) {
                                 auto& disk = *static_cast<store::MemoryDisk*>(medium.get());
                                 return OpenOver(MemoryStores{disk.OpenMeta(), disk.OpenWal()},
                                                 executor, clock, rules);
                               }},
        store::QueueMedium{.name = "files",
                           .make = [] { return std::make_shared<Disk>(); },
                           .open =
                               [](const Medium& medium, Executor& executor, Clock& clock,
                                  const store::QueueRules& rules) {
                                 auto& disk = *static_cast<Disk*>(medium.get());
                                 disk.files.PowerOff();  // What is acknowledged is on the disk.
                                 auto stores = OpenOn({.files = disk.files, .env = disk.env.get()},
                                                      "/data", {.log_file_bytes_max = 10'000});
                                 EXPECT_TRUE(stores.ok()) << stores.status().ToString();
                                 return OpenOver(std::move(*stores), executor, clock, rules);
                               }}),
    [](const auto& info) { return info.param.name; });

class LogQueueTest : public testing::Test {
 protected:
  void Open(const QueueOptions& options) {
    queue_.reset();
    auto opened = LogQueue::Open(
        ctx_, {.executor = *executor_, .clock = clock_, .meta = *meta_, .wal = *wal_}, options);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    queue_ = std::move(*opened);
  }
  store::WalPosition Append() {
    const std::string text(4000, 'x');
    const std::string_view view = text;
    const auto positions = queue_->log().Append(ctx_, "stream", {&view, 1});
    EXPECT_TRUE(positions.ok()) << positions.status().ToString();
    return positions->front();
  }
  size_t Pages() { return queue_->log().Pages(ctx_, "stream")->size(); }

  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  ManualClock clock_;
  Context ctx_{clock_};
  FaultyDisk disk_{1};
  store::MemoryDisk memory_;
  std::unique_ptr<store::MetaStore> meta_ = memory_.OpenMeta();
  std::unique_ptr<store::Wal> wal_ = *OpenFileWal("/wal", {.file_bytes_max = 10'000}, disk_);
  std::unique_ptr<LogQueue> queue_;
};

TEST_F(LogQueueTest, IsReadByGroupsWhileItsWriterWrites) {
  Open({});
  Append();
  ASSERT_TRUE(queue_->CreateGroup(ctx_, "stream", "follower", {}).ok());
  EXPECT_EQ(queue_->Consume(ctx_, "stream", "follower", 10, 0)->size(), 1u);
  Append();
  Append();
  EXPECT_EQ(queue_->Consume(ctx_, "stream", "follower", 10, 0)->size(), 2u);
  const std::string_view text = "x";
  EXPECT_FALSE(queue_->Produce(ctx_, "stream", {&text, 1}).ok()) << "it has a writer";
  EXPECT_FALSE(queue_->DestroyTopic(ctx_, "stream").ok());
}

TEST_F(LogQueueTest, CutsTheLogAtOnceWithoutRulesWhoeverSleeps) {
  Open({});
  Append();
  ASSERT_TRUE(queue_->CreateGroup(ctx_, "stream", "idle", {}).ok());
  for (int i = 0; i < 8; ++i) Append();
  const auto last = Append();
  ASSERT_TRUE(queue_->log().Truncate(ctx_, "stream", last).ok());
  EXPECT_EQ(Pages(), 1u);
}

TEST_F(LogQueueTest, KeepsTheLogBehindItsWriterForAsLongAsTheRuleSays) {
  const QueueOptions rules{.retention_min = 10};
  Open(rules);
  for (int i = 0; i < 9; ++i) Append();
  const size_t before = Pages();
  ASSERT_GE(before, 3u);
  const auto last = Append();
  ASSERT_TRUE(queue_->CreateGroup(ctx_, "stream", "idle", {}).ok());
  ASSERT_TRUE(queue_->log().Truncate(ctx_, "stream", last).ok());
  EXPECT_GE(Pages(), before) << "for those who follow";
  clock_.AdvanceMs(11 * 60'000);
  Open(rules);
  ASSERT_TRUE(queue_->Retain(ctx_).ok());
  EXPECT_EQ(Pages(), 1u) << "a group that sleeps does not hold the log";
}

TEST_F(LogQueueTest, NeverCutsWhatItsWriterNeeds) {
  Open({.retention_min = 0, .retention_mb = 0});
  std::vector<store::WalPosition> positions;
  for (int i = 0; i < 9; ++i) positions.push_back(Append());
  ASSERT_TRUE(queue_->log().Truncate(ctx_, "stream", positions[3]).ok());
  clock_.AdvanceMs(600 * 60'000);
  ASSERT_TRUE(queue_->Retain(ctx_).ok());
  const auto reader = queue_->log().Read(ctx_, "stream", positions[3]);
  store::WalRecord record;
  for (int i = 4; i < 9; ++i) {
    ASSERT_TRUE(*(*reader)->Next(ctx_, record));
    EXPECT_EQ(record.position, positions[static_cast<size_t>(i)]);
  }
}

TEST_F(LogQueueTest, TellsAboutTopicsWhileTheirWriterLetsGoAndTheyAreDestroyed) {
  Open({.retention_min = 10});
  Append();
  const auto looking = executor_->Spawn("looking", [&] {
    const std::string_view text = "x";
    for (int i = 0; i < 200; ++i) {
      EXPECT_TRUE(queue_->Topics(ctx_).ok());
      EXPECT_FALSE(queue_->Produce(ctx_, "stream", {&text, 1}).ok());
      (void)queue_->Produce(ctx_, "t", {&text, 1});
    }
  });
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(queue_->log().Truncate(ctx_, "stream", Append()).ok());
    ASSERT_TRUE(queue_->CreateTopic(ctx_, "t").ok());
    ASSERT_TRUE(queue_->DestroyTopic(ctx_, "t").ok());
  }
}

TEST_F(LogQueueTest, FinishesTheEndOfATopicThatACrashHasInterrupted) {
  Open({});
  ASSERT_TRUE(queue_->CreateTopic(ctx_, "t").ok());
  ASSERT_TRUE(queue_->CreateGroup(ctx_, "t", "g", {}).ok());
  const std::string_view text = "x";
  ASSERT_TRUE(queue_->Produce(ctx_, "t", {&text, 1}).ok());
  // The mark is made, the removal of the file fails.
  disk_.Arm(disk_.operations(), Fault::kIoError);
  EXPECT_FALSE(queue_->DestroyTopic(ctx_, "t").ok());
  disk_.Disarm();
  wal_ = nullptr;
  wal_ = *OpenFileWal("/wal", {.file_bytes_max = 10'000}, disk_);
  Open({});
  EXPECT_TRUE(queue_->Topics(ctx_)->empty());
  ASSERT_TRUE(queue_->CreateTopic(ctx_, "t").ok());
  EXPECT_EQ(*queue_->log().LastPosition(ctx_, "t"), 0u);
}

}  // namespace
}  // namespace elanus::backend
