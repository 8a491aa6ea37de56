// The kernels of bit rows: plain loops, AVX2 (a table of sixteen counts in a register: Mula, Kurz
// and Lemire 2018), AVX-512 with a population count of its own, and NEON.
#include "simd/binary_kernels.h"

#include <cstring>

#include "simd/instruction_sets.h"

namespace elanus::simd {
namespace {

ELANUS_INLINE uint64_t Word(const uint8_t* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof(word));
  return word;
}

// The bytes from `at` to `bytes`, fewer than eight, of a row. A row of eight bytes or more ends
// with a whole word, of which what was counted already is shifted out.
ELANUS_INLINE uint64_t LastWord(const uint8_t* row, size_t at, size_t bytes) {
  if (bytes >= 8) return Word(row + bytes - 8) >> (8 * (8 - (bytes - at)));
  uint64_t word = 0;
  for (size_t i = at; i < bytes; ++i) word |= uint64_t{row[i]} << (8 * (i - at));
  return word;
}

// The words of a row from `at` on.
ELANUS_INLINE uint32_t DifferFrom(size_t at, const uint8_t* a, const uint8_t* b, size_t bytes) {
  int sum = 0;
  for (; at + 8 <= bytes; at += 8) sum += __builtin_popcountll(Word(a + at) ^ Word(b + at));
  if (at < bytes) sum += __builtin_popcountll(LastWord(a, at, bytes) ^ LastWord(b, at, bytes));
  return static_cast<uint32_t>(sum);
}
ELANUS_INLINE uint32_t OnesFrom(size_t at, const uint8_t* row, size_t bytes) {
  int sum = 0;
  for (; at + 8 <= bytes; at += 8) sum += __builtin_popcountll(Word(row + at));
  if (at < bytes) sum += __builtin_popcountll(LastWord(row, at, bytes));
  return static_cast<uint32_t>(sum);
}

namespace plain {

uint32_t One(const uint8_t* a, const uint8_t* b, size_t bytes) {
  return DifferFrom(0, a, b, bytes);
}
void Four(const uint8_t* query, const uint8_t* const rows[4], size_t bytes, uint32_t out[4]) {
  for (int r = 0; r < 4; ++r) out[r] = DifferFrom(0, query, rows[r], bytes);
}
void Rows(const uint8_t* query, const uint8_t* rows, size_t count, size_t bytes, uint32_t* out) {
  for (size_t r = 0; r < count; ++r) out[r] = DifferFrom(0, query, rows + r * bytes, bytes);
}
uint32_t Ones(const uint8_t* row, size_t bytes) { return OnesFrom(0, row, bytes); }

constexpr BinaryKernels kKernels = {"plain", One, Four, Rows, Ones};

}  // namespace plain

#if defined(__x86_64__)

namespace avx2 {

ELANUS_AVX2 ELANUS_INLINE __m256i Load(const uint8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

// Four sums of set bits, one a 64-bit lane.
ELANUS_AVX2 ELANUS_INLINE __m256i Count(__m256i v) {
  const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                         0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i mask = _mm256_set1_epi8(15);
  const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(v, mask));
  const __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), mask));
  return _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256());
}

ELANUS_AVX2 ELANUS_INLINE uint32_t Sum(__m256i v) {
  const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  return static_cast<uint32_t>(_mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1));
}

ELANUS_AVX2 ELANUS_INLINE uint32_t DoOne(const uint8_t* a, const uint8_t* b, size_t bytes) {
  __m256i sum = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 32 <= bytes; i += 32) {
    sum = _mm256_add_epi64(sum, Count(_mm256_xor_si256(Load(a + i), Load(b + i))));
  }
  return Sum(sum) + DifferFrom(i, a, b, bytes);
}

ELANUS_AVX2 ELANUS_INLINE void DoFour(const uint8_t* query, const uint8_t* row0,
                                      const uint8_t* row1, const uint8_t* row2, const uint8_t* row3,
                                      size_t bytes, uint32_t out[4]) {
  __m256i s0 = _mm256_setzero_si256();
  __m256i s1 = s0;
  __m256i s2 = s0;
  __m256i s3 = s0;
  size_t i = 0;
  for (; i + 32 <= bytes; i += 32) {
    const __m256i q = Load(query + i);
    s0 = _mm256_add_epi64(s0, Count(_mm256_xor_si256(q, Load(row0 + i))));
    s1 = _mm256_add_epi64(s1, Count(_mm256_xor_si256(q, Load(row1 + i))));
    s2 = _mm256_add_epi64(s2, Count(_mm256_xor_si256(q, Load(row2 + i))));
    s3 = _mm256_add_epi64(s3, Count(_mm256_xor_si256(q, Load(row3 + i))));
  }
  out[0] = Sum(s0) + DifferFrom(i, query, row0, bytes);
  out[1] = Sum(s1) + DifferFrom(i, query, row1, bytes);
  out[2] = Sum(s2) + DifferFrom(i, query, row2, bytes);
  out[3] = Sum(s3) + DifferFrom(i, query, row3, bytes);
}

