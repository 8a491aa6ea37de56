// What a segment asks of a sparse vector index: SPARSE_INVERTED_INDEX and SPARSE_WAND.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bitset.h"
#include "base/blob.h"
#include "base/context.h"
#include "base/status.h"
#include "index/params.h"
#include "index/vector_index.h"

namespace elanus::index {

/// Borrowed sparse vectors. Vector i has dims[bounds[i]] .. dims[bounds[i + 1]), strictly
/// ascending, and its values at the same places. bounds[0] need not be 0.
struct SparseBlock {
  const uint64_t* bounds = nullptr;  // rows + 1
  const uint32_t* dims = nullptr;
  const float* values = nullptr;
  size_t rows = 0;

  uint64_t non_zeros() const { return rows == 0 ? 0 : bounds[rows] - bounds[0]; }
  std::span<const uint32_t> dims_of(size_t i) const {
    return {dims + bounds[i], dims + bounds[i + 1]};
  }
  std::span<const float> values_of(size_t i) const {
    return {values + bounds[i], values + bounds[i + 1]};
  }
};

enum class SparseMetric : uint8_t { kIp, kBm25 };

/// The largest dimension a vector may have.
inline constexpr uint32_t kSparseDimMax = UINT32_MAX - 1;

/// The rules of sparse vectors: bounds and dimensions ascend, no dimension is past kSparseDimMax,
/// values are finite and not negative. Errors: kInvalidParameter, naming the vector.
Status CheckSparse(const SparseBlock& block);

/// An immutable, opened index over the sparse rows of one segment.
class SparseIndex {
 public:
  virtual ~SparseIndex() = default;

  /// Finds the `k` best rows for each query, larger scores first, equal ones by row. Rows that
  /// score 0 are never hits.
  ///
  /// queries  Values are weights: as the user sent them for IP, the terms' idf times their count
  ///          for BM25. A query without non-zeros has no hits.
  /// params   drop_ratio_search, refine_factor, dim_max_score_ratio, bm25_k1, bm25_b; and from the
  ///          segment: bm25_avgdl, the shard's mean length (0: no hits), "radius" (hits score more)
  ///          and "range_filter" (hits score at most that). Exact unless drop_ratio_search > 0 or
  ///          dim_max_score_ratio < 1; scores always are those of the whole query.
  /// allowed  bit i set: row i may be returned. Empty view: every row.
  /// hits     queries * k slots.
  /// Errors   kInvalidParameter (the rules of CheckSparse), kCanceled, kDeadlineExceeded.
  /// Threads  any number at once; never blocks on I/O.
  virtual Status Search(Context& ctx, const SparseBlock& queries, uint32_t k, const Params& params,
                        BitsetView allowed, Hits hits) const = 0;

  /// Heap bytes owned by the index. Mapped bytes are counted by the blob that maps them.
  virtual size_t memory_bytes() const = 0;
};

/// All that elanus knows about a sparse index type.
struct SparseIndexType {
  std::string_view name;
  std::span<const ParamSpec> params;
  /// Bytes of the file of such an index, all of which a search may touch: an upper estimate.
  uint64_t (*EstimateBytes)(uint64_t rows, uint64_t non_zeros);
  /// Builds from `rows` and returns the file's bytes. Cancellable through ctx; tells its progress.
  /// BM25 without bm25_avgdl takes the mean length of `rows`. Errors: those of CheckSparse.
  Result<std::string> (*Build)(Context& ctx, const SparseBlock& rows, SparseMetric metric,
                               const Params& build, const BuildOptions& options);
  /// Opens a file. `rows` are the segment's raw vectors, those it was built from; they must outlive
  /// the index (the blob is kept by it). A file that is damaged or not of these rows and this
  /// metric gives kIntegrity.
  Result<std::unique_ptr<SparseIndex>> (*Open)(Blob file, const SparseBlock& rows,
                                               SparseMetric metric);
};

/// SPARSE_INVERTED_INDEX, which AUTOINDEX means for sparse fields, and SPARSE_WAND.
std::span<const SparseIndexType* const> AllSparseTypes();
/// By the user's name; null when unknown.
const SparseIndexType* FindSparseType(std::string_view name);

/// Exact search over rows without any file: growing and small segments. As SparseIndex::Search;
/// bm25_k1, bm25_b and bm25_avgdl must be in `params` where they differ from 1.2, 0.75 and 100.
Status SearchSparseExact(Context& ctx, const SparseBlock& rows, SparseMetric metric,
                         const SparseBlock& queries, uint32_t k, const Params& params,
                         BitsetView allowed, Hits hits);

}  // namespace elanus::index
