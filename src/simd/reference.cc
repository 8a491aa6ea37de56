// The kernels as plain loops.
#include "simd/kernels.h"

namespace elanus::simd {
namespace {

float L2(const float* a, const float* b, size_t dim) {
  double sum = 0;
  for (size_t i = 0; i < dim; ++i) {
    const double d = static_cast<double>(a[i]) - b[i];
    sum += d * d;
  }
  return static_cast<float>(sum);
}

float Ip(const float* a, const float* b, size_t dim) {
  double sum = 0;
  for (size_t i = 0; i < dim; ++i) sum += static_cast<double>(a[i]) * b[i];
  return static_cast<float>(sum);
}

template <float (*kOne)(const float*, const float*, size_t)>
void X4(const float* query, const float* const rows[4], size_t dim, float out[4]) {
  for (int r = 0; r < 4; ++r) out[r] = kOne(query, rows[r], dim);
}

template <float (*kOne)(const float*, const float*, size_t)>
void Block(const float* queries, size_t query_count, const float* rows, size_t row_count,
           size_t dim, float* out, size_t out_stride) {
  for (size_t q = 0; q < query_count; ++q) {
    for (size_t r = 0; r < row_count; ++r) {
      out[q * out_stride + r] = kOne(queries + q * dim, rows + r * dim, dim);
    }
  }
}

void IpColumns(const float* vector, size_t dim, const float* columns, size_t stride, size_t count,
               float* out) {
  for (size_t c = 0; c < count; ++c) {
    double sum = 0;
    for (size_t d = 0; d < dim; ++d)
      sum += static_cast<double>(vector[d]) * columns[d * stride + c];
    out[c] = static_cast<float>(sum);
  }
}

size_t ArgMinDifference(const float* a, const float* b, size_t count, float* least) {
  size_t best = 0;
  for (size_t i = 1; i < count; ++i) {
    if (a[i] - b[i] < a[best] - b[best]) best = i;
  }
  *least = a[best] - b[best];
  return best;
}

}  // namespace

const Kernels& Reference() {
  static constexpr Kernels kReference = {"reference", L2,        Ip,        X4<L2>,          X4<Ip>,
                                         Block<L2>,   Block<Ip>, IpColumns, ArgMinDifference};
  return kReference;
}

}  // namespace elanus::simd
