// Scores the segment's own vectors, which COSINE has not normalised.
#pragma once

#include <algorithm>

#include "index/codes/codec.h"
#include "index/flat/exact.h"
#include "simd/kernels.h"

namespace elanus::index {

/// Keys as Scorer's; `rows` borrowed.
class RawScorer final : public Scorer {
 public:
  RawScorer(VectorBlock rows, model::Metric metric) : rows_(rows), metric_(metric) {}
  void SetQuery(const float* query) override { query_ = query; }
  void Score(const uint32_t* rows, size_t count, float* keys) override {
    // Rows lie anywhere in memory: a few are on their way while one is scored.
    for (size_t i = 0; i < std::min(count, kAhead); ++i) Prefetch(rows[i]);
    for (size_t i = 0; i < count; ++i) {
      if (i + kAhead < count) Prefetch(rows[i + kAhead]);
      keys[i] = ScoreExact(rows[i]);
    }
  }
  void ScoreRange(size_t begin, size_t count, float* keys) override {
    for (size_t i = 0; i < count; ++i) keys[i] = ScoreExact(static_cast<uint32_t>(begin + i));
  }
  float ScoreExact(uint32_t row) override {
    const float* vector = rows_.row(row);
    if (metric_ == model::Metric::kL2) return kernels_.l2(query_, vector, rows_.dim);
    const float product = kernels_.ip(query_, vector, rows_.dim);
    return metric_ == model::Metric::kIp ? -product : -product * InverseNorm(vector, rows_.dim);
  }

 private:
  static constexpr size_t kAhead = 4;
  void Prefetch(uint32_t row) const {
    const char* at = reinterpret_cast<const char*>(rows_.row(row));
    for (size_t i = 0; i < rows_.dim * sizeof(float); i += 64) __builtin_prefetch(at + i);
  }

  const simd::Kernels& kernels_ = simd::Best();
  const VectorBlock rows_;
  const model::Metric metric_;
  const float* query_ = nullptr;
};

}  // namespace elanus::index
