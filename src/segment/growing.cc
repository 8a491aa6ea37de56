// Growing segments.
#include "segment/growing.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "segment/fill.h"
#include "segment/growing_keys.h"
#include "segment/growing_words.h"
#include "segment/key_versions.h"
#include "segment/made_rows.h"
#include "segment/term_statistics.h"
#include "segment/valid_rows.h"

namespace elanus::segment {
namespace {

using Buffer = std::shared_ptr<uint8_t[]>;

Buffer NewBuffer(size_t bytes) { return Buffer(new uint8_t[std::max<size_t>(bytes, 1)]); }

// One field's rows of one chunk. Copied into snapshots, which share the buffers.
struct ChunkColumn {
  Buffer data;
  size_t data_capacity = 0;
  size_t data_bytes = 0;
  size_t memory_bytes = 0;              // See Growing::memory_bytes.
  std::shared_ptr<uint64_t[]> offsets;  // Variable width only.
  Buffer valid;                         // Null until the first null row.
};

// The rows of a chunk that were ever deleted, in the order of the deletes. The writer fills a place
// before it counts it.
struct ChunkDeletes {
  std::atomic<uint32_t> count{0};
  std::unique_ptr<uint16_t[]> rows;  // Made at the first delete; kChunkRows of them.
};

struct Chunk {
  std::vector<ChunkColumn> columns;  // In the order of StoredFields.
  std::shared_ptr<uint64_t[]> row_timestamps;
  std::shared_ptr<uint64_t[]> deleted_at;  // Of counted rows through atomic_ref.
  std::shared_ptr<ChunkDeletes> deletes;
  Timestamp newest;  // Of its rows.

  bool IsWholeAt(Timestamp read_at) const {
    return newest <= read_at && deletes->count.load(std::memory_order_relaxed) == 0;
  }
};
static_assert(kChunkRows % 64 == 0, "chunks begin at whole words of a bitset");
static_assert(kChunkRows == index::kGrowingBlockRows);

using ListsOfFields = std::vector<std::shared_ptr<FieldLists>>;

// What the chunks hold: the fields of the schema, and those dropped since the segment began, which
// reads of older versions of the schema still ask for.
using StoredFields = std::shared_ptr<const std::vector<model::FieldSchema>>;

class GrowingView final : public SegmentView {
 public:
  SegmentId id_;
  PartitionId partition_;
  std::shared_ptr<const model::CollectionSchema> schema_;
  StoredFields stored_;
  std::vector<Chunk> chunks_;
  size_t rows_ = 0;
  std::shared_ptr<const ListsOfFields> lists_;
  std::shared_ptr<const StatisticsOfFields> statistics_;
  std::shared_ptr<const WordsOfFields> words_;
  std::shared_ptr<GrowingKeys> keys_;
  std::vector<FieldId> unmade_;
  GrowingIndexer* indexer_ = nullptr;

  SegmentId id() const override { return id_; }
  PartitionId partition() const override { return partition_; }
  size_t rows() const override { return rows_; }
  bool IsGrowing() const override { return true; }
  const model::CollectionSchema& schema() const override { return *schema_; }

  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    const size_t at = PlaceOf(field);
    if (at < stored_->size()) return View(at, begin, count);
    return Error(ErrorCode::kFieldNotFound, "field not found[field={}]", field.value());
  }

  Result<std::vector<index::VectorBlock>> Vectors(FieldId field) const override {
    std::vector<index::VectorBlock> blocks;
    for (size_t begin = 0; begin < rows_; begin += kChunkRows) {
      TRY_ASSIGN(const model::ColumnView view,
                 Read(field, begin, std::min(kChunkRows, rows_ - begin)));
      blocks.push_back(index::BlockOf(view));
    }
    return blocks;
  }

  void AddTermTotals(FieldId field, std::span<const uint32_t> terms,
                     model::TermTotals& totals) const override {
    const auto found = statistics_->find(field.value());
    if (found != statistics_->end()) found->second->AddTo(terms, totals);
  }

