// What every Queue promises, as tests: each implementation instantiates the suite with a medium.
#pragma once

#include <gtest/gtest.h>

#include "store/conformance/queue_medium.h"
#include "store/conformance/queue_retention_conformance.h"

namespace elanus::store {

TEST_P(QueueConformance, DeliversInOrderToEachGroupAtItsOwnPace) {
  Group("fast");
  Group("slow");
  const auto ids = Produce({"a", "b"});
  ASSERT_EQ(ids.size(), 2u);
  EXPECT_LT(ids[0], ids[1]);
  EXPECT_GT(Produce({"c"})[0], ids[1]);
  EXPECT_EQ(Consume("fast"), (Texts{"a", "b", "c"}));
  EXPECT_EQ(Consume("slow", 1), (Texts{"a"}));
  EXPECT_EQ(Consume("fast"), Texts()) << "nothing twice";
  Produce({"d"});
  EXPECT_EQ(Consume("fast"), (Texts{"d"}));
  EXPECT_EQ(Consume("slow"), (Texts{"b", "c", "d"})) << "a slow group holds nobody up";
}

TEST_P(QueueConformance, RefusesBadNamesUnknownTopicsAndEmptyBatches) {
  for (const char* bad : {"", "a/b", "/", ".a"}) {
    EXPECT_EQ(queue_->CreateTopic(ctx_, bad).code(), ErrorCode::kInvalidParameter) << bad;
  }
  EXPECT_TRUE(queue_->CreateTopic(ctx_, "t").ok()) << "again";
  const std::string_view text = "x";
  EXPECT_EQ(queue_->Produce(ctx_, "none", {&text, 1}).status().code(), ErrorCode::kTopicNotFound);
  EXPECT_EQ(queue_->Produce(ctx_, "t", {}).status().code(), ErrorCode::kInvalidParameter);
  EXPECT_EQ(queue_->CreateGroup(ctx_, "none", "g", {}).code(), ErrorCode::kTopicNotFound);
  EXPECT_EQ(queue_->CreateGroup(ctx_, "t", "a/b", {}).code(), ErrorCode::kInvalidParameter);
  Group("g");
  EXPECT_EQ(queue_->CreateGroup(ctx_, "t", "g", {}).code(), kConsumerGroup);
  EXPECT_EQ(queue_->Position(ctx_, "t", "other").status().code(), kConsumerGroup);
  EXPECT_EQ(queue_->Consume(ctx_, "t", "other", 1, 0).status().code(), kConsumerGroup);
}

TEST_P(QueueConformance, BeginsWhereAGroupWants) {
  const auto ids = Produce({"a", "b", "c"});
  Group("earliest");
  Group("latest", {.at = QueueStart::At::kLatest});
  Group("second", {.at = QueueStart::At::kMessage, .message = ids[1]});
  Group("unknown", {.at = QueueStart::At::kMessage, .message = ids[2] + 100});
  Produce({"d"});
  EXPECT_EQ(Consume("earliest"), (Texts{"a", "b", "c", "d"}));
  EXPECT_EQ(Consume("latest"), (Texts{"d"}));
  EXPECT_EQ(Consume("second"), (Texts{"b", "c", "d"}));
  EXPECT_EQ(Consume("unknown"), (Texts{"a", "b", "c", "d"}));
}

TEST_P(QueueConformance, SeeksForwardsOnlyOnceAGroupHasRead) {
  const auto ids = Produce({"a", "b", "c", "d"});
  Group("g");
  ASSERT_TRUE(queue_->Seek(ctx_, "t", "g", ids[2]).ok());
  ASSERT_TRUE(queue_->Seek(ctx_, "t", "g", ids[1]).ok()) << "it has read nothing yet";
  EXPECT_EQ(Consume("g", 1), (Texts{"b"}));
  EXPECT_EQ(queue_->Seek(ctx_, "t", "g", ids[0]).code(), ErrorCode::kInternal);
  EXPECT_EQ(queue_->Seek(ctx_, "t", "g", ids[3] + 100).code(), ErrorCode::kInternal);
  ASSERT_TRUE(queue_->Seek(ctx_, "t", "g", ids[3]).ok());
  EXPECT_EQ(Consume("g"), (Texts{"d"}));
  Produce({"e", "f"});
  ASSERT_TRUE(queue_->SeekToLatest(ctx_, "t", "g").ok());
  Produce({"g"});
  EXPECT_EQ(Consume("g"), (Texts{"g"}));
  Group("new");
  ASSERT_TRUE(queue_->Seek(ctx_, "t", "new", ids[3] + 100).ok()) << "unknown: from the beginning";
  EXPECT_EQ(Consume("new", 2), (Texts{"a", "b"}));
}

TEST_P(QueueConformance, RemembersMessagesAndPositionsAfterReopening) {
  Group("g");
  const auto ids = Produce({"a", "b", "c"});
  EXPECT_EQ(Consume("g", 2), (Texts{"a", "b"}));
  Reopen();
  EXPECT_EQ(*queue_->Position(ctx_, "t", "g"), ids[1]);
  EXPECT_EQ(Consume("g"), (Texts{"c"}));
  EXPECT_GT(Produce({"d"})[0], ids[2]) << "ids go on";
  EXPECT_EQ(queue_->CreateGroup(ctx_, "t", "g", {}).code(), kConsumerGroup);
}

TEST_P(QueueConformance, DestroysATopicWithEverythingInIt) {
  Group("g");
  Produce({"a", "b"});
  ASSERT_TRUE(queue_->DestroyTopic(ctx_, "t").ok());
  EXPECT_FALSE(HasTopic("t"));
  EXPECT_EQ(queue_->Consume(ctx_, "t", "g", 1, 0).status().code(), ErrorCode::kTopicNotFound);
  ASSERT_TRUE(queue_->DestroyTopic(ctx_, "t").ok()) << "again";
  Reopen();
  EXPECT_FALSE(HasTopic("t"));
  ASSERT_TRUE(queue_->CreateTopic(ctx_, "t").ok());
  EXPECT_EQ(queue_->Position(ctx_, "t", "g").status().code(), kConsumerGroup);
  Group("g");
  EXPECT_EQ(Consume("g"), Texts()) << "a new topic of that name is empty";
  Produce({"c"});
  EXPECT_EQ(Consume("g"), (Texts{"c"}));
}

TEST_P(QueueConformance, WakesAGroupThatWaits) {
  Group("g");
  Texts found;
  auto worker = executor_->Spawn("consumer", [&] {
    SystemClock clock;
    Context ctx(clock);
    const auto messages = queue_->Consume(ctx, "t", "g", 10, /*wait_ms=*/20'000);
    if (!messages.ok()) return;
    for (const WalRecord& message : *messages) found.push_back(message.payload);
  });
  Produce({"a"});
  worker.reset();
  EXPECT_EQ(found, (Texts{"a"}));
}

TEST_P(QueueConformance, RefusesEverythingOnceClosed) {
  Group("g");
  queue_->Close();
  queue_->Close();
  const std::string_view text = "x";
  EXPECT_EQ(queue_->CreateTopic(ctx_, "u").code(), ErrorCode::kServiceUnavailable);
  EXPECT_EQ(queue_->Produce(ctx_, "t", {&text, 1}).status().code(), ErrorCode::kServiceUnavailable);
  EXPECT_EQ(queue_->Consume(ctx_, "t", "g", 1, 0).status().code(), ErrorCode::kServiceUnavailable);
  EXPECT_EQ(queue_->Position(ctx_, "t", "g").status().code(), ErrorCode::kServiceUnavailable);
  EXPECT_EQ(queue_->Seek(ctx_, "t", "g", 1).code(), ErrorCode::kServiceUnavailable);
  EXPECT_EQ(queue_->SeekToLatest(ctx_, "t", "g").code(), ErrorCode::kServiceUnavailable);
  EXPECT_EQ(queue_->CreateGroup(ctx_, "t", "h", {}).code(), ErrorCode::kServiceUnavailable);
  EXPECT_EQ(queue_->DestroyGroup(ctx_, "t", "g").code(), ErrorCode::kServiceUnavailable);
  EXPECT_EQ(queue_->Truncate(ctx_, "t", 1).code(), ErrorCode::kServiceUnavailable);
  EXPECT_EQ(queue_->DestroyTopic(ctx_, "t").code(), ErrorCode::kServiceUnavailable);
  EXPECT_EQ(queue_->Topics(ctx_).status().code(), ErrorCode::kServiceUnavailable);
  EXPECT_EQ(queue_->Retain(ctx_).code(), ErrorCode::kServiceUnavailable);
}

}  // namespace elanus::store
