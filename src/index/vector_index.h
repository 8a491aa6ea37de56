// What a segment asks of a vector index, and how an index type makes itself known.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

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
  float* scores = nullptr;  // As on the wire: L2 squared distance; IP, COSINE similarity.
};

/// An immutable, opened index over the rows of one segment.
class VectorIndex {
 public:
  virtual ~VectorIndex() = default;

  /// Finds the `k` best rows for each query.
  ///
  /// queries  nq x dim float32. COSINE queries need not be normalised; an all-zero query scores 0.
  /// allowed  bit i set: row i may be returned. Empty view: every row. Deletes are already in it.
  /// hits     nq * k slots.
  /// Errors   kSegcore (parameter against k, as the wire answers it), kCanceled, kDeadlineExceeded.
  /// Threads  any number at once; never blocks on I/O.
  virtual Status Search(Context& ctx, VectorBlock queries, uint32_t k, const Params& params,
                        BitsetView allowed, Hits hits) const = 0;

  /// Heap bytes owned by the index. Mapped bytes are counted by the blob that maps them.
  virtual size_t memory_bytes() const = 0;
};

/// What a build may use, and how it tells how far it is.
struct BuildOptions {
  Pool* pool = nullptr;                     // Null: the calling thread alone.
  std::function<void(double)> on_progress;  // 0..1, from any thread; may be empty.
};

/// All that elanus knows about an index type. Plain functions, so that a type is one constant.
struct IndexType {
  std::string_view name;  // As users write it: "HNSW".
  std::span<const ParamSpec> params;
  /// What the build parameters must keep beyond their ranges, such as dim % m. May be null.
  Status (*Check)(uint32_t dim, const Params& build) = nullptr;
  /// Heap bytes of an opened index of `rows` vectors.
  size_t (*EstimateMemory)(uint64_t rows, uint32_t dim, const Params& build);
  /// Builds from `rows` (float32, COSINE rows not normalised) and returns the file's bytes, which
  /// hold all that Open needs but the raw vectors. Cancellable through ctx.
  Result<std::string> (*Build)(Context& ctx, VectorBlock rows, model::Metric metric,
                               const Params& build, const BuildOptions& options);
  /// Opens a file. `rows` are the segment's raw vectors; file and rows must outlive the index (the
  /// blob is kept by it). A truncated or altered file gives kIntegrity.
  Result<std::unique_ptr<VectorIndex>> (*Open)(Blob file, VectorBlock rows, model::Metric metric);
};

/// Every type, in the order docs list them.
std::span<const IndexType* const> AllTypes();
/// By the user's name; null when unknown. AUTOINDEX is not a type: see ResolveAutoIndex.
const IndexType* FindType(std::string_view name);

/// What AUTOINDEX builds for dense float32 vectors.
struct AutoChoice {
  const IndexType* type;
  std::map<std::string, std::string> params;
};
AutoChoice ResolveAutoIndex();

/// Exact search over rows without any file: growing segments, small segments, few allowed rows. As
/// VectorIndex::Search.
Status SearchExact(Context& ctx, VectorBlock rows, model::Metric metric, VectorBlock queries,
                   uint32_t k, BitsetView allowed, Hits hits);

}  // namespace elanus::index
