// Selection with Highway: compiled for each instruction set from this one source. The k-th smallest
// key is found by halving a range of numbers and counting: a count reads a vector of keys a cycle
// and has no branch that depends on them, and some fifteen counts find one key among thousands.
#include "simd/select.h"

#include <algorithm>
#include <bit>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/select.cc"
#include <hwy/foreach_target.h>  // NOLINT: includes this file again per target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace elanus::simd {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
using DU = hn::RebindToUnsigned<D>;

// Halvings of the range's width before those of the numbers in it: the former are done sooner when
// keys are of one size, the latter in 32 steps whatever the keys are.
constexpr int kWidthSteps = 24;
constexpr size_t kStripes = 8;  // Vectors of minima that the bound is found in.

size_t CountAtMost(const float* keys, size_t count, float bound) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const V most = hn::Set(d, bound);
  size_t found = 0;
  size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    found += hn::CountTrue(d, hn::Le(hn::LoadU(d, keys + i), most));
    found += hn::CountTrue(d, hn::Le(hn::LoadU(d, keys + i + lanes), most));
  }
  for (; i < count; ++i) found += keys[i] <= bound ? 1 : 0;
  return found;
}

void Span(const float* keys, size_t count, float* least, float* most) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  *least = keys[0];
  *most = keys[0];
  size_t i = 0;
  if (count >= lanes) {
    V low = hn::LoadU(d, keys);
    V high = low;
    for (i = lanes; i + lanes <= count; i += lanes) {
      const V v = hn::LoadU(d, keys + i);
      low = hn::Min(low, v);
      high = hn::Max(high, v);
    }
    *least = hn::GetLane(hn::MinOfLanes(d, low));
    *most = hn::GetLane(hn::MaxOfLanes(d, high));
  }
  for (; i < count; ++i) {
    *least = std::min(*least, keys[i]);
    *most = std::max(*most, keys[i]);
  }
}

// Floats as integers in the same order.
HWY_INLINE int64_t Ordered(float key) {
  const auto bits = std::bit_cast<int32_t>(key);
  return bits >= 0 ? int64_t{bits} : -int64_t{bits & 0x7fffffff};
}
HWY_INLINE float Unordered(int64_t order) {
  const auto size = static_cast<uint32_t>(order >= 0 ? order : -order);
  return std::bit_cast<float>(order >= 0 ? size : size | 0x80000000u);
}

float Kth(const float* keys, size_t count, size_t k) {
  float low;   // Fewer than k keys are at most this,
  float high;  // and k at least at most that.
  Span(keys, count, &low, &high);
  if (k >= count || low == high) return high;
  if (CountAtMost(keys, count, low) >= k) return low;
  for (int step = 0;; ++step) {
    float middle = low + (high - low) / 2;
    if (step >= kWidthSteps || !(middle > low && middle < high)) {
      const int64_t from = Ordered(low);
      const int64_t to = Ordered(high);
      if (to - from <= 1) return high;
      middle = Unordered(from + (to - from) / 2);
    }
    const size_t found = CountAtMost(keys, count, middle);
    if (found >= k) high = middle;
    if (found < k) low = middle;
    if (found == k) break;
  }
  // The largest of the k: `high` may lie above it.
  const D d;
  const size_t lanes = hn::Lanes(d);
  const V limit = hn::Set(d, high);
  V largest = hn::Set(d, low);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const V v = hn::LoadU(d, keys + i);
    largest = hn::IfThenElse(hn::Le(v, limit), hn::Max(largest, v), largest);
  }
  float kth = hn::GetLane(hn::MaxOfLanes(d, largest));
  for (; i < count; ++i) {
    if (keys[i] <= high) kth = std::max(kth, keys[i]);
  }
  return kth;
}

