// A medium to keep a queue on, and the fixture of its conformance suite.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "base/executor.h"
#include "store/queue.h"

namespace elanus::store {

/// Rules as an implementation takes them; less than 0: off.
struct QueueRules {
  int64_t retention_min = -1;
  int64_t retention_mb = -1;
};

struct QueueMedium {
  std::string name;
  std::function<std::shared_ptr<void>()> make;  // A fresh medium.
  /// Opens the queue over what the last one left, which is gone by then. Pages close beyond 10,000
  /// bytes.
  std::function<std::shared_ptr<Queue>(const std::shared_ptr<void>&, Executor&, Clock&,
                                       const QueueRules&)>
      open;
};
inline void PrintTo(const QueueMedium& medium, std::ostream* out) { *out << medium.name; }

class QueueConformance : public testing::TestWithParam<QueueMedium> {
 protected:
  using Texts = std::vector<std::string>;

  void SetUp() override {
    medium_ = GetParam().make();
    Reopen();
    ASSERT_TRUE(queue_->CreateTopic(ctx_, "t").ok());
  }
  void Reopen(const QueueRules& rules = {}) {
    queue_.reset();
    queue_ = GetParam().open(medium_, *executor_, clock_, rules);
    ASSERT_NE(queue_, nullptr);
  }
  std::vector<WalPosition> Produce(const Texts& texts, std::string_view topic = "t") {
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    auto ids = queue_->Produce(ctx_, topic, views);
    EXPECT_TRUE(ids.ok()) << ids.status().ToString();
    return ids.ok() ? *ids : std::vector<WalPosition>();
  }
  Texts Consume(std::string_view group, size_t count = 100, std::string_view topic = "t") {
    const auto messages = queue_->Consume(ctx_, topic, group, count, /*wait_ms=*/0);
    EXPECT_TRUE(messages.ok()) << messages.status().ToString();
    Texts texts;
    if (!messages.ok()) return texts;
    for (const WalRecord& message : *messages) texts.push_back(message.payload);
    return texts;
  }
  void Group(std::string_view name, const QueueStart& start = {}, std::string_view topic = "t") {
    const Status made = queue_->CreateGroup(ctx_, topic, name, start);
    EXPECT_TRUE(made.ok()) << made.ToString();
  }
  QueueTopic Topic(std::string_view name = "t") {
    const auto topics = queue_->Topics(ctx_);
    EXPECT_TRUE(topics.ok()) << topics.status().ToString();
    for (const QueueTopic& topic : *topics) {
      if (topic.name == name) return topic;
    }
    ADD_FAILURE() << "no topic " << name;
    return {};
  }
  bool HasTopic(std::string_view name) {
    const auto topics = queue_->Topics(ctx_);
    return topics.ok() && std::any_of(topics->begin(), topics->end(),
                                      [&](const QueueTopic& topic) { return topic.name == name; });
  }
  size_t AckedPages() {
    size_t acked = 0;
    for (const QueuePage& page : Topic().pages) acked += page.acked_at_ms ? 1 : 0;
    return acked;
  }
  /// Messages of some 4,000 bytes, so that three make a page.
  std::vector<WalPosition> Fill(size_t messages) {
    std::vector<WalPosition> ids;
    for (size_t i = 0; i < messages; ++i) {
      ids.push_back(Produce({std::string(4000, static_cast<char>('a' + i % 26))}).front());
    }
    return ids;
  }

  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  ManualClock clock_;
  Context ctx_{clock_};
  std::shared_ptr<void> medium_;
  std::shared_ptr<Queue> queue_;
};

}  // namespace elanus::store
