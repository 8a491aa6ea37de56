// Time zones of the IANA database, as the machine has it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace elanus {

/// Immutable, cheap to copy, thread-safe. Moments are microseconds since 1970 in UTC; local times
/// are what clocks there show, counted as if they were in UTC.
class TimeZone {
 public:
  /// UTC.
  TimeZone();
  /// The zone called `name`, as "Asia/Tokyo". Errors: kInvalidParameter when the database has none.
  static Result<TimeZone> Of(std::string_view name);

  const std::string& name() const;
  /// Seconds that clocks are ahead of UTC at `moment_us`.
  int64_t OffsetAt(int64_t moment_us) const;
  /// The moment at which clocks show `local_us`. What they show twice is the first time, and what
  /// they skip is taken as if they had not been moved yet.
  int64_t MomentOf(int64_t local_us) const;

 private:
  struct Rules;
  std::shared_ptr<const Rules> rules_;  // Null: UTC.
};

}  // namespace elanus
