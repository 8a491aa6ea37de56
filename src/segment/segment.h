// The read side of a segment, growing or sealed: what search and retrieve need to know of it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/bitset.h"
#include "base/context.h"
#include "base/ids.h"
#include "base/status.h"
#include "base/timestamp.h"
#include "index/vector_index.h"
#include "model/block_stats.h"
#include "model/column.h"
#include "model/predicate.h"
#include "model/requests/term_totals.h"
#include "model/schema.h"

namespace elanus::segment {

class PrimaryKeys;

/// Rows that follow each other, with their keys.
struct KeyRun {
  model::ColumnView keys;              // A row each.
  const PrimaryKeys* order = nullptr;  // Of these keys; null: nobody has sorted them.
  uint32_t first_row = 0;
};

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
  virtual bool IsGrowing() const { return false; }
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
  /// The index to search `field` with, or null: scan. Errors: those of opening it.
  virtual Result<const FieldIndex*> IndexOf(FieldId field) const = 0;
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
  /// Adds what BM25 needs of a text field's term counts, over every row, deleted ones too. `totals`
  /// has a place for each of `terms`. Of other fields nothing.
  virtual void AddTermTotals(FieldId, std::span<const uint32_t> /*terms*/,
                             model::TermTotals& /*totals*/) const {}
  virtual const model::BlockStats* Stats(FieldId, size_t /*begin*/) const { return nullptr; }
  /// Of all values of a field, told without opening it; nothing when that is not known.
  virtual std::optional<model::BlockStats> WholeStats(FieldId) const { return std::nullopt; }
  /// All rows in the order of their primary keys, or null: nobody has sorted them.
  virtual const PrimaryKeys* KeyOrder() const { return nullptr; }
  /// All rows in runs, most of which know their keys' order; empty: nothing is known of it. Good
  /// while the view is there.
  virtual std::vector<KeyRun> KeyRuns() const;
  /// The rows ascend by insert timestamp.
  virtual bool IsInTimeOrder() const { return true; }
  /// No row was inserted before this moment; 0: unknown.
  virtual Timestamp OldestRow() const { return {}; }
  /// What was read here so far was there: no file of the segment has failed under its mapping. To
  /// be asked before an answer is given. Errors: kIntegrity, naming file and offset.
  virtual Status CheckFiles() const { return {}; }
  /// Lets go of what the read that has this view has opened so far: nothing of columns but the
  /// primary keys, and no index, that it was given may be used any more.
  virtual void Unpin() const {}
};

/// Growing segments keep rows in chunks of this many; views never straddle a multiple of it.
inline constexpr size_t kChunkRows = 8192;

}  // namespace elanus::segment
