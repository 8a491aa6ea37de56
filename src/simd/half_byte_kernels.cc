// Rows of 4-bit codes: plain loops, AVX2, AVX-512 with VNNI and NEON. In intrinsics for the reason
// that code_kernels.cc gives.
#include "simd/half_byte_kernels.h"

#include "simd/instruction_sets.h"

namespace elanus::simd {
namespace {

// Of the bytes begin .. bytes of one row.
int32_t PlainFrom(const int8_t* low, const int8_t* high, const uint8_t* row, size_t begin,
                  size_t bytes) {
  int32_t sum = 0;
  for (size_t j = begin; j < bytes; ++j) sum += (row[j] & 15) * low[j] + (row[j] >> 4) * high[j];
  return sum;
}

void Plain(const int8_t* low, const int8_t* high, const uint8_t* const rows[4], size_t bytes,
           int32_t sums[4]) {
  for (int r = 0; r < 4; ++r) sums[r] = PlainFrom(low, high, rows[r], 0, bytes);
}

#if defined(__x86_64__)

ELANUS_AVX2 ELANUS_INLINE __m256i Load32(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}

// Four products of 15 * 128 fit 16 bits.
ELANUS_AVX2 ELANUS_INLINE __m256i Step(__m256i sum, __m256i codes, __m256i low, __m256i high) {
  const __m256i mask = _mm256_set1_epi8(15);
  const __m256i pairs = _mm256_add_epi16(
      _mm256_maddubs_epi16(_mm256_and_si256(codes, mask), low),
      _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(codes, 4), mask), high));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
ELANUS_AVX2 void Avx2(const int8_t* low, const int8_t* high, const uint8_t* const rows[4],
                      size_t bytes, int32_t sums[4]) {
  const size_t whole = bytes / 32 * 32;
  // Named one by one: of an array the compiler zeroes memory.
  __m256i s0 = _mm256_setzero_si256();
  __m256i s1 = s0;
  __m256i s2 = s0;
  __m256i s3 = s0;
  for (size_t j = 0; j < whole; j += 32) {
    const __m256i low_query = Load32(low + j);
    const __m256i high_query = Load32(high + j);
    s0 = Step(s0, Load32(rows[0] + j), low_query, high_query);
    s1 = Step(s1, Load32(rows[1] + j), low_query, high_query);
    s2 = Step(s2, Load32(rows[2] + j), low_query, high_query);
    s3 = Step(s3, Load32(rows[3] + j), low_query, high_query);
  }
  SumsOfEight(s0, s1, s2, s3, sums);
  if (whole == bytes) return;
  for (int r = 0; r < 4; ++r) sums[r] += PlainFrom(low, high, rows[r], whole, bytes);
}

ELANUS_VNNI ELANUS_INLINE __m512i Step(__m512i sum, __m512i codes, __m512i low, __m512i high) {
  const __m512i mask = _mm512_set1_epi8(15);
  sum = _mm512_dpbusd_epi32(sum, _mm512_and_si512(codes, mask), low);
  return _mm512_dpbusd_epi32(sum, _mm512_and_si512(_mm512_srli_epi16(codes, 4), mask), high);
}

ELANUS_VNNI void Vnni(const int8_t* low, const int8_t* high, const uint8_t* const rows[4],
                      size_t bytes, int32_t sums[4]) {
  __m512i s0 = _mm512_setzero_si512();
  __m512i s1 = s0;
  __m512i s2 = s0;
  __m512i s3 = s0;
  size_t j = 0;
  for (; j + 64 <= bytes; j += 64) {
    const __m512i low_query = _mm512_loadu_si512(low + j);
    const __m512i high_query = _mm512_loadu_si512(high + j);
    s0 = Step(s0, _mm512_loadu_si512(rows[0] + j), low_query, high_query);
    s1 = Step(s1, _mm512_loadu_si512(rows[1] + j), low_query, high_query);
    s2 = Step(s2, _mm512_loadu_si512(rows[2] + j), low_query, high_query);
    s3 = Step(s3, _mm512_loadu_si512(rows[3] + j), low_query, high_query);
  }
  if (j < bytes) {
    const __mmask64 in = (uint64_t{1} << (bytes - j)) - 1;
    const __m512i low_query = _mm512_maskz_loadu_epi8(in, low + j);
    const __m512i high_query = _mm512_maskz_loadu_epi8(in, high + j);
    s0 = Step(s0, _mm512_maskz_loadu_epi8(in, rows[0] + j), low_query, high_query);
    s1 = Step(s1, _mm512_maskz_loadu_epi8(in, rows[1] + j), low_query, high_query);
    s2 = Step(s2, _mm512_maskz_loadu_epi8(in, rows[2] + j), low_query, high_query);
    s3 = Step(s3, _mm512_maskz_loadu_epi8(in, rows[3] + j), low_query, high_query);
  }
  StoreFourSums(s0, s1, s2, s3, sums);
}

#elif defined(__aarch64__)

inline int32x4_t Step(int32x4_t sum, uint8x16_t codes, int8x16_t query) {
  const int8x16_t c = vreinterpretq_s8_u8(codes);
  sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(c), vget_low_s8(query)));
  return vpadalq_s16(sum, vmull_high_s8(c, query));
}

void Neon(const int8_t* low, const int8_t* high, const uint8_t* const rows[4], size_t bytes,
          int32_t sums[4]) {
  const size_t whole = bytes / 16 * 16;
  int32x4_t sum[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
  for (size_t j = 0; j < whole; j += 16) {
    const int8x16_t low_query = vld1q_s8(low + j);
    const int8x16_t high_query = vld1q_s8(high + j);
    for (int r = 0; r < 4; ++r) {
      const uint8x16_t codes = vld1q_u8(rows[r] + j);
      sum[r] = Step(sum[r], vandq_u8(codes, vdupq_n_u8(15)), low_query);
      sum[r] = Step(sum[r], vshrq_n_u8(codes, 4), high_query);
    }
  }
  for (int r = 0; r < 4; ++r) {
    sums[r] = vaddvq_s32(sum[r]) + PlainFrom(low, high, rows[r], whole, bytes);
  }
}

#endif

}  // namespace

size_t AllHalfByteDots(HalfByteDots out[3]) {
  size_t count = 0;
  out[count++] = Plain;
#if defined(__x86_64__)
  if (HasAvx2()) out[count++] = Avx2;
  if (HasVnni()) out[count++] = Vnni;
#elif defined(__aarch64__)
  out[count++] = Neon;
#endif
  return count;
}

HalfByteDots BestHalfByteDots() {
  static const HalfByteDots best = Fastest(AllHalfByteDots);
  return best;
}

}  // namespace elanus::simd
