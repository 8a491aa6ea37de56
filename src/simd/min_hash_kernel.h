// The heart of MinHash signatures: the least value of each of many hash functions over a set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::simd {

/// Functions come in blocks of so many; unused ones at the end are computed and not looked at.
inline constexpr size_t kMinHashBlock = 16;

/// minima[i] = min(minima[i], low 32 bits of ((factors[i] * x + offsets[i]) mod 2^64 mod 2^61 - 1))
/// over the `count` members x. `functions` is a multiple of kMinHashBlock. The universal hash
/// family of Carter and Wegman (1979) over a Mersenne prime. Any alignment; thread-safe.
void LowerMinHashes(const uint32_t* members, size_t count, const uint64_t* factors,
                    const uint64_t* offsets, size_t functions, uint32_t* minima);

}  // namespace elanus::simd
