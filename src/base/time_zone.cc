// Time zones, by Abseil's reading of the machine's database.
#include "base/time_zone.h"

#include <absl/time/time.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

namespace elanus {

struct TimeZone::Rules {
  std::string name;
  absl::TimeZone zone;
};

namespace {

constexpr int64_t kSecondUs = 1'000'000;
constexpr size_t kNameBytesMax = 64;  // The longest of the database has 32.
constexpr const char* kDatabase = "/usr/share/zoneinfo";

int64_t SecondOf(int64_t us) {
  const int64_t second = us / kSecondUs;
  return us % kSecondUs < 0 ? second - 1 : second;
}

bool IsNameLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '+' || c == '/';
}

// Whether there can be such a zone: its name is none, or none of a place, or there is no file. The
// library keeps every name that it was asked for, so it is asked for files that exist.
bool IsKnown(const std::string& name) {
  if (name.empty() || name.size() > kNameBytesMax || name[0] == '/') return false;
  if (!std::all_of(name.begin(), name.end(), IsNameLetter)) return false;
  // Other clocks than civil time's, and not a zone at all.
  for (const char* other : {"right/", "posix/", "localtime", "posixrules", "leap"}) {
    if (name.starts_with(other)) return false;
  }
  const char* folder = std::getenv("TZDIR");
  const std::string path = std::string(folder == nullptr ? kDatabase : folder) + "/" + name;
  struct stat entry {};
  return stat(path.c_str(), &entry) == 0 && S_ISREG(entry.st_mode);
}

}  // namespace

TimeZone::TimeZone() = default;

Result<TimeZone> TimeZone::Of(std::string_view name) {
  TimeZone zone;
  if (name == "UTC") return zone;
  auto rules = std::make_shared<Rules>();
  rules->name = name;
  if (!IsKnown(rules->name) || !absl::LoadTimeZone(rules->name, &rules->zone)) {
    return Invalid("unknown or invalid IANA time zone ID: {}", name);
  }
  zone.rules_ = std::move(rules);
  return zone;
}

const std::string& TimeZone::name() const {
  static const std::string kUtc = "UTC";
  return rules_ == nullptr ? kUtc : rules_->name;
}

int64_t TimeZone::OffsetAt(int64_t moment_us) const {
  if (rules_ == nullptr) return 0;
  return rules_->zone.At(absl::FromUnixSeconds(SecondOf(moment_us))).offset;
}

int64_t TimeZone::MomentOf(int64_t local_us) const {
  if (rules_ == nullptr) return local_us;
  const int64_t second = SecondOf(local_us);
  const absl::CivilSecond shown =
      absl::ToCivilSecond(absl::FromUnixSeconds(second), absl::UTCTimeZone());
  const int64_t moment = absl::ToUnixSeconds(rules_->zone.At(shown).pre);
  return local_us + (moment - second) * kSecondUs;
}

}  // namespace elanus
