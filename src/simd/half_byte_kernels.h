// Dot products of a query of bytes with rows of 4-bit codes of any length, chosen once for the
// machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::simd {

/// Four rows at once, the shape of a graph walk. A byte of a row holds two codes, the one of number
/// j of `low` in its low half and the one of number j of `high` in its high half: sums[r] = sum
/// over j < bytes of (rows[r][j] & 15) * low[j] + (rows[r][j] >> 4) * high[j]. Exact up to 65536
/// bytes. Any alignment; nothing past `bytes` is read. Thread-safe.
using HalfByteDots = void (*)(const int8_t* low, const int8_t* high, const uint8_t* const rows[4],
                              size_t bytes, int32_t sums[4]);

/// The fastest this machine runs.
HalfByteDots BestHalfByteDots();
/// Every one this machine runs, the slowest (plain loops) first; returns how many.
size_t AllHalfByteDots(HalfByteDots out[3]);

}  // namespace elanus::simd
