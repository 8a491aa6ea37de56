// Reading a sealed segment.
#include "segment/sealed_view.h"

#include <algorithm>

#include "base/log.h"
#include "base/mapped_faults.h"
#include "expr/json_terms.h"
#include "model/text_numbers.h"

namespace elanus::segment {
namespace {

constexpr double kKeyLookupNs = 1000;  // A binary search over rows all over the segment.

Status NotFound(FieldId field) {
  return Error(ErrorCode::kFieldNotFound, "field not found[field={}]", field.value());
}

}  // namespace

Context SealedView::Opening() const {
  return caller_ != nullptr ? Context(*caller_, nullptr) : Context(*body().clock);
}

Result<const void*> SealedView::Pin(const std::shared_ptr<Piece>& piece) const {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [pinned, content] : pins_) {
      if (pinned == piece) return content.get();
    }
  }
  TRY(CheckFiles());
  Context ctx = Opening();
  TRY_ASSIGN(std::shared_ptr<const void> content, piece->Pin(ctx));
  const void* opened = content.get();
  std::lock_guard<std::mutex> lock(mutex_);
  // Twice when two threads come at once; what matters is that it stays.
  pins_.emplace_back(piece, std::move(content));
  return opened;
}

// Of all files, whichever were read: one that is broken is to be restored and not to be worked
// around.
Status SealedView::CheckFiles() const {
  for (const std::string_view file : body().held) TRY(CheckMapped(file));
  for (const auto& file : body().files) TRY(file->Check());
  for (const IndexSlot& index : state_->indexes) TRY(index.file->Check());
  return {};
}

void SealedView::Unpin() const {
  {
    std::vector<std::pair<std::shared_ptr<Piece>, std::shared_ptr<const void>>> pins;
    std::lock_guard<std::mutex> lock(mutex_);
    if (pins_.empty()) return;
    pins.swap(pins_);
  }
  body().cache->Trim();
}

Result<const model::ColumnView*> SealedView::PinColumn(const ColumnSlot& slot) const {
  TRY_ASSIGN(const void* opened, Pin(slot.piece));
  return &static_cast<const store::OpenedColumn*>(opened)->view;
}

Result<model::ColumnView> SealedView::Read(FieldId field, size_t begin, size_t count) const {
  if (field == body().key_field) return body().key_column.view.Slice(begin, count);
  if (field == kTimestampField) return body().timestamp_column.view.Slice(begin, count);
  if (const auto slot = body().slots.find(field.value()); slot != body().slots.end()) {
    TRY_ASSIGN(const model::ColumnView* column, PinColumn(slot->second));
    return column->Slice(begin, count);
  }
  if (const auto filler = state_->filled.find(field.value()); filler != state_->filled.end()) {
    return filler->second->view().Slice(0, count);
  }
  return NotFound(field);
}

Result<std::vector<index::VectorBlock>> SealedView::Vectors(FieldId field) const {
  const auto slot = body().slots.find(field.value());
  if (slot == body().slots.end()) return NotFound(field);
  TRY_ASSIGN(const model::ColumnView* column, PinColumn(slot->second));
  return std::vector<index::VectorBlock>{index::BlockOf(*column)};
}

Visible SealedView::VisibleAt(Timestamp read_at) const {
  const size_t rows = body().rows;
  const DeleteMap* deletes = state_->deletes.get();
  if (rows == 0) return {.rows = nullptr, .none = true};
  if (read_at >= Timestamp(body().manifest.newest_timestamp) &&
      (deletes == nullptr || read_at >= deletes->newest())) {
    // The usual case: everything written and deleted here is in the past of the reader.
    return {.rows = deletes == nullptr ? nullptr : deletes->alive(), .none = false};
  }
  auto bits = deletes == nullptr ? std::make_shared<Bitset>(rows, true)
                                 : std::make_shared<Bitset>(*deletes->alive());
  if (deletes != nullptr) {
    deletes->ForEachDeletedAfter(read_at.value(), [&](size_t row) { bits->Set(row); });
  }
  if (read_at < Timestamp(body().manifest.newest_timestamp)) {
    const uint64_t* timestamps = body().timestamps();
    for (size_t row = 0; row < rows; ++row) {
      if (timestamps[row] > read_at.value()) bits->Clear(row);
    }
  }
  if (!bits->Any()) return {.rows = nullptr, .none = true};
  return {.rows = std::move(bits), .none = false};
}

Visible SealedView::RowsWithVector(FieldId field) const {
  const auto found = state_->with_vector.find(field.value());
  return found == state_->with_vector.end() ? Visible() : found->second;
}

Result<const FieldIndex*> SealedView::IndexOf(FieldId field) const {
  for (const IndexSlot& slot : state_->indexes) {
    if (slot.field != field || !slot.is_vector) continue;
    TRY_ASSIGN(const void* opened, Pin(slot.piece));
    return &static_cast<const IndexContent*>(opened)->vector;
  }
  return static_cast<const FieldIndex*>(nullptr);
}

model::IndexPromise SealedView::Estimate(const model::Predicate& predicate) const {
  if (IsKeyLookup(predicate)) {
    const auto keys = static_cast<double>(predicate.values.size());
    return {.coverage = model::Coverage::kExact,
            .rows = std::min<uint64_t>(predicate.values.size(), body().rows),
            .cost_ns = keys * kKeyLookupNs,
            .index = "primary key"};
  }
  std::string_view type;
  const index::ScalarIndex* scalar = ScalarIndexOf(predicate, &type);
  std::optional<model::Predicate> terms;
  if (scalar == nullptr) {
    scalar = TermIndexOf(predicate, terms);
    type = "INVERTED";
  }
  if (scalar == nullptr) return {};
  model::IndexPromise promise = scalar->Estimate(terms ? *terms : predicate);
  if (terms && promise.coverage == model::Coverage::kExact)
    promise.coverage = model::Coverage::kCandidates;
  promise.index = type;
  return promise;
}

