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

// The sums of four vectors, into four numbers. Adding neighbours of two vectors at once shares the
// additions that four separate sums would do alone.
HWY_INLINE void SumFour(D d, V a, V b, V c, V e, float out[4]) {
#if HWY_TARGET == HWY_SCALAR || HWY_HAVE_SCALABLE
  out[0] = hn::GetLane(hn::SumOfLanes(d, a));
  out[1] = hn::GetLane(hn::SumOfLanes(d, b));
  out[2] = hn::GetLane(hn::SumOfLanes(d, c));
  out[3] = hn::GetLane(hn::SumOfLanes(d, e));
#else
  const hn::Repartition<uint64_t, D> d64;
  const auto lower = [&](V x, V y) { return hn::InterleaveLower(d, x, y); };
  const auto upper = [&](V x, V y) { return hn::InterleaveUpper(d, x, y); };
  // Of each 128 bits: a0+a2, b0+b2, a1+a3, b1+b3.
  const V ab = hn::Add(lower(a, b), upper(a, b));
  const V ce = hn::Add(lower(c, e), upper(c, e));
  const auto ab64 = hn::BitCast(d64, ab);
  const auto ce64 = hn::BitCast(d64, ce);
  // a, b, c, e in each 128 bits.
  const V all = hn::Add(hn::BitCast(d, hn::InterleaveLower(d64, ab64, ce64)),
                        hn::BitCast(d, hn::InterleaveUpper(d64, ab64, ce64)));
  const hn::Full128<float> d128;
#if HWY_MAX_BYTES == 64
  const hn::Half<D> half;
  const auto pair = hn::Add(hn::LowerHalf(half, all), hn::UpperHalf(half, all));
  hn::StoreU(hn::Add(hn::LowerHalf(d128, pair), hn::UpperHalf(d128, pair)), d128, out);
#elif HWY_MAX_BYTES == 32
  hn::StoreU(hn::Add(hn::LowerHalf(d128, all), hn::UpperHalf(d128, all)), d128, out);
#else
  hn::StoreU(all, d128, out);
#endif
#endif
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
  SumFour(d, sum0, sum1, sum2, sum3, out);
}

// Four queries against two rows that follow one another: eight sums from six loads a step, so that
// the multiplications and not the loads are the limit, and all of it fits sixteen registers.
// out[q * out_stride + r].
template <class Op>
HWY_INLINE void FourByTwo(const float* queries, const float* rows, size_t dim, float* out,
                          size_t out_stride) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const float* q0 = queries;
  const float* q1 = q0 + dim;
  const float* q2 = q1 + dim;
  const float* q3 = q2 + dim;
  V a0 = hn::Zero(d), a1 = a0, a2 = a0, a3 = a0;
  V b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  size_t i = 0;
  for (; i + lanes <= dim; i += lanes) {
    const V a = hn::LoadU(d, rows + i);
    const V b = hn::LoadU(d, rows + dim + i);
    V q = hn::LoadU(d, q0 + i);
    a0 = Op::Step(q, a, a0);
    b0 = Op::Step(q, b, b0);
    q = hn::LoadU(d, q1 + i);
    a1 = Op::Step(q, a, a1);
    b1 = Op::Step(q, b, b1);
    q = hn::LoadU(d, q2 + i);
    a2 = Op::Step(q, a, a2);
    b2 = Op::Step(q, b, b2);
    q = hn::LoadU(d, q3 + i);
    a3 = Op::Step(q, a, a3);
    b3 = Op::Step(q, b, b3);
  }
  if (i < dim) {
    const size_t n = dim - i;
    const V a = LoadTail(d, rows + i, n);
    const V b = LoadTail(d, rows + dim + i, n);
    V q = LoadTail(d, q0 + i, n);
    a0 = Op::Step(q, a, a0);
    b0 = Op::Step(q, b, b0);
    q = LoadTail(d, q1 + i, n);
    a1 = Op::Step(q, a, a1);
    b1 = Op::Step(q, b, b1);
    q = LoadTail(d, q2 + i, n);
    a2 = Op::Step(q, a, a2);
    b2 = Op::Step(q, b, b2);
    q = LoadTail(d, q3 + i, n);
    a3 = Op::Step(q, a, a3);
    b3 = Op::Step(q, b, b3);
  }
  float sums[8];
  SumFour(d, a0, a1, a2, a3, sums);
  SumFour(d, b0, b1, b2, b3, sums + 4);
  for (size_t j = 0; j < 4; ++j) {
    out[j * out_stride] = sums[j];
    out[j * out_stride + 1] = sums[4 + j];
  }
}

