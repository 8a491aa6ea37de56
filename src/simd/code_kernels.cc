// The kernels of quantised rows: plain loops, AVX2, AVX-512 with VNNI and NEON. Intrinsics and not
// the portable vectors of kernels.cc, because those of the pinned release have no byte dot product.
#include "simd/code_kernels.h"

#include <cstring>

#include "simd/instruction_sets.h"

namespace elanus::simd {
namespace {

template <int kBits>
int32_t PlainDot(const int8_t* query, const uint8_t* row, size_t blocks) {
  constexpr size_t kDims = CodeBlock(kBits);
  constexpr size_t kBytes = kDims * kBits / 8;
  int32_t sum = 0;
  for (size_t b = 0; b < blocks; ++b) {
    for (size_t d = 0; d < kDims; ++d) {
      const size_t at = kBits == 1 ? d / 8 : d % kBytes;
      const size_t shift = kBits == 1 ? d % 8 : d / kBytes * kBits;
      const unsigned code = (row[b * kBytes + at] >> shift) & ((1u << kBits) - 1);
      sum += static_cast<int32_t>(code) * query[b * kDims + d];
    }
  }
  return sum;
}

template <CodeKernels::One kOne>
void PlainFour(const int8_t* query, const uint8_t* const rows[4], size_t blocks, int32_t out[4]) {
  for (int r = 0; r < 4; ++r) out[r] = kOne(query, rows[r], blocks);
}

// Four rows a call; the last ones again where they are fewer.
template <CodeKernels::Four kFour>
ELANUS_INLINE void RowsByFours(const int8_t* query, const uint8_t* base, size_t row_bytes,
                               const uint32_t* rows, size_t count, size_t blocks, int32_t* sums) {
  const auto at = [&](size_t i) { return base + size_t{rows[i]} * row_bytes; };
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const uint8_t* const four[4] = {at(i), at(i + 1), at(i + 2), at(i + 3)};
    kFour(query, four, blocks, sums + i);
  }
  if (i == count) return;
  const uint8_t* four[4];
  for (size_t j = 0; j < 4; ++j) four[j] = at(i + j < count ? i + j : count - 1);
  int32_t last[4];
  kFour(query, four, blocks, last);
  for (size_t j = 0; i + j < count; ++j) sums[i + j] = last[j];
}

constexpr CodeKernels kPlain = {"plain",
                                PlainDot<8>,
                                PlainFour<PlainDot<8>>,
                                PlainDot<4>,
                                PlainFour<PlainDot<4>>,
                                PlainDot<2>,
                                PlainFour<PlainDot<2>>,
                                PlainDot<1>,
                                PlainFour<PlainDot<1>>,
                                RowsByFours<PlainFour<PlainDot<1>>>};

#if defined(__x86_64__)

namespace avx2 {

// 8-bit codes: a pair of products does not fit 16 bits, so both sides are widened first.
ELANUS_AVX2 ELANUS_INLINE __m256i Widen(const int8_t* query) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(query)));
}
ELANUS_AVX2 ELANUS_INLINE __m256i Step8(__m256i sum, const int8_t* query, const uint8_t* row) {
  const __m256i q = Widen(query);
  const __m256i r = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row)));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(q, r));
}

// Narrower codes: 15 * 127 * 2 fits, and so does the sum of eight of these.
ELANUS_AVX2 ELANUS_INLINE __m256i Products(__m256i codes, const int8_t* query) {
  return _mm256_maddubs_epi16(codes, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(query)));
}
ELANUS_AVX2 ELANUS_INLINE __m256i AddPairs(__m256i sum, __m256i products) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(products, _mm256_set1_epi16(1)));
}

// 32 single bits: each byte of the register takes its bit from a copy of the byte that holds it.
ELANUS_AVX2 ELANUS_INLINE __m256i Products1(const int8_t* query, const uint8_t* row) {
  int32_t bits;
  std::memcpy(&bits, row, sizeof(bits));
  const __m256i spread = _mm256_shuffle_epi8(
      _mm256_set1_epi32(bits),
      _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303));
  const __m256i one = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));
  const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(spread, one), one);
  return Products(_mm256_and_si256(set, _mm256_set1_epi8(1)), query);
}

