// Exact scores of raw rows against one query.
#pragma once

#include <algorithm>
#include <bit>
#include <limits>
#include <vector>

#include "base/prefetch.h"
#include "index/sparse/postings.h"
#include "index/top_k.h"

namespace elanus::index {

/// A hash of the query's few dimensions, eight slots each, so that most of a row's dimensions meet
/// an empty slot. Not thread-safe.
class RowScorer {
 public:
  RowScorer(const SparseBlock& rows, model::Metric metric, Bm25 bm25)
      : rows_(rows), is_bm25_(metric == model::Metric::kBm25), bm25_(bm25) {}

  void SetQuery(std::span<const uint32_t> dims, std::span<const float> weights) {
    const size_t slots = std::bit_ceil(std::max<size_t>(dims.size() * 8, 64));
    shift_ = 32 - std::countr_zero(slots);
    slots_.assign(slots, {kEmpty, 0.0f});
    for (size_t i = 0; i < dims.size(); ++i) {
      size_t slot = SlotOf(dims[i]);
      while (slots_[slot].dim != kEmpty) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = {dims[i], weights[i]};
    }
  }

  /// Asks for a row's bytes ahead of Score: rows lie anywhere in memory, and waiting for them is
  /// most of what scoring costs.
  void Prefetch(size_t row) const {
    const auto dims = rows_.dims_of(row);
    const auto values = rows_.values_of(row);
    PrefetchBytes(dims.data(), dims.size_bytes());
    PrefetchBytes(values.data(), values.size_bytes());
  }
  void PrefetchBounds(size_t row) const { elanus::Prefetch(rows_.bounds + row); }

  float Score(size_t row) const {
    const auto dims = rows_.dims_of(row);
    const auto values = rows_.values_of(row);
    double length = 0;
    if (is_bm25_) {
      for (float v : values) length += v;
    }
    double score = 0;
    for (size_t i = 0; i < dims.size(); ++i) {
      size_t slot = SlotOf(dims[i]);
      while (slots_[slot].dim != dims[i]) {
        if (slots_[slot].dim == kEmpty) break;
        slot = (slot + 1) & (slots_.size() - 1);
      }
      if (slots_[slot].dim == kEmpty || values[i] == 0) continue;
      const double part = is_bm25_ ? bm25_.Factor(values[i], length) : double{values[i]};
      score += part * double{slots_[slot].weight};
    }
    return static_cast<float>(score);
  }

 private:
  static constexpr uint32_t kEmpty = UINT32_MAX;  // No vector has this dimension.
  struct Slot {
    uint32_t dim;
    float weight;
  };
  size_t SlotOf(uint32_t dim) const { return dim * 2654435769u >> shift_; }

  const SparseBlock& rows_;
  const bool is_bm25_;
  const Bm25 bm25_;
  int shift_ = 0;
  std::vector<Slot> slots_;
};

/// The best hits within a range: radius < score <= range_filter, and score > 0.
class BestRows {
 public:
  BestRows(uint32_t k, const ScoreRange& range)
      : radius_(std::max(range.radius.value_or(0.0f), 0.0f)),
        range_filter_(range.range_filter.value_or(std::numeric_limits<float>::infinity())),
        top_(k) {}

  /// What a row's score must at least be to matter.
  double floor() const { return top_.full() ? std::max(radius_, -double{top_.bound()}) : radius_; }
  bool full() const { return top_.full(); }
  void Push(float score, uint32_t row) {
    if (score > radius_ && score <= range_filter_) top_.Push(-score, row);
  }
  TopK& top() { return top_; }

 private:
  const double radius_;
  const double range_filter_;
  TopK top_;
};

}  // namespace elanus::index
