// The k best of a stream of scored rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "index/vector_index.h"

namespace elanus::index {

/// Keeps the k smallest keys (a distance, or a negated similarity); equal keys: the smaller row.
/// Not thread-safe.
class TopK {
 public:
  explicit TopK(uint32_t k) : k_(k) {}

  /// A key at or above this cannot enter once k rows are held.
  float bound() const {
    return heap_.size() < k_ ? std::numeric_limits<float>::infinity() : heap_.front().key;
  }
  bool full() const { return heap_.size() == k_; }
  size_t size() const { return heap_.size(); }
  void Push(float key, uint32_t row) {
    const Entry entry{key, row};
    if (heap_.size() < k_) {
      heap_.push_back(entry);
      std::push_heap(heap_.begin(), heap_.end());
    } else if (entry < heap_.front()) {
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.back() = entry;
      std::push_heap(heap_.begin(), heap_.end());
    }
  }
  void Clear() { heap_.clear(); }
  /// fn(key, row) for each held row, in no order.
  template <class Fn>
  void ForEach(Fn fn) const {
    for (const Entry& entry : heap_) fn(entry.key, entry.row);
  }
  /// Writes best first with score = scale * key; fills up with kNoRow. Empties the heap.
  void WriteTo(Hits hits, size_t query, float scale) {
    std::sort_heap(heap_.begin(), heap_.end());
    uint32_t* rows = hits.rows + query * k_;
    float* scores = hits.scores + query * k_;
    for (size_t i = 0; i < k_; ++i) {
      const bool used = i < heap_.size();
      rows[i] = used ? heap_[i].row : kNoRow;
      scores[i] = used ? scale * heap_[i].key : 0.0f;
    }
    heap_.clear();
  }

 private:
  struct Entry {
    float key;
    uint32_t row;
    bool operator<(const Entry& o) const { return key < o.key || (key == o.key && row < o.row); }
  };
  const uint32_t k_;
  std::vector<Entry> heap_;  // The worst in front.
};

}  // namespace elanus::index
