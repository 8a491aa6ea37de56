// A log stream: groups, order, failures, and the bytes of its records.
#include "streaming/channel_owner.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "roles/testing/stand_ins.h"
#include "store/memory/memory_disk.h"

namespace elanus::streaming {
namespace {

using model::Column;
using model::DataType;

class CountingOracle final : public roles::Oracle {
 public:
  Result<Timestamp> Now(Context&) override {
    if (failing) return Status(ErrorCode::kIoFailed, "no time left");
    return Timestamp(++last_);
  }
  Result<int64_t> AllocateIds(Context&, int64_t count) override { return next_id_ += count; }
  bool failing = false;

 private:
  uint64_t last_ = 100;
  int64_t next_id_ = 0;
};

/// Notes how many records each append has.
class GroupNotingWal final : public store::Wal {
 public:
  explicit GroupNotingWal(store::Wal& inner) : inner_(inner) {}
  Result<std::vector<store::WalPosition>> Append(
      Context& ctx, std::string_view stream, std::span<const std::string_view> records) override {
    groups.push_back(records.size());
    return inner_.Append(ctx, stream, records);
  }
  Result<std::unique_ptr<store::WalReader>> Read(Context& ctx, std::string_view stream,
                                                 store::WalPosition after) override {
    return inner_.Read(ctx, stream, after);
  }
  Status Truncate(Context& ctx, std::string_view stream, store::WalPosition position) override {
    return inner_.Truncate(ctx, stream, position);
  }
  Result<std::vector<store::WalPage>> Pages(Context& ctx, std::string_view stream) override {
    return inner_.Pages(ctx, stream);
  }
  Status Remove(Context& ctx, std::string_view stream) override {
    return inner_.Remove(ctx, stream);
  }
  Result<store::WalPosition> LastPosition(Context& ctx, std::string_view stream) override {
    return inner_.LastPosition(ctx, stream);
  }

  std::vector<size_t> groups;

 private:
  store::Wal& inner_;
};

Column KeyColumn(int64_t first, int64_t count) {
  Column column = model::MakeColumn(FieldId(100), "id", DataType::kInt64, DataType::kNone, 0);
  for (int64_t key = first; key < first + count; ++key) column.AppendFixed(&key);
  return column;
}

std::shared_ptr<const model::CollectionInfo> Collection() {
  auto info = std::make_shared<model::CollectionInfo>();
  info->id = CollectionId(3);
  info->schema.fields.push_back(
      {.id = FieldId(100), .name = "id", .type = DataType::kInt64, .is_primary_key = true});
  info->partitions.push_back({.id = PartitionId(4), .name = "_default"});
  return info;
}

class ChannelOwnerTest : public testing::TestWithParam<uint64_t> {
 protected:
  ChannelOwnerTest() { SetLogLevel(LogLevel::kOff); }
  ~ChannelOwnerTest() override { SetLogLevel(LogLevel::kInfo); }

  static model::ShardWrite InsertOf(int64_t first, int64_t count) {
    return {.vchannel = "s_3v0",
            .collection = CollectionId(3),
            .partition = PartitionId(4),
            .columns = {KeyColumn(first, count)}};
  }
  void Start(const StreamingOptions& options = {}) {
    owner_ = std::make_unique<ChannelOwner>(*executor_, clock_, "s", *wal_, oracle_, options);
    owner_->Start();
  }
  Result<Timestamp> Insert(int64_t first, int64_t count = 1) {
    return owner_->Append(ctx_, shard_, InsertOf(first, count));
  }
  std::vector<std::pair<Timestamp, model::ShardWrite>> Log() {
    std::vector<std::pair<Timestamp, model::ShardWrite>> records;
    const auto reader = wal_->Read(ctx_, "s", 0);
    EXPECT_TRUE(reader.ok());
    store::WalRecord record;
    while (true) {
      const auto more = (*reader)->Next(ctx_, record);
      EXPECT_TRUE(more.ok());
      if (!more.ok() || !*more) return records;
      auto decoded = DecodeRecord(record.payload);
      EXPECT_TRUE(decoded.ok()) << decoded.status().ToString();
      records.push_back(std::move(*decoded));
    }
  }

  ManualClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeSimExecutor(GetParam());
  store::MemoryDisk disk_{executor_.get()};
  std::unique_ptr<store::Wal> wal_ = disk_.OpenWal();
  CountingOracle oracle_;
  roles::StandInQuery query_;  // No segment is loaded here, so nobody asks.
  std::shared_ptr<shard::Shard> shard_ = std::make_shared<shard::Shard>(
      *executor_, query_, "s_3v0", Collection(), model::ShardCheckpoint{});
  std::unique_ptr<ChannelOwner> owner_;
};

TEST_P(ChannelOwnerTest, AnsweredWritesAreInTheLogInTheOrderOfTheirTimestamps) {
  Start();
  std::vector<Timestamp> answered;
  std::vector<std::unique_ptr<Worker>> writers;
  for (int64_t w = 0; w < 3; ++w) {
    writers.push_back(executor_->Spawn("writer", [this, w, &answered] {
      for (int64_t i = 0; i < 5; ++i) {
        const auto timestamp = Insert(w * 100 + i);
        ASSERT_TRUE(timestamp.ok());
        answered.push_back(*timestamp);
      }
    }));
  }
  writers.clear();
  const auto log = Log();
  ASSERT_EQ(log.size(), 15u);
  std::vector<Timestamp> logged;
  for (const auto& [timestamp, write] : log) logged.push_back(timestamp);
  EXPECT_TRUE(std::is_sorted(logged.begin(), logged.end()));
  std::sort(answered.begin(), answered.end());
  EXPECT_EQ(answered, logged);
}

TEST_P(ChannelOwnerTest, AReadBehindAnAnswerSeesTheWrite) {
  Start();
  for (int64_t i = 0; i < 20; ++i) {
    const auto written = Insert(i);
    ASSERT_TRUE(written.ok());
    ASSERT_TRUE(shard_->WaitFor(ctx_, kTimestampMax).ok());
    EXPECT_EQ(shard_->FreshRows(PartitionId()), i + 1);
  }
}

TEST_P(ChannelOwnerTest, AWriteThatDoesNotReachTheLogIsRefusedAndNoReadWaitsForIt) {
  Start();
  ASSERT_TRUE(Insert(1).ok());
  disk_.FailAppends(1);
  EXPECT_EQ(Insert(2).status().code(), ErrorCode::kIoFailed);
  EXPECT_TRUE(shard_->WaitFor(ctx_, kTimestampMax).ok());
  oracle_.failing = true;
  EXPECT_EQ(Insert(3).status().code(), ErrorCode::kIoFailed);
  oracle_.failing = false;
  EXPECT_TRUE(shard_->WaitFor(ctx_, kTimestampMax).ok());
  ASSERT_TRUE(Insert(4).ok());
  ASSERT_TRUE(shard_->WaitFor(ctx_, kTimestampMax).ok());
  EXPECT_EQ(shard_->FreshRows(PartitionId()), 2);
  EXPECT_EQ(Log().size(), 2u);
}

TEST_P(ChannelOwnerTest, AChangeSeesEveryWriteThatWasAnsweredBeforeIt) {
  Start();
  for (int64_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(Insert(i).ok());
    int64_t seen = 0;
    const Status run = owner_->Run([&](Context&) -> Status {
      seen = shard_->FreshRows(PartitionId());
      return {};
    });
    ASSERT_TRUE(run.ok());
    EXPECT_EQ(seen, i + 1);
  }
  const Status refused = owner_->Run([](Context&) { return Invalid("no"); });
  EXPECT_EQ(refused.code(), ErrorCode::kInvalidParameter);
}

TEST_P(ChannelOwnerTest, WritesThatWaitShareAnAppend) {
  constexpr int64_t kWriters = 6;
  GroupNotingWal noting(*wal_);
  owner_ =
      std::make_unique<ChannelOwner>(*executor_, clock_, "s", noting, oracle_, StreamingOptions());
  owner_->Start();
  bool held = false;
  std::vector<std::unique_ptr<Worker>> workers;
  workers.push_back(executor_->Spawn("change", [&] {
    const Status run = owner_->Run([&](Context&) -> Status {
      held = true;
      for (int i = 0; i < 2000; ++i) executor_->Yield();  // All writers get to the queue.
      return {};
    });
    EXPECT_TRUE(run.ok());
  }));
  for (int64_t w = 0; w < kWriters; ++w) {
    workers.push_back(executor_->Spawn("writer", [&, w] {
      while (!held) executor_->Yield();
      EXPECT_TRUE(Insert(w).ok());
    }));
  }
  workers.clear();
  EXPECT_EQ(noting.groups, std::vector<size_t>{kWriters});
  EXPECT_EQ(Log().size(), static_cast<size_t>(kWriters));
  owner_.reset();
}

TEST_P(ChannelOwnerTest, AFullQueueRefusesAtOnce) {
  Start({.append_queue_max = 1});
  bool held = false;
  int refused = 0;
  int answered = 0;
  std::vector<std::unique_ptr<Worker>> writers;
  // The worker is held inside a change, so that the queue fills up behind it.
  writers.push_back(executor_->Spawn("change", [&] {
    const Status run = owner_->Run([&](Context&) -> Status {
      held = true;
      while (refused < 3) executor_->Yield();
      return {};
    });
    EXPECT_TRUE(run.ok());
  }));
  for (int64_t w = 0; w < 4; ++w) {
    writers.push_back(executor_->Spawn("writer", [&, w] {
      while (!held) executor_->Yield();
      const auto written = Insert(w);
      if (written.ok()) ++answered;
      if (written.status().code() == ErrorCode::kTooManyRequests) ++refused;
    }));
  }
  writers.clear();
  EXPECT_EQ(answered, 1);
  EXPECT_EQ(refused, 3);
  EXPECT_EQ(Log().size(), 1u);
}

TEST_P(ChannelOwnerTest, AStoppedOwnerRefusesAndLeavesWhatWasAnswered) {
  Start();
  ASSERT_TRUE(Insert(1).ok());
  owner_->Stop();
  EXPECT_EQ(Insert(2).status().code(), ErrorCode::kServiceNotReady);
  const Status refused = owner_->Run([](Context&) { return Status(); });
  EXPECT_EQ(refused.code(), ErrorCode::kServiceNotReady);
  EXPECT_EQ(Log().size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ChannelOwnerTest, testing::Range<uint64_t>(1, 6));

TEST(LogRecord, KeepsWriteAndTimestamp) {
  model::ShardWrite write{.vchannel = "s_3v0",
                          .collection = CollectionId(3),
                          .partition = PartitionId(4),
                          .columns = {KeyColumn(1, 3)},
                          .delete_keys = KeyColumn(7, 2)};
  std::string record = EncodeRecord(write);
  StampRecord(record, Timestamp(77));
  const auto decoded = DecodeRecord(record);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_EQ(decoded->first, Timestamp(77));
  EXPECT_EQ(decoded->second.vchannel, write.vchannel);
  EXPECT_EQ(decoded->second.collection, write.collection);
  EXPECT_EQ(decoded->second.partition, write.partition);
  ASSERT_EQ(decoded->second.columns.size(), 1u);
  EXPECT_EQ(decoded->second.columns[0].data, write.columns[0].data);
  EXPECT_EQ(decoded->second.delete_keys.data, write.delete_keys.data);
}

TEST(LogRecord, ThatIsCutIsAnErrorAndNotARecord) {
  std::string record = EncodeRecord({.vchannel = "s_3v0", .columns = {KeyColumn(1, 3)}});
  EXPECT_EQ(DecodeRecord(record.substr(0, 7)).status().code(), ErrorCode::kIntegrity);
  EXPECT_FALSE(DecodeRecord(record.substr(0, record.size() - 1)).ok());
}

}  // namespace
}  // namespace elanus::streaming
