// Sealed segments.
#include "segment/sealed.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/fields.h"
#include "base/framed.h"
#include "base/log.h"
#include "index/scalar_index.h"
#include "segment/column_stats.h"
#include "segment/fill.h"
#include "segment/primary_keys.h"
#include "segment/valid_rows.h"
#include "store/formats/column_file.h"

namespace elanus::segment {
namespace {

constexpr std::string_view kManifestMagic = "ELMANIFE";

// Columns and keys: opened once, never changed.
struct Body {
  SegmentId id;
  PartitionId partition;
  size_t rows = 0;
  std::map<int64_t, store::OpenedColumn> columns;               // By field id.
  std::map<int64_t, std::unique_ptr<const ColumnStats>> stats;  // Of columns, by field id.
  const uint64_t* timestamps = nullptr;
  Timestamp newest;
  PrimaryKeys keys;
  FieldId key_field;
};

struct OpenIndex {
  IndexId id;
  FieldId field;
  std::shared_ptr<const index::ScalarIndex> scalar;
  std::string path;   // Of a scalar index on a place in JSON, as in model::Predicate.
  FieldIndex vector;  // index null: a scalar one.
};

// Deletes as published: the moments by row, and the bits for readers that see all of them.
struct DeleteMap {
  std::vector<uint64_t> deleted_at;  // 0: alive.
  std::shared_ptr<const Bitset> alive;
  Timestamp newest;
};

class SealedView final : public SegmentView {
 public:
  std::shared_ptr<const Body> body_;
  std::shared_ptr<const model::CollectionSchema> schema_;
  std::vector<OpenIndex> indexes_;
  std::shared_ptr<const DeleteMap> deletes_;  // Null: nothing deleted.
  std::map<int64_t, std::shared_ptr<const model::Column>>
      filled_;                              // Fields added later: one chunk of filler.
  std::map<int64_t, Visible> with_vector_;  // Of nullable vector fields.

  SegmentId id() const override { return body_->id; }
  PartitionId partition() const override { return body_->partition; }
  size_t rows() const override { return body_->rows; }
  const model::CollectionSchema& schema() const override { return *schema_; }

  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    if (const auto found = body_->columns.find(field.value()); found != body_->columns.end()) {
      return found->second.view.Slice(begin, count);
    }
    if (const auto filler = filled_.find(field.value()); filler != filled_.end()) {
      return filler->second->view().Slice(0, count);
    }
    return Error(ErrorCode::kFieldNotFound, "field not found[field={}]", field.value());
  }

  Result<std::vector<index::VectorBlock>> Vectors(FieldId field) const override {
    const auto found = body_->columns.find(field.value());
    if (found == body_->columns.end()) {
      return Error(ErrorCode::kFieldNotFound, "field not found[field={}]", field.value());
    }
    return std::vector<index::VectorBlock>{index::BlockOf(found->second.view)};
  }

  const uint64_t* RowTimestamps(size_t begin) const override { return body_->timestamps + begin; }

  Visible VisibleAt(Timestamp read_at) const override {
    if (body_->rows == 0) return {.rows = nullptr, .none = true};
    if (read_at >= body_->newest && (deletes_ == nullptr || read_at >= deletes_->newest)) {
      // The usual case: everything written and deleted here is in the past of the reader.
      return {.rows = deletes_ == nullptr ? nullptr : deletes_->alive, .none = false};
    }
    auto bits = std::make_shared<Bitset>(body_->rows);
    for (size_t row = 0; row < body_->rows; ++row) {
      const uint64_t deleted = deletes_ == nullptr ? 0 : deletes_->deleted_at[row];
      if (body_->timestamps[row] <= read_at.value() &&
          (deleted == 0 || deleted > read_at.value())) {
        bits->Set(row);
      }
    }
    if (!bits->Any()) return {.rows = nullptr, .none = true};
    return {.rows = std::move(bits), .none = false};
  }

  Visible RowsWithVector(FieldId field) const override {
    const auto found = with_vector_.find(field.value());
    return found == with_vector_.end() ? Visible() : found->second;
  }

  const FieldIndex* IndexOf(FieldId field) const override {
    for (const OpenIndex& open : indexes_) {
      if (open.field == field && open.vector.index != nullptr) return &open.vector;
    }
    return nullptr;
  }

  model::IndexPromise Estimate(const model::Predicate& predicate) const override {
    if (IsKeyLookup(predicate)) {
      const auto keys = static_cast<double>(predicate.values.size());
      return {.coverage = model::Coverage::kExact,
              .rows = std::min<uint64_t>(predicate.values.size(), body_->rows),
              .cost_ns = keys * kKeyLookupNs};
    }
    const index::ScalarIndex* scalar = ScalarIndexOf(predicate);
    return scalar == nullptr ? model::IndexPromise() : scalar->Estimate(predicate);
  }

