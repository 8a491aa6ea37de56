// Sealed segments.
#include "segment/sealed.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>

#include "expr/json_path.h"
#include "expr/json_terms.h"
#include "index/embedding_list.h"
#include "index/key_runs.h"
#include "segment/fill.h"
#include "segment/sealed_view.h"
#include "segment/valid_rows.h"
#include "store/open_checked.h"

namespace elanus::segment {
namespace {

using Reading = std::shared_ptr<SegmentFile::Reading>;

// What pieces hold: the file is let go of after the content that reads it.
struct HeldColumn {
  Reading reading;
  store::OpenedColumn column;
};

struct HeldIndex {
  Reading reading;
  IndexContent index;
};

Status CheckBelongs(FieldId field, uint64_t rows, const Manifest& manifest,
                    const Manifest::File& file) {
  if (rows == static_cast<uint64_t>(manifest.rows) && field == file.field) return {};
  return Error(ErrorCode::kIntegrity, "{}: does not belong to segment {}", file.key,
               manifest.segment.value());
}

// The file of a column. Its checksums are looked at once where it stays in place: it does not
// change, and to read it all is what opening it later is to avoid. What is fetched may have been
// fetched anew.
class ColumnFile {
 public:
  ColumnFile(std::shared_ptr<SegmentFile> file, const Manifest::File& entry,
             const Manifest& manifest)
      : file_(std::move(file)),
        entry_(entry),
        owner_{.segment = manifest.segment, .rows = manifest.rows} {}

  /// What a piece opens.
  Result<Piece::Opened> Open(Context& ctx) {
    return SegmentFile::ReadChecked(
        ctx, file_, [&](const Reading& reading) -> Result<Piece::Opened> {
          TRY_ASSIGN(store::OpenedColumn column, Look(reading->Held()));
          const size_t size = column.blob.bytes().size();
          auto held = std::make_shared<HeldColumn>(HeldColumn{reading, std::move(column)});
          return Piece::Opened{.content = std::shared_ptr<const void>(held, &held->column),
                               .bytes = size};
        });
  }
  /// Looks at the checksums, so that no read has to.
  Status Verify(Context& ctx) {
    if (is_checked_.load() || !file_->is_here()) return {};
    TRY_ASSIGN(const Reading reading, SegmentFile::Read(ctx, file_));
    return Look(reading->blob()).status();
  }
  /// What the file says of its blocks; its values are not read.
  Result<std::vector<store::ColumnRange>> Ranges(Context& ctx) const {
    TRY_ASSIGN(const Reading reading, SegmentFile::Read(ctx, file_));
    TRY_ASSIGN(store::WrittenRanges ranges, store::ReadRanges(reading->blob().bytes(), entry_.key));
    TRY(CheckBelongs(ranges.field, ranges.rows, owner_, entry_));
    return std::move(ranges.blocks);
  }

 private:
  Result<store::OpenedColumn> Look(Blob blob) {
    const auto check = is_checked_.load() && file_->is_here() ? store::ColumnCheck::kHeader
                                                              : store::ColumnCheck::kWhole;
    TRY_ASSIGN(store::OpenedColumn column,
               store::OpenColumnFile(std::move(blob), entry_.key, check));
    TRY(CheckBelongs(column.field, column.view.rows, owner_, entry_));
    is_checked_.store(true);
    return column;
  }

