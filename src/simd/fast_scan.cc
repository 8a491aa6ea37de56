// Fast scan: plain loops, AVX2, AVX-512 and NEON. Entries are bytes and sums 16 bits wide: even
// bytes are added with their odd neighbours still above them, odd ones apart, and the neighbours
// are taken off at the end. AVX2 adds two entries in a byte first.
#include "simd/fast_scan.h"

#include <algorithm>

#include "simd/instruction_sets.h"

namespace elanus::simd {
namespace {

constexpr float kEntryMax = kFastScanEntryMax;

uint32_t Plain(const uint8_t* tables, const uint8_t* block, size_t parts, float base, float step,
               const float* terms, float bound, float keys[32]) {
  uint32_t below = 0;
  for (size_t r = 0; r < kFastScanRows; ++r) {
    uint32_t sum = 0;
    for (size_t s = 0; s < parts; ++s) {
      const unsigned code = (block[s * 16 + r % 16] >> (r / 16 * 4)) & 15;
      sum += tables[s * 16 + code];
    }
    keys[r] = base + step * static_cast<float>(sum) + (terms == nullptr ? 0.0f : terms[r]);
    if (keys[r] <= bound) below |= 1u << r;
  }
  return below;
}

FastScanTables PlainTables(const float* query, const float* books, size_t parts, size_t part_dim,
                           float sign, float* table) {
  FastScanTables made{};
  double base = 0;  // Hundreds of parts: float would lose what they differ by.
  for (size_t p = 0; p < parts; ++p) {
    const float* book = books + p * part_dim * 16;
    float* entries = table + p * 16;
    for (size_t w = 0; w < 16; ++w) entries[w] = 0;
    for (size_t d = 0; d < part_dim; ++d) {
      const float value = sign * query[p * part_dim + d];
      for (size_t w = 0; w < 16; ++w) entries[w] += value * book[d * 16 + w];
    }
    const float least = *std::min_element(entries, entries + 16);
    const float most = *std::max_element(entries, entries + 16);
    for (size_t w = 0; w < 16; ++w) entries[w] -= least;
    base += least;
    made.widest = std::max(made.widest, most - least);
    made.total += most - least;
  }
  made.base = static_cast<float>(base);
  return made;
}

void PlainBytes(const float* table, size_t count, float inverse, uint8_t* bytes) {
  for (size_t i = 0; i < count; ++i) {
    bytes[i] =
        static_cast<uint8_t>(static_cast<int32_t>(std::min(table[i] * inverse + 0.5f, kEntryMax)));
  }
}

#if defined(__x86_64__)

// Sixteen sums of rows first .. first + 15, even rows in `even` and odd ones in `odd`.
ELANUS_AVX2 inline uint32_t Keys16(__m128i even, __m128i odd, float base, float step,
                                   const float* terms, float bound, float* keys) {
  const __m128i ordered[2] = {_mm_unpacklo_epi16(even, odd), _mm_unpackhi_epi16(even, odd)};
  uint32_t below = 0;
  for (int half = 0; half < 2; ++half) {
    const __m256 sum = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(ordered[half]));
    __m256 key = _mm256_fmadd_ps(sum, _mm256_set1_ps(step), _mm256_set1_ps(base));
    if (terms != nullptr) key = _mm256_add_ps(key, _mm256_loadu_ps(terms + 8 * half));
    _mm256_storeu_ps(keys + 8 * half, key);
    const __m256 less = _mm256_cmp_ps(key, _mm256_set1_ps(bound), _CMP_LE_OQ);
    below |= static_cast<uint32_t>(_mm256_movemask_ps(less)) << (8 * half);
  }
  return below;
}

ELANUS_AVX2 uint32_t Avx2(const uint8_t* tables, const uint8_t* block, size_t parts, float base,
                          float step, const float* terms, float bound, float keys[32]) {
  const __m256i mask = _mm256_set1_epi8(15);
  __m256i low_all = _mm256_setzero_si256();
  __m256i low_odd = low_all;
  __m256i high_all = low_all;
  __m256i high_odd = low_all;
  const uint8_t* const end = block + parts * 16;
  // Two blocks ahead: the processor's own prefetching ends with each page.
  const size_t ahead = 2 * parts * 16;
  for (; block != end; block += 64, tables += 64) {
    _mm_prefetch(reinterpret_cast<const char*>(block + ahead), _MM_HINT_T0);
    __m256i low[2], high[2];
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const auto* at = reinterpret_cast<const __m256i*>(block + 32 * i);
      const auto* table_at = reinterpret_cast<const __m256i*>(tables + 32 * i);
      const __m256i codes = _mm256_loadu_si256(at);
      const __m256i table = _mm256_loadu_si256(table_at);
      low[i] = _mm256_shuffle_epi8(table, _mm256_and_si256(codes, mask));
      high[i] = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(codes, 4), mask));
    }
    // Two entries fit a byte together.
    const __m256i lows = _mm256_add_epi8(low[0], low[1]);
    const __m256i highs = _mm256_add_epi8(high[0], high[1]);
    low_all = _mm256_add_epi16(low_all, lows);
    low_odd = _mm256_add_epi16(low_odd, _mm256_srli_epi16(lows, 8));
    high_all = _mm256_add_epi16(high_all, highs);
    high_odd = _mm256_add_epi16(high_odd, _mm256_srli_epi16(highs, 8));
  }
  low_all = _mm256_sub_epi16(low_all, _mm256_slli_epi16(low_odd, 8));
  high_all = _mm256_sub_epi16(high_all, _mm256_slli_epi16(high_odd, 8));
  __m128i sums[4];
  const __m256i wide[4] = {low_all, low_odd, high_all, high_odd};
  for (int i = 0; i < 4; ++i) {
    sums[i] = _mm_add_epi16(_mm256_castsi256_si128(wide[i]), _mm256_extracti128_si256(wide[i], 1));
  }
  return Keys16(sums[0], sums[1], base, step, terms, bound, keys) |
         Keys16(sums[2], sums[3], base, step, terms == nullptr ? nullptr : terms + 16, bound,
                keys + 16)
             << 16;
}

