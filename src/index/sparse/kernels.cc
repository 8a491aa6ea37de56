// Plain loops, AVX2 and AVX-512. Codes under a bitmap are what AVX-512 (VBMI2) is made for: one
// instruction spreads up to 64 of them over their rows. AVX2 spreads 32 with tables and a shuffle.
#include "index/sparse/kernels.h"

#include <algorithm>
#include <bit>

#include "simd/instruction_sets.h"

namespace elanus::index {
namespace {

// Appends the set bits of `word`, which stands for rows `first` .. `first` + 63.
inline size_t Append(uint64_t word, size_t first, uint16_t* picked) {
  size_t count = 0;
  for (; word != 0; word &= word - 1) {
    picked[count++] = static_cast<uint16_t>(first + static_cast<size_t>(std::countr_zero(word)));
  }
  return count;
}

// Likewise, of those rows whose sum is below `high`.
ELANUS_INLINE size_t PickBelow(uint64_t word, size_t first, const uint16_t* sums, uint32_t high,
                               uint16_t* picked) {
  size_t count = 0;
  for (; word != 0; word &= word - 1) {
    const size_t row = first + static_cast<size_t>(std::countr_zero(word));
    picked[count] = static_cast<uint16_t>(row);
    count += sums[row] < high ? 1 : 0;
  }
  return count;
}

inline uint16_t Saturate(uint32_t sum) {
  return static_cast<uint16_t>(std::min(sum, uint32_t{65535}));
}

void AddBitmapsPlain(const BitmapCodes* terms, size_t count, uint16_t* sums) {
  for (size_t t = 0; t < count; ++t) {
    const uint8_t* codes = terms[t].codes;
    for (size_t w = 0; w < kWindowWords; ++w) {
      for (uint64_t word = terms[t].bits[w]; word != 0; word &= word - 1) {
        const auto bit = static_cast<uint32_t>(std::countr_zero(word));
        uint16_t& sum = sums[w * 64 + RowOfBit(bit)];
        sum = Saturate(sum + (*codes++ * terms[t].weight >> 8));
      }
    }
  }
}

void AddListPlain(const uint16_t* offsets, const uint8_t* codes, size_t count, uint32_t weight,
                  uint16_t* sums) {
  for (size_t i = 0; i < count; ++i) {
    sums[offsets[i]] = static_cast<uint16_t>(sums[offsets[i]] + (codes[i] * weight >> 8));
  }
}

size_t CountPlain(const uint16_t* sums, uint16_t bound) {
  size_t count = 0;
  for (size_t i = 0; i < kWindowRows; ++i) count += sums[i] >= bound ? 1 : 0;
  return count;
}

size_t PickPlain(const uint16_t* sums, size_t words, uint16_t low, uint32_t high,
                 const uint64_t* allowed, uint16_t* picked) {
  size_t count = 0;
  for (size_t w = 0; w < words; ++w) {
    uint64_t word = 0;
    for (size_t i = 0; i < 64; ++i) {
      const uint16_t sum = sums[w * 64 + i];
      word |= uint64_t{sum >= low && sum < high} << i;
    }
    if (allowed != nullptr) word &= allowed[w];
    count += Append(word, w * 64, picked + count);
  }
  return count;
}

constexpr SparseKernels kPlain = {"plain", AddBitmapsPlain, AddListPlain, CountPlain, PickPlain};

#if defined(__x86_64__)

#define ELANUS_VBMI2 \
  __attribute__((target("avx2,fma,bmi,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi2")))

ELANUS_AVX2 inline uint32_t AtLeast32(const uint16_t* sums, __m256i bound) {
  const auto* from = reinterpret_cast<const __m256i*>(sums);
  const __m256i a = _mm256_loadu_si256(from);
  const __m256i b = _mm256_loadu_si256(from + 1);
  const __m256i both = _mm256_packs_epi16(_mm256_cmpeq_epi16(_mm256_max_epu16(a, bound), a),
                                          _mm256_cmpeq_epi16(_mm256_max_epu16(b, bound), b));
  return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_permute4x64_epi64(both, 0xd8)));
}