  // Of the words of a text field; else null.
  GrowingWords* WordsFor(const model::Predicate& predicate) const {
    if (predicate.kind != model::Predicate::Kind::kWords) return nullptr;
    const auto found = words_->find(predicate.field.value());
    return found == words_->end() ? nullptr : found->second.get();
  }
  model::IndexPromise Estimate(const model::Predicate& predicate) const override {
    const GrowingWords* words = WordsFor(predicate);
    return words == nullptr ? model::IndexPromise() : words->Estimate(rows_);
  }
  Result<model::Coverage> Answer(Context& ctx, const model::Predicate& predicate, Bitset& matches,
                                 Bitset* unknown) const override {
    GrowingWords* words = WordsFor(predicate);
    if (words == nullptr) return model::Coverage::kNone;
    return words->Answer(ctx, *this, predicate, matches, unknown);
  }

  const uint64_t* RowTimestamps(size_t begin) const override {
    return chunks_[begin / kChunkRows].row_timestamps.get() + begin % kChunkRows;
  }

  Visible VisibleAt(Timestamp read_at) const override { return RowsAt(read_at, read_at); }

  // Rows inserted up to the one moment and not deleted up to the other.
  Visible RowsAt(Timestamp inserted, Timestamp deleted) const {
    if (rows_ == 0) return {.rows = nullptr, .none = true};
    if (std::all_of(chunks_.begin(), chunks_.end(),
                    [&](const Chunk& chunk) { return chunk.IsWholeAt(inserted); })) {
      return {};
    }
    auto bits = std::make_shared<Bitset>(rows_);
    for (size_t c = 0; c < chunks_.size(); ++c) {
      const size_t count = std::min(kChunkRows, rows_ - c * kChunkRows);
      SetVisible(chunks_[c], count, inserted, deleted, bits->words() + c * (kChunkRows / 64));
    }
    bits->ClearTail();
    if (!bits->Any()) return {.rows = nullptr, .none = true};
    return {.rows = std::move(bits), .none = false};
  }

  Visible RowsWithVector(FieldId field) const override {
    const size_t at = PlaceOf(field);
    // What a function is to make may have failed to be made.
    const bool has_nulls =
        at < stored_->size() && ((*stored_)[at].nullable || (*stored_)[at].is_function_output);
    return has_nulls ? CollectValid(*this, field) : Visible();
  }

  // Costs as much as there are deletes: a search may take no longer than to look at every row.
  static void SetVisible(const Chunk& chunk, size_t count, Timestamp inserted_until,
                         Timestamp deleted_until, uint64_t* words) {
    std::fill_n(words, (count + 63) / 64, ~uint64_t{0});
    const auto hide = [&](size_t row) { words[row / 64] &= ~(uint64_t{1} << (row % 64)); };
    if (chunk.newest > inserted_until) {
      for (size_t row = 0; row < count; ++row) {
        if (chunk.row_timestamps[row] > inserted_until.value()) hide(row);
      }
    }
    const uint32_t deletes = chunk.deletes->count.load(std::memory_order_acquire);
    for (uint32_t i = 0; i < deletes; ++i) {
      const size_t row = chunk.deletes->rows[i];
      if (row >= count) continue;  // Younger than this view.
      const std::atomic_ref<uint64_t> deleted(chunk.deleted_at[row]);
      if (deleted.load(std::memory_order_relaxed) <= deleted_until.value()) hide(row);
    }
  }

  Result<size_t> SearchLists(Context& ctx, FieldId field, model::Metric metric,
                             const std::map<std::string, std::string>& params,
                             const index::SearchRequest& request, index::Hits hits) const override {
    const auto found = std::find_if(lists_->begin(), lists_->end(), [&](const auto& lists) {
      return lists->field == field && lists->index->metric() == metric;
    });
    if (found == lists_->end()) return 0;
    FieldLists& lists = **found;
    TRY_ASSIGN(const auto blocks, Vectors(field));
    lists.searched.store(true, std::memory_order_relaxed);
    if (lists.index->IsBehind(rows_)) indexer_->Offer(*found, {blocks, Owners(field)});
    return lists.index->Search(ctx, blocks, params, request, hits);
  }

