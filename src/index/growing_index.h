// An index over rows that are still being appended, extended in the background while whoever
// searches scans what has come since.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/option_spec.h"
#include "index/vector_index.h"

namespace elanus::index {

/// The indexes of growing segments.
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

/// Over one field of a growing segment, for one metric. `blocks` are the rows from the first one
/// on, kGrowingBlockRows each; rows never change, later calls may bring more of them.
class GrowingIndex {
 public:
  virtual ~GrowingIndex() = default;

  virtual model::Metric metric() const = 0;
  /// Rows that the index holds: a multiple of 64. Any thread.
  virtual size_t rows() const = 0;
  /// With so many rows in the segment, Extend has enough to do. Any thread; free.
  virtual bool IsBehind(size_t rows) const = 0;
  /// Takes in the rows. One caller at a time. Errors: kCanceled, kDeadlineExceeded; what is in the
  /// index by then stays.
  ///
  /// owners  Of each block's bytes, kept as long as the index reads them.
  virtual Status Extend(Context& ctx, std::span<const VectorBlock> blocks,
                        std::span<const std::shared_ptr<const void>> owners) = 0;
  /// As VectorIndex::Search, among the first rows of `blocks`: returns how many those are, all or a
  /// multiple of 64. Returns 0, and leaves the hits alone, where a scan costs no more. Any thread.
  ///
  /// params   The search's and the index's parameters as text, of whatever type the field's index
  ///          is; beside request.params, which are those of a scan.
  virtual Result<size_t> Search(Context& ctx, std::span<const VectorBlock> blocks,
                                const std::map<std::string, std::string>& params,
                                const SearchRequest& request, Hits hits) const = 0;
  /// Any thread; free.
  virtual size_t memory_bytes() const = 0;
};

/// Dense rows (L2, IP, COSINE) get inverted lists, trained at first and whenever the rows have
/// grown fourfold, which answer approximately: nprobe / nlist, ef and search_list ask for more than
/// the default, never for less; what is no number is ignored, as by a scan. Sparse rows (IP, BM25)
/// get postings of every full block, which answer exactly unless the request's parameters let them
/// miss rows. Lists of dense vectors (MAX_SIM) get inverted lists over the vectors of every full
/// block. Null for binary rows: a scan of them is as fast.
std::unique_ptr<GrowingIndex> MakeGrowingIndex(VectorKind kind, model::Metric metric,
                                               const GrowingIndexOptions& options);

}  // namespace elanus::index
