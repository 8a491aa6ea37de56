// Moments and durations as text: microseconds since 1970 in UTC, and ISO 8601 durations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/time_zone.h"

namespace elanus::model {

/// Reads "2025-01-31T08:00:00[.f...][Z|+08|+08:00]", a space in place of T; without an offset it is
/// the time in `zone`. A fraction has at most nine digits, of which six count; an offset lies in
/// [-12:00, +14:00], and does not lead out of the years of four digits. Errors: kInvalidParameter.
Result<int64_t> ParseTimestamptz(std::string_view text, const TimeZone& zone = TimeZone());

/// Whether clocks of UTC show a year from 0000 to 9999: other moments have no text that is read.
bool IsInFourDigitYear(int64_t moment);

/// The moment as clocks in `zone` show it, by RFC 3339: "2025-01-31T08:00:00.5+08:00". The fraction
/// has as many digits as it needs, the offset whole minutes, Z for none.
std::string FormatTimestamptz(int64_t moment, const TimeZone& zone);

/// A number that a clock or calendar shows.
enum class TimePart { kYear, kMonth, kDay, kHour, kMinute, kSecond, kMicrosecond };

/// The part called "year", "month", ..., or none.
std::optional<TimePart> TimePartOf(std::string_view name);
/// What it is at `moment` in `zone`; microseconds are those of the second.
int64_t PartOf(int64_t moment, const TimeZone& zone, TimePart part);

/// A span of calendar months, and of time.
struct Duration {
  int64_t months = 0;
  int64_t microseconds = 0;
};

/// Reads "P1Y2M3DT4H5M6S": unsigned whole numbers, each part at most once and in this order, one at
/// least; no weeks. Errors: kInvalidParameter.
Result<Duration> ParseDuration(std::string_view text);

/// `moment` + sign * duration: months by the calendar of UTC, where a day past the month's end runs
/// into the next (January 31 and a month is March 3, or 2), then the rest. Saturates.
int64_t Shifted(int64_t moment, const Duration& duration, int sign);

}  // namespace elanus::model