  Result<model::Coverage> Answer(Context& ctx, const model::Predicate& predicate, Bitset& matches,
                                 Bitset* unknown) const override {
    if (IsKeyLookup(predicate)) {
      const model::Column wanted = KeyColumn(predicate.type, predicate.values);
      for (size_t i = 0; i < wanted.rows; ++i) {
        body_->keys.ForEachEqual(wanted.view(), i, [&](uint32_t row) { matches.Set(row); });
      }
      return model::Coverage::kExact;
    }
    const index::ScalarIndex* scalar = ScalarIndexOf(predicate);
    if (scalar == nullptr) return model::Coverage::kNone;
    if (unknown != nullptr) scalar->SetNulls(*unknown);
    return scalar->Answer(ctx, predicate, matches);
  }

  const model::BlockStats* Stats(FieldId field, size_t begin) const override {
    const auto found = body_->stats.find(field.value());
    return found == body_->stats.end() ? nullptr : &found->second->At(begin);
  }

 private:
  static constexpr double kKeyLookupNs = 1000;  // A binary search over rows all over the segment.

  bool IsKeyLookup(const model::Predicate& predicate) const {
    using Kind = model::Predicate::Kind;
    const bool is_equality =
        predicate.kind == Kind::kCompare && predicate.op == model::Compare::kEq;
    return predicate.field == body_->key_field && (predicate.kind == Kind::kIn || is_equality);
  }
  const index::ScalarIndex* ScalarIndexOf(const model::Predicate& predicate) const {
    for (const OpenIndex& open : indexes_) {
      if (open.field == predicate.field && open.scalar != nullptr && open.path == predicate.path) {
        return open.scalar.get();
      }
    }
    return nullptr;
  }
};

}  // namespace

std::string EncodeManifest(const Manifest& manifest) {
  return Frame(kManifestMagic, 1, Encode(manifest));
}

Result<Manifest> DecodeManifest(std::string_view file, std::string_view key) {
  TRY_ASSIGN(const std::string_view payload, Unframe(kManifestMagic, 1, file, key));
  return Decode<Manifest>(payload);
}

struct Sealed::Impl {
  std::shared_ptr<const Body> body;
  mutable std::mutex mutex;  // Guards `view`; held for pointer swaps and delete marking only.
  std::shared_ptr<const SealedView> view;
};

