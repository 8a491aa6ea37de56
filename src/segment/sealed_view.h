// What a sealed segment consists of, and the view of it that one read has. Private to the sealed
// segment.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "index/scalar_index.h"
#include "segment/column_stats.h"
#include "segment/delete_map.h"
#include "segment/load_rules.h"
#include "segment/manifest.h"
#include "segment/piece_cache.h"
#include "segment/primary_keys.h"
#include "segment/segment.h"
#include "segment/segment_file.h"
#include "segment/term_statistics.h"
#include "store/formats/column_file.h"

namespace elanus::segment {

/// A column that is opened when somebody reads it; its piece holds a store::OpenedColumn.
struct ColumnSlot {
  std::shared_ptr<Piece> piece;
  // Looks at the file's checksums, unless somebody has or it lies elsewhere.
  std::function<Status(Context&)> verify;
  std::function<Result<std::vector<store::ColumnRange>>(Context&)> ranges;  // As the file has them.
  std::unique_ptr<const ColumnStats> stats;
  WarmUp warm_up = WarmUp::kDisable;
};

/// Columns and keys: known once, never changed.
struct SealedBody {
  SealedBody() = default;
  SealedBody(const SealedBody&) = delete;
  SealedBody& operator=(const SealedBody&) = delete;
  ~SealedBody() {
    if (cache != nullptr) cache->Hold(-held_bytes);
  }

  SegmentId id;
  PartitionId partition;
  size_t rows = 0;
  Manifest manifest;
  std::shared_ptr<PieceCache> cache;
  Clock* clock = nullptr;
  int64_t held_bytes = 0;                                 // Of what stays open.
  std::vector<std::string_view> held;                     // The files of what stays open.
  std::vector<std::shared_ptr<const SegmentFile>> files;  // All others.
  // By field id, but for the two columns below. Also of fields that the schema does not have: they
  // have been dropped, or a newer version of it has them.
  std::map<int64_t, ColumnSlot> slots;
  store::OpenedColumn timestamp_column;
  store::OpenedColumn key_column;
  ColumnStats key_stats;
  PrimaryKeys keys;
  FieldId key_field;

  const uint64_t* timestamps() const { return timestamp_column.view.values<uint64_t>(); }
};

/// What the piece of an index holds.
struct IndexContent {
  FieldIndex vector;  // index null: a scalar one.
  std::unique_ptr<const index::ScalarIndex> scalar;
  std::shared_ptr<const void> rows;  // Keeps the column open that a vector index refers to.
};

struct IndexSlot {
  IndexId id;
  FieldId field;
  bool is_vector = false;
  std::string path;          // Of a scalar index on a place in JSON, as in model::Predicate.
  bool holds_terms = false;  // Of all below `path`, see expr::AskTerms.
  bool reads_texts = false;  // As numbers, see model::HasTextNumbers.
  std::string type;          // As it was built.
  std::shared_ptr<Piece> piece;
  WarmUp warm_up = WarmUp::kDisable;
  std::shared_ptr<const SegmentFile> file;
};

/// One moment of a sealed segment; immutable.
struct SealedState {
  std::shared_ptr<const SealedBody> body;
  std::shared_ptr<const model::CollectionSchema> schema;
  std::vector<IndexSlot> indexes;
  std::shared_ptr<const DeleteMap> deletes;  // Null: nothing deleted.
  std::map<int64_t, std::shared_ptr<const model::Column>>
      filled;                              // Fields added later: one chunk of filler.
  std::map<int64_t, Visible> with_vector;  // Of nullable vector fields.
  StatisticsOfFields statistics;           // Counted when the segment is opened.
};

class SealedView final : public SegmentView {
 public:
  explicit SealedView(std::shared_ptr<const SealedState> state)
      : state_(std::move(state)), schema_(state_->schema) {}
  SealedView(std::shared_ptr<const SealedState> state,
             std::shared_ptr<const model::CollectionSchema> schema, const Context* caller)
      : state_(std::move(state)), schema_(std::move(schema)), caller_(caller) {}
  ~SealedView() override { Unpin(); }

  SegmentId id() const override { return body().id; }
  PartitionId partition() const override { return body().partition; }
  size_t rows() const override { return body().rows; }
  const model::CollectionSchema& schema() const override { return *schema_; }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override;
  Result<std::vector<index::VectorBlock>> Vectors(FieldId field) const override;
  const uint64_t* RowTimestamps(size_t begin) const override { return body().timestamps() + begin; }
  Visible VisibleAt(Timestamp read_at) const override;
  Visible RowsWithVector(FieldId field) const override;
  Result<const FieldIndex*> IndexOf(FieldId field) const override;
  model::IndexPromise Estimate(const model::Predicate& predicate) const override;
  Result<model::Coverage> Answer(Context& ctx, const model::Predicate& predicate, Bitset& matches,
                                 Bitset* unknown) const override;
  void AddTermTotals(FieldId field, std::span<const uint32_t> terms,
                     model::TermTotals& totals) const override;
  const model::BlockStats* Stats(FieldId field, size_t begin) const override;
  std::optional<model::BlockStats> WholeStats(FieldId field) const override;
  const PrimaryKeys* KeyOrder() const override { return &body().keys; }
  bool IsInTimeOrder() const override { return body().manifest.sorted_by == FieldId(); }
  Timestamp OldestRow() const override;
  Status CheckFiles() const override;
  void Unpin() const override;

 private:
  const SealedBody& body() const { return *state_->body; }
  /// Of what is opened for the view: over when its caller has gone.
  Context Opening() const;
  /// The content of a piece, open for as long as the view has it pinned.
  Result<const void*> Pin(const std::shared_ptr<Piece>& piece) const;
  Result<const model::ColumnView*> PinColumn(const ColumnSlot& slot) const;
  bool IsKeyLookup(const model::Predicate& predicate) const;
  /// Null: none, or one that cannot be opened: then the rows are looked at instead.
  const index::ScalarIndex* ScalarIndexOf(const model::Predicate& predicate,
                                          std::string_view* type = nullptr) const;
  /// The same among indexes of terms, and what is asked of it.
  const index::ScalarIndex* TermIndexOf(const model::Predicate& predicate,
                                        std::optional<model::Predicate>& asked) const;
  const index::ScalarIndex* OpenScalar(const IndexSlot& slot) const;

  const std::shared_ptr<const SealedState> state_;
  const std::shared_ptr<const model::CollectionSchema> schema_;
  const Context* const caller_ = nullptr;  // Who waits for what is opened; null: nobody in person.
  mutable std::mutex mutex_;               // Guards the pins; held for look-ups.
  mutable std::vector<std::pair<std::shared_ptr<Piece>, std::shared_ptr<const void>>> pins_;
};

}  // namespace elanus::segment
