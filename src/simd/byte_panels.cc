// Byte panels: plain loops, AVX2, NEON, and AVX-512 with VNNI, whose instruction adds four products
// of bytes to each of sixteen sums. Intrinsics for the reason that code_kernels.cc names.
#include "simd/byte_panels.h"

#include <cstring>

#include "simd/instruction_sets.h"

namespace elanus::simd {
namespace {

void Plain(const int8_t* vectors, size_t count, size_t width, const float* factors,
           const uint8_t* rows, size_t panels, const float* terms, float* keys,
           size_t keys_stride) {
  for (size_t v = 0; v < count; ++v) {
    for (size_t r = 0; r < panels * kBytePanelRows; ++r) {
      const uint8_t* panel = rows + r / kBytePanelRows * BytePanelSize(width);
      int32_t sum = 0;
      for (size_t d = 0; d < width; ++d) {
        sum += int32_t{vectors[v * width + d]} * panel[BytePanelPlace(r % kBytePanelRows, d)];
      }
      keys[v * keys_stride + r] = terms[r] + factors[v] * static_cast<float>(sum);
    }
  }
}

// Some panels that stand one after the other, with some vectors.
using Panel = void (*)(const int8_t* vectors, size_t width, const float* factors,
                       const uint8_t* panel, const float* terms, float* keys, size_t keys_stride);

// As many vectors at once as registers hold sums of: four, else one by one; all of them while the
// panels, so many at once, are in the cache.
template <size_t kPanels>
inline size_t EachPanel(size_t first, const int8_t* vectors, size_t count, size_t width,
                        const float* factors, const uint8_t* rows, size_t panels,
                        const float* terms, float* keys, size_t keys_stride, Panel four,
                        Panel one) {
  size_t p = first;
  for (; p + kPanels <= panels; p += kPanels) {
    const uint8_t* panel = rows + p * BytePanelSize(width);
    const size_t row = p * kBytePanelRows;
    for (size_t v = 0; v < count;) {
      const bool fours = count - v >= 4;
      (fours ? four : one)(vectors + v * width, width, factors + v, panel, terms + row,
                           keys + v * keys_stride + row, keys_stride);
      v += fours ? 4 : 1;
    }
  }
  return p;
}

#if defined(__x86_64__)

inline int32_t FourBytes(const int8_t* p) {
  int32_t four;
  std::memcpy(&four, p, sizeof(four));
  return four;
}

// One instruction adds the products of two pairs of bytes in 16 bits, which hold them while codes
// are 127 at most; the next one adds these in 32. Eight rows a register.
template <size_t kVectors>
ELANUS_AVX2 void Avx2Panel(const int8_t* vectors, size_t width, const float* factors,
                           const uint8_t* panel, const float* terms, float* keys,
                           size_t keys_stride) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[kVectors][2] = {};
  for (size_t d = 0; d < width; d += 4) {
    const uint8_t* at = panel + d * kBytePanelRows;
    const __m256i codes[2] = {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)),
                              _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + 32))};
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) {
      const __m256i numbers = _mm256_set1_epi32(FourBytes(vectors + v * width + d));
#pragma GCC unroll 2
      for (size_t j = 0; j < 2; ++j) {
        const __m256i pairs = _mm256_maddubs_epi16(codes[j], numbers);
        sums[v][j] = _mm256_add_epi32(sums[v][j], _mm256_madd_epi16(pairs, ones));
        // One sum after the other, or the compiler runs out of registers for products and keeps
        // sums in memory.
        asm("" : "+x"(sums[v][j]));
      }
    }
  }
#pragma GCC unroll 4
  for (size_t v = 0; v < kVectors; ++v) {
#pragma GCC unroll 2
    for (size_t j = 0; j < 2; ++j) {
      const __m256 key = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[v][j]), _mm256_set1_ps(factors[v]),
                                         _mm256_loadu_ps(terms + 8 * j));
      _mm256_storeu_ps(keys + v * keys_stride + 8 * j, key);
    }
  }
}

