// Moments and durations.
#include "model/timestamptz.h"

#include <gtest/gtest.h>

namespace elanus::model {
namespace {

int64_t At(std::string_view text) {
  const auto moment = ParseTimestamptz(text);
  EXPECT_TRUE(moment.ok()) << text;
  return moment.ok() ? *moment : -1;
}

TEST(Timestamptz, ReadsMomentsWithAndWithoutOffset) {
  EXPECT_EQ(At("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(At("1970-01-01 00:00:01"), 1'000'000);
  EXPECT_EQ(At("2025-01-01T08:00:00+08:00"), At("2025-01-01T00:00:00Z"));
  EXPECT_EQ(At("2025-01-01T08:00:00+08"), At("2025-01-01T00:00:00Z"));
  EXPECT_EQ(At("2024-12-31T22:30:00-01:30"), At("2025-01-01T00:00:00Z"));
  EXPECT_EQ(At("1969-12-31T23:59:59.5Z"), -500'000);
  EXPECT_EQ(At("2025-01-01T00:00:00.123456789Z") % 1'000'000, 123'456);
  EXPECT_EQ(At("2024-02-29T00:00:00Z"), 1709164800LL * 1'000'000);
  const TimeZone shanghai = *TimeZone::Of("Asia/Shanghai");
  EXPECT_EQ(*ParseTimestamptz("2025-01-01T08:00:00", shanghai), At("2025-01-01T00:00:00Z"));
  EXPECT_EQ(*ParseTimestamptz("2025-01-01T08:00:00Z", shanghai), At("2025-01-01T08:00:00Z"));
}

TEST(Timestamptz, WritesMomentsAsClocksShowThem) {
  const auto shown = [](std::string_view moment, const char* zone) {
    return FormatTimestamptz(At(moment), *TimeZone::Of(zone));
  };
  EXPECT_EQ(shown("2025-01-01T00:00:00Z", "UTC"), "2025-01-01T00:00:00Z");
  EXPECT_EQ(shown("2025-01-01T00:00:00.120Z", "UTC"), "2025-01-01T00:00:00.12Z");
  EXPECT_EQ(shown("2025-01-01T00:00:00.000001Z", "UTC"), "2025-01-01T00:00:00.000001Z");
  EXPECT_EQ(shown("1969-12-31T23:59:59.999999Z", "UTC"), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(shown("2025-01-01T00:00:00Z", "Asia/Tokyo"), "2025-01-01T09:00:00+09:00");
  EXPECT_EQ(shown("2025-01-01T00:00:00Z", "America/New_York"), "2024-12-31T19:00:00-05:00");
  EXPECT_EQ(shown("2025-07-01T00:00:00Z", "America/New_York"), "2025-06-30T20:00:00-04:00");
  EXPECT_EQ(shown("2025-01-01T00:00:00Z", "Asia/Kathmandu"), "2025-01-01T05:45:00+05:45");
  EXPECT_EQ(shown("0001-01-01T00:00:00Z", "UTC"), "0001-01-01T00:00:00Z");
}

TEST(Timestamptz, TakesMomentsApart) {
  const TimeZone tokyo = *TimeZone::Of("Asia/Tokyo");
  const int64_t moment = At("2025-12-31T15:04:05.000678Z");
  const auto part = [&](const char* name) { return PartOf(moment, tokyo, *TimePartOf(name)); };
  EXPECT_EQ(part("year"), 2026);
  EXPECT_EQ(part("month"), 1);
  EXPECT_EQ(part("day"), 1);
  EXPECT_EQ(part("hour"), 0);
  EXPECT_EQ(part("minute"), 4);
  EXPECT_EQ(part("second"), 5);
  EXPECT_EQ(part("microsecond"), 678);
  EXPECT_EQ(TimePartOf("Year"), std::nullopt);
  EXPECT_EQ(TimePartOf("week"), std::nullopt);
}

TEST(Timestamptz, RefusesWhatIsNoMoment) {
  for (const char* text :
       {"", "2025-01-01", "2025-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2025-01-01T24:00:00Z",
        "2025-01-01T00:60:00Z", "2025-01-01T00:00:60Z", "2025-01-01T00:00:00.Z",
        "2025-01-01T00:00:00.1234567890Z", "2025-01-01T00:00:00+15:00", "2025-01-01T00:00:00-12:30",
        "2025-01-01T00:00:00 Z", "2025-01-01x00:00:00Z", "25-01-01T00:00:00Z",
        "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"}) {
    EXPECT_EQ(ParseTimestamptz(text).status().code(), ErrorCode::kInvalidParameter) << text;
  }
}

TEST(Timestamptz, ReadsDurations) {
  const auto read = [](std::string_view text) { return ParseDuration(text); };
  EXPECT_EQ(read("P1Y2M")->months, 14);
  EXPECT_EQ(read("P3DT4H5M6S")->microseconds, ((3 * 24 + 4) * 3600LL + 5 * 60 + 6) * 1'000'000);
  EXPECT_EQ(read("PT1S")->microseconds, 1'000'000);
  for (const char* text : {"", "P", "PT", "P1DT", "P1W", "1D", "P1.5D", "P-1D", "P1D1M", "P1D1D",
                           "PT1D", "P1H", "P1", "P9999999999999999999D", "P1D "}) {
    EXPECT_EQ(read(text).status().code(), ErrorCode::kInvalidParameter) << text;
  }
}

TEST(Timestamptz, ShiftsByTheCalendar) {
  const auto shifted = [](std::string_view from, std::string_view by, int sign) {
    return Shifted(At(from), *ParseDuration(by), sign);
  };
  EXPECT_EQ(shifted("2025-01-31T12:00:00Z", "P1M", 1), At("2025-03-03T12:00:00Z"));
  EXPECT_EQ(shifted("2024-01-31T12:00:00Z", "P1M", 1), At("2024-03-02T12:00:00Z"));
  EXPECT_EQ(shifted("2025-03-31T00:00:00Z", "P1M", -1), At("2025-03-03T00:00:00Z"));
  EXPECT_EQ(shifted("2025-01-15T00:00:00Z", "P14M", -1), At("2023-11-15T00:00:00Z"));
  EXPECT_EQ(shifted("1969-12-31T23:00:00Z", "P1Y", 1), At("1970-12-31T23:00:00Z"));
  EXPECT_EQ(shifted("2025-01-01T00:00:00Z", "P1DT1S", -1), At("2024-12-30T23:59:59Z"));
  EXPECT_EQ(shifted("2025-01-01T00:00:00Z", "P999999999999Y", 1), INT64_MAX);
  EXPECT_LT(shifted("2025-01-01T00:00:00Z", "P999999999999D", -1), INT64_MIN / 2);
  EXPECT_EQ(Shifted(INT64_MIN, {.months = 1}, -1), INT64_MIN);
}

}  // namespace
}  // namespace elanus::model
