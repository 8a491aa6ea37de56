// What every Wal promises, as tests: each backend instantiates the suite with a way to open one
// over the same medium.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/wal.h"

namespace elanus::store {

/// Opens the log again over what the previous one left; the previous one is gone by then.
struct WalMedium {
  std::string name;
  std::function<std::shared_ptr<void>()> make;  // A fresh medium.
  std::function<std::unique_ptr<Wal>(const std::shared_ptr<void>&)> open;
};

class WalConformance : public testing::TestWithParam<WalMedium> {
 protected:
  void SetUp() override {
    medium_ = GetParam().make();
    Reopen();
  }
  void Reopen() {
    wal_.reset();
    wal_ = GetParam().open(medium_);
    ASSERT_NE(wal_, nullptr);
  }
  std::vector<WalPosition> Append(std::vector<std::string> payloads,
                                  std::string_view stream = "s") {
    const std::vector<std::string_view> views(payloads.begin(), payloads.end());
    auto positions = wal_->Append(ctx_, stream, views);
    EXPECT_TRUE(positions.ok()) << positions.status().ToString();
    return positions.ok() ? *positions : std::vector<WalPosition>();
  }
  std::vector<std::string> ReadAll(WalPosition after = 0, std::string_view stream = "s") {
    std::vector<std::string> payloads;
    auto reader = wal_->Read(ctx_, stream, after);
    EXPECT_TRUE(reader.ok());
    WalRecord record;
    WalPosition last = after;
    while (true) {
      auto more = (*reader)->Next(ctx_, record);
      EXPECT_TRUE(more.ok()) << more.status().ToString();
      if (!more.ok() || !*more) return payloads;
      EXPECT_GT(record.position, last);
      last = record.position;
      payloads.push_back(record.payload);
    }
  }

  SystemClock clock_;
  Context ctx_{clock_};
  std::shared_ptr<void> medium_;
  std::unique_ptr<Wal> wal_;
};

TEST_P(WalConformance, ReadsWhatWasAppendedInOrder) {
  const auto first = Append({"a", "", std::string(100'000, 'x')});
  const auto second = Append({"b"});
  ASSERT_EQ(first.size(), 3u);
  EXPECT_LT(first[0], first[1]);
  EXPECT_LT(first[2], second[0]);
  EXPECT_EQ(ReadAll(), (std::vector<std::string>{"a", "", std::string(100'000, 'x'), "b"}));
  EXPECT_EQ(ReadAll(first[2]), (std::vector<std::string>{"b"}));
  EXPECT_EQ(*wal_->LastPosition(ctx_, "s"), second[0]);
}

TEST_P(WalConformance, KeepsStreamsApart) {
  Append({"a"}, "one");
  Append({"b"}, "two");
  EXPECT_EQ(ReadAll(0, "one"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(ReadAll(0, "two"), (std::vector<std::string>{"b"}));
  EXPECT_TRUE(ReadAll(0, "three").empty());
}

TEST_P(WalConformance, GoesOnWhereItWasAfterReopening) {
  const auto before = Append({"a", "b"});
  Reopen();
  const auto after = Append({"c"});
  EXPECT_GT(after[0], before[1]);
  EXPECT_EQ(ReadAll(), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_P(WalConformance, KeepsWhatIsBehindATruncation) {
  std::vector<WalPosition> positions;
  for (int i = 0; i < 100; ++i)
    positions.push_back(Append({std::string(1000, 'a') + std::to_string(i)})[0]);
  ASSERT_TRUE(wal_->Truncate(ctx_, "s", positions[49]).ok());
  Reopen();
  const auto rest = ReadAll(positions[49]);
  ASSERT_EQ(rest.size(), 50u);
  EXPECT_EQ(rest[0], std::string(1000, 'a') + "50");
}

TEST_P(WalConformance, AReaderGoesOnWithWhatHasComeSince) {
  Append({"a"});
  auto reader = wal_->Read(ctx_, "s", 0);
  ASSERT_TRUE(reader.ok());
  WalRecord record;
  ASSERT_TRUE(*(*reader)->Next(ctx_, record));
  EXPECT_FALSE(*(*reader)->Next(ctx_, record));
  for (int i = 0; i < 100; ++i) {
    Append({std::string(1000, 'b') + std::to_string(i)});
    ASSERT_TRUE(*(*reader)->Next(ctx_, record)) << i;
    EXPECT_EQ(record.payload, std::string(1000, 'b') + std::to_string(i));
  }
  EXPECT_FALSE(*(*reader)->Next(ctx_, record));
}

TEST_P(WalConformance, ASlowReaderPassesOverWhatWasCutOff) {
  std::vector<WalPosition> positions;
  for (int i = 0; i < 100; ++i) positions.push_back(Append({std::string(1000, 'a')})[0]);
  auto reader = wal_->Read(ctx_, "s", 0);
  ASSERT_TRUE(reader.ok());
  ASSERT_TRUE(wal_->Truncate(ctx_, "s", positions[79]).ok());
  WalRecord record;
  WalPosition last = 0;
  size_t read = 0;
  while (true) {
    const auto more = (*reader)->Next(ctx_, record);
    ASSERT_TRUE(more.ok()) << more.status().ToString();
    if (!*more) break;
    EXPECT_GT(record.position, last);
    last = record.position;
    ++read;
  }
  EXPECT_EQ(last, positions[99]);
  EXPECT_GE(read, 20u);
  EXPECT_LT(read, 100u);
}

TEST_P(WalConformance, TellsItsPagesWhichHoldEveryRecordOnce) {
  std::vector<WalPosition> positions;
  for (int i = 0; i < 100; ++i) positions.push_back(Append({std::string(1000, 'a')})[0]);
  const auto pages = wal_->Pages(ctx_, "s");
  ASSERT_TRUE(pages.ok()) << pages.status().ToString();
  ASSERT_GE(pages->size(), 3u) << "a page is some ten thousand bytes in this suite";
  EXPECT_EQ(pages->front().first, positions[0]);
  EXPECT_EQ(pages->back().last, positions[99]);
  EXPECT_FALSE(pages->back().is_closed);
  int64_t bytes = 0;
  for (size_t i = 0; i < pages->size(); ++i) {
    bytes += (*pages)[i].bytes;
    EXPECT_EQ((*pages)[i].is_closed, i + 1 < pages->size());
    if (i == 0) continue;
    EXPECT_EQ((*pages)[i].first, (*pages)[i - 1].last + 1);
  }
  EXPECT_GE(bytes, 100'000);
  ASSERT_TRUE(wal_->Truncate(ctx_, "s", (*pages)[1].last).ok());
  EXPECT_EQ(wal_->Pages(ctx_, "s")->size(), pages->size() - 2);
}

TEST_P(WalConformance, ForgetsAStreamWithEverythingInIt) {
  Append({"a", "b"});
  Append({"c"}, "other");
  ASSERT_TRUE(wal_->Remove(ctx_, "s").ok());
  Reopen();
  EXPECT_TRUE(ReadAll().empty());
  EXPECT_EQ(ReadAll(0, "other"), (std::vector<std::string>{"c"}));
  Append({"d"});
  EXPECT_EQ(ReadAll(), (std::vector<std::string>{"d"}));
}

}  // namespace elanus::store