// A panel is a register wide: several at once, for as many sums as keep the multiplier busy.
template <size_t kVectors, size_t kPanels>
ELANUS_VNNI void VnniPanels(const int8_t* vectors, size_t width, const float* factors,
                            const uint8_t* panel, const float* terms, float* keys,
                            size_t keys_stride) {
  const size_t panel_size = BytePanelSize(width);
  __m512i sums[kVectors][kPanels] = {};
  for (size_t d = 0; d < width; d += 4) {
    const uint8_t* at = panel + d * kBytePanelRows;
    __m512i codes[kPanels];
#pragma GCC unroll 4
    for (size_t j = 0; j < kPanels; ++j) codes[j] = _mm512_loadu_si512(at + j * panel_size);
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) {
      const __m512i numbers = _mm512_set1_epi32(FourBytes(vectors + v * width + d));
#pragma GCC unroll 4
      for (size_t j = 0; j < kPanels; ++j) {
        sums[v][j] = _mm512_dpbusd_epi32(sums[v][j], codes[j], numbers);
      }
    }
  }
#pragma GCC unroll 4
  for (size_t v = 0; v < kVectors; ++v) {
#pragma GCC unroll 4
    for (size_t j = 0; j < kPanels; ++j) {
      const __m512 key = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[v][j]), _mm512_set1_ps(factors[v]),
                                         _mm512_loadu_ps(terms + kBytePanelRows * j));
      _mm512_storeu_ps(keys + v * keys_stride + kBytePanelRows * j, key);
    }
  }
}

void Avx2(const int8_t* vectors, size_t count, size_t width, const float* factors,
          const uint8_t* rows, size_t panels, const float* terms, float* keys, size_t keys_stride) {
  EachPanel<1>(0, vectors, count, width, factors, rows, panels, terms, keys, keys_stride,
               Avx2Panel<4>, Avx2Panel<1>);
}
void Vnni(const int8_t* vectors, size_t count, size_t width, const float* factors,
          const uint8_t* rows, size_t panels, const float* terms, float* keys, size_t keys_stride) {
  const size_t left = EachPanel<4>(0, vectors, count, width, factors, rows, panels, terms, keys,
                                   keys_stride, VnniPanels<4, 4>, VnniPanels<1, 4>);
  EachPanel<1>(left, vectors, count, width, factors, rows, panels, terms, keys, keys_stride,
               VnniPanels<4, 1>, VnniPanels<1, 1>);
}

#elif defined(__aarch64__)

// Four rows a register. A product of two bytes fits 16 bits, their sums do not.
template <size_t kVectors>
void NeonPanel(const int8_t* vectors, size_t width, const float* factors, const uint8_t* panel,
               const float* terms, float* keys, size_t keys_stride) {
  for (size_t r = 0; r < kBytePanelRows; r += 4) {
    int32x4_t sums[kVectors];
    for (size_t v = 0; v < kVectors; ++v) sums[v] = vdupq_n_s32(0);
    for (size_t d = 0; d < width; d += 4) {
      const uint8x16_t codes = vld1q_u8(panel + d * kBytePanelRows + r * 4);
      const int16x8_t low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(codes)));
      const int16x8_t high = vreinterpretq_s16_u16(vmovl_high_u8(codes));
      for (size_t v = 0; v < kVectors; ++v) {
        int32_t four;
        std::memcpy(&four, vectors + v * width + d, sizeof(four));
        const int16x8_t numbers = vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four)));
        const int32x4_t pairs =
            vpaddq_s32(vpaddlq_s16(vmulq_s16(low, numbers)), vpaddlq_s16(vmulq_s16(high, numbers)));
        sums[v] = vaddq_s32(sums[v], pairs);
      }
    }
    for (size_t v = 0; v < kVectors; ++v) {
      vst1q_f32(keys + v * keys_stride + r,
                vfmaq_n_f32(vld1q_f32(terms + r), vcvtq_f32_s32(sums[v]), factors[v]));
    }
  }
}

void Neon(const int8_t* vectors, size_t count, size_t width, const float* factors,
          const uint8_t* rows, size_t panels, const float* terms, float* keys, size_t keys_stride) {
  EachPanel<1>(0, vectors, count, width, factors, rows, panels, terms, keys, keys_stride,
               NeonPanel<4>, NeonPanel<1>);
}

#endif

}  // namespace

size_t AllBytePanels(BytePanels out[3]) {
  size_t count = 0;
  out[count++] = {Plain, 255};
#if defined(__x86_64__)
  if (HasAvx2()) out[count++] = {Avx2, 127};
  if (HasVnni()) out[count++] = {Vnni, 255};
#elif defined(__aarch64__)
  out[count++] = {Neon, 255};
#endif
  return count;
}

BytePanels BestBytePanels() {
  static const BytePanels best = Fastest(AllBytePanels);
  return best;
}

}  // namespace elanus::simd