void SealedView::AddTermTotals(FieldId field, std::span<const uint32_t> terms,
                               model::TermTotals& totals) const {
  const auto found = state_->statistics.find(field.value());
  if (found != state_->statistics.end()) found->second->AddTo(terms, totals);
}

Result<model::Coverage> SealedView::Answer(Context& ctx, const model::Predicate& predicate,
                                           Bitset& matches, Bitset* unknown) const {
  if (IsKeyLookup(predicate)) {
    const model::Column wanted = KeyColumn(predicate.type, predicate.values);
    KeyLookup walk(body().keys);
    for (size_t i = 0; i < wanted.rows; ++i) {
      walk.ForEachEqual(wanted.view(), i, [&](uint32_t row) { matches.Set(row); });
    }
    return model::Coverage::kExact;
  }
  const index::ScalarIndex* scalar = ScalarIndexOf(predicate);
  if (scalar == nullptr) {
    std::optional<model::Predicate> terms;
    // Terms do not tell which rows have no value of a class.
    if (unknown == nullptr) scalar = TermIndexOf(predicate, terms);
    if (scalar == nullptr) return model::Coverage::kNone;
    TRY_ASSIGN(const model::Coverage coverage, scalar->Answer(ctx, *terms, matches));
    return coverage == model::Coverage::kNone ? coverage : model::Coverage::kCandidates;
  }
  if (unknown != nullptr) scalar->SetNulls(*unknown);
  return scalar->Answer(ctx, predicate, matches);
}

const model::BlockStats* SealedView::Stats(FieldId field, size_t begin) const {
  if (field == body().key_field) {
    body().key_stats.WorkOut(body().key_column.view);
    return body().key_stats.At(begin);
  }
  const auto found = body().slots.find(field.value());
  if (found == body().slots.end()) return nullptr;
  const ColumnSlot& slot = found->second;
  if (const model::BlockStats* known = slot.stats->At(begin)) return known;
  // What the file says costs a page or two of it; blocks that need not be read are never opened.
  Context ctx = Opening();
  Result<std::vector<store::ColumnRange>> written = slot.ranges(ctx);
  if (written.ok() && !written->empty()) {
    slot.stats->Learn(std::move(*written));
  } else {
    const Result<const model::ColumnView*> column = PinColumn(slot);
    if (!column.ok()) return nullptr;  // The read that follows tells what is wrong.
    slot.stats->WorkOut(**column);
  }
  return slot.stats->At(begin);
}

std::optional<model::BlockStats> SealedView::WholeStats(FieldId field) const {
  for (const Manifest::File& file : body().manifest.files) {
    if (file.field == field && file.range) return file.range->stats();
  }
  return std::nullopt;
}

Timestamp SealedView::OldestRow() const {
  if (body().manifest.oldest_timestamp != 0) return Timestamp(body().manifest.oldest_timestamp);
  return body().rows == 0 || !IsInTimeOrder() ? Timestamp() : Timestamp(body().timestamps()[0]);
}

bool SealedView::IsKeyLookup(const model::Predicate& predicate) const {
  using Kind = model::Predicate::Kind;
  const bool is_equality = predicate.kind == Kind::kCompare && predicate.op == model::Compare::kEq;
  return predicate.field == body().key_field && (predicate.kind == Kind::kIn || is_equality);
}

const index::ScalarIndex* SealedView::ScalarIndexOf(const model::Predicate& predicate,
                                                    std::string_view* type) const {
  // An index that was dropped may still be loaded here, one that is new not yet. What texts count
  // as is the schema's to say, which all rows of a read share.
  const model::FieldSchema* field = schema_->FindField(predicate.field);
  const bool reads_texts = field != nullptr && model::HasTextNumbers(*field, predicate.path);
  for (const IndexSlot& slot : state_->indexes) {
    if (slot.is_vector || slot.holds_terms || slot.field != predicate.field ||
        slot.path != predicate.path || slot.reads_texts != reads_texts) {
      continue;
    }
    if (type != nullptr) *type = slot.type;
    return OpenScalar(slot);
  }
  return nullptr;
}

const index::ScalarIndex* SealedView::OpenScalar(const IndexSlot& slot) const {
  const Result<const void*> opened = Pin(slot.piece);
  if (opened.ok()) return static_cast<const IndexContent*>(*opened)->scalar.get();
  if (caller_ != nullptr && !caller_->CheckAlive().ok()) return nullptr;  // The next read tells.
  LogWarn("an index cannot be opened, rows are looked at instead segment={} index={} error=\"{}\"",
          body().id.value(), slot.id.value(), opened.status().ToString());
  return nullptr;
}

const index::ScalarIndex* SealedView::TermIndexOf(const model::Predicate& predicate,
                                                  std::optional<model::Predicate>& asked) const {
  // Terms do not tell which texts begin with a number.
  const model::FieldSchema* field = schema_->FindField(predicate.field);
  if (field != nullptr && model::HasTextNumbers(*field, predicate.path)) return nullptr;
  for (const IndexSlot& slot : state_->indexes) {
    if (!slot.holds_terms || slot.field != predicate.field) continue;
    asked = expr::AskTerms(predicate, slot.path);
    if (asked) return OpenScalar(slot);
  }
  return nullptr;
}

}  // namespace elanus::segment