template <int kBits>
ELANUS_AVX2 ELANUS_INLINE __m256i Block(__m256i sum, const int8_t* query, const uint8_t* row) {
  if constexpr (kBits == 8) return Step8(sum, query, row);
  if constexpr (kBits == 1) {
    return AddPairs(sum, _mm256_add_epi16(Products1(query, row), Products1(query + 32, row + 4)));
  }
  constexpr size_t kBytes = CodeBlock(kBits) * kBits / 8;
  const __m256i mask = _mm256_set1_epi8((1 << kBits) - 1);
  __m256i products = _mm256_setzero_si256();
  for (size_t i = 0; i < kBytes; i += 32) {
    __m256i codes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + i));
    for (size_t field = 0; field < 8 / kBits; ++field) {
      products = _mm256_add_epi16(
          products, Products(_mm256_and_si256(codes, mask), query + field * kBytes + i));
      codes = _mm256_srli_epi16(codes, kBits);
    }
  }
  return AddPairs(sum, products);
}

template <int kBits>
ELANUS_AVX2 int32_t One(const int8_t* query, const uint8_t* row, size_t blocks) {
  constexpr size_t kDims = CodeBlock(kBits);
  __m256i sum = _mm256_setzero_si256();
  for (size_t b = 0; b < blocks; ++b) {
    sum = Block<kBits>(sum, query + b * kDims, row + b * (kDims * kBits / 8));
  }
  return SumOfEight(sum);
}

template <int kBits>
ELANUS_AVX2 void Four(const int8_t* query, const uint8_t* const rows[4], size_t blocks,
                      int32_t out[4]) {
  // Named one by one: of an array the compiler zeroes memory.
  __m256i s0 = _mm256_setzero_si256();
  __m256i s1 = s0;
  __m256i s2 = s0;
  __m256i s3 = s0;
  for (size_t b = 0; b < blocks; ++b) {
    const int8_t* q = query + b * CodeBlock(kBits);
    const size_t at = b * (CodeBlock(kBits) * kBits / 8);
    s0 = Block<kBits>(s0, q, rows[0] + at);
    s1 = Block<kBits>(s1, q, rows[1] + at);
    s2 = Block<kBits>(s2, q, rows[2] + at);
    s3 = Block<kBits>(s3, q, rows[3] + at);
  }
  SumsOfEight(s0, s1, s2, s3, out);
}

constexpr CodeKernels kKernels = {"AVX2", One<8>,  Four<8>, One<4>,  Four<4>,
                                  One<2>, Four<2>, One<1>,  Four<1>, RowsByFours<Four<1>>};

}  // namespace avx2

namespace vnni {

ELANUS_VNNI ELANUS_INLINE __m512i Load(const void* p) { return _mm512_loadu_si512(p); }

// The bytes of a row a step takes: 64 codes of 8 bits, else a block.
template <int kBits>
inline constexpr size_t kStep = kBits == 8 ? 64 : CodeBlock(kBits) * kBits / 8;
// The numbers of the query that go with them.
template <int kBits>
inline constexpr size_t kQueryStep = kBits == 8 ? 64 : CodeBlock(kBits);

template <int kBits>
ELANUS_VNNI ELANUS_INLINE __m512i Step(__m512i sum, const int8_t* query, const uint8_t* row) {
  if constexpr (kBits == 8) {
    return _mm512_dpbusd_epi32(sum, Load(row), Load(query));
  } else if constexpr (kBits == 1) {
    __mmask64 set;
    std::memcpy(&set, row, sizeof(set));
    return _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), _mm512_maskz_loadu_epi8(set, query));
  } else if constexpr (kBits == 4) {
    const __m512i mask = _mm512_set1_epi8(15);
    const __m512i codes = Load(row);
    sum = _mm512_dpbusd_epi32(sum, _mm512_and_si512(codes, mask), Load(query));
    return _mm512_dpbusd_epi32(sum, _mm512_and_si512(_mm512_srli_epi16(codes, 4), mask),
                               Load(query + 64));
  } else {
    // Two of the four fields of the 32 bytes make one register.
    const __m512i mask = _mm512_set1_epi8(3);
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row));
    const __m512i low =
        _mm512_inserti64x4(_mm512_castsi256_si512(bytes), _mm256_srli_epi16(bytes, 2), 1);
    sum = _mm512_dpbusd_epi32(sum, _mm512_and_si512(low, mask), Load(query));
    return _mm512_dpbusd_epi32(sum, _mm512_and_si512(_mm512_srli_epi16(low, 4), mask),
                               Load(query + 64));
  }
}

