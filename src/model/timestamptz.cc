// Reading moments and durations, and the calendar between them.
#include "model/timestamptz.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>

namespace elanus::model {
namespace {

constexpr int64_t kSecondUs = 1'000'000;
constexpr int64_t kDayUs = 24 * 3600 * kSecondUs;

// Days since 1970-01-01 of a date of the Gregorian calendar carried on both ways, and back
// (Hinnant, "chrono-compatible low-level date algorithms").
int64_t DaysOf(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t of_era = year - era * 400;
  const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct Date {
  int64_t year, month, day;
};
Date DateOf(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const int64_t of_era = days - era * 146097;
  const int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  const int64_t shifted = (5 * of_year + 2) / 153;
  const int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {year + era * 400 + (month <= 2 ? 1 : 0), month, of_year - (153 * shifted + 2) / 5 + 1};
}

// What clocks show that are `offset` seconds ahead of UTC.
struct Shown {
  Date date;
  int64_t of_day;  // In microseconds.
};
Shown ShownAt(int64_t moment, int64_t offset) {
  int64_t days = moment / kDayUs;
  int64_t of_day = moment % kDayUs + offset * kSecondUs;  // Never leaves a few days.
  while (of_day < 0) {
    of_day += kDayUs;
    --days;
  }
  while (of_day >= kDayUs) {
    of_day -= kDayUs;
    ++days;
  }
  return {.date = DateOf(days), .of_day = of_day};
}

int64_t DaysIn(int64_t year, int64_t month) {
  return month == 12 ? 31 : DaysOf(year, month + 1, 1) - DaysOf(year, month, 1);
}

int64_t Clamped(__int128 value) {
  constexpr __int128 kMin = std::numeric_limits<int64_t>::min();
  constexpr __int128 kMax = std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(std::clamp(value, kMin, kMax));
}

// Takes a text apart from the left.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  bool at_end() const { return rest_.empty(); }
  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool IsDigit() const { return !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; }
  // Exactly `digits` digits.
  std::optional<int64_t> Number(size_t digits) {
    int64_t number = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (!IsDigit()) return std::nullopt;
      number = number * 10 + (rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    return number;
  }
  // One digit or more, at most eighteen.
  std::optional<int64_t> Number() {
    size_t digits = 0;
    while (digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9') ++digits;
    if (digits == 0 || digits > 18) return std::nullopt;
    return Number(digits);
  }

 private:
  std::string_view rest_;
};

// "HH:MM:SS" and a fraction, in microseconds.
std::optional<int64_t> TimeOfDay(Reader& reader) {
  const auto hour = reader.Number(2);
  if (!hour || !reader.Take(':')) return std::nullopt;
  const auto minute = reader.Number(2);
  if (!minute || !reader.Take(':')) return std::nullopt;
  const auto second = reader.Number(2);
  if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  int64_t fraction = 0;
  if (reader.Take('.')) {
    int digits = 0;
    for (; digits < 9 && reader.IsDigit(); ++digits) {
      const int64_t digit = *reader.Number(1);
      if (digits < 6) fraction = fraction * 10 + digit;
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 6; ++digits) fraction *= 10;
  }
  return ((*hour * 60 + *minute) * 60 + *second) * kSecondUs + fraction;
}

// What stands behind the time, in minutes.
std::optional<int64_t> Offset(Reader& reader) {
  if (reader.Take('Z')) return 0;
  const bool is_west = reader.Take('-');
  if (!is_west && !reader.Take('+')) return std::nullopt;
  const auto hours = reader.Number(2);
  if (!hours) return std::nullopt;
  int64_t minutes = *hours * 60;
  if (reader.Take(':')) {
    const auto more = reader.Number(2);
    if (!more || *more > 59) return std::nullopt;
    minutes += *more;
  }
  if (is_west) minutes = -minutes;
  if (minutes < -12 * 60 || minutes > 14 * 60) return std::nullopt;
  return minutes;
}

std::optional<int64_t> Moment(Reader& reader, const TimeZone& zone) {
  const auto year = reader.Number(4);
  if (!year || !reader.Take('-')) return std::nullopt;
  const auto month = reader.Number(2);
  if (!month || !reader.Take('-')) return std::nullopt;
  const auto day = reader.Number(2);
  if (!day || *month < 1 || *month > 12 || *day < 1 || *day > DaysIn(*year, *month)) {
    return std::nullopt;
  }
  if (!reader.Take('T') && !reader.Take(' ')) return std::nullopt;
  const auto time = TimeOfDay(reader);
  if (!time) return std::nullopt;
  const int64_t shown = DaysOf(*year, *month, *day) * kDayUs + *time;
  if (reader.at_end()) return zone.MomentOf(shown);
  const auto offset = Offset(reader);
  if (!offset || !reader.at_end()) return std::nullopt;
  return shown - *offset * 60 * kSecondUs;
}

// Reads numbers with the letters of `parts`, in their order; `add(part, number)` takes them.
template <class Add>
bool ReadParts(Reader& reader, std::string_view parts, Add add) {
  size_t next = 0;
  bool any = false;
  while (reader.IsDigit()) {
    const auto number = reader.Number();
    if (!number) return false;
    while (next < parts.size() && !reader.Take(parts[next])) ++next;
    if (next == parts.size()) return false;
    add(parts[next++], *number);
    any = true;
  }
  return any;
}

}  // namespace

bool IsInFourDigitYear(int64_t moment) {
  return moment >= DaysOf(0, 1, 1) * kDayUs && moment < DaysOf(10000, 1, 1) * kDayUs;
}

Result<int64_t> ParseTimestamptz(std::string_view text, const TimeZone& zone) {
  Reader reader(text);
  const auto moment = Moment(reader, zone);
  if (!moment) return Invalid("invalid timestamp string: '{}'", text);
  if (!IsInFourDigitYear(*moment)) {
    return Invalid("the timestamp '{}' is not within the years 0000 to 9999 of UTC", text);
  }
  return *moment;
}

std::string FormatTimestamptz(int64_t moment, const TimeZone& zone) {
  const int64_t offset = zone.OffsetAt(moment);
  const Shown shown = ShownAt(moment, offset);
  const int64_t second = shown.of_day / kSecondUs;
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", shown.date.year, shown.date.month,
                  shown.date.day, second / 3600, second / 60 % 60, second % 60);
  if (int64_t fraction = shown.of_day % kSecondUs; fraction != 0) {
    std::string digits = fmt::format("{:06}", fraction);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += '.' + digits;
  }
  const int64_t minutes = std::abs(offset) / 60;
  if (minutes == 0) return text + 'Z';
  return text + fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

std::optional<TimePart> TimePartOf(std::string_view name) {
  constexpr std::array<std::string_view, 7> kNames = {"year",   "month",  "day",        "hour",
                                                      "minute", "second", "microsecond"};
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<TimePart>(found - kNames.begin());
}

int64_t PartOf(int64_t moment, const TimeZone& zone, TimePart part) {
  const Shown shown = ShownAt(moment, zone.OffsetAt(moment));
  const int64_t second = shown.of_day / kSecondUs;
  switch (part) {
    case TimePart::kYear:
      return shown.date.year;
    case TimePart::kMonth:
      return shown.date.month;
    case TimePart::kDay:
      return shown.date.day;
    case TimePart::kHour:
      return second / 3600;
    case TimePart::kMinute:
      return second / 60 % 60;
    case TimePart::kSecond:
      return second % 60;
    case TimePart::kMicrosecond:
      break;
  }
  return shown.of_day % kSecondUs;
}

Result<Duration> ParseDuration(std::string_view text) {
  __int128 months = 0;
  __int128 microseconds = 0;
  Reader reader(text);
  bool good = reader.Take('P');
  const bool has_date = good && ReadParts(reader, "YMD", [&](char part, int64_t number) {
                          if (part == 'D')
                            microseconds += static_cast<__int128>(number) * kDayUs;
                          else
                            months += static_cast<__int128>(number) * (part == 'Y' ? 12 : 1);
                        });
  bool has_time = false;
  if (good && reader.Take('T')) {
    has_time = ReadParts(reader, "HMS", [&](char part, int64_t number) {
      const int64_t seconds = part == 'H' ? 3600 : part == 'M' ? 60 : 1;
      microseconds += static_cast<__int128>(number) * seconds * kSecondUs;
    });
    good = has_time;
  }
  if (!good || !reader.at_end() || (!has_date && !has_time)) {
    return Invalid("invalid interval string: '{}'", text);
  }
  return Duration{.months = Clamped(months), .microseconds = Clamped(microseconds)};
}

int64_t Shifted(int64_t moment, const Duration& duration, int sign) {
  __int128 shifted = moment;
  if (duration.months != 0) {
    int64_t days = moment / kDayUs;
    if (moment % kDayUs < 0) --days;
    const Date date = DateOf(days);
    // As many months as every moment is away from every other: more end at the same clamp.
    constexpr int64_t kMonthsMax = 12 * 1'200'000;
    const int64_t months =
        date.year * 12 + date.month - 1 + sign * std::min(duration.months, kMonthsMax);
    const int64_t year = months >= 0 ? months / 12 : (months - 11) / 12;
    const int64_t day = DaysOf(year, months - year * 12 + 1, 1) + date.day - 1;
    shifted += static_cast<__int128>(day - days) * kDayUs;
  }
  return Clamped(shifted + static_cast<__int128>(duration.microseconds) * sign);
}

}  // namespace elanus::model