// As Keys16, in one register.
ELANUS_AVX512 inline uint32_t Keys16Wide(__m128i even, __m128i odd, float base, float step,
                                         const float* terms, float bound, float* keys) {
  const __m256i ordered =
      _mm256_set_m128i(_mm_unpackhi_epi16(even, odd), _mm_unpacklo_epi16(even, odd));
  const __m512 sum = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(ordered));
  __m512 key = _mm512_fmadd_ps(sum, _mm512_set1_ps(step), _mm512_set1_ps(base));
  if (terms != nullptr) key = _mm512_add_ps(key, _mm512_loadu_ps(terms));
  _mm512_storeu_ps(keys, key);
  return _mm512_cmp_ps_mask(key, _mm512_set1_ps(bound), _CMP_LE_OQ);
}

ELANUS_AVX512 uint32_t Avx512(const uint8_t* tables, const uint8_t* block, size_t parts, float base,
                              float step, const float* terms, float bound, float keys[32]) {
  const __m512i mask = _mm512_set1_epi8(15);
  __m512i low_all = _mm512_setzero_si512();
  __m512i low_odd = low_all;
  __m512i high_all = low_all;
  __m512i high_odd = low_all;
  for (size_t s = 0; s < parts; s += 4) {
    const __m512i codes = _mm512_loadu_si512(block + s * 16);
    const __m512i table = _mm512_loadu_si512(tables + s * 16);
    // Two blocks ahead: the processor's own prefetching ends with each page.
    _mm_prefetch(reinterpret_cast<const char*>(block + (2 * parts + s) * 16), _MM_HINT_T0);
    const __m512i low = _mm512_shuffle_epi8(table, _mm512_and_si512(codes, mask));
    const __m512i high =
        _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(codes, 4), mask));
    low_all = _mm512_add_epi16(low_all, low);
    low_odd = _mm512_add_epi16(low_odd, _mm512_srli_epi16(low, 8));
    high_all = _mm512_add_epi16(high_all, high);
    high_odd = _mm512_add_epi16(high_odd, _mm512_srli_epi16(high, 8));
  }
  low_all = _mm512_sub_epi16(low_all, _mm512_slli_epi16(low_odd, 8));
  high_all = _mm512_sub_epi16(high_all, _mm512_slli_epi16(high_odd, 8));
  const __m512i wide[4] = {low_all, low_odd, high_all, high_odd};
  __m128i sums[4];
  for (int i = 0; i < 4; ++i) {
    const __m256i pair =
        _mm256_add_epi16(_mm512_castsi512_si256(wide[i]), _mm512_extracti64x4_epi64(wide[i], 1));
    sums[i] = _mm_add_epi16(_mm256_castsi256_si128(pair), _mm256_extracti128_si256(pair, 1));
  }
  return Keys16Wide(sums[0], sums[1], base, step, terms, bound, keys) |
         Keys16Wide(sums[2], sums[3], base, step, terms == nullptr ? nullptr : terms + 16, bound,
                    keys + 16)
             << 16;
}