// The last blocks of 8-bit codes, fewer than 64 bytes.
ELANUS_VNNI ELANUS_INLINE __m512i Tail8(__m512i sum, __mmask64 mask, const int8_t* query,
                                        const uint8_t* row) {
  return _mm512_dpbusd_epi32(sum, _mm512_maskz_loadu_epi8(mask, row),
                             _mm512_maskz_loadu_epi8(mask, query));
}

template <int kBits>
ELANUS_VNNI int32_t One(const int8_t* query, const uint8_t* row, size_t blocks) {
  const size_t steps = kBits == 8 ? blocks / 4 : blocks;
  __m512i sum = _mm512_setzero_si512();
  for (size_t i = 0; i < steps; ++i) {
    sum = Step<kBits>(sum, query + i * kQueryStep<kBits>, row + i * kStep<kBits>);
  }
  if (kBits == 8 && blocks % 4 != 0) {
    const __mmask64 mask = (1ull << (blocks % 4 * 16)) - 1;
    sum = Tail8(sum, mask, query + steps * 64, row + steps * 64);
  }
  return _mm512_reduce_add_epi32(sum);
}

template <int kBits>
ELANUS_VNNI void Four(const int8_t* query, const uint8_t* const rows[4], size_t blocks,
                      int32_t out[4]) {
  const size_t steps = kBits == 8 ? blocks / 4 : blocks;
  __m512i s0 = _mm512_setzero_si512();
  __m512i s1 = s0;
  __m512i s2 = s0;
  __m512i s3 = s0;
  for (size_t i = 0; i < steps; ++i) {
    const size_t at = i * kStep<kBits>;
    const int8_t* q = query + i * kQueryStep<kBits>;
    s0 = Step<kBits>(s0, q, rows[0] + at);
    s1 = Step<kBits>(s1, q, rows[1] + at);
    s2 = Step<kBits>(s2, q, rows[2] + at);
    s3 = Step<kBits>(s3, q, rows[3] + at);
  }
  if (kBits == 8 && blocks % 4 != 0) {
    const __mmask64 mask = (1ull << (blocks % 4 * 16)) - 1;
    const size_t at = steps * 64;
    s0 = Tail8(s0, mask, query + at, rows[0] + at);
    s1 = Tail8(s1, mask, query + at, rows[1] + at);
    s2 = Tail8(s2, mask, query + at, rows[2] + at);
    s3 = Tail8(s3, mask, query + at, rows[3] + at);
  }
  StoreFourSums(s0, s1, s2, s3, out);
}

// Adds to each of four sums the numbers of the query whose bit of the row is set.
ELANUS_VNNI ELANUS_INLINE __m512i Step1(__m512i sum, __m512i query, const uint8_t* row) {
  __mmask64 set;
  std::memcpy(&set, row, sizeof(set));
  return _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), _mm512_maskz_mov_epi8(set, query));
}

// As Four<1>, with the query read once for four rows and no call between them.
ELANUS_VNNI void Rows1(const int8_t* query, const uint8_t* base, size_t row_bytes,
                       const uint32_t* rows, size_t count, size_t blocks, int32_t* sums) {
  for (size_t i = 0; i < count; i += 4) {
    const size_t left = count - i < 4 ? count - i : 4;
    const uint8_t* r0 = base + size_t{rows[i]} * row_bytes;
    const uint8_t* r1 = base + size_t{rows[left > 1 ? i + 1 : i]} * row_bytes;
    const uint8_t* r2 = base + size_t{rows[left > 2 ? i + 2 : i]} * row_bytes;
    const uint8_t* r3 = base + size_t{rows[left > 3 ? i + 3 : i]} * row_bytes;
    __m512i s0 = _mm512_setzero_si512();
    __m512i s1 = _mm512_setzero_si512();
    __m512i s2 = _mm512_setzero_si512();
    __m512i s3 = _mm512_setzero_si512();
    for (size_t b = 0; b < blocks; ++b) {
      const __m512i q = Load(query + b * 64);
      s0 = Step1(s0, q, r0 + b * 8);
      s1 = Step1(s1, q, r1 + b * 8);
      s2 = Step1(s2, q, r2 + b * 8);
      s3 = Step1(s3, q, r3 + b * 8);
    }
    int32_t four[4];
    StoreFourSums(s0, s1, s2, s3, left == 4 ? sums + i : four);
    for (size_t r = 0; left < 4 && r < left; ++r) sums[i + r] = four[r];
  }
}