template <class Op>
HWY_INLINE void Block(const float* queries, size_t query_count, const float* rows, size_t row_count,
                      size_t dim, float* out, size_t out_stride) {
  size_t r = 0;
  if (query_count == 4) {
    for (; r + 2 <= row_count; r += 2) {
      FourByTwo<Op>(queries, rows + r * dim, dim, out + r, out_stride);
    }
  }
  // One row after the other: a stream of one, which the processor fetches ahead best.
  for (size_t q = 0; q < query_count; ++q) {
    for (size_t i = r; i < row_count; ++i) {
      out[q * out_stride + i] = One<Op>(queries + q * dim, rows + i * dim, dim);
    }
  }
}

// Four vectors of columns at a time keep their sums in registers.
void IpColumns(const float* vector, size_t dim, const float* columns, size_t stride, size_t count,
               float* out) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t c = 0;
  for (; c + 4 * lanes <= count; c += 4 * lanes) {
    V sum0 = hn::Zero(d), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    for (size_t i = 0; i < dim; ++i) {
      const V v = hn::Set(d, vector[i]);
      const float* at = columns + i * stride + c;
      sum0 = hn::MulAdd(v, hn::LoadU(d, at), sum0);
      sum1 = hn::MulAdd(v, hn::LoadU(d, at + lanes), sum1);
      sum2 = hn::MulAdd(v, hn::LoadU(d, at + 2 * lanes), sum2);
      sum3 = hn::MulAdd(v, hn::LoadU(d, at + 3 * lanes), sum3);
    }
    hn::StoreU(sum0, d, out + c);
    hn::StoreU(sum1, d, out + c + lanes);
    hn::StoreU(sum2, d, out + c + 2 * lanes);
    hn::StoreU(sum3, d, out + c + 3 * lanes);
  }
  for (; c + lanes <= count; c += lanes) {
    V sum = hn::Zero(d);
    for (size_t i = 0; i < dim; ++i) {
      sum = hn::MulAdd(hn::Set(d, vector[i]), hn::LoadU(d, columns + i * stride + c), sum);
    }
    hn::StoreU(sum, d, out + c);
  }
  for (; c < count; ++c) {
    float sum = 0;
    for (size_t i = 0; i < dim; ++i) sum += vector[i] * columns[i * stride + c];
    out[c] = sum;
  }
}

// The smallest value first, then where it stands: two passes over what lies in the cache.
size_t ArgMinDifference(const float* a, const float* b, size_t count, float* least) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const auto at = [&](size_t i)
                      HWY_ATTR { return hn::Sub(hn::LoadU(d, a + i), hn::LoadU(d, b + i)); };
  size_t i = 0;
  float low = a[0] - b[0];
  if (count >= 2 * lanes) {
    V low0 = at(0);
    V low1 = at(lanes);
    for (i = 2 * lanes; i + 2 * lanes <= count; i += 2 * lanes) {
      low0 = hn::Min(low0, at(i));
      low1 = hn::Min(low1, at(i + lanes));
    }
    low = hn::GetLane(hn::MinOfLanes(d, hn::Min(low0, low1)));
  }
  for (; i < count; ++i) low = a[i] - b[i] < low ? a[i] - b[i] : low;
  *least = low;
  for (i = 0; i + lanes <= count; i += lanes) {
    const intptr_t lane = hn::FindFirstTrue(d, hn::Eq(at(i), hn::Set(d, low)));
    if (lane >= 0) return i + static_cast<size_t>(lane);
  }
  for (; i < count; ++i) {
    if (a[i] - b[i] == low) return i;
  }
  return 0;  // Not reached without NaN.
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

Kernels Make() {
  return {hwy::TargetName(HWY_TARGET),
          L2,
          Ip,
          L2X4,
          IpX4,
          L2Block,
          IpBlock,
          IpColumns,
          ArgMinDifference};
}

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