// The sixteen words of a part are two registers, whose least and largest are found for both at
// once.
ELANUS_AVX2 FastScanTables Avx2Tables(const float* query, const float* books, size_t parts,
                                      size_t part_dim, float sign, float* table) {
  FastScanTables made{};
  double base = 0;  // Hundreds of parts: float would lose what they differ by.
  for (size_t p = 0; p < parts; ++p) {
    const float* book = books + p * part_dim * 16;
    __m256 low = _mm256_setzero_ps(), high = low;
    for (size_t d = 0; d < part_dim; ++d) {
      const __m256 number = _mm256_set1_ps(sign * query[p * part_dim + d]);
      low = _mm256_fmadd_ps(number, _mm256_loadu_ps(book + d * 16), low);
      high = _mm256_fmadd_ps(number, _mm256_loadu_ps(book + d * 16 + 8), high);
    }
    // The upper half holds the largest, negated, so that one way down finds both.
    const __m256 small = _mm256_min_ps(low, high);
    const __m256 large = _mm256_xor_ps(_mm256_max_ps(low, high), _mm256_set1_ps(-0.0f));
    __m256 ends = _mm256_min_ps(_mm256_permute2f128_ps(small, large, 0x20),
                                _mm256_permute2f128_ps(small, large, 0x31));
    ends = _mm256_min_ps(ends, _mm256_permute_ps(ends, 0x4e));
    ends = _mm256_min_ps(ends, _mm256_permute_ps(ends, 0xb1));
    const float least = _mm256_cvtss_f32(ends);
    const float width = -_mm_cvtss_f32(_mm256_extractf128_ps(ends, 1)) - least;
    _mm256_storeu_ps(table + p * 16, _mm256_sub_ps(low, _mm256_set1_ps(least)));
    _mm256_storeu_ps(table + p * 16 + 8, _mm256_sub_ps(high, _mm256_set1_ps(least)));
    base += least;
    made.widest = std::max(made.widest, width);
    made.total += width;
  }
  made.base = static_cast<float>(base);
  return made;
}

ELANUS_AVX2 void Avx2Bytes(const float* table, size_t count, float inverse, uint8_t* bytes) {
  const __m256 scale = _mm256_set1_ps(inverse);
  const __m256 most = _mm256_set1_ps(kEntryMax);
  for (size_t i = 0; i < count; i += 16) {
    const __m256i low =
        _mm256_cvtps_epi32(_mm256_min_ps(_mm256_mul_ps(_mm256_loadu_ps(table + i), scale), most));
    const __m256i high = _mm256_cvtps_epi32(
        _mm256_min_ps(_mm256_mul_ps(_mm256_loadu_ps(table + i + 8), scale), most));
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xd8);
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(bytes + i),
        _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
  }
}

ELANUS_AVX512 void Avx512Bytes(const float* table, size_t count, float inverse, uint8_t* bytes) {
  for (size_t i = 0; i < count; i += 16) {
    const __m512 scaled =
        _mm512_min_ps(_mm512_mul_ps(_mm512_loadu_ps(table + i), _mm512_set1_ps(inverse)),
                      _mm512_set1_ps(kEntryMax));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes + i),
                     _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(scaled)));
  }
}