constexpr CodeKernels kKernels = {"AVX512_VNNI", One<8>,  Four<8>, One<4>,  Four<4>,
                                  One<2>,        Four<2>, One<1>,  Four<1>, Rows1};

}  // namespace vnni

#elif defined(__aarch64__)

namespace neon {

// 8-bit codes: a product takes all of 16 bits, so both sides are widened first.
inline int32x4_t Step8(int32x4_t sum, const int8_t* query, const uint8_t* row) {
  const uint8x16_t codes = vld1q_u8(row);
  const int8x16_t q = vld1q_s8(query);
  const int16x8_t low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(codes)));
  const int16x8_t high = vreinterpretq_s16_u16(vmovl_high_u8(codes));
  sum = vpadalq_s16(sum, vmulq_s16(low, vmovl_s8(vget_low_s8(q))));
  return vpadalq_s16(sum, vmulq_s16(high, vmovl_high_s8(q)));
}

// Narrower codes.
inline int32x4_t StepSmall(int32x4_t sum, uint8x16_t codes, const int8_t* query) {
  const int8x16_t q = vld1q_s8(query);
  const int8x16_t c = vreinterpretq_s8_u8(codes);
  sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(c), vget_low_s8(q)));
  return vpadalq_s16(sum, vmull_high_s8(c, q));
}

// 16 single bits.
inline int32x4_t Step1(int32x4_t sum, const int8_t* query, const uint8_t* row) {
  const uint8x16_t spread = vcombine_u8(vdup_n_u8(row[0]), vdup_n_u8(row[1]));
  const uint8x16_t bits = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  return StepSmall(sum, vandq_u8(vtstq_u8(spread, bits), vdupq_n_u8(1)), query);
}

template <int kBits>
inline int32x4_t Block(int32x4_t sum, const int8_t* query, const uint8_t* row) {
  if constexpr (kBits == 8) return Step8(sum, query, row);
  if constexpr (kBits == 1) {
    for (size_t part = 0; part < 4; ++part) sum = Step1(sum, query + 16 * part, row + 2 * part);
    return sum;
  }
  constexpr size_t kBytes = CodeBlock(kBits) * kBits / 8;
  const uint8x16_t mask = vdupq_n_u8((1 << kBits) - 1);
  for (size_t i = 0; i < kBytes; i += 16) {
    uint8x16_t codes = vld1q_u8(row + i);
    for (size_t field = 0; field < 8 / kBits; ++field) {
      sum = StepSmall(sum, vandq_u8(codes, mask), query + field * kBytes + i);
      codes = vshrq_n_u8(codes, kBits);
    }
  }
  return sum;
}

template <int kBits>
int32_t One(const int8_t* query, const uint8_t* row, size_t blocks) {
  constexpr size_t kDims = CodeBlock(kBits);
  int32x4_t sum = vdupq_n_s32(0);
  for (size_t b = 0; b < blocks; ++b) {
    sum = Block<kBits>(sum, query + b * kDims, row + b * (kDims * kBits / 8));
  }
  return vaddvq_s32(sum);
}

template <int kBits>
void Four(const int8_t* query, const uint8_t* const rows[4], size_t blocks, int32_t out[4]) {
  constexpr size_t kDims = CodeBlock(kBits);
  int32x4_t sums[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
  for (size_t b = 0; b < blocks; ++b) {
    for (int r = 0; r < 4; ++r) {
      sums[r] = Block<kBits>(sums[r], query + b * kDims, rows[r] + b * (kDims * kBits / 8));
    }
  }
  for (int r = 0; r < 4; ++r) out[r] = vaddvq_s32(sums[r]);
}

constexpr CodeKernels kKernels = {"NEON", One<8>,  Four<8>, One<4>,  Four<4>,
                                  One<2>, Four<2>, One<1>,  Four<1>, RowsByFours<Four<1>>};

}  // namespace neon

#endif

}  // namespace

size_t AllCodes(const CodeKernels* out[4]) {
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

const CodeKernels& BestCodes() {
  static const CodeKernels& best = *Fastest(AllCodes);
  return best;
}

}  // namespace elanus::simd
