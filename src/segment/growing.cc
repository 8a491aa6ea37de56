// Growing segments.
#include "segment/growing.h"

#include <absl/container/flat_hash_map.h>

#include "base/check.h"
#include "segment/fill.h"

namespace elanus::segment {
namespace {

using Buffer = std::shared_ptr<uint8_t[]>;

Buffer NewBuffer(size_t bytes) { return Buffer(new uint8_t[std::max<size_t>(bytes, 1)]); }

// One field's rows of one chunk. Copied into snapshots, which share the buffers.
struct ChunkColumn {
  Buffer data;
  size_t data_capacity = 0;
  size_t data_bytes = 0;
  std::shared_ptr<uint64_t[]> offsets;  // Variable width only.
  Buffer valid;                         // Null until the first null row.
};

struct Chunk {
  std::vector<ChunkColumn> columns;  // In schema order.
  std::shared_ptr<uint64_t[]> row_timestamps;
  std::shared_ptr<uint64_t[]> deleted_at;  // Read and written through atomic_ref.
};

Timestamp DeletedAt(const Chunk& chunk, size_t row) {
  return Timestamp(
      std::atomic_ref<uint64_t>(chunk.deleted_at[row]).load(std::memory_order_relaxed));
}

class GrowingView final : public SegmentView {
 public:
  SegmentId id_;
  PartitionId partition_;
  std::shared_ptr<const model::CollectionSchema> schema_;
  std::vector<Chunk> chunks_;
  size_t rows_ = 0;
  Timestamp newest_;
  bool has_deletes_ = false;

  SegmentId id() const override { return id_; }
  PartitionId partition() const override { return partition_; }
  size_t rows() const override { return rows_; }
  const model::CollectionSchema& schema() const override { return *schema_; }

  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    for (size_t f = 0; f < schema_->fields.size(); ++f) {
      if (schema_->fields[f].id == field) return View(f, begin, count);
    }
    return Error(ErrorCode::kFieldNotFound, "field not found[field={}]", field.value());
  }

  Result<std::vector<index::VectorBlock>> Vectors(FieldId field) const override {
    std::vector<index::VectorBlock> blocks;
    for (size_t begin = 0; begin < rows_; begin += kChunkRows) {
      TRY_ASSIGN(const model::ColumnView view,
                 Read(field, begin, std::min(kChunkRows, rows_ - begin)));
      blocks.push_back({.data = view.data, .rows = view.rows, .dim = view.dim});
    }
    return blocks;
  }

  const uint64_t* RowTimestamps(size_t begin) const override {
    return chunks_[begin / kChunkRows].row_timestamps.get() + begin % kChunkRows;
  }

  Visible VisibleAt(Timestamp read_at) const override {
    if (rows_ == 0) return {.rows = nullptr, .none = true};
    if (!has_deletes_ && newest_ <= read_at) return {};
    auto bits = std::make_shared<Bitset>(rows_);
    for (size_t row = 0; row < rows_; ++row) {
      const Chunk& chunk = chunks_[row / kChunkRows];
      const size_t at = row % kChunkRows;
      const Timestamp deleted = DeletedAt(chunk, at);
      if (chunk.row_timestamps[at] <= read_at.value() &&
          (deleted == Timestamp() || deleted > read_at)) {
        bits->Set(row);
      }
    }
    if (!bits->Any()) return {.rows = nullptr, .none = true};
    return {.rows = std::move(bits), .none = false};
  }

  const FieldIndex* IndexOf(FieldId) const override { return nullptr; }
  Result<bool> Answer(Context&, const model::Predicate&, Bitset&) const override { return false; }