// The sixteen words of a part are one register.
ELANUS_AVX512 FastScanTables Avx512Tables(const float* query, const float* books, size_t parts,
                                          size_t part_dim, float sign, float* table) {
  FastScanTables made{};
  double base = 0;  // Hundreds of parts: float would lose what they differ by.
  for (size_t p = 0; p < parts; ++p) {
    const float* book = books + p * part_dim * 16;
    __m512 entries = _mm512_setzero_ps();
    for (size_t d = 0; d < part_dim; ++d) {
      entries = _mm512_fmadd_ps(_mm512_set1_ps(sign * query[p * part_dim + d]),
                                _mm512_loadu_ps(book + d * 16), entries);
    }
    const float least = _mm512_reduce_min_ps(entries);
    const float width = _mm512_reduce_max_ps(entries) - least;
    _mm512_storeu_ps(table + p * 16, _mm512_sub_ps(entries, _mm512_set1_ps(least)));
    base += least;
    made.widest = std::max(made.widest, width);
    made.total += width;
  }
  made.base = static_cast<float>(base);
  return made;
}

#elif defined(__aarch64__)

// Four sums of rows from `r` on become keys. Returns which are at most `bound`.
inline uint32_t NeonKeys(uint32x4_t sums, float base, float step, const float* terms, float bound,
                         float* keys) {
  float32x4_t key = vfmaq_n_f32(vdupq_n_f32(base), vcvtq_f32_u32(sums), step);
  if (terms != nullptr) key = vaddq_f32(key, vld1q_f32(terms));
  vst1q_f32(keys, key);
  const uint32x4_t places = {1, 2, 4, 8};
  return vaddvq_u32(vandq_u32(vcleq_f32(key, vdupq_n_f32(bound)), places));
}

uint32_t Neon(const uint8_t* tables, const uint8_t* block, size_t parts, float base, float step,
              const float* terms, float bound, float keys[32]) {
  uint16x8_t sums[4] = {vdupq_n_u16(0), vdupq_n_u16(0), vdupq_n_u16(0), vdupq_n_u16(0)};
  for (size_t s = 0; s < parts; ++s) {
    const uint8x16_t table = vld1q_u8(tables + s * 16);
    const uint8x16_t codes = vld1q_u8(block + s * 16);
    const uint8x16_t low = vqtbl1q_u8(table, vandq_u8(codes, vdupq_n_u8(15)));
    const uint8x16_t high = vqtbl1q_u8(table, vshrq_n_u8(codes, 4));
    sums[0] = vaddw_u8(sums[0], vget_low_u8(low));
    sums[1] = vaddw_high_u8(sums[1], low);
    sums[2] = vaddw_u8(sums[2], vget_low_u8(high));
    sums[3] = vaddw_high_u8(sums[3], high);
  }
  uint32_t below = 0;
  for (size_t i = 0; i < 8; ++i) {
    const uint16x8_t both = sums[i / 2];
    const uint32x4_t four = i % 2 == 0 ? vmovl_u16(vget_low_u16(both)) : vmovl_high_u16(both);
    below |=
        NeonKeys(four, base, step, terms == nullptr ? nullptr : terms + 4 * i, bound, keys + 4 * i)
        << (4 * i);
  }
  return below;
}

#endif

}  // namespace

FastScanTables MakeFastScanTables(const float* query, const float* books, size_t parts,
                                  size_t part_dim, float sign, float* table) {
#if defined(__x86_64__)
  static const auto best = HasAvx512() ? Avx512Tables : HasAvx2() ? Avx2Tables : PlainTables;
  return best(query, books, parts, part_dim, sign, table);
#else
  return PlainTables(query, books, parts, part_dim, sign, table);
#endif
}

void RoundFastScanTables(const float* table, size_t parts, float step, uint8_t* bytes) {
  const float inverse = 1 / step;
#if defined(__x86_64__)
  static const auto best = HasAvx512() ? Avx512Bytes : HasAvx2() ? Avx2Bytes : PlainBytes;
  best(table, parts * 16, inverse, bytes);
#else
  PlainBytes(table, parts * 16, inverse, bytes);
#endif
}

size_t AllFastScans(FastScan out[3]) {
  size_t count = 0;
  out[count++] = Plain;
#if defined(__x86_64__)
  if (HasAvx2()) out[count++] = Avx2;
  if (HasAvx512()) out[count++] = Avx512;
#elif defined(__aarch64__)
  out[count++] = Neon;
#endif
  return count;
}

FastScan BestFastScan() {
  static const FastScan best = Fastest(AllFastScans);
  return best;
}

}  // namespace elanus::simd