// The k-th smallest of the minima of stripes: as many keys are at most that, each of its stripe.
float Bound(const float* keys, size_t count, size_t k) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const size_t stripes = kStripes * lanes;
  if (count < 4 * stripes || 2 * k > stripes) return Kth(keys, count, k);
  HWY_ALIGN float minima[kStripes * hn::MaxLanes(D())];
  V low0 = hn::LoadU(d, keys), low1 = hn::LoadU(d, keys + lanes);
  V low2 = hn::LoadU(d, keys + 2 * lanes), low3 = hn::LoadU(d, keys + 3 * lanes);
  V low4 = hn::LoadU(d, keys + 4 * lanes), low5 = hn::LoadU(d, keys + 5 * lanes);
  V low6 = hn::LoadU(d, keys + 6 * lanes), low7 = hn::LoadU(d, keys + 7 * lanes);
  for (size_t i = stripes; i + stripes <= count; i += stripes) {
    low0 = hn::Min(low0, hn::LoadU(d, keys + i));
    low1 = hn::Min(low1, hn::LoadU(d, keys + i + lanes));
    low2 = hn::Min(low2, hn::LoadU(d, keys + i + 2 * lanes));
    low3 = hn::Min(low3, hn::LoadU(d, keys + i + 3 * lanes));
    low4 = hn::Min(low4, hn::LoadU(d, keys + i + 4 * lanes));
    low5 = hn::Min(low5, hn::LoadU(d, keys + i + 5 * lanes));
    low6 = hn::Min(low6, hn::LoadU(d, keys + i + 6 * lanes));
    low7 = hn::Min(low7, hn::LoadU(d, keys + i + 7 * lanes));
  }
  hn::Store(low0, d, minima);
  hn::Store(low1, d, minima + lanes);
  hn::Store(low2, d, minima + 2 * lanes);
  hn::Store(low3, d, minima + 3 * lanes);
  hn::Store(low4, d, minima + 4 * lanes);
  hn::Store(low5, d, minima + 5 * lanes);
  hn::Store(low6, d, minima + 6 * lanes);
  hn::Store(low7, d, minima + 7 * lanes);
  return Kth(minima, stripes, k);
}

size_t Positions(const float* keys, size_t count, float bound, uint32_t* positions) {
  const D d;
  const DU du;
  const size_t lanes = hn::Lanes(d);
  const V most = hn::Set(d, bound);
  auto numbers = hn::Iota(du, 0);
  const auto step = hn::Set(du, static_cast<uint32_t>(lanes));
  size_t found = 0;
  size_t i = 0;
  // A whole vector is stored at `found` <= i: it stays within the first count numbers.
  for (; i + lanes <= count; i += lanes, numbers = hn::Add(numbers, step)) {
    const auto less = hn::Le(hn::LoadU(d, keys + i), most);
    if (hn::AllFalse(d, less)) continue;
    hn::StoreU(hn::Compress(numbers, hn::RebindMask(du, less)), du, positions + found);
    found += hn::CountTrue(d, less);
  }
  for (; i < count; ++i) {
    if (keys[i] <= bound) positions[found++] = static_cast<uint32_t>(i);
  }
  return found;
}

size_t Keep(float* keys, uint32_t* values, size_t count, float bound) {
  const D d;
  const DU du;
  const size_t lanes = hn::Lanes(d);
  const V most = hn::Set(d, bound);
  size_t found = 0;
  size_t i = 0;
  // A whole vector is stored at `found` <= i: over nothing that is still to be read.
  for (; i + lanes <= count; i += lanes) {
    const V v = hn::LoadU(d, keys + i);
    const auto less = hn::Le(v, most);
    if (hn::AllFalse(d, less)) continue;
    const auto mine = hn::LoadU(du, values + i);
    hn::StoreU(hn::Compress(v, less), d, keys + found);
    hn::StoreU(hn::Compress(mine, hn::RebindMask(du, less)), du, values + found);
    found += hn::CountTrue(d, less);
  }
  for (; i < count; ++i) {
    if (keys[i] > bound) continue;
    keys[found] = keys[i];
    values[found++] = values[i];
  }
  return found;
}

SelectKernels MakeSelect() { return {Kth, Bound, Positions, Keep}; }

}  // namespace HWY_NAMESPACE
}  // namespace elanus::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace elanus::simd {
HWY_EXPORT(MakeSelect);
const SelectKernels& Select() {
  static const SelectKernels kBest = HWY_DYNAMIC_DISPATCH(MakeSelect)();
  return kBest;
}
}  // namespace elanus::simd
#endif
