// 16-bit floats with Highway: compiled for each instruction set from this one source.
#include "simd/half_kernels.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/half_kernels.cc"
#include <hwy/foreach_target.h>  // NOLINT: includes this file again per target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace elanus::simd {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

template <class Half>
HWY_INLINE V LoadRow(D d, const uint16_t* p) {
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<Half, D>(), reinterpret_cast<const Half*>(p)));
}

// The last dim % lanes elements, the rest of the vector zero.
template <class Half>
HWY_INLINE V LoadRowTail(D d, const uint16_t* p, size_t count) {
  HWY_ALIGN uint16_t buffer[hn::MaxLanes(D())] = {};
  for (size_t i = 0; i < count; ++i) buffer[i] = p[i];
  return LoadRow<Half>(d, buffer);
}
HWY_INLINE V LoadQueryTail(D d, const float* p, size_t count) {
  HWY_ALIGN float buffer[hn::MaxLanes(D())] = {};
  for (size_t i = 0; i < count; ++i) buffer[i] = p[i];
  return hn::Load(d, buffer);
}

template <bool kL2>
HWY_INLINE V Step(V query, V row, V sum) {
  if constexpr (kL2) {
    const V d = hn::Sub(query, row);
    return hn::MulAdd(d, d, sum);
  } else {
    return hn::MulAdd(query, row, sum);
  }
}

template <class Half, bool kL2>
void Four(const float* query, const uint16_t* const rows[4], size_t dim, float out[4]) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V sum0 = hn::Zero(d);
  V sum1 = hn::Zero(d);
  V sum2 = hn::Zero(d);
  V sum3 = hn::Zero(d);
  size_t i = 0;
  for (; i + lanes <= dim; i += lanes) {
    const V q = hn::LoadU(d, query + i);
    sum0 = Step<kL2>(q, LoadRow<Half>(d, rows[0] + i), sum0);
    sum1 = Step<kL2>(q, LoadRow<Half>(d, rows[1] + i), sum1);
    sum2 = Step<kL2>(q, LoadRow<Half>(d, rows[2] + i), sum2);
    sum3 = Step<kL2>(q, LoadRow<Half>(d, rows[3] + i), sum3);
  }
  if (i < dim) {
    const V q = LoadQueryTail(d, query + i, dim - i);
    sum0 = Step<kL2>(q, LoadRowTail<Half>(d, rows[0] + i, dim - i), sum0);
    sum1 = Step<kL2>(q, LoadRowTail<Half>(d, rows[1] + i, dim - i), sum1);
    sum2 = Step<kL2>(q, LoadRowTail<Half>(d, rows[2] + i, dim - i), sum2);
    sum3 = Step<kL2>(q, LoadRowTail<Half>(d, rows[3] + i, dim - i), sum3);
  }
  out[0] = hn::GetLane(hn::SumOfLanes(d, sum0));
  out[1] = hn::GetLane(hn::SumOfLanes(d, sum1));
  out[2] = hn::GetLane(hn::SumOfLanes(d, sum2));
  out[3] = hn::GetLane(hn::SumOfLanes(d, sum3));
}

template <class Half, bool kL2>
float One(const float* query, const uint16_t* row, size_t dim) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V sum0 = hn::Zero(d);
  V sum1 = hn::Zero(d);
  size_t i = 0;
  for (; i + 2 * lanes <= dim; i += 2 * lanes) {
    sum0 = Step<kL2>(hn::LoadU(d, query + i), LoadRow<Half>(d, row + i), sum0);
    sum1 = Step<kL2>(hn::LoadU(d, query + i + lanes), LoadRow<Half>(d, row + i + lanes), sum1);
  }
  for (; i + lanes <= dim; i += lanes) {
    sum0 = Step<kL2>(hn::LoadU(d, query + i), LoadRow<Half>(d, row + i), sum0);
  }
  if (i < dim) {
    sum1 = Step<kL2>(LoadQueryTail(d, query + i, dim - i), LoadRowTail<Half>(d, row + i, dim - i),
                     sum1);
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(sum0, sum1)));
}

template <class Half>
float Square(const uint16_t* row, size_t dim) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V sum = hn::Zero(d);
  size_t i = 0;
  for (; i + lanes <= dim; i += lanes) {
    const V v = LoadRow<Half>(d, row + i);
    sum = hn::MulAdd(v, v, sum);
  }
  if (i < dim) {
    const V v = LoadRowTail<Half>(d, row + i, dim - i);
    sum = hn::MulAdd(v, v, sum);
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

template <class Half>
void EncodeRow(const float* from, size_t count, uint16_t* to) {
  const D d;
  const hn::Rebind<Half, D> half;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(hn::DemoteTo(half, hn::LoadU(d, from + i)), half, reinterpret_cast<Half*>(to + i));
  }
  if (i < count) {
    HWY_ALIGN uint16_t buffer[hn::MaxLanes(D())];
    hn::Store(hn::DemoteTo(half, LoadQueryTail(d, from + i, count - i)), half,
              reinterpret_cast<Half*>(buffer));
    std::memcpy(to + i, buffer, (count - i) * sizeof(uint16_t));
  }
}

// The pinned Highway cuts the lower half off; this rounds.
void EncodeBFloat16(const float* from, size_t count, uint16_t* to) {
  for (size_t i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, from + i, sizeof(bits));
    to[i] = static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
  }
}

template <class Half>
void DecodeRow(const uint16_t* from, size_t count, float* to) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(LoadRow<Half>(d, from + i), d, to + i);
  if (i < count) {
    HWY_ALIGN float buffer[hn::MaxLanes(D())];
    hn::Store(LoadRowTail<Half>(d, from + i, count - i), d, buffer);
    std::memcpy(to + i, buffer, (count - i) * sizeof(float));
  }
}

template <class Half>
HalfKernels Make() {
  return {One<Half, true>, One<Half, false>, Four<Half, true>, Four<Half, false>,
          Square<Half>,    EncodeRow<Half>,  DecodeRow<Half>};
}
HalfKernels MakeFloat16() { return Make<hwy::float16_t>(); }
HalfKernels MakeBFloat16() {
  HalfKernels kernels = Make<hwy::bfloat16_t>();
  kernels.encode = EncodeBFloat16;
  return kernels;
}

}  // namespace HWY_NAMESPACE
}  // namespace elanus::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace elanus::simd {
HWY_EXPORT(MakeFloat16);
HWY_EXPORT(MakeBFloat16);
const HalfKernels& Float16Kernels() {
  static const HalfKernels kBest = HWY_DYNAMIC_DISPATCH(MakeFloat16)();
  return kBest;
}
const HalfKernels& BFloat16Kernels() {
  static const HalfKernels kBest = HWY_DYNAMIC_DISPATCH(MakeBFloat16)();
  return kBest;
}
}  // namespace elanus::simd
#endif