ELANUS_AVX2 uint32_t One(const uint8_t* a, const uint8_t* b, size_t bytes) {
  return DoOne(a, b, bytes);
}
ELANUS_AVX2 void Four(const uint8_t* query, const uint8_t* const rows[4], size_t bytes,
                      uint32_t out[4]) {
  DoFour(query, rows[0], rows[1], rows[2], rows[3], bytes, out);
}
ELANUS_AVX2 void Rows(const uint8_t* query, const uint8_t* rows, size_t count, size_t bytes,
                      uint32_t* out) {
  size_t r = 0;
  for (; r + 4 <= count; r += 4) {
    const uint8_t* row = rows + r * bytes;
    DoFour(query, row, row + bytes, row + 2 * bytes, row + 3 * bytes, bytes, out + r);
  }
  for (; r < count; ++r) out[r] = DoOne(query, rows + r * bytes, bytes);
}
ELANUS_AVX2 uint32_t Ones(const uint8_t* row, size_t bytes) {
  __m256i sum = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 32 <= bytes; i += 32) sum = _mm256_add_epi64(sum, Count(Load(row + i)));
  return Sum(sum) + OnesFrom(i, row, bytes);
}

constexpr BinaryKernels kKernels = {"AVX2", One, Four, Rows, Ones};

}  // namespace avx2

namespace avx512 {

#define ELANUS_VPOPCNT \
  __attribute__((target("avx2,fma,bmi,popcnt,avx512f,avx512bw,avx512vl,avx512vpopcntdq")))

ELANUS_VPOPCNT ELANUS_INLINE __m512i Load(const uint8_t* p) { return _mm512_loadu_si512(p); }
// The last bytes, fewer than 64: what the mask leaves out is not read.
ELANUS_VPOPCNT ELANUS_INLINE __m512i LoadTail(__mmask64 mask, const uint8_t* p) {
  return _mm512_maskz_loadu_epi8(mask, p);
}
ELANUS_VPOPCNT ELANUS_INLINE __mmask64 TailMask(size_t bytes) { return (1ull << (bytes % 64)) - 1; }
ELANUS_VPOPCNT ELANUS_INLINE __m512i Step(__m512i sum, __m512i a, __m512i b) {
  return _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_xor_si512(a, b)));
}
ELANUS_VPOPCNT ELANUS_INLINE __m256i Halve(__m512i v) {
  return _mm256_add_epi64(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
}

ELANUS_VPOPCNT ELANUS_INLINE uint32_t DoOne(const uint8_t* a, const uint8_t* b, size_t bytes) {
  __m512i sum = _mm512_setzero_si512();
  size_t i = 0;
  for (; i + 64 <= bytes; i += 64) sum = Step(sum, Load(a + i), Load(b + i));
  if (i < bytes) {
    const __mmask64 mask = TailMask(bytes);
    sum = Step(sum, LoadTail(mask, a + i), LoadTail(mask, b + i));
  }
  return static_cast<uint32_t>(_mm512_reduce_add_epi64(sum));
}

ELANUS_VPOPCNT ELANUS_INLINE void DoFour(const uint8_t* query, const uint8_t* row0,
                                         const uint8_t* row1, const uint8_t* row2,
                                         const uint8_t* row3, size_t bytes, uint32_t out[4]) {
  __m512i s0 = _mm512_setzero_si512();
  __m512i s1 = s0;
  __m512i s2 = s0;
  __m512i s3 = s0;
  size_t i = 0;
  for (; i + 64 <= bytes; i += 64) {
    const __m512i q = Load(query + i);
    s0 = Step(s0, q, Load(row0 + i));
    s1 = Step(s1, q, Load(row1 + i));
    s2 = Step(s2, q, Load(row2 + i));
    s3 = Step(s3, q, Load(row3 + i));
  }
  if (i < bytes) {
    const __mmask64 mask = TailMask(bytes);
    const __m512i q = LoadTail(mask, query + i);
    s0 = Step(s0, q, LoadTail(mask, row0 + i));
    s1 = Step(s1, q, LoadTail(mask, row1 + i));
    s2 = Step(s2, q, LoadTail(mask, row2 + i));
    s3 = Step(s3, q, LoadTail(mask, row3 + i));
  }
  // The four sums together: adding neighbours pairwise shares the additions.
  const __m256i h0 = Halve(s0);
  const __m256i h1 = Halve(s1);
  const __m256i h2 = Halve(s2);
  const __m256i h3 = Halve(s3);
  const __m256i h01 =
      _mm256_add_epi64(_mm256_unpacklo_epi64(h0, h1), _mm256_unpackhi_epi64(h0, h1));
  const __m256i h23 =
      _mm256_add_epi64(_mm256_unpacklo_epi64(h2, h3), _mm256_unpackhi_epi64(h2, h3));
  const __m256i sums = _mm256_add_epi64(_mm256_permute2x128_si256(h01, h23, 0x20),
                                        _mm256_permute2x128_si256(h01, h23, 0x31));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_cvtepi64_epi32(sums));
}

