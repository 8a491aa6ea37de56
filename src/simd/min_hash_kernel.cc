// MinHash with Highway: compiled for each instruction set from this one source. A block of
// functions stays in registers while all members pass by.
#include "simd/min_hash_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/min_hash_kernel.cc"
#include <hwy/foreach_target.h>  // NOLINT: includes this file again per target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace elanus::simd {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

// Without vectors of any kind.
void Lower(const uint32_t* members, size_t count, const uint64_t* factors, const uint64_t* offsets,
           size_t functions, uint32_t* minima) {
  constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;
  for (size_t f = 0; f < functions; ++f) {
    for (size_t m = 0; m < count; ++m) {
      const auto value = static_cast<uint32_t>((factors[f] * members[m] + offsets[f]) % kPrime);
      if (value < minima[f]) minima[f] = value;
    }
  }
}

#else

namespace hn = hwy::HWY_NAMESPACE;
// No wider than a block: two vectors of 64-bit numbers make one of 32-bit minima.
using D64 = hn::CappedTag<uint64_t, kMinHashBlock / 2>;
using D32 = hn::Repartition<uint32_t, D64>;
using V64 = hn::Vec<D64>;

// Some functions of a block.
struct Lines {
  V64 low;   // Of the factors: the low halves where they are,
  V64 high;  // and the high ones, moved to the low places.
  V64 offsets;
};

Lines LoadLines(const uint64_t* factors, const uint64_t* offsets) {
  const D64 d;
  const V64 whole = hn::LoadU(d, factors);
  return {whole, hn::ShiftRight<32>(whole), hn::LoadU(d, offsets)};
}

// The value of each function at x, whose low half stands in every even place: not reduced below
// 2^32.
V64 ValuesAt(const Lines& lines, hn::Vec<D32> x) {
  const D64 d;
  const D32 d32;
  const hn::RebindToSigned<D64> di;
  constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;
  const V64 prime = hn::Set(d, kPrime);
  const V64 low = hn::MulEven(hn::BitCast(d32, lines.low), x);
  const V64 high = hn::MulEven(hn::BitCast(d32, lines.high), x);
  const V64 sum = hn::Add(hn::Add(low, hn::ShiftLeft<32>(high)), lines.offsets);
  const V64 folded = hn::Add(hn::And(sum, prime), hn::ShiftRight<61>(sum));
  // At most prime + 7: as signed numbers they compare alike.
  const auto is_over = hn::Gt(hn::BitCast(di, folded), hn::Set(di, int64_t{kPrime - 1}));
  return hn::Sub(folded, hn::And(hn::BitCast(d, hn::VecFromMask(di, is_over)), prime));
}

void Lower(const uint32_t* members, size_t count, const uint64_t* factors, const uint64_t* offsets,
           size_t functions, uint32_t* minima) {
  const D64 d;
  const D32 d32;
  const size_t lanes = hn::Lanes(d);
  for (size_t f = 0; f < functions; f += 2 * lanes) {
    const Lines first = LoadLines(factors + f, offsets + f);
    const Lines second = LoadLines(factors + f + lanes, offsets + f + lanes);
    auto least = hn::LoadU(d32, minima + f);
    for (size_t m = 0; m < count; ++m) {
      const auto x = hn::Set(d32, members[m]);
      const auto a = hn::BitCast(d32, ValuesAt(first, x));
      const auto b = hn::BitCast(d32, ValuesAt(second, x));
      least = hn::Min(least, hn::ConcatEven(d32, b, a));
    }
    hn::StoreU(least, d32, minima + f);
  }
}

#endif

decltype(&Lower) MakeLower() { return Lower; }

}  // namespace HWY_NAMESPACE
}  // namespace elanus::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace elanus::simd {
HWY_EXPORT(MakeLower);
void LowerMinHashes(const uint32_t* members, size_t count, const uint64_t* factors,
                    const uint64_t* offsets, size_t functions, uint32_t* minima) {
  static const auto kLower = HWY_DYNAMIC_DISPATCH(MakeLower)();
  kLower(members, count, factors, offsets, functions, minima);
}
}  // namespace elanus::simd
#endif
