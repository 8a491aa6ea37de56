// The kernels with Highway: compiled for each instruction set from this one source.
#include "simd/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/kernels.cc"
#include <hwy/foreach_target.h>  // NOLINT: includes this file again per target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace elanus::simd {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

struct L2Op {
  static HWY_INLINE V Step(V query, V row, V sum) {
    const V d = hn::Sub(query, row);
    return hn::MulAdd(d, d, sum);
  }
};
struct IpOp {
  static HWY_INLINE V Step(V query, V row, V sum) { return hn::MulAdd(query, row, sum); }
};

// The last dim % lanes elements, the rest of the vector zero: adds nothing to either sum.
HWY_INLINE V LoadTail(D d, const float* p, size_t count) {
  HWY_ALIGN float buffer[hn::MaxLanes(D())] = {};
  for (size_t i = 0; i < count; ++i) buffer[i] = p[i];
  return hn::Load(d, buffer);
}

template <class Op>
HWY_INLINE float One(const float* a, const float* b, size_t dim) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V sum0 = hn::Zero(d);
  V sum1 = hn::Zero(d);
  V sum2 = hn::Zero(d);
  V sum3 = hn::Zero(d);
  size_t i = 0;
  for (; i + 4 * lanes <= dim; i += 4 * lanes) {
    sum0 = Op::Step(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sum0);
    sum1 = Op::Step(hn::LoadU(d, a + i + lanes), hn::LoadU(d, b + i + lanes), sum1);
    sum2 = Op::Step(hn::LoadU(d, a + i + 2 * lanes), hn::LoadU(d, b + i + 2 * lanes), sum2);
    sum3 = Op::Step(hn::LoadU(d, a + i + 3 * lanes), hn::LoadU(d, b + i + 3 * lanes), sum3);
  }
  for (; i + lanes <= dim; i += lanes) {
    sum0 = Op::Step(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sum0);
  }
  if (i < dim) sum1 = Op::Step(LoadTail(d, a + i, dim - i), LoadTail(d, b + i, dim - i), sum1);
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3))));
}

template <class Op>
HWY_INLINE void Four(const float* query, const float* r0, const float* r1, const float* r2,
                     const float* r3, size_t dim, float out[4]) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V sum0 = hn::Zero(d);
  V sum1 = hn::Zero(d);
  V sum2 = hn::Zero(d);
  V sum3 = hn::Zero(d);
  size_t i = 0;
  for (; i + lanes <= dim; i += lanes) {
    const V q = hn::LoadU(d, query + i);
    sum0 = Op::Step(q, hn::LoadU(d, r0 + i), sum0);
    sum1 = Op::Step(q, hn::LoadU(d, r1 + i), sum1);
    sum2 = Op::Step(q, hn::LoadU(d, r2 + i), sum2);
    sum3 = Op::Step(q, hn::LoadU(d, r3 + i), sum3);
  }
  if (i < dim) {
    const V q = LoadTail(d, query + i, dim - i);
    sum0 = Op::Step(q, LoadTail(d, r0 + i, dim - i), sum0);
    sum1 = Op::Step(q, LoadTail(d, r1 + i, dim - i), sum1);
    sum2 = Op::Step(q, LoadTail(d, r2 + i, dim - i), sum2);
    sum3 = Op::Step(q, LoadTail(d, r3 + i, dim - i), sum3);
  }
  out[0] = hn::GetLane(hn::SumOfLanes(d, sum0));
  out[1] = hn::GetLane(hn::SumOfLanes(d, sum1));
  out[2] = hn::GetLane(hn::SumOfLanes(d, sum2));
  out[3] = hn::GetLane(hn::SumOfLanes(d, sum3));
}

template <class Op>
HWY_INLINE void Block(const float* queries, size_t query_count, const float* rows, size_t row_count,
                      size_t dim, float* out, size_t out_stride) {
  if (query_count == 4) {
    // The roles of query and row are symmetric: four queries against each row.
    for (size_t r = 0; r < row_count; ++r) {
      float four[4];
      Four<Op>(rows + r * dim, queries, queries + dim, queries + 2 * dim, queries + 3 * dim, dim,
               four);
      for (size_t q = 0; q < 4; ++q) out[q * out_stride + r] = four[q];
    }
    return;
  }
  for (size_t q = 0; q < query_count; ++q) {
    for (size_t r = 0; r < row_count; ++r) {
      out[q * out_stride + r] = One<Op>(queries + q * dim, rows + r * dim, dim);
    }
  }
}

float L2(const float* a, const float* b, size_t dim) { return One<L2Op>(a, b, dim); }
float Ip(const float* a, const float* b, size_t dim) { return One<IpOp>(a, b, dim); }
void L2X4(const float* query, const float* const rows[4], size_t dim, float out[4]) {
  Four<L2Op>(query, rows[0], rows[1], rows[2], rows[3], dim, out);
}
void IpX4(const float* query, const float* const rows[4], size_t dim, float out[4]) {
  Four<IpOp>(query, rows[0], rows[1], rows[2], rows[3], dim, out);
}
void L2Block(const float* queries, size_t query_count, const float* rows, size_t row_count,
             size_t dim, float* out, size_t out_stride) {
  Block<L2Op>(queries, query_count, rows, row_count, dim, out, out_stride);
}
void IpBlock(const float* queries, size_t query_count, const float* rows, size_t row_count,
             size_t dim, float* out, size_t out_stride) {
  Block<IpOp>(queries, query_count, rows, row_count, dim, out, out_stride);
}

Kernels Make() { return {hwy::TargetName(HWY_TARGET), L2, Ip, L2X4, IpX4, L2Block, IpBlock}; }

}  // namespace HWY_NAMESPACE
}  // namespace elanus::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace elanus::simd {
HWY_EXPORT(Make);
const Kernels& Best() {
  static const Kernels kBest = HWY_DYNAMIC_DISPATCH(Make)();
  return kBest;
}
}  // namespace elanus::simd
#endif
