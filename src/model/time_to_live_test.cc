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
    return ExpiredBefore({{"collection.ttl.seconds", ttl}}, now_ms);
  };
  EXPECT_EQ(before("10", 1'700'000'000'000), MakeTimestamp(1'699'999'990'000));
  EXPECT_EQ(before("-1", 1'700'000'000'000), Timestamp());
  EXPECT_EQ(before("10", 5'000), Timestamp()) << "the clock stands before every row";
  EXPECT_EQ(ExpiredBefore({}, 1'700'000'000'000), Timestamp());
}

}  // namespace
}  // namespace elanus::model
