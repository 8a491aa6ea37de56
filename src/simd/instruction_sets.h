// For kernels in intrinsics: the compiler's headers, the instruction sets to compile functions for,
// which of them this machine has, and the choice among kernels.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#ifndef __clang__
// GCC 12's own header initialises a register with itself and warns about it (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/// Always inlined, so that it is compiled for the instruction set of whoever calls it.
#define ELANUS_INLINE __attribute__((always_inline)) inline

#if defined(__x86_64__)
#define ELANUS_AVX2 __attribute__((target("avx2,fma,bmi,popcnt")))
#define ELANUS_AVX512 __attribute__((target("avx2,fma,bmi,popcnt,avx512f,avx512bw,avx512vl")))
#define ELANUS_VNNI \
  __attribute__((target("avx2,fma,bmi,popcnt,avx512f,avx512bw,avx512vl,avx512vnni")))
#endif

namespace elanus::simd {

#if defined(__x86_64__)

/// Whether this machine runs what is compiled for ELANUS_AVX2, and so on.
inline bool HasAvx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
}
inline bool HasAvx512() {
  return HasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl");
}
inline bool HasVnni() { return HasAvx512() && __builtin_cpu_supports("avx512vnni"); }

/// The sum of eight 32-bit numbers.
ELANUS_AVX2 ELANUS_INLINE int32_t SumOfEight(__m256i v) {
  const __m128i half = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  const __m128i pair = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(pair, _mm_shuffle_epi32(pair, 0xb1)));
}
/// The sums of four times eight.
ELANUS_AVX2 ELANUS_INLINE void SumsOfEight(__m256i a, __m256i b, __m256i c, __m256i d,
                                           int32_t sums[4]) {
  const __m256i pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
  _mm_storeu_si128(
      reinterpret_cast<__m128i*>(sums),
      _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1)));
}

ELANUS_VNNI ELANUS_INLINE __m256i HalvesAdded(__m512i v) {
  return _mm256_add_epi32(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
}
/// The sums of four times sixteen 32-bit numbers. Neighbours are added pairwise, which shares the
/// additions.
ELANUS_VNNI ELANUS_INLINE void StoreFourSums(__m512i s0, __m512i s1, __m512i s2, __m512i s3,
                                             int32_t out[4]) {
  const __m256i sums = _mm256_hadd_epi32(_mm256_hadd_epi32(HalvesAdded(s0), HalvesAdded(s1)),
                                         _mm256_hadd_epi32(HalvesAdded(s2), HalvesAdded(s3)));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                   _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1)));
}

#endif

/// The last of the kernels, at most four, that `all` lists for this machine, the slowest first.
template <class Kernel>
Kernel Fastest(size_t (*all)(Kernel*)) {
  Kernel kernels[4] = {};
  return kernels[all(kernels) - 1];
}

}  // namespace elanus::simd
