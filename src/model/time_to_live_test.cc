// The property that says how long rows live.
#include "model/time_to_live.h"

#include <gtest/gtest.h>

namespace elanus::model {
namespace {

Result<int64_t> Seconds(const std::string& text) {
  return TimeToLiveSeconds({{"a", "b"}, {"collection.ttl.seconds", text}});
}

TEST(TimeToLive, IsAWholeNumberOfSecondsUpToAHundredYears) {
  EXPECT_EQ(*TimeToLiveSeconds({}), 0);
  EXPECT_EQ(*Seconds("3155760000"), 3'155'760'000);
  EXPECT_EQ(*Seconds("0"), 0) << "for ever";
  EXPECT_EQ(*Seconds("-1"), 0) << "for ever";
  for (const char* bad : {"", "-2", "3155760001", "1.5", "1s", " 1", "99999999999999999999"}) {
    EXPECT_EQ(Seconds(bad).status().code(), ErrorCode::kInvalidParameter) << bad;
  }
}

TEST(TimeToLive, RowsExpireOnceTheyAreOlderThanIt) {
  const auto before = [](const std::string& ttl, int64_t now_ms) {
    return ExpiredBefore({{"collection.ttl.seconds", ttl}}, {.now_ms = now_ms});
  };
  EXPECT_EQ(before("10", 1'700'000'000'000), MakeTimestamp(1'699'999'990'000));
  EXPECT_EQ(before("-1", 1'700'000'000'000), Timestamp());
  EXPECT_EQ(before("10", 5'000), Timestamp()) << "the clock stands before every row";
  EXPECT_EQ(ExpiredBefore({}, {.now_ms = 1'700'000'000'000}), Timestamp());
}

TEST(TimeToLive, CollectionsThatNameNoneHaveThatOfTheServer) {
  const auto before = [](const std::vector<KeyValue>& properties, int64_t default_s) {
    return ExpiredBefore(properties, {.now_ms = 1'700'000'000'000, .default_s = default_s});
  };
  EXPECT_EQ(before({}, 20), MakeTimestamp(1'699'999'980'000));
  for (const int64_t never : {0, -1}) EXPECT_EQ(before({}, never), Timestamp());
  EXPECT_EQ(before({{"collection.ttl.seconds", "10"}}, 20), MakeTimestamp(1'699'999'990'000));
  for (const char* never : {"0", "-1"}) {
    EXPECT_EQ(before({{"collection.ttl.seconds", never}}, 20), Timestamp()) << never;
  }
  EXPECT_EQ(before({{"ttl_field", "until"}}, 20), Timestamp()) << "its rows say it themselves";
}

}  // namespace
}  // namespace elanus::model
