// The read side of a segment, growing or sealed: what search and retrieve need to know of it.
#pragma once

#include <memory>
#include <span>

#include "base/bitset.h"
#include "base/context.h"
#include "base/ids.h"
#include "base/status.h"
#include "base/timestamp.h"
#include "index/vector_index.h"
#include "model/block_stats.h"
#include "model/column.h"
#include "model/predicate.h"
#include "model/schema.h"

namespace elanus::segment {

/// The rows to read at a moment. Null bits: every row is visible.
struct Visible {
  std::shared_ptr<const Bitset> rows;
  bool none = false;  // No row is visible; `rows` is null then.
};

/// An index over one vector field, opened.
struct FieldIndex {
  std::shared_ptr<const index::VectorIndex> index;
  const index::IndexType* type = nullptr;
  model::Metric metric = model::Metric::kL2;
};

/// Immutable view of a segment; thread-safe. Rows keep their offsets for the life of the segment.
class SegmentView {
 public:
  virtual ~SegmentView() = default;
  virtual SegmentId id() const = 0;
  virtual PartitionId partition() const = 0;
  virtual size_t rows() const = 0;
  virtual const model::CollectionSchema& schema() const = 0;
  /// Rows [begin, begin + count) of a field, at most up to the next multiple of kChunkRows. A field
  /// added after the rows were written reads as nulls or its default. kFieldNotFound for ids not in
  /// the schema.
  virtual Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const = 0;
  /// Blocks of a vector field in row order; each holds up to kChunkRows rows, or all in one.
  virtual Result<std::vector<index::VectorBlock>> Vectors(FieldId field) const = 0;
  /// Insert timestamps of the rows, as Read.
  virtual const uint64_t* RowTimestamps(size_t begin) const = 0;
  virtual Visible VisibleAt(Timestamp read_at) const = 0;
  /// The rows of a vector field that have a vector; no others may be found.
  virtual Visible RowsWithVector(FieldId field) const = 0;
  /// The index to search `field` with, or null: scan.
  virtual const FieldIndex* IndexOf(FieldId field) const = 0;
  /// Answers a search of `field` among the first rows through lists that a growing segment keeps of
  /// them, and returns how many those are: all, or a multiple of 64. 0: nothing is answered, `hits`
  /// are as they were. The other rows are the caller's to scan. `params`: as in
  /// index::GrowingIndex.
  virtual Result<size_t> SearchLists(Context&, FieldId, model::Metric,
                                     const std::map<std::string, std::string>& /*params*/,
                                     const index::SearchRequest&, index::Hits) const {
    return 0;
  }
  /// As in expr::ColumnSource; without an index nothing is answered, without statistics null.
  virtual model::IndexPromise Estimate(const model::Predicate&) const { return {}; }
  virtual Result<model::Coverage> Answer(Context&, const model::Predicate&, Bitset& /*matches*/,
                                         Bitset* /*unknown*/) const {
    return model::Coverage::kNone;
  }
  virtual const model::BlockStats* Stats(FieldId, size_t /*begin*/) const { return nullptr; }
};

/// Growing segments keep rows in chunks of this many; views never straddle a multiple of it.
inline constexpr size_t kChunkRows = 8192;

}  // namespace elanus::segment
