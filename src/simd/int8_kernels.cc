// The kernels of signed bytes: plain loops, AVX2, AVX-512 with VNNI and NEON. Intrinsics for the
// reason that code_kernels.cc names.
#include "simd/int8_kernels.h"

#include "simd/instruction_sets.h"

namespace elanus::simd {
namespace {

template <bool kL2>
int32_t PlainStep(int32_t sum, int8_t a, int8_t b) {
  if constexpr (kL2) {
    const int32_t difference = int32_t{a} - int32_t{b};
    return sum + difference * difference;
  } else {
    return sum + int32_t{a} * int32_t{b};
  }
}

template <bool kL2>
int32_t PlainOne(const int8_t* a, const int8_t* b, size_t dim) {
  int32_t sum = 0;
  for (size_t d = 0; d < dim; ++d) sum = PlainStep<kL2>(sum, a[d], b[d]);
  return sum;
}

template <bool kL2>
void PlainFour(const int8_t* query, const int8_t* const rows[4], size_t dim, int32_t out[4]) {
  for (int r = 0; r < 4; ++r) out[r] = PlainOne<kL2>(query, rows[r], dim);
}

constexpr Int8Kernels kPlain = {"plain", PlainOne<true>, PlainOne<false>, PlainFour<true>,
                                PlainFour<false>};

#if defined(__x86_64__)

namespace avx2 {

constexpr size_t kStep = 16;

ELANUS_AVX2 ELANUS_INLINE __m256i Widen(const int8_t* p) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

template <bool kL2>
ELANUS_AVX2 ELANUS_INLINE __m256i Step(__m256i sum, __m256i query, __m256i row) {
  if constexpr (kL2) {
    const __m256i difference = _mm256_sub_epi16(query, row);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(difference, difference));
  } else {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(query, row));
  }
}

template <bool kL2>
ELANUS_AVX2 int32_t One(const int8_t* a, const int8_t* b, size_t dim) {
  __m256i sum = _mm256_setzero_si256();
  size_t d = 0;
  for (; d + kStep <= dim; d += kStep) sum = Step<kL2>(sum, Widen(a + d), Widen(b + d));
  return SumOfEight(sum) + PlainOne<kL2>(a + d, b + d, dim - d);
}

template <bool kL2>
ELANUS_AVX2 void Four(const int8_t* query, const int8_t* const rows[4], size_t dim,
                      int32_t out[4]) {
  // Named one by one: of an array the compiler zeroes memory.
  __m256i s0 = _mm256_setzero_si256();
  __m256i s1 = s0;
  __m256i s2 = s0;
  __m256i s3 = s0;
  size_t d = 0;
  for (; d + kStep <= dim; d += kStep) {
    const __m256i q = Widen(query + d);
    s0 = Step<kL2>(s0, q, Widen(rows[0] + d));
    s1 = Step<kL2>(s1, q, Widen(rows[1] + d));
    s2 = Step<kL2>(s2, q, Widen(rows[2] + d));
    s3 = Step<kL2>(s3, q, Widen(rows[3] + d));
  }
  SumsOfEight(s0, s1, s2, s3, out);
  if (d == dim) return;
  for (int r = 0; r < 4; ++r) out[r] += PlainOne<kL2>(query + d, rows[r] + d, dim - d);
}

constexpr Int8Kernels kKernels = {"AVX2", One<true>, One<false>, Four<true>, Four<false>};

}  // namespace avx2

namespace vnni {

constexpr size_t kStep = 64;

ELANUS_VNNI ELANUS_INLINE __m512i Load(__mmask64 mask, const int8_t* p) {
  return _mm512_maskz_loadu_epi8(mask, p);
}

// The instruction multiplies unsigned bytes with signed ones: a row goes in 128 too large, and 128
// times the query's sum is taken off in the end.
ELANUS_VNNI ELANUS_INLINE __m512i StepIp(__m512i sum, __m512i query, __m512i row) {
  return _mm512_dpbusd_epi32(sum, _mm512_xor_si512(row, _mm512_set1_epi8(-128)), query);
}
// Differences have nine bits, their sizes eight; these are widened and squared.
ELANUS_VNNI ELANUS_INLINE __m512i StepL2(__m512i sum, __m512i query, __m512i row) {
  const __m512i size = _mm512_sub_epi8(_mm512_max_epi8(query, row), _mm512_min_epi8(query, row));
  const __m512i zero = _mm512_setzero_si512();
  const __m512i low = _mm512_unpacklo_epi8(size, zero);
  const __m512i high = _mm512_unpackhi_epi8(size, zero);
  return _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(sum, low, low), high, high);
}

template <bool kL2>
ELANUS_VNNI ELANUS_INLINE __m512i Step(__m512i sum, __m512i query, __m512i row) {
  if constexpr (kL2) {
    return StepL2(sum, query, row);
  } else {
    return StepIp(sum, query, row);
  }
}
ELANUS_VNNI ELANUS_INLINE __m512i AddBytes(__m512i sum, __m512i query) {
  return _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), query);
}
ELANUS_VNNI ELANUS_INLINE __mmask64 TailMask(size_t count) { return (__mmask64{1} << count) - 1; }

