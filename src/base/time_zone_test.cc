// Time zones: offsets, changes of the clock, names that are none.
#include "base/time_zone.h"

#include <gtest/gtest.h>

namespace elanus {
namespace {

constexpr int64_t kHourUs = 3600LL * 1'000'000;
constexpr int64_t kNewYear2025 = 1735689600LL * 1'000'000;  // 2025-01-01T00:00:00Z.
constexpr int64_t kSpring2025 = 1743296400LL * 1'000'000;   // 2025-03-30T01:00:00Z, Berlin skips.
constexpr int64_t kAutumn2025 = 1761440400LL * 1'000'000;   // 2025-10-26T01:00:00Z, Berlin repeats.

TimeZone Of(std::string_view name) {
  const auto zone = TimeZone::Of(name);
  EXPECT_TRUE(zone.ok()) << name;
  return zone.ok() ? *zone : TimeZone();
}

TEST(TimeZone, IsUtcUnlessNamed) {
  EXPECT_EQ(TimeZone().name(), "UTC");
  EXPECT_EQ(TimeZone().OffsetAt(kNewYear2025), 0);
  EXPECT_EQ(TimeZone().MomentOf(kNewYear2025), kNewYear2025);
  EXPECT_EQ(Of("UTC").name(), "UTC");
}

TEST(TimeZone, KnowsOffsetsOfPlaces) {
  EXPECT_EQ(Of("Asia/Tokyo").OffsetAt(kNewYear2025), 9 * 3600);
  EXPECT_EQ(Of("America/New_York").OffsetAt(kNewYear2025), -5 * 3600);
  EXPECT_EQ(Of("Asia/Kathmandu").OffsetAt(kNewYear2025), 5 * 3600 + 45 * 60);
  EXPECT_EQ(Of("Asia/Tokyo").MomentOf(kNewYear2025), kNewYear2025 - 9 * kHourUs);
  EXPECT_EQ(Of("Asia/Tokyo").name(), "Asia/Tokyo");
  // Before 1970 and within a second.
  EXPECT_EQ(Of("Asia/Tokyo").MomentOf(-1), -1 - 9 * kHourUs);
}

TEST(TimeZone, FollowsChangesOfTheClock) {
  const TimeZone berlin = Of("Europe/Berlin");
  EXPECT_EQ(berlin.OffsetAt(kSpring2025 - 1), 3600);
  EXPECT_EQ(berlin.OffsetAt(kSpring2025), 2 * 3600);
  EXPECT_EQ(berlin.OffsetAt(kAutumn2025), 3600);
  // 02:30 is skipped: by the clock before the change it is 01:30 in UTC.
  EXPECT_EQ(berlin.MomentOf(kSpring2025 + kHourUs + kHourUs / 2), kSpring2025 + kHourUs / 2);
  // 02:30 is shown twice: the first time it is 00:30 in UTC.
  EXPECT_EQ(berlin.MomentOf(kAutumn2025 + kHourUs + kHourUs / 2), kAutumn2025 - kHourUs / 2);
}

TEST(TimeZone, RefusesNamesThatAreNone) {
  for (const char* name :
       {"", "Nowhere/City", "asia", "/etc/passwd", "../etc/passwd", "localtime", "Local",
        "right/UTC", "Fixed/UTC+05:00:00", "Asia", "zone.tab", "Asia/Tokyo ", "+08:00"}) {
    EXPECT_EQ(TimeZone::Of(name).status().code(), ErrorCode::kInvalidParameter) << name;
  }
  EXPECT_FALSE(TimeZone::Of(std::string(100'000, 'a')).ok());
}

}  // namespace
}  // namespace elanus