ELANUS_AVX2 size_t CountAvx2(const uint16_t* sums, uint16_t bound) {
  const __m256i wide = _mm256_set1_epi16(static_cast<int16_t>(bound));
  size_t count = 0;
  for (size_t i = 0; i < kWindowRows; i += 32) {
    count += static_cast<size_t>(std::popcount(AtLeast32(sums + i, wide)));
  }
  return count;
}

ELANUS_AVX2 size_t PickAvx2(const uint16_t* sums, size_t words, uint16_t low, uint32_t high,
                            const uint64_t* allowed, uint16_t* picked) {
  const __m256i wide = _mm256_set1_epi16(static_cast<int16_t>(low));
  size_t count = 0;
  for (size_t w = 0; w < words; ++w) {
    uint64_t word = AtLeast32(sums + w * 64, wide) | uint64_t{AtLeast32(sums + w * 64 + 32, wide)}
                                                         << 32;
    if (allowed != nullptr) word &= allowed[w];
    count += PickBelow(word, w * 64, sums, high, picked + count);
  }
  return count;
}

// What spreads eight codes over the rows of eight bits: for each bit the place of its code, which a
// byte shuffle takes, or 0x80, of which it makes a zero; and how many codes that were, eight times.
struct SpreadTable {
  uint64_t places[256];
  uint64_t counts[256];
};
constexpr SpreadTable MakeSpreadTable() {
  SpreadTable table{};
  for (uint32_t bits = 0; bits < 256; ++bits) {
    uint64_t count = 0;
    for (uint32_t bit = 0; bit < 8; ++bit) {
      const bool is_set = (bits >> bit & 1) != 0;
      table.places[bits] |= (is_set ? count : uint64_t{0x80}) << (8 * bit);
      count += is_set ? 1 : 0;
    }
    table.counts[bits] = count * 0x0101010101010101;
  }
  return table;
}
constexpr SpreadTable kSpread = MakeSpreadTable();

// The codes of 32 bits, zero where none is set. Both halves are shuffled on their own.
ELANUS_AVX2 ELANUS_INLINE __m256i Spread32(uint32_t bits, const uint8_t* codes) {
  const uint32_t first = bits & 255;
  const uint32_t second = bits >> 8 & 255;
  const uint32_t third = bits >> 16 & 255;
  const uint32_t fourth = bits >> 24;
  const __m256i places =
      _mm256_set_epi64x(static_cast<int64_t>(kSpread.places[fourth] + kSpread.counts[third]),
                        static_cast<int64_t>(kSpread.places[third]),
                        static_cast<int64_t>(kSpread.places[second] + kSpread.counts[first]),
                        static_cast<int64_t>(kSpread.places[first]));
  const auto* high = codes + std::popcount(bits & 0xffff);
  const __m256i packed = _mm256_inserti128_si256(
      _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes))),
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(high)), 1);
  return _mm256_shuffle_epi8(packed, places);
}

ELANUS_AVX2 ELANUS_INLINE __m256i AddProducts(__m256i sums, __m256i codes_high, __m256i weight) {
  // A code in the upper byte times the weight, upper half: code * weight / 256.
  return _mm256_adds_epu16(sums, _mm256_mulhi_epu16(codes_high, weight));
}

// `count` bitmaps at once, so that sums are loaded and stored once for all of them.
template <int count>
ELANUS_AVX2 void AddBitmapsByShuffles(const BitmapCodes* terms, uint16_t* sums) {
  const uint64_t* bits[count];
  const uint8_t* codes[count];
  __m256i weights[count];
  for (int t = 0; t < count; ++t) {
    bits[t] = terms[t].bits;
    codes[t] = terms[t].codes;
    weights[t] = _mm256_set1_epi16(static_cast<int16_t>(terms[t].weight));
  }
  const __m256i zero = _mm256_setzero_si256();
  for (size_t w = 0; w < kWindowWords; ++w, sums += 64) {
    auto* at = reinterpret_cast<__m256i*>(sums);
    __m256i s0 = _mm256_loadu_si256(at);
    __m256i s1 = _mm256_loadu_si256(at + 1);
    __m256i s2 = _mm256_loadu_si256(at + 2);
    __m256i s3 = _mm256_loadu_si256(at + 3);
#pragma GCC unroll 4
    for (int t = 0; t < count; ++t) {
      const uint64_t word = bits[t][w];
      const auto low = static_cast<uint32_t>(word);
      const __m256i a = Spread32(low, codes[t]);
      const __m256i b = Spread32(static_cast<uint32_t>(word >> 32), codes[t] + std::popcount(low));
      codes[t] += std::popcount(word);
      s0 = AddProducts(s0, _mm256_unpacklo_epi8(zero, a), weights[t]);
      s1 = AddProducts(s1, _mm256_unpacklo_epi8(zero, b), weights[t]);
      s2 = AddProducts(s2, _mm256_unpackhi_epi8(zero, a), weights[t]);
      s3 = AddProducts(s3, _mm256_unpackhi_epi8(zero, b), weights[t]);
    }
    _mm256_storeu_si256(at, s0);
    _mm256_storeu_si256(at + 1, s1);
    _mm256_storeu_si256(at + 2, s2);
    _mm256_storeu_si256(at + 3, s3);
  }
}

