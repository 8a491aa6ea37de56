// The end of a topic or a group beside those who are at it, in an order drawn from a seed: nothing
// of the old one reaches a new one of that name, nothing that was delivered is lost.
#include <gtest/gtest.h>

#include "backend/backend.h"
#include "backend/faulty/faulty_disk.h"
#include "backend/local/file_wal.h"
#include "backend/log_queue.h"
#include "store/memory/memory_disk.h"

namespace elanus::backend {
namespace {

constexpr uint64_t kSeeds = 300;

// A queue on memory whose calls a seed interleaves.
class Simulated {
 public:
  explicit Simulated(uint64_t seed) : executor_(MakeSimExecutor(seed)), disk_(executor_.get()) {
    Open();
    EXPECT_TRUE(queue().CreateTopic(ctx(), "t").ok());
    EXPECT_TRUE(queue().CreateGroup(ctx(), "t", "g", {}).ok());
  }
  void Open() {
    queue_.reset();
    meta_ = disk_.OpenMeta();
    wal_ = disk_.OpenWal();
    auto opened = LogQueue::Open(
        ctx_, {.executor = *executor_, .clock = clock_, .meta = *meta_, .wal = *wal_}, {});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    queue_ = std::move(*opened);
  }
  LogQueue& queue() { return *queue_; }
  Context& ctx() { return ctx_; }
  std::unique_ptr<Worker> Beside(std::function<void()> body) {
    return executor_->Spawn("beside", std::move(body));
  }
  Status Produce(std::string_view text) { return queue().Produce(ctx(), "t", {&text, 1}).status(); }
  /// What a new group finds in the topic.
  size_t Messages() {
    EXPECT_TRUE(queue().CreateGroup(ctx(), "t", "all", {}).ok());
    const auto messages = queue().Consume(ctx(), "t", "all", 100, /*wait_ms=*/0);
    EXPECT_TRUE(messages.ok()) << messages.status().ToString();
    return messages.ok() ? messages->size() : 0;
  }

 private:
  std::unique_ptr<Executor> executor_;
  ManualClock clock_;
  Context ctx_{clock_};
  store::MemoryDisk disk_;
  std::unique_ptr<store::MetaStore> meta_;
  std::unique_ptr<store::Wal> wal_;
  std::unique_ptr<LogQueue> queue_;
};

TEST(TopicEnd, LeavesNoMessageThatWasOnItsWayToANewTopicOfThatName) {
  size_t taken = 0;
  size_t refused = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Simulated on(seed);
    Status produced;
    auto producer = on.Beside([&] { produced = on.Produce("old"); });
    ASSERT_TRUE(on.queue().DestroyTopic(on.ctx(), "t").ok()) << seed;
    producer.reset();
    ++(produced.ok() ? taken : refused);
    if (!produced.ok()) {
      EXPECT_EQ(produced.code(), ErrorCode::kTopicNotFound) << seed;
    }
    ASSERT_TRUE(on.queue().CreateTopic(on.ctx(), "t").ok()) << seed;
    EXPECT_EQ(on.Messages(), 0u) << "seed " << seed;
  }
  EXPECT_GT(taken, kSeeds / 20) << "the seeds must reach both orders";
  EXPECT_GT(refused, kSeeds / 20);
}

TEST(TopicEnd, LeavesNoGroupThatWasMadeReadOrMovedMeanwhile) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Simulated on(seed);
    ASSERT_TRUE(on.Produce("old").ok());
    auto maker = on.Beside([&] { (void)on.queue().CreateGroup(on.ctx(), "t", "new", {}); });
    auto reader = on.Beside([&] { (void)on.queue().Consume(on.ctx(), "t", "g", 1, 0); });
    auto mover = on.Beside([&] { (void)on.queue().SeekToLatest(on.ctx(), "t", "g"); });
    ASSERT_TRUE(on.queue().DestroyTopic(on.ctx(), "t").ok()) << seed;
    maker.reset();
    reader.reset();
    mover.reset();
    on.Open();
    ASSERT_TRUE(on.queue().CreateTopic(on.ctx(), "t").ok()) << seed;
    on.Open();  // What the metadata says of the new topic.
    for (const char* group : {"g", "new"}) {
      EXPECT_EQ(on.queue().Position(on.ctx(), "t", group).status().code(), store::kConsumerGroup)
          << group << " of seed " << seed;
    }
  }
}