template <bool kL2>
ELANUS_VNNI int32_t One(const int8_t* a, const int8_t* b, size_t dim) {
  __m512i sum = _mm512_setzero_si512();
  __m512i bytes = sum;
  for (size_t d = 0; d < dim; d += kStep) {
    const __mmask64 mask = dim - d >= kStep ? ~__mmask64{0} : TailMask(dim - d);
    const __m512i query = Load(mask, a + d);
    sum = Step<kL2>(sum, query, Load(mask, b + d));
    if constexpr (!kL2) bytes = AddBytes(bytes, query);
  }
  const int32_t total = _mm512_reduce_add_epi32(sum);
  return kL2 ? total : total - 128 * _mm512_reduce_add_epi32(bytes);
}

template <bool kL2>
ELANUS_VNNI void Four(const int8_t* query, const int8_t* const rows[4], size_t dim,
                      int32_t out[4]) {
  __m512i s0 = _mm512_setzero_si512();
  __m512i s1 = s0;
  __m512i s2 = s0;
  __m512i s3 = s0;
  __m512i bytes = s0;
  for (size_t d = 0; d < dim; d += kStep) {
    const __mmask64 mask = dim - d >= kStep ? ~__mmask64{0} : TailMask(dim - d);
    const __m512i q = Load(mask, query + d);
    s0 = Step<kL2>(s0, q, Load(mask, rows[0] + d));
    s1 = Step<kL2>(s1, q, Load(mask, rows[1] + d));
    s2 = Step<kL2>(s2, q, Load(mask, rows[2] + d));
    s3 = Step<kL2>(s3, q, Load(mask, rows[3] + d));
    if constexpr (!kL2) bytes = AddBytes(bytes, q);
  }
  const int32_t excess = kL2 ? 0 : 128 * _mm512_reduce_add_epi32(bytes);
  out[0] = _mm512_reduce_add_epi32(s0) - excess;
  out[1] = _mm512_reduce_add_epi32(s1) - excess;
  out[2] = _mm512_reduce_add_epi32(s2) - excess;
  out[3] = _mm512_reduce_add_epi32(s3) - excess;
}

constexpr Int8Kernels kKernels = {"AVX512_VNNI", One<true>, One<false>, Four<true>, Four<false>};

}  // namespace vnni

#elif defined(__aarch64__)

namespace neon {

constexpr size_t kStep = 16;

// Differences have nine bits, their sizes eight; squares and products have sixteen, so that each
// pair is added to 32.
template <bool kL2>
inline int32x4_t Step(int32x4_t sum, int8x16_t query, int8x16_t row) {
  if constexpr (kL2) {
    const uint8x16_t size = vreinterpretq_u8_s8(vabdq_s8(query, row));
    uint32x4_t squares = vreinterpretq_u32_s32(sum);
    squares = vpadalq_u16(squares, vmull_u8(vget_low_u8(size), vget_low_u8(size)));
    return vreinterpretq_s32_u32(vpadalq_u16(squares, vmull_high_u8(size, size)));
  } else {
    sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(query), vget_low_s8(row)));
    return vpadalq_s16(sum, vmull_high_s8(query, row));
  }
}

template <bool kL2>
int32_t One(const int8_t* a, const int8_t* b, size_t dim) {
  int32x4_t sum = vdupq_n_s32(0);
  size_t d = 0;
  for (; d + kStep <= dim; d += kStep) sum = Step<kL2>(sum, vld1q_s8(a + d), vld1q_s8(b + d));
  return vaddvq_s32(sum) + PlainOne<kL2>(a + d, b + d, dim - d);
}

template <bool kL2>
void Four(const int8_t* query, const int8_t* const rows[4], size_t dim, int32_t out[4]) {
  int32x4_t sums[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
  size_t d = 0;
  for (; d + kStep <= dim; d += kStep) {
    const int8x16_t q = vld1q_s8(query + d);
    for (int r = 0; r < 4; ++r) sums[r] = Step<kL2>(sums[r], q, vld1q_s8(rows[r] + d));
  }
  for (int r = 0; r < 4; ++r) {
    out[r] = vaddvq_s32(sums[r]) + PlainOne<kL2>(query + d, rows[r] + d, dim - d);
  }
}

constexpr Int8Kernels kKernels = {"NEON", One<true>, One<false>, Four<true>, Four<false>};

}  // namespace neon

#endif

}  // namespace

const Int8Kernels& ReferenceInt8() { return kPlain; }

size_t AllInt8(const Int8Kernels* out[3]) {
  size_t count = 0;
  out[count++] = &kPlain;
#if defined(__x86_64__)
  if (HasAvx2()) out[count++] = &avx2::kKernels;
  if (HasVnni()) out[count++] = &vnni::kKernels;
#elif defined(__aarch64__)
  out[count++] = &neon::kKernels;
#endif
  return count;
}

const Int8Kernels& BestInt8() {
  static const Int8Kernels& best = *Fastest(AllInt8);
  return best;
}

}  // namespace elanus::simd