Sealed::Sealed(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Sealed::~Sealed() = default;

Result<std::shared_ptr<Sealed>> Sealed::Open(
    Context& ctx, store::ObjectStore& objects, const model::SegmentInfo& segment,
    std::shared_ptr<const model::CollectionSchema> schema) {
  TRY_ASSIGN(const Blob manifest_blob, objects.Open(ctx, segment.manifest_key));
  TRY_ASSIGN(const Manifest manifest, DecodeManifest(manifest_blob.bytes(), segment.manifest_key));
  auto body = std::make_shared<Body>();
  body->id = segment.id;
  body->partition = segment.partition;
  body->rows = static_cast<size_t>(manifest.rows);
  body->newest = Timestamp(manifest.newest_timestamp);
  for (const Manifest::File& file : manifest.files) {
    TRY_ASSIGN(Blob blob, objects.Open(ctx, file.key));
    TRY_ASSIGN(store::OpenedColumn column, store::OpenColumnFile(std::move(blob), file.key));
    if (column.view.rows != body->rows || column.field != file.field) {
      return Error(ErrorCode::kIntegrity, "{}: does not belong to segment {}", file.key,
                   segment.id.value());
    }
    body->stats[file.field.value()] = std::make_unique<const ColumnStats>(column.view);
    body->columns.emplace(file.field.value(), std::move(column));
  }
  const auto timestamps = body->columns.find(kTimestampField.value());
  const auto keys = body->columns.find(schema->primary_key().id.value());
  if (timestamps == body->columns.end() || keys == body->columns.end()) {
    return Error(ErrorCode::kIntegrity, "{}: names no timestamps or no primary keys",
                 segment.manifest_key);
  }
  body->timestamps = timestamps->second.view.values<uint64_t>();
  body->keys = PrimaryKeys(keys->second.view);
  body->key_field = schema->primary_key().id;

  auto view = std::make_shared<SealedView>();
  view->body_ = body;
  for (const model::FieldSchema& field : schema->fields) {
    if (body->columns.count(field.id.value()) == 0) {
      view->filled_[field.id.value()] =
          std::make_shared<const model::Column>(FillColumn(field, kChunkRows));
    }
    if (field.nullable && model::IsVector(field.type)) {
      view->with_vector_[field.id.value()] = CollectValid(*view, field.id);
    }
  }
  view->schema_ = std::move(schema);
  auto impl = std::make_unique<Impl>();
  impl->body = std::move(body);
  impl->view = std::move(view);
  return std::shared_ptr<Sealed>(new Sealed(std::move(impl)));
}

Status Sealed::SyncIndexes(Context& ctx, store::ObjectStore& objects,
                           const model::SegmentInfo& segment,
                           const model::CollectionInfo& collection) {
  const auto old = Snapshot();
  const auto& old_view = static_cast<const SealedView&>(*old);
  std::vector<OpenIndex> indexes;
  for (const model::SegmentIndexInfo& built : segment.indexes) {
    const auto info = std::find_if(collection.indexes.begin(), collection.indexes.end(),
                                   [&](const auto& index) { return index.id == built.index; });
    if (info == collection.indexes.end() || built.key.empty()) continue;
    const auto open = std::find_if(old_view.indexes_.begin(), old_view.indexes_.end(),
                                   [&](const auto& index) { return index.id == built.index; });
    if (open != old_view.indexes_.end()) {
      indexes.push_back(*open);
      continue;
    }
    TRY_ASSIGN(Blob blob, objects.Open(ctx, built.key));
    OpenIndex opened{.id = info->id, .field = info->field};
    if (index::IsTypeName(info->type)) {
      const auto metric = model::MetricOf(info->metric);
      TRY_ASSIGN(const auto blocks, old->Vectors(info->field));
      const index::IndexType* type = index::FindType(index::KindOf(blocks[0].element), info->type);
      if (!metric || type == nullptr) {
        return Error(ErrorCode::kInternal, "index {} does not fit its field", info->name);
      }
      Result<std::unique_ptr<index::VectorIndex>> vector =
          type->Open(std::move(blob), blocks[0], *metric);
      if (!vector.ok()) return std::move(vector).status().WithContext(built.key);
      opened.vector = {.index = std::move(vector).value(), .type = type, .metric = *metric};
    } else {
      Result<std::unique_ptr<index::ScalarIndex>> scalar = index::OpenScalarIndex(std::move(blob));
      if (!scalar.ok()) return std::move(scalar).status().WithContext(built.key);
      opened.scalar = std::move(scalar).value();
      opened.path = info->json_path;
    }
    indexes.push_back(std::move(opened));
  }
  std::lock_guard<std::mutex> lock(impl_->mutex);
  auto next = std::make_shared<SealedView>(*impl_->view);
  next->indexes_ = std::move(indexes);
  impl_->view = std::move(next);
  return {};
}

void Sealed::ApplyDeletes(const model::Deletes& deletes) {
  const Body& body = *impl_->body;
  const model::ColumnView keys = deletes.keys.view();
  std::lock_guard<std::mutex> lock(impl_->mutex);
  std::shared_ptr<DeleteMap> next;
  for (size_t i = 0; i < keys.rows; ++i) {
    if (!deletes.Reaches(i, body.partition)) continue;
    const uint64_t timestamp = deletes.timestamps[i];
    body.keys.ForEachEqual(keys, i, [&](uint32_t row) {
      if (body.timestamps[row] >= timestamp) return;
      const uint64_t known = next != nullptr ? next->deleted_at[row]
                             : impl_->view->deletes_ != nullptr
                                 ? impl_->view->deletes_->deleted_at[row]
                                 : 0;
      if (known != 0 && known <= timestamp) return;
      if (next == nullptr) {
        next = impl_->view->deletes_ != nullptr
                   ? std::make_shared<DeleteMap>(*impl_->view->deletes_)
                   : std::make_shared<DeleteMap>();
        next->deleted_at.resize(body.rows, 0);
      }
      next->deleted_at[row] = timestamp;
      next->newest = std::max(next->newest, Timestamp(timestamp));
    });
  }
  if (next == nullptr) return;
  auto alive = std::make_shared<Bitset>(body.rows);
  for (size_t row = 0; row < body.rows; ++row) {
    if (next->deleted_at[row] == 0) alive->Set(row);
  }
  next->alive = std::move(alive);
  auto view = std::make_shared<SealedView>(*impl_->view);
  view->deletes_ = std::move(next);
  impl_->view = std::move(view);
}

std::shared_ptr<const SegmentView> Sealed::Snapshot() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->view;
}

}  // namespace elanus::segment
