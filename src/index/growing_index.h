// An index over rows that are still being appended: inverted lists that are extended in the
// background, while whoever searches scans what has come since.
//
// Invariants:
// 1. What a search reads is an immutable set of lists behind one pointer; whoever extends them
//    makes a new set that shares all but the newest part, and swaps the pointer.
// 2. The lists hold a prefix of the rows, each once, by their numbers; vectors stay where they are.
// 3. Within a part of the rows a list ascends, so a search of an older, shorter view of the rows
//    stops where its view ends.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "base/option_spec.h"
#include "index/vector_index.h"

namespace elanus::index {

/// The lists of growing segments.
struct GrowingIndexOptions {
  bool enabled = true;
  int64_t lists = 128;
  int64_t probes = 64;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(enabled, OptionSpec{"queryNode.segcore.interimIndex.enableIndex", "", 0, 1,
                              "Search growing segments through inverted lists once they have "
                              "enough rows; else scan them."});
    visit(lists, OptionSpec{"queryNode.segcore.interimIndex.nlist", "", 2, 16384,
                            "Lists of a growing segment's first index, which is built at 39 rows "
                            "a list; twice as many whenever it has grown fourfold."});
    visit(probes, OptionSpec{"queryNode.segcore.interimIndex.nprobe", "", 1, 16384,
                             "Lists of the first index that a search reads at least; more as the "
                             "lists become more."});
  }
};

/// Blocks of a growing segment have this many rows, the last one at most.
inline constexpr size_t kGrowingBlockRows = 8192;

/// Over one dense field of a growing segment, for one metric (L2, IP, COSINE). `blocks` are the
/// rows from the first one on, kGrowingBlockRows each; rows never change, later calls may bring
/// more of them.
class GrowingIndex {
 public:
  GrowingIndex(model::Metric metric, const GrowingIndexOptions& options);
  ~GrowingIndex();

  model::Metric metric() const { return metric_; }
  /// Rows that the lists hold: a multiple of 64. Any thread.
  size_t rows() const { return rows_.load(std::memory_order_relaxed); }
  /// With so many rows in the segment, Extend has enough to do. Any thread; free.
  bool IsBehind(size_t rows) const;
  /// Puts the rows into lists, training them at first and whenever the rows have grown fourfold.
  /// One caller at a time. Errors: kCanceled, kDeadlineExceeded; what is in lists by then stays.
  Status Extend(Context& ctx, std::span<const VectorBlock> blocks);
  /// As VectorIndex::Search, among the first rows of `blocks`: returns how many those are, all or a
  /// multiple of 64. Returns 0, and leaves the hits alone, where a scan costs no more: few rows,
  /// few of them allowed, a large k. Any thread.
  ///
  /// params   The search's and the index's parameters as text, of whatever type the field's index
  ///          is: nprobe / nlist, ef and search_list ask for more than the default, never for less.
  ///          What is no number is ignored, as by a scan.
  Result<size_t> Search(Context& ctx, std::span<const VectorBlock> blocks,
                        const std::map<std::string, std::string>& params,
                        const SearchRequest& request, Hits hits) const;
  /// Any thread; free.
  size_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }

 private:
  struct Lists;
  std::shared_ptr<const Lists> Current() const;
  void Publish(const Lists& lists);
  /// Lists to read of `lists`, for `k` hits.
  size_t ProbesOf(const std::map<std::string, std::string>& params, size_t lists, size_t rows,
                  uint32_t k) const;

  const model::Metric metric_;
  const GrowingIndexOptions options_;
  mutable std::mutex mutex_;  // Guards `lists_` only.
  std::shared_ptr<const Lists> lists_;
  std::atomic<size_t> rows_{0};
  std::atomic<size_t> trained_rows_{0};  // Rows there were when the centroids were trained.
  std::atomic<size_t> memory_bytes_{0};
};

}  // namespace elanus::index