void AddBitmapsAvx2(const BitmapCodes* terms, size_t count, uint16_t* sums) {
  for (; count >= 4; count -= 4, terms += 4) AddBitmapsByShuffles<4>(terms, sums);
  if (count == 3) AddBitmapsByShuffles<3>(terms, sums);
  if (count == 2) AddBitmapsByShuffles<2>(terms, sums);
  if (count == 1) AddBitmapsByShuffles<1>(terms, sums);
}

// Products of 32 postings at once; what is left is a load and an addition in memory a posting.
ELANUS_AVX2 void AddListAvx2(const uint16_t* offsets, const uint8_t* codes, size_t count,
                             uint32_t weight, uint16_t* sums) {
  const __m256i wide = _mm256_set1_epi16(static_cast<int16_t>(weight));
  alignas(32) uint16_t products[32];
  for (; count > 0; offsets += 32, codes += 32) {
    for (size_t half = 0; half < 32; half += 16) {
      const __m128i packed = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + half));
      const __m256i high = _mm256_slli_epi16(_mm256_cvtepu8_epi16(packed), 8);
      _mm256_store_si256(reinterpret_cast<__m256i*>(products + half),
                         _mm256_mulhi_epu16(high, wide));
    }
    if (count < 32) {
      for (size_t i = 0; i < count; ++i) {
        sums[offsets[i]] = static_cast<uint16_t>(sums[offsets[i]] + products[i]);
      }
      return;
    }
#pragma GCC unroll 32
    for (size_t i = 0; i < 32; ++i) {
      sums[offsets[i]] = static_cast<uint16_t>(sums[offsets[i]] + products[i]);
    }
    count -= 32;
  }
}

// `count` bitmaps at once, so that sums are loaded and stored once for all of them.
template <int count>
ELANUS_VBMI2 void AddBitmapsAtOnce(const BitmapCodes* terms, uint16_t* sums) {
  const uint64_t* bits[count];
  const uint8_t* codes[count];
  __m512i weights[count];
  for (int t = 0; t < count; ++t) {
    bits[t] = terms[t].bits;
    codes[t] = terms[t].codes;
    weights[t] = _mm512_set1_epi16(static_cast<int16_t>(terms[t].weight));
  }
  const __m512i zero = _mm512_setzero_si512();
  for (size_t w = 0; w < kWindowWords; ++w, sums += 64) {
    __m512i low = _mm512_loadu_si512(sums);
    __m512i high = _mm512_loadu_si512(sums + 32);
#pragma GCC unroll 4
    for (int t = 0; t < count; ++t) {
      const uint64_t word = bits[t][w];
      // From a register: with a memory operand the instruction is many times slower on AMD, and
      // the compiler would make it one.
      __m512i packed = _mm512_loadu_si512(codes[t]);
      __asm__("" : "+v"(packed));
      const __m512i spread = _mm512_maskz_expand_epi8(word, packed);
      codes[t] += std::popcount(word);
      // A code in the upper byte times the weight, upper half: code * weight / 256.
      low = _mm512_adds_epu16(low,
                              _mm512_mulhi_epu16(_mm512_unpacklo_epi8(zero, spread), weights[t]));
      high = _mm512_adds_epu16(high,
                               _mm512_mulhi_epu16(_mm512_unpackhi_epi8(zero, spread), weights[t]));
    }
    _mm512_storeu_si512(sums, low);
    _mm512_storeu_si512(sums + 32, high);
  }
}