  // Of the bytes of each block of a field. Not the view itself, which keeps the lists: they may
  // keep what they are given.
  std::vector<std::shared_ptr<const void>> Owners(FieldId field) const {
    std::vector<std::shared_ptr<const void>> owners;
    const size_t at = PlaceOf(field);
    if (at == stored_->size()) return owners;
    for (const Chunk& chunk : chunks_) {
      const ChunkColumn& column = chunk.columns[at];
      owners.push_back(std::make_shared<const std::pair<Buffer, std::shared_ptr<uint64_t[]>>>(
          column.data, column.offsets));
    }
    return owners;
  }

  // What has come since the lists were extended last is put into them too.
  void OfferRows() const {
    for (const auto& lists : *lists_) {
      if (!lists->searched.load(std::memory_order_relaxed)) continue;
      if (!lists->index->IsBehind(rows_) || lists->busy.load(std::memory_order_relaxed)) continue;
      auto blocks = Vectors(lists->field);
      if (!blocks.ok()) continue;
      indexer_->Offer(lists, {std::move(blocks).value(), Owners(lists->field)});
    }
  }

  Result<const FieldIndex*> IndexOf(FieldId) const override {
    return static_cast<const FieldIndex*>(nullptr);
  }

  std::vector<KeyRun> KeyRuns() const override { return keys_->RunsOf(*this); }

  // Among the columns of a chunk; their number when it is not there.
  size_t PlaceOf(FieldId field) const {
    const auto found = std::find_if(stored_->begin(), stored_->end(),
                                    [&](const auto& stored) { return stored.id == field; });
    return static_cast<size_t>(found - stored_->begin());
  }

  model::ColumnView View(size_t f, size_t begin, size_t count) const {
    const model::FieldSchema& field = (*stored_)[f];
    const ChunkColumn& column = chunks_[begin / kChunkRows].columns[f];
    DCHECK(begin % kChunkRows + count <= kChunkRows);
    const model::ColumnView whole{.type = field.type,
                                  .element_type = field.element_type,
                                  .dim = field.dim(),
                                  .width = model::WidthOf(field.type, field.dim()),
                                  .rows = kChunkRows,
                                  .data = column.data.get(),
                                  .offsets = column.offsets.get(),
                                  .valid = column.valid.get()};
    return whole.Slice(begin % kChunkRows, count);
  }
};

}  // namespace

struct Growing::Impl {
  SegmentId id;
  PartitionId partition;
  std::shared_ptr<const model::CollectionSchema> schema;
  StoredFields stored;
  std::vector<Chunk> chunks;
  size_t rows = 0;
  size_t bytes = 0;
  Timestamp first;
  KeyVersions versions;  // Writer only.
  GrowingIndexer* indexer = nullptr;
  std::shared_ptr<const ListsOfFields> lists = std::make_shared<const ListsOfFields>();
  // The maps stay, what they lead to grows.
  std::shared_ptr<const StatisticsOfFields> statistics;
  std::shared_ptr<const WordsOfFields> words;
  std::shared_ptr<GrowingKeys> keys;
  // Fields that a function fills, with rows that it could not fill: the files go without them.
  std::vector<FieldId> unmade;
  mutable std::mutex snapshot_mutex;  // Guards `snapshot` only.
  std::shared_ptr<const GrowingView> snapshot;

  void AddChunk() {
    Chunk chunk;
    for (const model::FieldSchema& field : *stored) {
      chunk.columns.push_back(NewColumn(field));
      bytes += chunk.columns.back().memory_bytes;
    }
    chunk.row_timestamps = std::shared_ptr<uint64_t[]>(new uint64_t[kChunkRows]);
    chunk.deleted_at = std::shared_ptr<uint64_t[]>(new uint64_t[kChunkRows]);
    chunk.deletes = std::make_shared<ChunkDeletes>();
    chunks.push_back(std::move(chunk));
  }

  static ChunkColumn NewColumn(const model::FieldSchema& field) {
    ChunkColumn column;
    const uint32_t width = model::WidthOf(field.type, field.dim());
    if (width != 0) {
      column.data = NewBuffer(width * kChunkRows);
    } else {
      column.offsets = std::shared_ptr<uint64_t[]>(new uint64_t[kChunkRows + 1]);
      column.offsets[0] = 0;
      column.data_capacity = 4096;
      column.data = NewBuffer(column.data_capacity);
      column.memory_bytes = column.data_capacity;
    }
    return column;
  }