TEST(TopicEnd, OfAGroupEndsThoseWhoReadIt) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Simulated on(seed);
    ASSERT_TRUE(on.Produce("one").ok());
    Status read;
    auto reader = on.Beside([&] {
      while (read.ok()) read = on.queue().Consume(on.ctx(), "t", "g", 1, /*wait_ms=*/1000).status();
    });
    ASSERT_TRUE(on.queue().DestroyGroup(on.ctx(), "t", "g").ok()) << seed;
    reader.reset();
    EXPECT_EQ(read.code(), store::kConsumerGroup) << seed;
    on.Open();
    EXPECT_EQ(on.queue().Position(on.ctx(), "t", "g").status().code(), store::kConsumerGroup)
        << "seed " << seed;
  }
}

// Commits whose first key begins so fail.
class RefusingMeta final : public store::MetaStore {
 public:
  explicit RefusingMeta(store::MetaStore& meta) : meta_(meta) {}
  Result<std::optional<std::string>> Get(Context& ctx, std::string_view key) override {
    return meta_.Get(ctx, key);
  }
  Result<std::vector<std::pair<std::string, std::string>>> Scan(Context& ctx,
                                                                std::string_view prefix) override {
    return meta_.Scan(ctx, prefix);
  }
  Result<bool> Commit(Context& ctx, const store::MetaTxn& txn) override {
    if (!refused.empty() && !txn.puts.empty() && txn.puts[0].first.starts_with(refused)) {
      return Status(ErrorCode::kIoFailed, "injected: the commit failed");
    }
    return meta_.Commit(ctx, txn);
  }
  std::string refused;

 private:
  store::MetaStore& meta_;
};

class QueueOnFiles : public testing::Test {
 protected:
  void Open(const QueueOptions& options) {
    auto opened = LogQueue::Open(
        ctx_, {.executor = *executor_, .clock = clock_, .meta = meta_, .wal = *wal_}, options);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    queue_ = std::move(*opened);
    ASSERT_TRUE(queue_->CreateTopic(ctx_, "t").ok());
    ASSERT_TRUE(queue_->CreateGroup(ctx_, "t", "g", {}).ok());
  }
  Status Produce(std::string_view text) { return queue_->Produce(ctx_, "t", {&text, 1}).status(); }

  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  ManualClock clock_;
  Context ctx_{clock_};
  FaultyDisk disk_{1};
  store::MemoryDisk memory_;
  std::unique_ptr<store::MetaStore> kept_ = memory_.OpenMeta();
  RefusingMeta meta_{*kept_};
  std::unique_ptr<store::Wal> wal_ = *OpenFileWal("/wal", {.file_bytes_max = 10'000}, disk_);
  std::unique_ptr<LogQueue> queue_;
};

TEST_F(QueueOnFiles, ANewTopicFinishesTheEndOfTheOldOneThatFailed) {
  Open({});
  ASSERT_TRUE(Produce("old").ok());
  disk_.Arm(disk_.operations(), Fault::kIoError);  // Of the removal of the file.
  EXPECT_FALSE(queue_->DestroyTopic(ctx_, "t").ok());
  disk_.Disarm();
  EXPECT_EQ(Produce("lost").code(), ErrorCode::kTopicNotFound);
  EXPECT_TRUE(queue_->Topics(ctx_)->empty());
  ASSERT_TRUE(queue_->CreateTopic(ctx_, "t").ok());
  EXPECT_EQ(queue_->Position(ctx_, "t", "g").status().code(), store::kConsumerGroup);
  ASSERT_TRUE(Produce("new").ok());
  ASSERT_TRUE(queue_->CreateGroup(ctx_, "t", "g", {}).ok());
  const auto messages = queue_->Consume(ctx_, "t", "g", 10, 0);
  ASSERT_EQ(messages->size(), 1u);
  EXPECT_EQ(messages->front().payload, "new");
}

TEST_F(QueueOnFiles, MessagesAreDeliveredAlthoughTheirAcksCannotBeNoted) {
  Open({.retention_min = 10});
  const std::string text(6000, 'x');
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Produce(text).ok());
  const auto acked = [&] {
    const auto topics = queue_->Topics(ctx_);
    return topics->front().pages.front().acked_at_ms.has_value();
  };
  meta_.refused = "queue/ack/";
  const auto messages = queue_->Consume(ctx_, "t", "g", 10, 0);
  ASSERT_TRUE(messages.ok()) << messages.status().ToString();
  EXPECT_EQ(messages->size(), 4u);
  EXPECT_FALSE(acked());
  meta_.refused.clear();
  ASSERT_TRUE(queue_->Retain(ctx_).ok());
  EXPECT_TRUE(acked()) << "the next look notes them";
}

}  // namespace
}  // namespace elanus::backend
