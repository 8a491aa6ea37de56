// Panels with Highway: compiled for each instruction set from this one source.
#include "simd/panels.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/panels.cc"
#include <hwy/foreach_target.h>  // NOLINT: includes this file again per target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace elanus::simd {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// A panel is cut into strips of rows whose sums fill the registers; a strip's numbers lie one
// dimension after the other, so that it is read from end to end.
#if HWY_HAVE_SCALABLE
constexpr size_t kStripRows = kPanelRows;
#else
// Registers of sums for each vector: with six vectors they fill half of 32 and more of 16.
#if HWY_MAX_BYTES == 64 || HWY_ARCH_ARM_A64
constexpr size_t kColumns = 4;
#else
constexpr size_t kColumns = 2;
#endif
constexpr size_t kStripRows = kColumns * hn::MaxLanes(D());
static_assert(kPanelRows % kStripRows == 0);
#endif

inline size_t Place(size_t r, size_t d, size_t dim) {
  return r / kStripRows * kStripRows * dim + d * kStripRows + r % kStripRows;
}

void PackPlain(const float* rows, size_t first_row, size_t count, size_t first, size_t dim,
               float* panel) {
  for (size_t d = first; d < dim; ++d) {
    for (size_t r = first_row; r < count; ++r) panel[Place(r, d, dim)] = rows[r * dim + d];
    for (size_t r = std::max(first_row, count); r < kPanelRows; ++r) panel[Place(r, d, dim)] = 0;
  }
}

// Squares of four rows and four dimensions are turned over in registers.
void Pack(const float* rows, size_t count, size_t dim, float* panel) {
#if HWY_TARGET == HWY_SCALAR || HWY_HAVE_SCALABLE
  PackPlain(rows, 0, count, 0, dim, panel);
#else
  const hn::Full128<float> d4;
  const hn::Full128<uint64_t> d2;
  const auto pairs = [&](auto v) HWY_ATTR { return hn::BitCast(d2, v); };
  const auto whole = [&](auto v) HWY_ATTR { return hn::BitCast(d4, v); };
  const size_t row_end = count / 4 * 4;
  const size_t dim_end = dim / 4 * 4;
  for (size_t r = 0; r < row_end; r += 4) {
    const float* at = rows + r * dim;
    for (size_t d = 0; d < dim_end; d += 4) {
      const auto a = hn::LoadU(d4, at + d);
      const auto b = hn::LoadU(d4, at + dim + d);
      const auto c = hn::LoadU(d4, at + 2 * dim + d);
      const auto e = hn::LoadU(d4, at + 3 * dim + d);
      const auto ab01 = pairs(hn::InterleaveLower(d4, a, b));
      const auto ab23 = pairs(hn::InterleaveUpper(d4, a, b));
      const auto ce01 = pairs(hn::InterleaveLower(d4, c, e));
      const auto ce23 = pairs(hn::InterleaveUpper(d4, c, e));
      float* to = panel + Place(r, d, dim);
      hn::StoreU(whole(hn::InterleaveLower(d2, ab01, ce01)), d4, to);
      hn::StoreU(whole(hn::InterleaveUpper(d2, ab01, ce01)), d4, to + kStripRows);
      hn::StoreU(whole(hn::InterleaveLower(d2, ab23, ce23)), d4, to + 2 * kStripRows);
      hn::StoreU(whole(hn::InterleaveUpper(d2, ab23, ce23)), d4, to + 3 * kStripRows);
    }
  }
  // The last dimensions of all rows, then the last rows.
  PackPlain(rows, 0, count, dim_end, dim, panel);
  if (row_end < kPanelRows) PackPlain(rows, row_end, count, 0, dim, panel);
#endif
}

#if HWY_HAVE_SCALABLE