  // Appends `count` rows of `from` from row `begin` at row `at` of the chunk.
  void AppendRows(ChunkColumn& to, const model::ColumnView& from, size_t begin, size_t count,
                  size_t at) {
    const model::ColumnView part = from.Slice(begin, count);
    const size_t bytes_before = to.memory_bytes;
    if (part.width != 0) {
      std::memcpy(to.data.get() + at * part.width, part.data, count * part.width);
      to.memory_bytes += count * part.width;
    } else {
      const uint64_t size = part.offsets[count] - part.offsets[0];
      if (to.data_bytes + size > to.data_capacity) {
        // Invariant 2: readers keep the old buffer.
        to.memory_bytes -= to.data_capacity;
        to.data_capacity = std::max(to.data_capacity * 2, to.data_bytes + size);
        to.memory_bytes += to.data_capacity;
        Buffer larger = NewBuffer(to.data_capacity);
        std::memcpy(larger.get(), to.data.get(), to.data_bytes);
        to.data = std::move(larger);
      }
      // A column of empty strings has no bytes, and may have no buffer for them either.
      if (size > 0) std::memcpy(to.data.get() + to.data_bytes, part.data + part.offsets[0], size);
      for (size_t i = 0; i < count; ++i) {
        to.offsets[at + i + 1] = to.data_bytes + part.offsets[i + 1] - part.offsets[0];
      }
      to.data_bytes += size;
      to.memory_bytes += count * sizeof(uint64_t);
    }
    if (part.valid != nullptr && to.valid == nullptr) {
      to.valid = NewBuffer(kChunkRows);
      std::memset(to.valid.get(), 1, kChunkRows);
      to.memory_bytes += kChunkRows;
    }
    if (part.valid != nullptr) std::memcpy(to.valid.get() + at, part.valid, count);
    bytes += to.memory_bytes - bytes_before;
  }

  void Publish() {
    auto next = std::make_shared<GrowingView>();
    next->id_ = id;
    next->partition_ = partition;
    next->schema_ = schema;
    next->stored_ = stored;
    next->chunks_ = chunks;
    next->rows_ = rows;
    next->lists_ = lists;
    next->statistics_ = statistics;
    next->words_ = words;
    next->keys_ = keys;
    next->unmade_ = unmade;
    next->indexer_ = indexer;
    std::lock_guard<std::mutex> lock(snapshot_mutex);
    snapshot = std::move(next);
  }
};

Growing::Growing(SegmentId id, PartitionId partition,
                 std::shared_ptr<const model::CollectionSchema> schema, GrowingIndexer* indexer)
    : impl_(std::make_unique<Impl>()) {
  impl_->id = id;
  impl_->partition = partition;
  impl_->schema = std::move(schema);
  impl_->stored = std::make_shared<const std::vector<model::FieldSchema>>(impl_->schema->fields);
  impl_->indexer = indexer;
  impl_->statistics = std::make_shared<const StatisticsOfFields>(MakeStatistics(*impl_->schema));
  impl_->words = std::make_shared<const WordsOfFields>(MakeGrowingWords(*impl_->schema));
  impl_->keys = std::make_shared<GrowingKeys>();
  impl_->Publish();
}
Growing::~Growing() {
  for (const auto& lists : *impl_->lists) lists->ctx.Cancel();
}

SegmentId Growing::id() const { return impl_->id; }
PartitionId Growing::partition() const { return impl_->partition; }
size_t Growing::memory_bytes() const {
  size_t bytes = impl_->bytes + impl_->versions.memory_bytes() + impl_->keys->memory_bytes();
  for (const auto& lists : *impl_->lists) bytes += lists->index->memory_bytes();
  for (const auto& [field, statistics] : *impl_->statistics) bytes += statistics->memory_bytes();
  for (const auto& [field, words] : *impl_->words) bytes += words->memory_bytes();
  return bytes;
}
Timestamp Growing::first_timestamp() const { return impl_->first; }
size_t Growing::rows() const {
  std::lock_guard<std::mutex> lock(impl_->snapshot_mutex);
  return impl_->snapshot->rows_;
}

