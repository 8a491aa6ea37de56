// Rounding with Highway: compiled for each instruction set from this one source.
#include "simd/rounding.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/rounding.cc"
#include <hwy/foreach_target.h>  // NOLINT: includes this file again per target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace elanus::simd {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

constexpr float kMost = 127;
constexpr float kTiny = 1e-30f;  // What is smaller has no inverse, and counts as zero.

RoundedBytes Round(const float* values, const float* weights, size_t dim, int8_t* numbers) {
  const D d;
  const hn::RebindToSigned<D> di;
  const hn::Rebind<int8_t, D> d8;
  const size_t lanes = hn::Lanes(d);
  const auto at = [&](size_t i) HWY_ATTR {
    const V v = hn::LoadU(d, values + i);
    return weights == nullptr ? v : hn::Mul(v, hn::LoadU(d, weights + i));
  };
  const auto one = [&](size_t i) {
    return weights == nullptr ? values[i] : values[i] * weights[i];
  };
  V high = hn::Zero(d);
  size_t i = 0;
  for (; i + lanes <= dim; i += lanes) high = hn::Max(high, hn::Abs(at(i)));
  float largest = hn::GetLane(hn::MaxOfLanes(d, high));
  for (; i < dim; ++i) largest = std::max(largest, std::abs(one(i)));
  RoundedBytes rounded{.scale = largest > kTiny ? largest / kMost : 1.0f, .sum = 0, .lost = 0};
  const float inverse = 1.0f / rounded.scale;
  const V scale = hn::Set(d, rounded.scale);
  const V by = hn::Set(d, inverse);
  const V most = hn::Set(d, kMost);
  auto sums = hn::Zero(di);
  V squares = hn::Zero(d);
  for (i = 0; i + lanes <= dim; i += lanes) {
    const V v = at(i);
    const auto number = hn::NearestInt(hn::Max(hn::Neg(most), hn::Min(most, hn::Mul(v, by))));
    hn::StoreU(hn::DemoteTo(d8, number), d8, numbers + i);
    sums = hn::Add(sums, number);
    const V left = hn::NegMulAdd(hn::ConvertTo(d, number), scale, v);
    squares = hn::MulAdd(left, left, squares);
  }
  rounded.sum = hn::GetLane(hn::SumOfLanes(di, sums));
  float square = hn::GetLane(hn::SumOfLanes(d, squares));
  for (; i < dim; ++i) {
    const float v = one(i);
    const auto number = static_cast<int8_t>(std::lrint(std::clamp(v * inverse, -kMost, kMost)));
    numbers[i] = number;
    rounded.sum += number;
    const float left = v - static_cast<float>(number) * rounded.scale;
    square += left * left;
  }
  rounded.lost = std::sqrt(square);
  return rounded;
}

decltype(&Round) MakeRound() { return Round; }

}  // namespace HWY_NAMESPACE
}  // namespace elanus::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace elanus::simd {
HWY_EXPORT(MakeRound);
RoundedBytes RoundToBytes(const float* values, const float* weights, size_t dim, int8_t* numbers) {
  static const auto kRound = HWY_DYNAMIC_DISPATCH(MakeRound)();
  return kRound(values, weights, dim, numbers);
}
}  // namespace elanus::simd
#endif