void AddBitmapsAvx512(const BitmapCodes* terms, size_t count, uint16_t* sums) {
  for (; count >= 4; count -= 4, terms += 4) AddBitmapsAtOnce<4>(terms, sums);
  if (count == 3) AddBitmapsAtOnce<3>(terms, sums);
  if (count == 2) AddBitmapsAtOnce<2>(terms, sums);
  if (count == 1) AddBitmapsAtOnce<1>(terms, sums);
}

// Products of 32 postings at once; what is left is a load and an addition in memory a posting.
ELANUS_VBMI2 void AddListAvx512(const uint16_t* offsets, const uint8_t* codes, size_t count,
                                uint32_t weight, uint16_t* sums) {
  const __m512i wide = _mm512_set1_epi16(static_cast<int16_t>(weight));
  alignas(64) uint16_t products[32];
  for (; count > 0; offsets += 32, codes += 32) {
    const __m256i packed = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
    const __m512i high = _mm512_slli_epi16(_mm512_cvtepu8_epi16(packed), 8);
    _mm512_store_si512(products, _mm512_mulhi_epu16(high, wide));
    if (count < 32) {
      for (size_t i = 0; i < count; ++i) {
        sums[offsets[i]] = static_cast<uint16_t>(sums[offsets[i]] + products[i]);
      }
      return;
    }
#pragma GCC unroll 32
    for (size_t i = 0; i < 32; ++i) {
      sums[offsets[i]] = static_cast<uint16_t>(sums[offsets[i]] + products[i]);
    }
    count -= 32;
  }
}

ELANUS_VBMI2 inline uint64_t AtLeast64(const uint16_t* sums, __m512i bound) {
  return _mm512_cmpge_epu16_mask(_mm512_loadu_si512(sums), bound) |
         uint64_t{_mm512_cmpge_epu16_mask(_mm512_loadu_si512(sums + 32), bound)} << 32;
}

ELANUS_VBMI2 size_t CountAvx512(const uint16_t* sums, uint16_t bound) {
  const __m512i wide = _mm512_set1_epi16(static_cast<int16_t>(bound));
  size_t count = 0;
  for (size_t i = 0; i < kWindowRows; i += 64) {
    count += static_cast<size_t>(std::popcount(AtLeast64(sums + i, wide)));
  }
  return count;
}

ELANUS_VBMI2 size_t PickAvx512(const uint16_t* sums, size_t words, uint16_t low, uint32_t high,
                               const uint64_t* allowed, uint16_t* picked) {
  const __m512i wide = _mm512_set1_epi16(static_cast<int16_t>(low));
  size_t count = 0;
  for (size_t w = 0; w < words; ++w) {
    uint64_t word = AtLeast64(sums + w * 64, wide);
    if (allowed != nullptr) word &= allowed[w];
    count += PickBelow(word, w * 64, sums, high, picked + count);
  }
  return count;
}

constexpr SparseKernels kAvx2 = {"AVX2", AddBitmapsAvx2, AddListAvx2, CountAvx2, PickAvx2};
constexpr SparseKernels kAvx512 = {"AVX-512", AddBitmapsAvx512, AddListAvx512, CountAvx512,
                                   PickAvx512};

const SparseKernels& Choose() {
  if (simd::HasAvx512() && __builtin_cpu_supports("avx512vbmi2")) return kAvx512;
  return simd::HasAvx2() ? kAvx2 : kPlain;
}

#else

const SparseKernels& Choose() { return kPlain; }

#endif

}  // namespace

const SparseKernels& BestSparseKernels() {
  static const SparseKernels& best = Choose();
  return best;
}

const SparseKernels& PlainSparseKernels() { return kPlain; }

void AddListSaturating(const uint16_t* offsets, const uint8_t* codes, size_t count, uint32_t weight,
                       uint16_t* sums) {
  for (size_t i = 0; i < count; ++i) {
    sums[offsets[i]] = Saturate(sums[offsets[i]] + (codes[i] * weight >> 8));
  }
}

}  // namespace elanus::index