std::shared_ptr<const SegmentView> Growing::Snapshot() const {
  std::lock_guard<std::mutex> lock(impl_->snapshot_mutex);
  return impl_->snapshot;
}

std::shared_ptr<const SegmentView> Growing::Snapshot(
    std::shared_ptr<const model::CollectionSchema> schema) const {
  std::unique_lock<std::mutex> lock(impl_->snapshot_mutex);
  const std::shared_ptr<const GrowingView> newest = impl_->snapshot;
  lock.unlock();
  if (newest->schema_->version == schema->version) return newest;
  auto older = std::make_shared<GrowingView>(*newest);
  older->schema_ = std::move(schema);
  return older;
}

void Growing::Append(std::span<const model::Column> columns, Timestamp timestamp) {
  Impl& s = *impl_;
  if (columns.empty() || columns[0].rows == 0) return;
  const size_t count = columns[0].rows;
  std::vector<model::Column> fillers;
  fillers.reserve(s.stored->size());
  std::vector<model::ColumnView> views;
  const auto given = [&](FieldId field) {
    for (const model::Column& column : columns) {
      if (column.field_id == field) return column.view();
    }
    return model::ColumnView();
  };
  for (const model::FieldSchema& field : *s.stored) {
    model::ColumnView view = given(field.id);
    if (view.rows != count) {
      fillers.push_back(MakeOrFillRows(*s.schema, field, count, given, s.unmade));
      view = fillers.back().view();
    }
    views.push_back(view);
    if (field.is_primary_key) s.versions.Add(view, static_cast<uint32_t>(s.rows));
    AddRows(*s.statistics, field.id, view);
  }
  for (size_t done = 0; done < count;) {
    const size_t at = (s.rows + done) % kChunkRows;
    if (at == 0) s.AddChunk();
    Chunk& chunk = s.chunks.back();
    const size_t part = std::min(count - done, kChunkRows - at);
    for (size_t f = 0; f < views.size(); ++f)
      s.AppendRows(chunk.columns[f], views[f], done, part, at);
    std::fill_n(chunk.row_timestamps.get() + at, part, timestamp.value());
    std::fill_n(chunk.deleted_at.get() + at, part, 0);
    chunk.newest = std::max(chunk.newest, timestamp);
    done += part;
  }
  if (s.rows == 0) s.first = timestamp;
  s.rows += count;
  s.bytes += 2 * sizeof(uint64_t) * count;
  s.Publish();
  if (!s.lists->empty()) s.snapshot->OfferRows();  // Only the writer swaps the snapshot.
}

void Growing::Delete(const model::ColumnView& keys, Timestamp timestamp) {
  Impl& s = *impl_;
  for (size_t i = 0; i < keys.rows; ++i) {
    for (uint32_t row = s.versions.Newest(keys, i); row != KeyVersions::kNone;
         row = s.versions.Older(row)) {
      Chunk& chunk = s.chunks[row / kChunkRows];
      const size_t at = row % kChunkRows;
      // Strict: a row with the delete's own timestamp survives; that is how upsert works.
      if (chunk.row_timestamps[at] >= timestamp.value()) continue;
      std::atomic_ref<uint64_t> deleted(chunk.deleted_at[at]);
      if (deleted.load(std::memory_order_relaxed) != 0) continue;
      deleted.store(timestamp.value(), std::memory_order_relaxed);
      ChunkDeletes& deletes = *chunk.deletes;
      const uint32_t place = deletes.count.load(std::memory_order_relaxed);
      if (place == 0) {
        deletes.rows = std::unique_ptr<uint16_t[]>(new uint16_t[kChunkRows]);
        s.bytes += kChunkRows * sizeof(uint16_t);
      }
      deletes.rows[place] = static_cast<uint16_t>(at);
      deletes.count.store(place + 1, std::memory_order_release);
    }
  }
}