  const std::shared_ptr<SegmentFile> file_;
  const Manifest::File entry_;
  const Manifest owner_;
  std::atomic<bool> is_checked_{false};
};

// Opens an index; a vector index pins the column of its rows.
Piece::Opener IndexOpener(std::shared_ptr<SegmentFile> file, const std::string& key,
                          const model::IndexInfo& info, std::shared_ptr<Piece> column) {
  return [file, key, info, column](Context& ctx) -> Result<Piece::Opened> {
    std::shared_ptr<const void> rows_held;
    if (column != nullptr) {
      TRY_ASSIGN(rows_held, column->Pin(ctx));
    }
    return SegmentFile::ReadChecked(
        ctx, file, [&](const Reading& reading) -> Result<Piece::Opened> {
          auto held = std::make_shared<HeldIndex>(HeldIndex{reading, {}});
          IndexContent& content = held->index;
          Blob blob = reading->Held();
          size_t size = blob.bytes().size();
          if (column == nullptr) {
            auto scalar = index::OpenScalarIndex(std::move(blob));
            if (!scalar.ok()) return std::move(scalar).status().WithContext(key);
            content.scalar = std::move(scalar).value();
            size += content.scalar->memory_bytes();
          } else {
            content.rows = rows_held;
            const auto rows =
                index::BlockOf(static_cast<const store::OpenedColumn*>(rows_held.get())->view);
            const auto metric = model::MetricOf(info.metric);
            const index::IndexType* type = index::FindType(index::KindOf(rows.element), info.type);
            if (!metric || type == nullptr) {
              return Error(ErrorCode::kInternal, "index {} does not fit its field", info.name);
            }
            auto vector = index::IsKeyRunsFile(blob.bytes())
                              ? index::OpenKeyRuns(*type, std::move(blob), rows, *metric)
                              : index::OpenIndex(*type, std::move(blob), rows, *metric);
            if (!vector.ok()) return std::move(vector).status().WithContext(key);
            content.vector = {.index = std::move(vector).value(), .type = type, .metric = *metric};
            size += content.vector.index->memory_bytes();
          }
          return Piece::Opened{.content = std::shared_ptr<const void>(held, &content),
                               .bytes = size};
        });
  };
}

}  // namespace

struct Sealed::Impl {
  SealedParts parts;
  std::shared_ptr<const SealedBody> body;
  std::mutex deleting;       // One change of the deletes after the other; taken before `mutex`.
  mutable std::mutex mutex;  // Guards `state`; held for pointer swaps only.
  std::shared_ptr<const SealedState> state;

