// Keys between the rows that a graph is built of.
#include "index/codes/build_space.h"

#include <limits>

namespace elanus::index {

BuildSpace::BuildSpace(VectorBlock rows, model::Metric metric)
    : rows_(rows),
      is_l2_(metric == model::Metric::kL2),
      is_cosine_(metric == model::Metric::kCosine),
      distance_(rows.element, rows.dim, is_l2_) {
  if (is_cosine_) inverse_norms_ = InverseNorms(rows);
}

float BuildSpace::Length(uint32_t node) const {
  if (is_cosine_) return inverse_norms_[node] > 0 ? 1.0f : 0.0f;
  const float inverse = InverseNorm(rows_.element, RowOf(rows_, node), rows_.dim);
  return inverse > 0 ? 1.0f / inverse : 0.0f;
}

uint32_t BuildSpace::Medoid() const {
  const FloatRows rows(rows_, is_cosine_);
  std::vector<double> sums(rows_.dim, 0.0);
  std::vector<float> scratch(rows_.dim);
  for (size_t i = 0; i < rows_.rows; ++i) {
    const float* row = rows.Read(i, 1, scratch.data());
    for (uint32_t d = 0; d < rows_.dim; ++d) sums[d] += row[d];
  }
  std::vector<float> mean(rows_.dim);
  for (uint32_t d = 0; d < rows_.dim; ++d) {
    mean[d] = static_cast<float>(sums[d] / static_cast<double>(rows_.rows));
  }
  uint32_t nearest = 0;
  float least = std::numeric_limits<float>::infinity();
  for (uint32_t i = 0; i < nodes(); ++i) {
    const float square = simd::Best().l2(mean.data(), rows.Read(i, 1, scratch.data()), rows_.dim);
    if (square >= least) continue;
    least = square;
    nearest = i;
  }
  return nearest;
}

}  // namespace elanus::index