void Growing::SetListedFields(std::span<const ListedField> fields) {
  Impl& s = *impl_;
  if (s.indexer == nullptr || !s.indexer->options().enabled) return;
  ListsOfFields next;
  for (const ListedField& field : fields) {
    const auto same = [&](const auto& lists) {
      return lists->field == field.field && lists->index->metric() == field.metric;
    };
    const auto found = std::find_if(s.lists->begin(), s.lists->end(), same);
    next.push_back(found != s.lists->end()
                       ? *found
                       : std::make_shared<FieldLists>(field.field, field.kind, field.metric,
                                                      s.indexer->clock(), s.indexer->options()));
  }
  if (next == *s.lists) return;
  for (const auto& lists : *s.lists) {
    if (std::find(next.begin(), next.end(), lists) == next.end()) lists->ctx.Cancel();
  }
  s.lists = std::make_shared<const ListsOfFields>(std::move(next));
  s.Publish();
}

void Growing::SetSchema(std::shared_ptr<const model::CollectionSchema> schema) {
  Impl& s = *impl_;
  std::vector<model::FieldSchema> stored = *s.stored;
  for (model::FieldSchema& known : stored) {
    if (const model::FieldSchema* newer = schema->FindField(known.id)) known = *newer;
  }
  const size_t known = stored.size();
  for (const model::FieldSchema& field : schema->fields) {
    const bool is_there = std::any_of(stored.begin(), stored.end(),
                                      [&](const auto& other) { return other.id == field.id; });
    if (!is_there) stored.push_back(field);
  }
  // Only the writer swaps it.
  const std::shared_ptr<const GrowingView> before = s.snapshot;
  StatisticsOfFields statistics = *s.statistics;
  statistics.merge(MakeStatistics(*schema));
  for (size_t c = 0; c < s.chunks.size(); ++c) {
    const size_t rows = std::min(kChunkRows, s.rows - c * kChunkRows);
    const auto stored_rows = [&](FieldId field) {
      const auto view = before->Read(field, c * kChunkRows, rows);
      return view.ok() ? *view : model::ColumnView();
    };
    for (size_t f = known; f < stored.size(); ++f) {
      const model::Column filled = MakeOrFillRows(*schema, stored[f], rows, stored_rows, s.unmade);
      AddRows(statistics, stored[f].id, filled.view());
      ChunkColumn column = Impl::NewColumn(stored[f]);
      s.bytes += column.memory_bytes;
      s.AppendRows(column, filled.view(), 0, rows, 0);
      s.chunks[c].columns.push_back(std::move(column));
    }
  }
  s.statistics = std::make_shared<const StatisticsOfFields>(std::move(statistics));
  s.stored = std::make_shared<const std::vector<model::FieldSchema>>(std::move(stored));
  s.schema = std::move(schema);
  s.Publish();
}

void Growing::Export(std::vector<model::Column>& columns, std::vector<uint64_t>& row_timestamps,
                     Timestamp deleted_until) const {
  const Impl& s = *impl_;
  columns.clear();
  row_timestamps.clear();
  const auto snapshot = [&] {
    std::lock_guard<std::mutex> lock(s.snapshot_mutex);
    return s.snapshot;
  }();
  std::vector<size_t> places;
  const std::vector<FieldId>& unmade = snapshot->unmade_;
  for (const model::FieldSchema& field : snapshot->schema_->fields) {
    if (std::find(unmade.begin(), unmade.end(), field.id) != unmade.end()) continue;
    places.push_back(snapshot->PlaceOf(field.id));
    columns.push_back(
        model::MakeColumn(field.id, field.name, field.type, field.element_type, field.dim()));
  }
  const Visible alive = snapshot->RowsAt(kTimestampMax, deleted_until);
  if (alive.none) return;
  for (size_t begin = 0; begin < snapshot->rows_; begin += kChunkRows) {
    const size_t count = std::min(kChunkRows, snapshot->rows_ - begin);
    for (size_t f = 0; f < columns.size(); ++f) {
      const model::ColumnView view = snapshot->View(places[f], begin, count);
      if (alive.rows == nullptr) {
        columns[f].AppendAll(view);
        continue;
      }
      for (size_t i = 0; i < count; ++i) {
        if (alive.rows->Test(begin + i)) columns[f].AppendRow(view, i);
      }
    }
    const uint64_t* timestamps = snapshot->RowTimestamps(begin);
    for (size_t i = 0; i < count; ++i) {
      if (alive.rows == nullptr || alive.rows->Test(begin + i)) {
        row_timestamps.push_back(timestamps[i]);
      }
    }
  }
}

}  // namespace elanus::segment