  model::ColumnView View(size_t f, size_t begin, size_t count) const {
    const model::FieldSchema& field = schema_->fields[f];
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
  std::vector<Chunk> chunks;
  size_t rows = 0;
  size_t bytes = 0;
  Timestamp first;
  Timestamp newest;
  bool has_deletes = false;
  // Key to rows; the newest version last. Writer only.
  absl::flat_hash_map<int64_t, std::vector<uint32_t>> int_keys;
  absl::flat_hash_map<std::string, std::vector<uint32_t>> text_keys;
  mutable std::mutex snapshot_mutex;  // Guards `snapshot` only.
  std::shared_ptr<const GrowingView> snapshot;

  void AddChunk() {
    Chunk chunk;
    for (const model::FieldSchema& field : schema->fields)
      chunk.columns.push_back(NewColumn(field));
    chunk.row_timestamps = std::shared_ptr<uint64_t[]>(new uint64_t[kChunkRows]);
    chunk.deleted_at = std::shared_ptr<uint64_t[]>(new uint64_t[kChunkRows]());
    chunks.push_back(std::move(chunk));
  }

  static ChunkColumn NewColumn(const model::FieldSchema& field) {
    ChunkColumn column;
    const uint32_t width = model::WidthOf(field.type, field.dim());
    if (width != 0) {
      column.data = NewBuffer(width * kChunkRows);
    } else {
      column.offsets = std::shared_ptr<uint64_t[]>(new uint64_t[kChunkRows + 1]());
      column.data_capacity = 4096;
      column.data = NewBuffer(column.data_capacity);
    }
    return column;
  }

  // Appends `count` rows of `from` from row `begin` at row `at` of the chunk.
  void AppendRows(ChunkColumn& to, const model::ColumnView& from, size_t begin, size_t count,
                  size_t at) {
    const model::ColumnView part = from.Slice(begin, count);
    if (part.width != 0) {
      std::memcpy(to.data.get() + at * part.width, part.data, count * part.width);
      bytes += count * part.width;
    } else {
      const uint64_t size = part.offsets[count] - part.offsets[0];
      if (to.data_bytes + size > to.data_capacity) {
        // Invariant 2: readers keep the old buffer.
        to.data_capacity = std::max(to.data_capacity * 2, to.data_bytes + size);
        Buffer larger = NewBuffer(to.data_capacity);
        std::memcpy(larger.get(), to.data.get(), to.data_bytes);
        to.data = std::move(larger);
      }
      std::memcpy(to.data.get() + to.data_bytes, part.data + part.offsets[0], size);
      for (size_t i = 0; i < count; ++i) {
        to.offsets[at + i + 1] = to.data_bytes + part.offsets[i + 1] - part.offsets[0];
      }
      to.data_bytes += size;
      bytes += size + 8 * count;
    }
    if (part.valid != nullptr && to.valid == nullptr) {
      to.valid = NewBuffer(kChunkRows);
      std::memset(to.valid.get(), 1, kChunkRows);
    }
    if (part.valid != nullptr) std::memcpy(to.valid.get() + at, part.valid, count);
  }

  void RememberKeys(const model::ColumnView& keys) {
    for (size_t i = 0; i < keys.rows; ++i) {
      const uint32_t row = static_cast<uint32_t>(rows + i);
      if (keys.type == model::DataType::kInt64)
        int_keys[keys.Get<int64_t>(i)].push_back(row);
      else
        text_keys[std::string(keys.Bytes(i))].push_back(row);
    }
    bytes += keys.rows * 40;
  }

  const std::vector<uint32_t>* RowsOf(const model::ColumnView& keys, size_t at) const {
    if (keys.type == model::DataType::kInt64) {
      const auto found = int_keys.find(keys.Get<int64_t>(at));
      return found == int_keys.end() ? nullptr : &found->second;
    }
    const std::string_view key = keys.Bytes(at);
    const auto found = text_keys.find(absl::string_view(key.data(), key.size()));
    return found == text_keys.end() ? nullptr : &found->second;
  }

  void Publish() {
    auto next = std::make_shared<GrowingView>();
    next->id_ = id;
    next->partition_ = partition;
    next->schema_ = schema;
    next->chunks_ = chunks;
    next->rows_ = rows;
    next->newest_ = newest;
    next->has_deletes_ = has_deletes;
    std::lock_guard<std::mutex> lock(snapshot_mutex);
    snapshot = std::move(next);
  }
};

Growing::Growing(SegmentId id, PartitionId partition,
                 std::shared_ptr<const model::CollectionSchema> schema)
    : impl_(std::make_unique<Impl>()) {
  impl_->id = id;
  impl_->partition = partition;
  impl_->schema = std::move(schema);
  impl_->Publish();
}
Growing::~Growing() = default;

SegmentId Growing::id() const { return impl_->id; }
PartitionId Growing::partition() const { return impl_->partition; }
size_t Growing::memory_bytes() const { return impl_->bytes; }
Timestamp Growing::first_timestamp() const { return impl_->first; }
size_t Growing::rows() const {
  std::lock_guard<std::mutex> lock(impl_->snapshot_mutex);
  return impl_->snapshot->rows_;
}

std::shared_ptr<const SegmentView> Growing::Snapshot() const {
  std::lock_guard<std::mutex> lock(impl_->snapshot_mutex);
  return impl_->snapshot;
}

void Growing::Append(std::span<const model::Column> columns, Timestamp timestamp) {
  Impl& s = *impl_;
  if (columns.empty() || columns[0].rows == 0) return;
  const size_t count = columns[0].rows;
  std::vector<model::Column> fillers;
  fillers.reserve(s.schema->fields.size());
  std::vector<model::ColumnView> views;
  for (const model::FieldSchema& field : s.schema->fields) {
    const model::Column* found = nullptr;
    for (const model::Column& column : columns) {
      if (column.field_id == field.id) found = &column;
    }
    if (found == nullptr) {
      fillers.push_back(FillColumn(field, count));
      found = &fillers.back();
    }
    views.push_back(found->view());
    if (field.is_primary_key) s.RememberKeys(views.back());
  }
  for (size_t done = 0; done < count;) {
    const size_t at = (s.rows + done) % kChunkRows;
    if (at == 0) s.AddChunk();
    Chunk& chunk = s.chunks.back();
    const size_t part = std::min(count - done, kChunkRows - at);
    for (size_t f = 0; f < views.size(); ++f)
      s.AppendRows(chunk.columns[f], views[f], done, part, at);
    for (size_t i = 0; i < part; ++i) chunk.row_timestamps[at + i] = timestamp.value();
    done += part;
  }
  if (s.rows == 0) s.first = timestamp;
  s.rows += count;
  s.bytes += 16 * count;
  s.newest = std::max(s.newest, timestamp);
  s.Publish();
}

void Growing::Delete(const model::ColumnView& keys, Timestamp timestamp) {
  Impl& s = *impl_;
  bool changed = false;
  for (size_t i = 0; i < keys.rows; ++i) {
    const std::vector<uint32_t>* rows = s.RowsOf(keys, i);
    if (rows == nullptr) continue;
    for (uint32_t row : *rows) {
      Chunk& chunk = s.chunks[row / kChunkRows];
      const size_t at = row % kChunkRows;
      // Strict: a row with the delete's own timestamp survives; that is how upsert works.
      if (chunk.row_timestamps[at] >= timestamp.value()) continue;
      std::atomic_ref<uint64_t> deleted(chunk.deleted_at[at]);
      if (deleted.load(std::memory_order_relaxed) != 0) continue;
      deleted.store(timestamp.value(), std::memory_order_relaxed);
      changed = true;
    }
  }
  if (changed && !s.has_deletes) {
    s.has_deletes = true;
    s.Publish();
  }
}

void Growing::SetSchema(std::shared_ptr<const model::CollectionSchema> schema) {
  Impl& s = *impl_;
  for (Chunk& chunk : s.chunks) {
    std::vector<ChunkColumn> columns;
    for (const model::FieldSchema& field : schema->fields) {
      const ChunkColumn* old = nullptr;
      for (size_t f = 0; f < s.schema->fields.size(); ++f) {
        if (s.schema->fields[f].id == field.id) old = &chunk.columns[f];
      }
      if (old != nullptr) {
        columns.push_back(*old);
        continue;
      }
      ChunkColumn column = Impl::NewColumn(field);
      const size_t first_row = static_cast<size_t>(&chunk - s.chunks.data()) * kChunkRows;
      const size_t rows = std::min(kChunkRows, s.rows - first_row);
      s.AppendRows(column, FillColumn(field, rows).view(), 0, rows, 0);
      columns.push_back(std::move(column));
    }
    chunk.columns = std::move(columns);
  }
  s.schema = std::move(schema);
  s.Publish();
}

void Growing::Export(std::vector<model::Column>& columns,
                     std::vector<uint64_t>& row_timestamps) const {
  const Impl& s = *impl_;
  columns.clear();
  row_timestamps.clear();
  const auto snapshot = [&] {
    std::lock_guard<std::mutex> lock(s.snapshot_mutex);
    return s.snapshot;
  }();
  for (const model::FieldSchema& field : snapshot->schema_->fields) {
    columns.push_back(
        model::MakeColumn(field.id, field.name, field.type, field.element_type, field.dim()));
  }
  const Visible alive = snapshot->VisibleAt(kTimestampMax);
  if (alive.none) return;
  for (size_t begin = 0; begin < snapshot->rows_; begin += kChunkRows) {
    const size_t count = std::min(kChunkRows, snapshot->rows_ - begin);
    for (size_t f = 0; f < columns.size(); ++f) {
      const model::ColumnView view = snapshot->View(f, begin, count);
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