// Vectors of no fixed size make no arrays: one vector at a time.
void Products(const float* vectors, size_t count, size_t dim, const float* panel, float* out) {
  const hn::CappedTag<float, kPanelRows> d;
  const size_t lanes = hn::Lanes(d);
  for (size_t v = 0; v < count; ++v) {
    for (size_t r = 0; r < kPanelRows; r += lanes) {
      auto sum = hn::Zero(d);
      for (size_t i = 0; i < dim; ++i) {
        sum = hn::MulAdd(hn::Set(d, vectors[v * dim + i]), hn::LoadU(d, panel + i * kPanelRows + r),
                         sum);
      }
      hn::StoreU(sum, d, out + v * kPanelRows + r);
    }
  }
}

#else

template <size_t kCount>
HWY_INLINE void Some(const float* vectors, size_t dim, const float* panel, float* out) {
  const D d;
  constexpr size_t kLanes = hn::MaxLanes(D());
  for (size_t r = 0; r < kPanelRows; r += kStripRows) {
    V sums[kCount][kColumns];
#pragma GCC unroll 8
    for (size_t v = 0; v < kCount; ++v) {
#pragma GCC unroll 4
      for (size_t j = 0; j < kColumns; ++j) sums[v][j] = hn::Zero(d);
    }
    const float* at = panel + r * dim;
    for (size_t i = 0; i < dim; ++i, at += kStripRows) {
      V rows[kColumns];
#pragma GCC unroll 4
      for (size_t j = 0; j < kColumns; ++j) rows[j] = hn::LoadU(d, at + j * kLanes);
#pragma GCC unroll 8
      for (size_t v = 0; v < kCount; ++v) {
        const V number = hn::Set(d, vectors[v * dim + i]);
#pragma GCC unroll 4
        for (size_t j = 0; j < kColumns; ++j) {
          sums[v][j] = hn::MulAdd(number, rows[j], sums[v][j]);
        }
      }
    }
#pragma GCC unroll 8
    for (size_t v = 0; v < kCount; ++v) {
#pragma GCC unroll 4
      for (size_t j = 0; j < kColumns; ++j) {
        hn::StoreU(sums[v][j], d, out + v * kPanelRows + r + j * kLanes);
      }
    }
  }
}

void Products(const float* vectors, size_t count, size_t dim, const float* panel, float* out) {
  switch (count) {
    case 6:
      return Some<6>(vectors, dim, panel, out);
    case 5:
      return Some<5>(vectors, dim, panel, out);
    case 4:
      return Some<4>(vectors, dim, panel, out);
    case 3:
      return Some<3>(vectors, dim, panel, out);
    case 2:
      return Some<2>(vectors, dim, panel, out);
    default:
      return Some<1>(vectors, dim, panel, out);
  }
}

#endif

uint64_t NotAbove(const float* products, const float* scales, const float* terms, float limit) {
  const hn::CappedTag<float, kPanelRows> d;
  const size_t lanes = hn::Lanes(d);
  const auto most = hn::Set(d, limit);
  uint64_t bits = 0;
  for (size_t r = 0; r < kPanelRows; r += lanes) {
    const auto key =
        hn::MulAdd(hn::LoadU(d, scales + r), hn::LoadU(d, products + r), hn::LoadU(d, terms + r));
    const auto above = hn::Gt(key, most);
    uint8_t bytes[8] = {};
    hn::StoreMaskBits(d, above, bytes);
    uint64_t part = 0;
    for (size_t i = 0; i < (lanes + 7) / 8; ++i) part |= uint64_t{bytes[i]} << (8 * i);
    bits |= part << r;
  }
  return ~bits;
}

PanelKernels MakePanels() { return {Pack, Products, NotAbove}; }

}  // namespace HWY_NAMESPACE
}  // namespace elanus::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace elanus::simd {
HWY_EXPORT(MakePanels);
const PanelKernels& Panels() {
  static const PanelKernels kBest = HWY_DYNAMIC_DISPATCH(MakePanels)();
  return kBest;
}
}  // namespace elanus::simd
#endif