  std::shared_ptr<const SealedState> State() const {
    std::lock_guard<std::mutex> lock(mutex);
    return state;
  }
};

Sealed::Sealed(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Sealed::~Sealed() = default;

namespace {

// Opens a column that stays open.
Result<store::OpenedColumn> OpenHeld(Context& ctx, const SealedParts& parts, const SealedBody& body,
                                     FieldId field, const std::string& manifest_key) {
  for (const Manifest::File& file : body.manifest.files) {
    if (file.field != field) continue;
    TRY_ASSIGN(store::OpenedColumn column,
               store::OpenChecked(ctx, parts.objects, file.key, [&](Blob blob) {
                 return store::OpenColumnFile(std::move(blob), file.key);
               }));
    TRY(CheckBelongs(column.field, column.view.rows, body.manifest, file));
    return column;
  }
  return Error(ErrorCode::kIntegrity, "{}: names no timestamps or no primary keys", manifest_key);
}

Result<std::shared_ptr<const SealedBody>> OpenBody(Context& ctx, const SealedParts& parts,
                                                   const model::SegmentInfo& segment,
                                                   const model::CollectionInfo& collection) {
  auto body = std::make_shared<SealedBody>();
  TRY_ASSIGN(body->manifest,
             store::OpenChecked(ctx, parts.objects, segment.manifest_key, [&](const Blob& blob) {
               return DecodeManifest(blob.bytes(), segment.manifest_key);
             }));
  const Manifest& manifest = body->manifest;
  body->id = segment.id;
  body->partition = segment.partition;
  body->rows = static_cast<size_t>(manifest.rows);
  body->clock = &ctx.clock();
  body->key_field = collection.schema.primary_key().id;
  const std::pair<FieldId, store::OpenedColumn*> held[] = {
      {kTimestampField, &body->timestamp_column}, {body->key_field, &body->key_column}};
  TRY(parts.fetches.ForEach(ctx, std::size(held), [&](Context& part, size_t i) -> Status {
    TRY_ASSIGN(*held[i].second, OpenHeld(part, parts, *body, held[i].first, segment.manifest_key));
    return {};
  }));
  for (const auto& [field, column] : held) {
    body->held_bytes += static_cast<int64_t>(column->blob.bytes().size());
    body->held.push_back(column->blob.bytes());
  }
  // They were checked with the column; of an early build there are none, and reads work them out.
  auto ranges = store::ReadRanges(body->key_column.blob.bytes(), segment.manifest_key);
  if (ranges.ok() && !ranges->blocks.empty()) body->key_stats.Learn(std::move(ranges->blocks));
  body->keys = PrimaryKeys(body->key_column.view, store::KeyFilter(body->key_column.key_filter));
  body->held_bytes += static_cast<int64_t>(body->keys.memory_bytes());
  for (const Manifest::File& file : manifest.files) {
    if (file.field == kTimestampField || file.field == body->key_field) continue;
    const model::FieldSchema* field = collection.schema.FindField(file.field);
    LoadRule rule{.is_mapped = true, .warm_up = WarmUp::kDisable};
    if (field != nullptr && !collection.IsLeftOut(field->id)) {
      rule = RuleOfField(parts.load, collection, *field);
    }
    TRY_ASSIGN(auto bytes,
               SegmentFile::Open(ctx, parts.objects, file.key, rule.is_mapped, parts.keys));
    body->files.push_back(bytes);
    auto column = std::make_shared<ColumnFile>(std::move(bytes), file, manifest);
    body->slots[file.field.value()] = {
        .piece = std::make_shared<Piece>(parts.cache, file.bytes,
                                         [column](Context& c) { return column->Open(c); }),
        .verify = [column](Context& c) { return column->Verify(c); },
        .ranges = [column](Context& c) { return column->Ranges(c); },
        .stats = std::make_unique<const ColumnStats>(),
        .warm_up = rule.warm_up};
  }
  body->cache = parts.cache;
  body->cache->Hold(body->held_bytes);
  return std::shared_ptr<const SealedBody>(std::move(body));
}

// Whether rows of a vector field may have no vector, though a file has the field: a function that
// is gone may have left rows unfilled.
bool MayHaveNulls(const SealedBody& body, const model::FieldSchema& field) {
  if (!model::IsVector(field.type)) return false;
  if (field.nullable) return true;
  for (const Manifest::File& file : body.manifest.files) {
    if (file.field == field.id) return file.range && file.range->nulls > 0;
  }
  return false;
}

// Columns that are looked through when the segment is opened: counts of terms, and vectors of which
// some may be missing. Those are looked through without an error to give back, so all are opened
// before.
Status OpenLookedThrough(Context& ctx, const SealedState& state, const Fetches& fetches) {
  std::vector<std::shared_ptr<Piece>> pieces;
  for (const auto& [id, slot] : state.body->slots) {
    const model::FieldSchema* field = state.schema->FindField(FieldId(id));
    const bool has_nulls = field != nullptr && MayHaveNulls(*state.body, *field);
    if (has_nulls || state.statistics.count(id) > 0) pieces.push_back(slot.piece);
  }
  return fetches.ForEach(ctx, pieces.size(),
                         [&](Context& part, size_t i) { return pieces[i]->Pin(part).status(); });
}

// Makes the state have every field of `schema`.
void FollowSchema(const model::CollectionSchema& schema, Fillers& fillers, SealedState& state) {
  const auto wanted = std::make_shared<const model::CollectionSchema>(schema);
  state.schema = wanted;
  for (const model::FieldSchema& field : wanted->fields) {
    const int64_t id = field.id.value();
    const bool is_there = field.id == state.body->key_field || state.body->slots.count(id) > 0;
    if (!is_there && state.filled.count(id) == 0) state.filled[id] = fillers.Of(field);
    if (!model::IsVector(field.type) || state.with_vector.count(id) > 0) continue;
    if (!is_there) {
      state.with_vector[id] = {.rows = nullptr, .none = true};
    } else if (MayHaveNulls(*state.body, field)) {
      const SealedView view(std::make_shared<const SealedState>(state));
      state.with_vector[id] = CollectValid(view, field.id);
    }
  }
}

}  // namespace

Result<std::shared_ptr<Sealed>> Sealed::Open(Context& ctx, const SealedParts& parts,
                                             const model::SegmentInfo& segment,
                                             const model::CollectionInfo& collection) {
  TRY_ASSIGN(std::shared_ptr<const SealedBody> body, OpenBody(ctx, parts, segment, collection));
  auto state = std::make_shared<SealedState>();
  state->body = body;
  state->schema = std::make_shared<const model::CollectionSchema>(collection.schema);
  state->statistics = MakeStatistics(collection.schema);
  TRY(OpenLookedThrough(ctx, *state, parts.fetches));
  for (const auto& [field, statistics] : state->statistics) {
    if (body->slots.count(field) == 0) continue;
    const SealedView view(state);
    TRY_ASSIGN(const model::ColumnView counts, view.Read(FieldId(field), 0, body->rows));
    statistics->Add(counts);
  }
  FollowSchema(collection.schema, *parts.fillers, *state);
  return std::shared_ptr<Sealed>(
      new Sealed(std::unique_ptr<Impl>(new Impl{.parts = parts,
                                                .body = std::move(body),
                                                .deleting = {},
                                                .mutex = {},
                                                .state = std::move(state)})));
}

Status Sealed::SyncIndexes(Context& ctx, const model::SegmentInfo& segment,
                           const model::CollectionInfo& collection) {
  const std::shared_ptr<const SealedState> old = impl_->State();
  std::vector<IndexSlot> indexes;
  for (const model::SegmentIndexInfo& built : segment.indexes) {
    const auto info = std::find_if(collection.indexes.begin(), collection.indexes.end(),
                                   [&](const auto& index) { return index.id == built.index; });
    if (info == collection.indexes.end() || built.key.empty()) continue;
    if (collection.IsLeftOut(info->field)) continue;
    const auto known = std::find_if(old->indexes.begin(), old->indexes.end(),
                                    [&](const auto& slot) { return slot.id == built.index; });
    if (known != old->indexes.end()) {
      indexes.push_back(*known);
      continue;
    }
    const LoadRule rule = RuleOfIndex(impl_->parts.load, collection, *info);
    IndexSlot slot{.id = info->id,
                   .field = info->field,
                   .is_vector = index::IsTypeName(info->type),
                   .path = {},
                   .type = built.type.empty() ? info->type : built.type,
                   .piece = {},
                   .warm_up = rule.warm_up,
                   .file = {}};
    std::shared_ptr<Piece> column;
    if (slot.is_vector) {
      const auto rows = impl_->body->slots.find(info->field.value());
      if (rows == impl_->body->slots.end()) {
        return Error(ErrorCode::kInternal, "index {} does not fit its field", info->name);
      }
      column = rows->second.piece;
    } else {
      slot.path = info->json_path;
      slot.holds_terms = info->json_cast_type == expr::kWholeDocument;
      slot.reads_texts = info->json_cast_type == expr::kStringToDouble;
    }
    model::IndexInfo as_built = *info;
    if (!built.type.empty()) as_built.type = built.type;
    TRY_ASSIGN(auto bytes, SegmentFile::Open(ctx, impl_->parts.objects, built.key, rule.is_mapped,
                                             impl_->parts.keys));
    slot.file = bytes;
    slot.piece =
        std::make_shared<Piece>(impl_->parts.cache, built.bytes,
                                IndexOpener(std::move(bytes), built.key, as_built, column), column);
    indexes.push_back(std::move(slot));
  }
  std::lock_guard<std::mutex> lock(impl_->mutex);
  auto next = std::make_shared<SealedState>(*impl_->state);
  next->indexes = std::move(indexes);
  impl_->state = std::move(next);
  return {};
}

int64_t Sealed::CountMemory() const {
  int64_t bytes = impl_->body->held_bytes;
  for (const auto& [field, slot] : impl_->body->slots) bytes += slot.piece->open_bytes();
  for (const IndexSlot& slot : impl_->State()->indexes) bytes += slot.piece->open_bytes();
  return bytes;
}

void Sealed::SetSchema(const model::CollectionSchema& schema) {
  while (true) {
    const std::shared_ptr<const SealedState> old = impl_->State();
    if (schema.version <= old->schema->version) return;
    auto next = std::make_shared<SealedState>(*old);
    FollowSchema(schema, *impl_->parts.fillers, *next);
    // Columns may have been read meanwhile, so not under the lock.
    std::lock_guard<std::mutex> lock(impl_->mutex);
    if (impl_->state != old) continue;
    impl_->state = std::move(next);
    return;
  }
}

// Columns and indexes to be opened, and what they will take.
struct Sealed::WarmUpList {
  std::vector<std::shared_ptr<Piece>> pieces;
  std::set<const Piece*> counted;  // With the columns that indexes open along.
  int64_t bytes = 0;

  int64_t BytesOf(const Piece* piece) const {
    if (piece == nullptr || piece->is_open() || counted.count(piece) > 0) return 0;
    return piece->bytes_expected() + BytesOf(piece->base());
  }
};

void Sealed::ListToBeOpened(WarmUp when, WarmUpList& list) const {
  const auto add = [&](const std::shared_ptr<Piece>& piece, WarmUp rule) {
    if (rule != when || piece->is_open()) return;
    const int64_t more = list.bytes + list.BytesOf(piece.get());
    if (!impl_->parts.cache->HasRoom(more)) return;
    list.bytes = more;
    list.pieces.push_back(piece);
    list.counted.insert(piece.get());
    list.counted.insert(piece->base());
  };
  const std::shared_ptr<const SealedState> state = impl_->State();
  for (const IndexSlot& slot : state->indexes) add(slot.piece, slot.warm_up);
  for (const auto& [field, slot] : state->body->slots) add(slot.piece, slot.warm_up);
}

Status Sealed::VerifyColumns(Context& ctx) const {
  if (!impl_->parts.cache->HoldsAll()) return {};
  for (const auto& [field, slot] : impl_->body->slots) {
    TRY(ctx.CheckAlive());
    TRY(slot.verify(ctx));
  }
  return {};
}

Status Sealed::Warm(Context& ctx, const std::vector<std::shared_ptr<Sealed>>& segments, WarmUp when,
                    const Fetches& fetches) {
  WarmUpList list;
  for (const auto& segment : segments) segment->ListToBeOpened(when, list);
  TRY(fetches.ForEach(ctx, list.pieces.size(),
                      [&](Context& part, size_t i) { return list.pieces[i]->Pin(part).status(); }));
  if (when != WarmUp::kSync) return {};
  for (const auto& segment : segments) TRY(segment->VerifyColumns(ctx));
  return {};
}

bool Sealed::IsToBeWarmed(WarmUp when) const {
  const std::shared_ptr<const SealedState> state = impl_->State();
  return std::any_of(state->indexes.begin(), state->indexes.end(),
                     [&](const IndexSlot& slot) { return slot.warm_up == when; }) ||
         std::any_of(state->body->slots.begin(), state->body->slots.end(),
                     [&](const auto& slot) { return slot.second.warm_up == when; });
}

void Sealed::ApplyDeletes(const model::Deletes& deletes) {
  const SealedBody& body = *impl_->body;
  const model::ColumnView keys = deletes.keys.view();
  const uint64_t* timestamps = body.timestamps();
  // A pass over a million keys takes a while; readers go on with the deletes that they know.
  std::lock_guard<std::mutex> deleting(impl_->deleting);
  const std::shared_ptr<const DeleteMap> old = impl_->State()->deletes;
  DeleteMapChange change(old.get(), body.rows);
  KeyLookup walk(body.keys);
  for (size_t i = 0; i < keys.rows; ++i) {
    if (!deletes.Reaches(i, body.partition)) continue;
    const uint64_t timestamp = deletes.timestamps[i];
    walk.ForEachEqual(keys, i, [&](uint32_t row) {
      if (timestamps[row] < timestamp) change.Delete(row, timestamp);
    });
  }
  std::shared_ptr<const DeleteMap> next = std::move(change).Finish();
  if (next == nullptr) return;
  std::lock_guard<std::mutex> lock(impl_->mutex);
  auto state = std::make_shared<SealedState>(*impl_->state);
  state->deletes = std::move(next);
  impl_->state = std::move(state);
}

std::shared_ptr<const SegmentView> Sealed::Snapshot(const Context* caller) const {
  std::shared_ptr<const SealedState> state = impl_->State();
  std::shared_ptr<const model::CollectionSchema> schema = state->schema;
  return std::make_shared<const SealedView>(std::move(state), std::move(schema), caller);
}

std::shared_ptr<const SegmentView> Sealed::Snapshot(
    std::shared_ptr<const model::CollectionSchema> schema, const Context* caller) const {
  return std::make_shared<const SealedView>(impl_->State(), std::move(schema), caller);
}

}  // namespace elanus::segment
