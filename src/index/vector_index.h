// What a segment asks of a vector index, and how an index type makes itself known.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bitset.h"
#include "base/blob.h"
#include "base/context.h"
#include "base/executor.h"
#include "base/status.h"
#include "index/params.h"
#include "index/vector_block.h"
#include "model/data_type.h"

namespace elanus::index {

inline constexpr uint32_t kNoRow = UINT32_MAX;

/// Result slots: nq x k, row-major, best first; unused slots hold kNoRow.
struct Hits {
  uint32_t* rows = nullptr;
  float* scores = nullptr;  // As on the wire.
};

/// The scores a range search keeps. Where smaller is better: range_filter <= score < radius;
/// where larger is: radius < score <= range_filter. What is absent bounds nothing.
struct ScoreRange {
  std::optional<float> radius;
  std::optional<float> range_filter;
  bool bounds() const { return radius.has_value() || range_filter.has_value(); }
};

/// One call of a search.
struct SearchRequest {
  VectorBlock queries;  // Of the rows' element and dim. COSINE queries need not be normalised.
  uint32_t k = 0;
  Params params;
  BitsetView allowed = {};  // Bit i set: row i may be returned. Empty view: every row. Deletes are
                            // already in it.
  ScoreRange range = {};
};

/// What a stream of hits is asked for: one query without a k.
struct StreamRequest {
  VectorBlock query;  // One row, as SearchRequest::queries.
  Params params;
  BitsetView allowed = {};
  ScoreRange range = {};
};

/// The rows for one query, the best first, as far as somebody asks. Not thread-safe. What its
/// request points at, and the index, must outlive it.
class HitStream {
 public:
  virtual ~HitStream() = default;
  /// Writes the next best rows, `count` at most, and returns how many; fewer than `count`: these
  /// were the last. No row comes twice, and every allowed row in the range comes in the end. An
  /// exact type gives them in order (equal scores: the smaller row); others nearly so, as good as
  /// their searches. Errors: as VectorIndex::Search; after one the stream is at its end.
  virtual Result<size_t> Next(Context& ctx, size_t count, Hits hits) = 0;
};

/// An immutable, opened index over the rows of one segment.
class VectorIndex {
 public:
  virtual ~VectorIndex() = default;

  /// Finds the k best rows in the range for each query. An all-zero row or query scores 0 under
  /// COSINE; sparse rows that score 0 are never hits.
  ///
  /// hits     nq * k slots; equal scores by the smaller row.
  /// Errors   kSegcore (parameter against k, as the wire answers it), kSegcoreUnsupported (what the
  ///          type cannot answer), kInvalidParameter (a malformed sparse query), kCanceled,
  ///          kDeadlineExceeded.
  /// Threads  any number at once. A mapped index may wait for its pages.
  virtual Status Search(Context& ctx, const SearchRequest& request, Hits hits) const = 0;

  /// Opens a stream, which takes memory as it goes: a few bytes a row of the segment at most. Types
  /// without one of their own search deeper and deeper, each time among the rows not given yet.
  /// Errors: as Search.
  virtual Result<std::unique_ptr<HitStream>> Stream(Context& ctx,
                                                    const StreamRequest& request) const;

  /// Rows of the segment.
  virtual size_t rows() const = 0;

  /// Heap bytes owned by the index. Mapped bytes are counted by the blob that maps them.
  virtual size_t memory_bytes() const = 0;
};

/// What a build may use, and how it tells how far it is.
struct BuildOptions {
  Pool* pool = nullptr;                     // Null: the calling thread alone.
  std::function<void(double)> on_progress;  // 0..1, from any thread; may be empty.
};

/// The rows of an index in numbers, for estimates.
struct RowShape {
  uint64_t rows = 0;
  uint32_t dim = 0;
  ElementType element = ElementType::kFloat32;
  model::Metric metric = model::Metric::kL2;
  uint64_t non_zeros = 0;  // Of sparse rows, all together.
};

/// All that elanus knows about an index type. Plain functions, so that a type is one constant.
struct IndexType {
  std::string_view name;  // As users write it: "HNSW". A name may stand once in each kind.
  VectorKind kind = VectorKind::kDense;
  std::span<const model::Metric> metrics;
  std::span<const ParamSpec> params;
  /// Of a dense type: takes rows of int8 too, not only floats.
  bool takes_int8 = false;
  /// Of a name that stands for another type: the one that does its work, so that its file is the
  /// twin's; and why, for describe_index.
  const IndexType* twin = nullptr;
  std::string_view twin_reason = {};
  /// Its file may be mapped or read into memory as the user likes (mmap.enabled).
  bool maps = true;
  /// What the build parameters must keep beyond their ranges, such as dim % m. May be null.
  Status (*Check)(uint32_t dim, const Params& build) = nullptr;
  /// Heap bytes of an opened index, at most; of a sparse one those its file has.
  size_t (*EstimateMemory)(const RowShape& shape, const Params& build);
  /// Heap bytes of a build at its height, the file among them. Null: twice the index's.
  size_t (*EstimateBuildMemory)(const RowShape& shape, const Params& build) = nullptr;
  /// Builds from `rows` (COSINE rows not normalised) and returns the file's bytes, which hold all
  /// that Open needs but the raw vectors. Cancellable through ctx.
  Result<std::string> (*Build)(Context& ctx, VectorBlock rows, model::Metric metric,
                               const Params& build, const BuildOptions& options);
  /// Opens a file, whose bytes are 64-byte aligned. `rows` are the segment's raw vectors; file and
  /// rows must outlive the index (the blob is kept by it). A truncated or altered file, or one of
  /// other rows or another metric, gives kIntegrity.
  Result<std::unique_ptr<VectorIndex>> (*Open)(Blob file, VectorBlock rows, model::Metric metric);

  size_t BuildMemory(const RowShape& shape, const Params& build) const {
    return EstimateBuildMemory == nullptr ? 2 * EstimateMemory(shape, build)
                                          : EstimateBuildMemory(shape, build);
  }
  bool Takes(model::Metric metric) const;
  bool Takes(ElementType element) const;
};

/// What dense types take.
std::span<const model::Metric> DenseMetrics();

/// Every type, in the order docs list them: dense, binary, sparse.
std::span<const IndexType* const> AllTypes();
std::vector<const IndexType*> TypesOf(VectorKind kind);
/// By the user's name, older clients' names included; null when unknown. AUTOINDEX is not a type:
/// see ResolveAutoIndex.
const IndexType* FindType(VectorKind kind, std::string_view name);
/// True when some kind of vectors has a type of that name.
bool IsTypeName(std::string_view name);

/// What AUTOINDEX builds.
struct AutoChoice {
  const IndexType* type;
  std::map<std::string, std::string> params;
};
AutoChoice ResolveAutoIndex(ElementType element, model::Metric metric);
/// The metric of an AUTOINDEX that names none.
model::Metric DefaultMetric(VectorKind kind);

/// Search parameters of SearchExact: those that change what a score means.
std::span<const ParamSpec> ExactParams(VectorKind kind);

/// Exact search over rows without any file: growing segments, small segments, few allowed rows. As
/// VectorIndex::Search.
Status SearchExact(Context& ctx, VectorBlock rows, model::Metric metric,
                   const SearchRequest& request, Hits hits);

/// As VectorIndex::Stream over rows without any file; every kind in order.
Result<std::unique_ptr<HitStream>> StreamExact(Context& ctx, VectorBlock rows, model::Metric metric,
                                               const StreamRequest& request);

}  // namespace elanus::index
