// Inverted lists of dense rows that are still being appended.
//
// Invariants:
// 1. What a search reads is an immutable set of lists behind one pointer; whoever extends them
//    makes a new set that shares all but the newest part, and swaps the pointer.
// 2. The lists hold a prefix of the rows, each once, by their numbers; vectors stay where they are.
// 3. Within a part of the rows a list ascends, so a search of an older, shorter view of the rows
//    stops where its view ends.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "index/growing/published.h"

namespace elanus::index {

struct Centroids;
struct Run;

/// What a search reads. Copies share centroids and runs.
struct DenseLists {
  std::shared_ptr<const Centroids> centroids;
  std::vector<std::shared_ptr<const Run>> runs;
  size_t rows = 0;
  size_t memory_bytes() const;
};

class DenseGrowingIndex final : public PublishedIndex<DenseLists> {
 public:
  DenseGrowingIndex(model::Metric metric, const GrowingIndexOptions& options)
      : PublishedIndex(metric), options_(options) {}

  bool IsBehind(size_t rows) const override;
  /// The owners are not kept: codes are copies, and vectors are read from the searcher's blocks.
  Status Extend(Context& ctx, std::span<const VectorBlock> blocks,
                std::span<const std::shared_ptr<const void>> owners) override;
  /// Returns 0 with few rows, few of them allowed, a large k.
  Result<size_t> Search(Context& ctx, std::span<const VectorBlock> blocks,
                        const std::map<std::string, std::string>& params,
                        const SearchRequest& request, Hits hits) const override;

 private:
  /// Lists to read of `lists`, for `k` hits.
  size_t ProbesOf(const std::map<std::string, std::string>& params, size_t lists, size_t rows,
                  uint32_t k) const;

  const GrowingIndexOptions options_;
  std::atomic<size_t> trained_rows_{0};  // Rows there were when the centroids were trained.
};

}  // namespace elanus::index