ELANUS_VPOPCNT uint32_t One(const uint8_t* a, const uint8_t* b, size_t bytes) {
  return DoOne(a, b, bytes);
}
ELANUS_VPOPCNT void Four(const uint8_t* query, const uint8_t* const rows[4], size_t bytes,
                         uint32_t out[4]) {
  DoFour(query, rows[0], rows[1], rows[2], rows[3], bytes, out);
}
ELANUS_VPOPCNT void Rows(const uint8_t* query, const uint8_t* rows, size_t count, size_t bytes,
                         uint32_t* out) {
  size_t r = 0;
  for (; r + 4 <= count; r += 4) {
    const uint8_t* row = rows + r * bytes;
    DoFour(query, row, row + bytes, row + 2 * bytes, row + 3 * bytes, bytes, out + r);
  }
  for (; r < count; ++r) out[r] = DoOne(query, rows + r * bytes, bytes);
}
ELANUS_VPOPCNT uint32_t Ones(const uint8_t* row, size_t bytes) {
  __m512i sum = _mm512_setzero_si512();
  size_t i = 0;
  for (; i + 64 <= bytes; i += 64) {
    sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(Load(row + i)));
  }
  if (i < bytes) {
    sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(LoadTail(TailMask(bytes), row + i)));
  }
  return static_cast<uint32_t>(_mm512_reduce_add_epi64(sum));
}

constexpr BinaryKernels kKernels = {"AVX512_VPOPCNTDQ", One, Four, Rows, Ones};

}  // namespace avx512

#elif defined(__aarch64__)

namespace neon {

// Four sums of set bits more.
ELANUS_INLINE uint32x4_t Add(uint32x4_t sum, uint8x16_t bits) {
  return vpadalq_u16(sum, vpaddlq_u8(vcntq_u8(bits)));
}

uint32_t One(const uint8_t* a, const uint8_t* b, size_t bytes) {
  uint32x4_t sum = vdupq_n_u32(0);
  size_t i = 0;
  for (; i + 16 <= bytes; i += 16) sum = Add(sum, veorq_u8(vld1q_u8(a + i), vld1q_u8(b + i)));
  return vaddvq_u32(sum) + DifferFrom(i, a, b, bytes);
}

void Four(const uint8_t* query, const uint8_t* const rows[4], size_t bytes, uint32_t out[4]) {
  uint32x4_t sums[4] = {vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0)};
  size_t i = 0;
  for (; i + 16 <= bytes; i += 16) {
    const uint8x16_t q = vld1q_u8(query + i);
    for (int r = 0; r < 4; ++r) sums[r] = Add(sums[r], veorq_u8(q, vld1q_u8(rows[r] + i)));
  }
  for (int r = 0; r < 4; ++r) out[r] = vaddvq_u32(sums[r]) + DifferFrom(i, query, rows[r], bytes);
}

void Rows(const uint8_t* query, const uint8_t* rows, size_t count, size_t bytes, uint32_t* out) {
  for (size_t r = 0; r < count; ++r) out[r] = One(query, rows + r * bytes, bytes);
}

uint32_t Ones(const uint8_t* row, size_t bytes) {
  uint32x4_t sum = vdupq_n_u32(0);
  size_t i = 0;
  for (; i + 16 <= bytes; i += 16) sum = Add(sum, vld1q_u8(row + i));
  return vaddvq_u32(sum) + OnesFrom(i, row, bytes);
}

constexpr BinaryKernels kKernels = {"NEON", One, Four, Rows, Ones};

}  // namespace neon

#endif

}  // namespace

size_t AllBinary(const BinaryKernels* out[4]) {
  size_t count = 0;
  out[count++] = &plain::kKernels;
#if defined(__x86_64__)
  if (HasAvx2()) out[count++] = &avx2::kKernels;
  if (HasAvx512() && __builtin_cpu_supports("avx512vpopcntdq")) {
    out[count++] = &avx512::kKernels;
  }
#elif defined(__aarch64__)
  out[count++] = &neon::kKernels;
#endif
  return count;
}

const BinaryKernels& BestBinary() {
  static const BinaryKernels& best = *Fastest(AllBinary);
  return best;
}

}  // namespace elanus::simd
