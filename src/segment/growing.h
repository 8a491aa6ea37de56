// A growing segment: rows in memory, appended in log order, readable while they grow.
//
// Invariants:
// 1. One writer (the channel's worker) appends and deletes; any number of readers hold snapshots.
// 2. Rows live in chunks of kChunkRows. A row's bytes never change once a snapshot counts it;
// variable-width
//    bytes move to a larger buffer by copying, the old one lives on in the snapshots that refer to
//    it.
// 3. deleted_at of a row is 0 or the timestamp of the first delete that hides it; it is written
// once, atomically.
// 4. Lists of vector fields (index/growing_index.h) hold a prefix of the rows and are extended in
// the background; the writer asks for it and never waits.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "segment/growing_indexer.h"
#include "segment/segment.h"

namespace elanus::segment {

/// A vector field whose fresh rows may be searched through lists: of dense rows those answer
/// approximately, of sparse ones exactly. Never binary.
struct ListedField {
  FieldId field;
  index::VectorKind kind = index::VectorKind::kDense;
  model::Metric metric = model::Metric::kL2;
  bool operator==(const ListedField&) const = default;
};

class Growing {
 public:
  /// `indexer` builds lists of SetListedFields; null: every search scans.
  Growing(SegmentId id, PartitionId partition,
          std::shared_ptr<const model::CollectionSchema> schema, GrowingIndexer* indexer = nullptr);
  /// Work on its lists is cancelled; snapshots stay whole.
  ~Growing();

  SegmentId id() const;
  PartitionId partition() const;
  /// Appends rows that all have the insert timestamp `timestamp`. Columns are those of the schema
  /// by field id; a field that is not there is made of their texts where a function does that, else
  /// filled with nulls or its default. Writer only.
  void Append(std::span<const model::Column> columns, Timestamp timestamp);
  /// Hides the rows with one of these keys and an insert timestamp below `timestamp`. Writer only.
  void Delete(const model::ColumnView& keys, Timestamp timestamp);
  /// From now on rows have these fields: those that are there are filled as Append does, which for
  /// fields made of texts takes some microseconds a row. Fields that the schema does not have any
  /// more can be read by older versions of it. Writer only.
  void SetSchema(std::shared_ptr<const model::CollectionSchema> schema);
  /// From now on these vector fields, and no others, are searched through lists once they
  /// have enough rows and have been searched; others are scanned. Writer only.
  void SetListedFields(std::span<const ListedField> fields);
  /// What readers see; cheap. Any thread.
  std::shared_ptr<const SegmentView> Snapshot() const;
  /// The same as an older version of the schema tells it.
  std::shared_ptr<const SegmentView> Snapshot(
      std::shared_ptr<const model::CollectionSchema> schema) const;
  size_t rows() const;
  /// Bytes of the rows, their keys and their lists; of buffers that were made ahead, what rows have
  /// filled. Writer only.
  size_t memory_bytes() const;
  /// Writer only.
  Timestamp first_timestamp() const;
  /// All rows as columns by field id with their insert timestamps, rows deleted up to a moment left
  /// out, which are gone for good: the content of the sealed segment. Without fields that a
  /// function could not make here.
  void Export(std::vector<model::Column>& columns, std::vector<uint64_t>& row_timestamps,
              Timestamp deleted_until = kTimestampMax) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::segment
