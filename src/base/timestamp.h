// Hybrid timestamps: physical milliseconds << 18 | an 18-bit counter. Rows, reads and the log are
// ordered by them.
#pragma once

#include <cstdint>

#include "base/ids.h"

namespace elanus {

using Timestamp = StrongInt<struct TimestampTag, uint64_t>;

inline constexpr int kLogicalBits = 18;
inline constexpr Timestamp kTimestampMax{UINT64_MAX};

constexpr Timestamp MakeTimestamp(int64_t physical_ms, uint32_t logical = 0) {
  return Timestamp((static_cast<uint64_t>(physical_ms) << kLogicalBits) | logical);
}
constexpr int64_t PhysicalMs(Timestamp t) {
  return static_cast<int64_t>(t.value() >> kLogicalBits);
}

}  // namespace elanus
