// Postings of sparse rows that are still being appended: one index of each full block.
//
// Invariants:
// 1. What a search reads is an immutable vector of indexed blocks behind one pointer.
// 2. Block c is indexed once, when it is full: its bytes never change again. The index reads the
//    rows from there, so it keeps their owner, which must not be the segment or a view of it.
// 3. A view that is older than the last row of a block scans the block.
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include "index/growing_index.h"

namespace elanus::index {

class SparseGrowingIndex final : public GrowingIndex {
 public:
  explicit SparseGrowingIndex(model::Metric metric);

  model::Metric metric() const override { return metric_; }
  size_t rows() const override { return rows_.load(std::memory_order_relaxed); }
  bool IsBehind(size_t rows) const override;
  Status Extend(Context& ctx, std::span<const VectorBlock> blocks,
                std::span<const std::shared_ptr<const void>> owners) override;
  Result<size_t> Search(Context& ctx, std::span<const VectorBlock> blocks,
                        const std::map<std::string, std::string>& params,
                        const SearchRequest& request, Hits hits) const override;
  size_t memory_bytes() const override { return memory_bytes_.load(std::memory_order_relaxed); }

 private:
  struct Block {
    std::shared_ptr<const void> owner;  // Outlives the index.
    std::unique_ptr<const VectorIndex> index;
  };
  using Blocks = std::vector<std::shared_ptr<const Block>>;
  std::shared_ptr<const Blocks> Current() const;

  const model::Metric metric_;
  mutable std::mutex mutex_;  // Guards `blocks_` only.
  std::shared_ptr<const Blocks> blocks_ = std::make_shared<const Blocks>();
  std::atomic<size_t> rows_{0};
  std::atomic<size_t> memory_bytes_{0};
};

}  // namespace elanus::index
