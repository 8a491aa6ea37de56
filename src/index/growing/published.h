// What the indexes of growing rows share: an immutable state behind one pointer.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "index/growing_index.h"

namespace elanus::index {

/// State has `rows`, the first ones of the segment that it holds, and memory_bytes(). A search
/// reads the state that it met; whoever extends the index makes a new one that shares most of it.
template <class State>
class PublishedIndex : public GrowingIndex {
 public:
  explicit PublishedIndex(model::Metric metric) : metric_(metric) {}

  model::Metric metric() const override { return metric_; }
  size_t rows() const override { return rows_.load(std::memory_order_relaxed); }
  size_t memory_bytes() const override { return memory_bytes_.load(std::memory_order_relaxed); }

 protected:
  /// Null before the first Publish.
  std::shared_ptr<const State> Current() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return state_;
  }
  void Publish(const State& state) {
    memory_bytes_.store(state.memory_bytes(), std::memory_order_relaxed);
    rows_.store(state.rows, std::memory_order_relaxed);
    auto next = std::make_shared<const State>(state);
    std::lock_guard<std::mutex> lock(mutex_);
    state_.swap(next);
  }

 private:
  const model::Metric metric_;
  mutable std::mutex mutex_;  // Guards `state_` only.
  std::shared_ptr<const State> state_;
  std::atomic<size_t> rows_{0};
  std::atomic<size_t> memory_bytes_{0};
};

}  // namespace elanus::index
