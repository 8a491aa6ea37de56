// Scores dense rows as they lie, which COSINE has not normalised.
#pragma once

#include <algorithm>

#include "index/codes/codec.h"
#include "index/codes/dense_rows.h"

namespace elanus::index {

/// Keys as Scorer's; `rows` borrowed. `inverse_norms`, for COSINE: of each row, or null: computed
/// on the way.
class RawScorer final : public Scorer {
 public:
  RawScorer(VectorBlock rows, model::Metric metric, const float* inverse_norms = nullptr)
      : rows_(rows),
        is_cosine_(metric == model::Metric::kCosine),
        inverse_norms_(inverse_norms),
        distance_(rows.element, rows.dim, metric == model::Metric::kL2) {}
  void SetQuery(const float* query) override {
    query_ = distance_.PrepareFloats(query, scratch_);
    query_scale_ = is_cosine_ ? InverseNorm(query, rows_.dim) : 1.0f;
  }
  bool takes_plain_query() const override { return true; }
  void Score(const uint32_t* rows, size_t count, float* keys) override {
    ScoreFours(count, keys, [&](size_t i) { return size_t{rows[i]}; });
  }
  void ScoreRange(size_t begin, size_t count, float* keys) override {
    ScoreFours(count, keys, [&](size_t i) { return begin + i; });
  }
  float ScoreExact(uint32_t row) override {
    return distance_.One(query_, RowOf(rows_, row)) * Scale(row);
  }

 private:
  float Scale(size_t row) const {
    if (!is_cosine_) return 1.0f;
    const float norm = inverse_norms_ != nullptr
                           ? inverse_norms_[row]
                           : InverseNorm(rows_.element, RowOf(rows_, row), rows_.dim);
    return norm * query_scale_;
  }
  // Rows lie anywhere in memory: four are on their way while four are scored.
  template <class RowAt>
  void ScoreFours(size_t count, float* keys, RowAt row_at) {
    size_t i = 0;
    for (size_t j = 0; j < std::min<size_t>(count, 4); ++j) {
      distance_.Prefetch(RowOf(rows_, row_at(j)));
    }
    for (; i + 4 <= count; i += 4) {
      for (size_t j = i + 4; j < std::min(count, i + 8); ++j) {
        distance_.Prefetch(RowOf(rows_, row_at(j)));
      }
      const void* const four[4] = {RowOf(rows_, row_at(i)), RowOf(rows_, row_at(i + 1)),
                                   RowOf(rows_, row_at(i + 2)), RowOf(rows_, row_at(i + 3))};
      distance_.Four(query_, four, keys + i);
      if (!is_cosine_) continue;
      for (size_t j = i; j < i + 4; ++j) keys[j] *= Scale(row_at(j));
    }
    for (; i < count; ++i) keys[i] = ScoreExact(static_cast<uint32_t>(row_at(i)));
  }

  const VectorBlock rows_;
  const bool is_cosine_;
  const float* inverse_norms_;
  const ElementDistance distance_;
  std::vector<float> scratch_;
  const void* query_ = nullptr;
  float query_scale_ = 1.0f;
};

}  // namespace elanus::index
