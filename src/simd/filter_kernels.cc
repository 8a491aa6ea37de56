// Range tests and the search for bytes with Highway: compiled for each instruction set from this
// one source.
#include "simd/filter_kernels.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/filter_kernels.cc"
#include <hwy/foreach_target.h>  // NOLINT: includes this file again per target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace elanus::simd {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The bits of 64 values. A vector holds 2 to 64 of them, so its mask fills a part of a word.
template <class T>
HWY_INLINE uint64_t WordOf(const T* values, T low, T high) {
  const hn::CappedTag<T, 64> d;
  const size_t lanes = hn::Lanes(d);
  const auto lows = hn::Set(d, low);
  const auto highs = hn::Set(d, high);
  uint64_t word = 0;
  for (size_t i = 0; i < 64; i += lanes) {
    const auto v = hn::LoadU(d, values + i);
    uint8_t bytes[8] = {};  // StoreMaskBits writes at most 8 bytes for 64 lanes.
    if constexpr (hwy::IsFloat<T>()) {
      hn::StoreMaskBits(d, hn::And(hn::Ge(v, lows), hn::Le(v, highs)), bytes);
    } else {
      // Integers have no >= everywhere: the bits are those outside, turned over below.
      hn::StoreMaskBits(d, hn::Or(hn::Lt(v, lows), hn::Gt(v, highs)), bytes);
    }
    uint64_t bits = 0;
    std::memcpy(&bits, bytes, sizeof(bits));
    word |= bits << i;
  }
  return hwy::IsFloat<T>() ? word : ~word;
}

template <class T>
void Range(const T* values, size_t count, T low, T high, uint64_t* bits) {
  size_t i = 0;
  for (; i + 64 <= count; i += 64) bits[i / 64] = WordOf(values + i, low, high);
  if (i == count) return;
  uint64_t word = 0;
  for (size_t j = i; j < count; ++j) {
    word |= uint64_t{low <= values[j] && values[j] <= high} << (j - i);
  }
  bits[i / 64] = word;
}

// Looks for the first and the last byte of the word a vector at a time and compares the rest where
// both stand (Mula, "SIMD-friendly algorithms for substring searching").
size_t Find(const char* text, size_t text_bytes, const char* word, size_t word_bytes) {
  if (word_bytes > text_bytes) return SIZE_MAX;
  const hn::CappedTag<uint8_t, 64> d;
  const size_t lanes = hn::Lanes(d);
  const auto* bytes = reinterpret_cast<const uint8_t*>(text);
  const auto first = hn::Set(d, static_cast<uint8_t>(word[0]));
  const auto last = hn::Set(d, static_cast<uint8_t>(word[word_bytes - 1]));
  const size_t end = text_bytes - word_bytes + 1;  // Places where the word may begin.
  const auto is_here = [&](size_t at) {
    return word_bytes <= 2 || std::memcmp(text + at + 1, word + 1, word_bytes - 2) == 0;
  };
  size_t at = 0;
  for (; at + lanes <= end; at += lanes) {
    const auto mask = hn::And(hn::Eq(hn::LoadU(d, bytes + at), first),
                              hn::Eq(hn::LoadU(d, bytes + at + word_bytes - 1), last));
    if (HWY_LIKELY(hn::AllFalse(d, mask))) continue;
    uint8_t stored[8] = {};
    hn::StoreMaskBits(d, mask, stored);
    uint64_t places = 0;
    std::memcpy(&places, stored, sizeof(places));
    for (; places != 0; places &= places - 1) {
      const size_t place = at + static_cast<size_t>(__builtin_ctzll(places));
      if (is_here(place)) return place;
    }
  }
  for (; at < end; ++at) {
    if (text[at] == word[0] && text[at + word_bytes - 1] == word[word_bytes - 1] && is_here(at)) {
      return at;
    }
  }
  return SIZE_MAX;
}

const FilterKernels& Kernels() {
  static constexpr FilterKernels kKernels = {
      Range<int8_t>, Range<int16_t>, Range<int32_t>, Range<int64_t>, Range<float>, Range<double>,
      Find};
  return kKernels;
}

}  // namespace HWY_NAMESPACE
}  // namespace elanus::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace elanus::simd {
namespace {
HWY_EXPORT(Kernels);
}  // namespace

const FilterKernels& Filters() {
  static const FilterKernels& kernels = HWY_DYNAMIC_DISPATCH(Kernels)();
  return kernels;
}

}  // namespace elanus::simd
#endif  // HWY_ONCE
