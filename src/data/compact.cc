// From several segments to one, and from several delta logs to one.
#include <algorithm>
#include <cmath>
#include <optional>

#include "base/log.h"
#include "base/mapped_faults.h"
#include "data/delete_set.h"
#include "data/node.h"
#include "data/open_file.h"
#include "data/segment_writer.h"
#include "model/back_fill.h"
#include "model/order.h"
#include "segment/fill.h"
#include "segment/sealed.h"
#include "store/formats/column_file.h"
#include "store/formats/delta_log.h"
#include "text/row_maker.h"

namespace elanus::data {
namespace {

constexpr size_t kRowsPerCheck = 8192;  // Between two looks at the context.

// A segment whose columns are opened as they are needed.
class Input {
 public:
  static Result<Input> Open(Context& ctx, store::ObjectStore& objects,
                            const model::SegmentInfo& info, const model::FieldSchema& key_field) {
    Input input(objects, info);
    TRY_ASSIGN(input.manifest_, OpenManifest(ctx, objects, info.manifest_key));
    TRY_ASSIGN(input.keys_, input.Read(ctx, key_field.id));
    TRY_ASSIGN(input.timestamps_, input.Read(ctx, segment::kTimestampField));
    if (input.keys_.blob.bytes().empty() || input.timestamps_.blob.bytes().empty()) {
      return Error(ErrorCode::kIntegrity, "{}: names no timestamps or no primary keys",
                   info.manifest_key);
    }
    return input;
  }

  const model::SegmentInfo& info() const { return *info_; }
  size_t rows() const { return static_cast<size_t>(manifest_.rows); }
  const model::ColumnView& keys() const { return keys_.view; }
  const uint64_t* timestamps() const { return timestamps_.view.values<uint64_t>(); }

  bool Has(FieldId field) const { return FileOf(field) != nullptr; }
  /// The column of a field; an empty one when the segment is older than the field.
  Result<store::OpenedColumn> Read(Context& ctx, FieldId field) const {
    const segment::Manifest::File* file = FileOf(field);
    if (file == nullptr) return store::OpenedColumn();
    TRY_ASSIGN(store::OpenedColumn column, OpenColumn(ctx, *objects_, file->key));
    if (column.view.rows != rows() || column.field != field) {
      return Error(ErrorCode::kIntegrity, "{}: does not belong to segment {}", file->key,
                   info_->id.value());
    }
    return column;
  }
  /// What was read of keys and timestamps so far was there.
  Status CheckFiles() const {
    TRY(CheckMapped(keys_.blob.bytes()));
    return CheckMapped(timestamps_.blob.bytes());
  }

 private:
  Input(store::ObjectStore& objects, const model::SegmentInfo& info)
      : objects_(&objects), info_(&info) {}
  const segment::Manifest::File* FileOf(FieldId field) const {
    for (const segment::Manifest::File& file : manifest_.files) {
      if (file.field == field) return &file;
    }
    return nullptr;
  }

  store::ObjectStore* objects_;
  const model::SegmentInfo* info_;
  segment::Manifest manifest_;
  store::OpenedColumn keys_;
  store::OpenedColumn timestamps_;
};

// A row that stays.
struct Place {
  uint64_t inserted;
  uint32_t input : 31;
  uint32_t is_hidden : 1;  // Deleted, but not for readers of the past.
  uint32_t row;
};
static_assert(sizeof(Place) == 16);

// Rows that lie side by side in their input and in the output.
struct Run {
  uint32_t input;
  uint32_t begin;
  uint32_t count;
};

// One field of all inputs, opened; in those that are older than the field all rows have its filler.
class FieldOfAll {
 public:
  static Result<FieldOfAll> Open(Context& ctx, std::span<const Input> inputs,
                                 const model::FieldSchema& field) {
    FieldOfAll all;
    all.opened_.resize(inputs.size());
    all.filler_ = segment::FillColumn(field, kFillerRows);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].Has(field.id)) continue;
      TRY_ASSIGN(all.opened_[i], inputs[i].Read(ctx, field.id));
    }
    return all;
  }

  /// Some rows of an input that lie side by side, kFillerRows at most.
  model::ColumnView Rows(const Run& rows) const {
    if (IsFilled(rows.input)) return filler_.view().Slice(0, rows.count);
    return opened_[rows.input].view.Slice(rows.begin, rows.count);
  }
  /// A row, as the row of a view.
  std::pair<model::ColumnView, size_t> At(uint32_t input, uint32_t row) const {
    if (IsFilled(input)) return {filler_.view(), 0};
    return {opened_[input].view, row};
  }
  /// Hands over rows that lie side by side.
  Status ForEach(const Run& run, const store::TakeSlice& take) const {
    if (!IsFilled(run.input)) return take(opened_[run.input].view.Slice(run.begin, run.count));
    for (size_t done = 0; done < run.count; done += kFillerRows) {
      TRY(take(filler_.view().Slice(0, std::min<size_t>(kFillerRows, run.count - done))));
    }
    return {};
  }
  /// What was read so far was there. Without asking, the checksums of what is written would be
  /// right, and its values zeros.
  Status CheckFiles() const {
    for (const store::OpenedColumn& column : opened_) TRY(CheckMapped(column.blob.bytes()));
    return {};
  }

  static constexpr uint32_t kFillerRows = 1024;
  /// The input is older than the field.
  bool IsFilled(uint32_t input) const { return opened_[input].blob.bytes().empty(); }

 private:
  std::vector<store::OpenedColumn> opened_;
  model::Column filler_;
};

// One field of those inputs that are older than it, made of their texts as it is of new rows.
class MadeField {
 public:
  static Result<MadeField> Open(Context& ctx, std::span<const Input> inputs,
                                const model::CollectionSchema& schema,
                                const model::FieldSchema& field) {
    TRY_ASSIGN(text::RowMaker maker, text::RowMaker::Of(schema, field));
    TRY_ASSIGN(FieldOfAll texts, FieldOfAll::Open(ctx, inputs, *schema.FindField(maker.input())));
    MadeField made(std::move(maker), std::move(texts));
    if (const model::FieldSchema* names = schema.FindField(made.maker_.analyzer_names())) {
      TRY_ASSIGN(made.names_, FieldOfAll::Open(ctx, inputs, *names));
    }
    return made;
  }

  /// Hands over rows that lie side by side, a part at a time.
  Status ForEach(Context& ctx, const Run& run, const store::TakeSlice& take) const {
    for (uint32_t done = 0; done < run.count; done += FieldOfAll::kFillerRows) {
      TRY(ctx.CheckAlive());
      const Run part{run.input, run.begin + done,
                     std::min(FieldOfAll::kFillerRows, run.count - done)};
      const model::ColumnView names = names_ ? names_->Rows(part) : model::ColumnView();
      TRY(take(maker_.Make(texts_.Rows(part), names_ ? &names : nullptr).view()));
    }
    return {};
  }
  /// As FieldOfAll's, of the texts.
  Status CheckFiles() const {
    if (names_) TRY(names_->CheckFiles());
    return texts_.CheckFiles();
  }

 private:
  MadeField(text::RowMaker maker, FieldOfAll texts)
      : maker_(std::move(maker)), texts_(std::move(texts)) {}

  text::RowMaker maker_;
  FieldOfAll texts_;
  std::optional<FieldOfAll> names_;
};

// The rows that are neither deleted nor expired, ascending by insert timestamp.
Result<std::vector<Place>> RowsThatStay(Context& ctx, std::span<const Input> inputs,
                                        DeleteSet& deletes, const roles::CompactionTask& task,
                                        const model::CollectionSchema& schema) {
  std::optional<FieldOfAll> expiry;
  if (const model::FieldSchema* field = schema.FindField(task.expiry_field); field != nullptr) {
    TRY_ASSIGN(expiry, FieldOfAll::Open(ctx, inputs, *field));
  }
  std::vector<Place> stay;
  for (uint32_t i = 0; i < inputs.size(); ++i) {
    const Input& input = inputs[i];
    const uint64_t* timestamps = input.timestamps();
    for (uint32_t row = 0; row < input.rows(); ++row) {
      if (row % kRowsPerCheck == 0) TRY(ctx.CheckAlive());
      if (timestamps[row] < task.expired_before.value()) continue;
      if (expiry) {
        const auto [values, at] = expiry->At(i, row);
        if (values.IsValid(at) && values.Get<int64_t>(at) <= task.expiry_us) continue;
      }
      Timestamp deleted;
      if (deletes.size() > 0) {
        deleted =
            deletes.DeletedAt(input.keys().Bytes(row), timestamps[row], input.info().partition);
      }
      const bool is_hidden = deleted != Timestamp();
      if (is_hidden && deleted <= task.reclaim_until) continue;
      stay.push_back({.inserted = timestamps[row], .input = i, .is_hidden = is_hidden, .row = row});
    }
  }
  if (expiry) TRY(expiry->CheckFiles());
  for (const Input& input : inputs) TRY(input.CheckFiles());
  const auto older = [](const Place& a, const Place& b) { return a.inserted < b.inserted; };
  // Flushes follow one another, so their rows are in order already.
  if (!std::is_sorted(stay.begin(), stay.end(), older)) {
    std::stable_sort(stay.begin(), stay.end(), older);
  }
  return stay;
}

// Orders the rows by a field; those of one value stay as they are.
Status SortByField(Context& ctx, std::span<const Input> inputs, const model::FieldSchema& field,
                   std::vector<Place>& places) {
  TRY_ASSIGN(const FieldOfAll values, FieldOfAll::Open(ctx, inputs, field));
  const model::OrderField order{.field = field.id, .nulls_first = true};
  const auto before = [&](const Place& a, const Place& b) {
    const auto [left, left_row] = values.At(a.input, a.row);
    const auto [right, right_row] = values.At(b.input, b.row);
    return model::CompareInOrder(order, left, left_row, right, right_row) < 0;
  };
  if (!std::is_sorted(places.begin(), places.end(), before)) {
    std::stable_sort(places.begin(), places.end(), before);
  }
  return values.CheckFiles();
}

std::vector<Run> RunsOf(std::span<const Place> places) {
  std::vector<Run> runs;
  for (const Place& place : places) {
    if (!runs.empty() && runs.back().input == place.input &&
        runs.back().begin + runs.back().count == place.row) {
      ++runs.back().count;
    } else {
      runs.push_back({place.input, place.row, 1});
    }
  }
  return runs;
}

int64_t HiddenOf(std::span<const Place> places) {
  return std::count_if(places.begin(), places.end(),
                       [](const Place& place) { return place.is_hidden != 0; });
}

// Writes one field of the output. Its rows are taken where they lie in the inputs, one column of
// each of which is open meanwhile; nothing is gathered. What is made of texts is made anew in each
// of the passes that a file takes: that costs microseconds a row, and no memory.
Status WriteField(Context& ctx, std::span<const Input> inputs, std::span<const Run> runs,
                  const model::CollectionSchema& schema, const model::FieldSchema& field,
                  SegmentWriter& writer) {
  TRY_ASSIGN(const FieldOfAll values, FieldOfAll::Open(ctx, inputs, field));
  std::optional<MadeField> made;
  if (model::TextFunctionOf(schema, field) != nullptr) {
    TRY_ASSIGN(made, MadeField::Open(ctx, inputs, schema, field));
  }
  TRY(writer.Put(ctx,
                 {.field = field.id,
                  .type = field.type,
                  .element_type = field.element_type,
                  .dim = static_cast<uint32_t>(field.dim())},
                 [&](const store::TakeSlice& take) -> Status {
                   for (const Run& run : runs) {
                     TRY(made && values.IsFilled(run.input) ? made->ForEach(ctx, run, take)
                                                            : values.ForEach(run, take));
                   }
                   return {};
                 }));
  if (made) TRY(made->CheckFiles());
  return values.CheckFiles();
}

// Writes some of the rows as one segment.
Result<model::SegmentInfo> WriteRows(Context& ctx, std::span<const Input> inputs,
                                     std::span<const Place> places,
                                     const model::CollectionSchema& schema,
                                     const roles::CompactionTask& task, SegmentWriter& writer) {
  const std::vector<Run> runs = RunsOf(places);
  for (const model::FieldSchema& field : schema.fields) {
    const bool is_known = std::any_of(inputs.begin(), inputs.end(),
                                      [&](const Input& input) { return input.Has(field.id); });
    // Added later than all of them: filled when it is read, unless it is to be made.
    if (!is_known && model::TextFunctionOf(schema, field) == nullptr) continue;
    TRY(WriteField(ctx, inputs, runs, schema, field, writer));
  }
  std::vector<uint64_t> timestamps;
  timestamps.reserve(places.size());
  for (const Place& place : places) timestamps.push_back(place.inserted);
  TRY_ASSIGN(model::SegmentInfo output, writer.Finish(ctx, timestamps, task.sort_by));
  output.deleted_rows = HiddenOf(places);
  output.deletes_counted = task.deletes_until;
  output.deletes_applied = output.deleted_rows == 0
                               ? task.deletes_until
                               : std::min(task.deletes_until, task.reclaim_until);
  if (task.is_clustering) output.clustered_by = task.sort_by;
  return output;
}

// How many segments the rows are to be cut into.
size_t OutputsOf(const roles::CompactionTask& task, size_t rows, size_t rows_staying) {
  if (task.output_bytes_max <= 0 || rows == 0) return 1;
  double bytes = 0;
  for (const model::SegmentInfo& input : task.inputs) bytes += static_cast<double>(input.bytes);
  bytes *= static_cast<double>(rows_staying) / static_cast<double>(rows);
  const double wanted = std::ceil(bytes / static_cast<double>(task.output_bytes_max));
  return std::clamp<size_t>(static_cast<size_t>(wanted), 1,
                            std::min(task.more_outputs.size() + 1, rows_staying));
}

}  // namespace

Result<int64_t> Node::CountExpired(Context& ctx, const model::SegmentInfo& info, FieldId field,
                                   int64_t until_us) {
  TRY_ASSIGN(const segment::Manifest manifest, OpenManifest(ctx, objects_, info.manifest_key));
  for (const segment::Manifest::File& file : manifest.files) {
    if (file.field != field) continue;
    if (file.range && (!file.range->has_range || file.range->int_min > until_us)) return 0;
    TRY_ASSIGN(const store::OpenedColumn column, OpenColumn(ctx, objects_, file.key));
    int64_t expired = 0;
    for (size_t row = 0; row < column.view.rows; ++row) {
      if (row % kRowsPerCheck == 0) TRY(ctx.CheckAlive());
      if (column.view.IsValid(row) && column.view.Get<int64_t>(row) <= until_us) ++expired;
    }
    TRY(CheckMapped(column.blob.bytes()));
    return expired;
  }
  return 0;
}

Result<roles::CompactionResult> Node::Compact(Context& ctx, const roles::CompactionTask& task,
                                              const model::CollectionInfo& collection) {
  const model::CollectionSchema& schema = collection.schema;
  Timestamp applied = kTimestampMax;  // To every input.
  std::vector<Input> inputs;
  size_t rows = 0;
  for (const model::SegmentInfo& info : task.inputs) {
    TRY_ASSIGN(Input input, Input::Open(ctx, objects_, info, schema.primary_key()));
    rows += input.rows();
    applied = std::min(applied, info.deletes_applied);
    inputs.push_back(std::move(input));
  }
  std::vector<model::DeltaInfo> deltas = task.deltas;
  std::erase_if(deltas, [&](const model::DeltaInfo& delta) {
    return delta.newest != Timestamp() && delta.newest <= applied;
  });
  TRY_ASSIGN(DeleteSet deletes, DeleteSet::Read(ctx, objects_, deltas));
  TRY_ASSIGN(std::vector<Place> places, RowsThatStay(ctx, inputs, deletes, task, schema));
  roles::CompactionResult result{.output = {},
                                 .rows_removed = static_cast<int64_t>(rows - places.size()),
                                 .rows_hidden = HiddenOf(places)};
  const bool lies_right = !task.is_clustering || task.inputs[0].clustered_by == task.sort_by;
  result.is_unchanged = inputs.size() == 1 && result.rows_removed == 0 && lies_right &&
                        task.more_outputs.empty() &&
                        model::FieldsToFill(schema, task.inputs[0]).empty();
  if (result.is_unchanged || places.empty()) return result;
  if (const model::FieldSchema* field = schema.FindField(task.sort_by); field != nullptr) {
    TRY(SortByField(ctx, inputs, *field, places));
  }
  WritePace pace(executor_, ctx.clock(), task.write_bytes_per_s);
  const size_t outputs = OutputsOf(task, rows, places.size());
  for (size_t i = 0; i < outputs; ++i) {
    const size_t begin = places.size() * i / outputs;
    const size_t end = places.size() * (i + 1) / outputs;
    const model::SegmentInfo& first = task.inputs[0];
    SegmentWriter writer(objects_,
                         {.id = i == 0 ? task.output : task.more_outputs[i - 1],
                          .collection = first.collection,
                          .partition = first.partition,
                          .vchannel = first.vchannel},
                         schema.primary_key().id, &pace);
    TRY_ASSIGN(model::SegmentInfo written,
               WriteRows(ctx, inputs, std::span(places).subspan(begin, end - begin), schema, task,
                         writer));
    if (i == 0)
      result.output = std::move(written);
    else
      result.more_outputs.push_back(std::move(written));
  }
  return result;
}

Result<roles::MergeDeletesResult> Node::MergeDeletes(Context& ctx,
                                                     const roles::MergeDeletesTask& task,
                                                     const model::CollectionInfo& collection) {
  TRY_ASSIGN(DeleteSet deletes, DeleteSet::Read(ctx, objects_, task.deltas));
  roles::MergeDeletesResult result;
  for (const model::SegmentInfo& info : task.segments) {
    TRY_ASSIGN(const Input input,
               Input::Open(ctx, objects_, info, collection.schema.primary_key()));
    int64_t hidden = 0;
    for (size_t row = 0; row < input.rows() && deletes.size() > 0; ++row) {
      if (row % kRowsPerCheck == 0) TRY(ctx.CheckAlive());
      const Timestamp deleted =
          deletes.DeletedAt(input.keys().Bytes(row), input.timestamps()[row], info.partition);
      if (deleted != Timestamp()) ++hidden;
    }
    TRY(input.CheckFiles());
    result.deleted_rows.push_back(hidden);
  }
  const model::Deletes needed = deletes.Used();
  if (needed.keys.rows == 0) return result;
  const uint64_t newest = *std::max_element(needed.timestamps.begin(), needed.timestamps.end());
  // The id keeps it apart from the inputs, one of which may end at the same moment.
  model::DeltaInfo delta{.key = fmt::format("deltas/{}/{}/{:020}-{}", task.collection.value(),
                                            task.vchannel, newest, task.output),
                         .collection = task.collection,
                         .vchannel = task.vchannel,
                         .rows = static_cast<int64_t>(needed.keys.rows),
                         .newest = Timestamp(newest)};
  const std::string bytes = store::EncodeDeltaLog(needed);
  delta.bytes = static_cast<int64_t>(bytes.size());
  TRY(objects_.Put(ctx, delta.key, bytes));
  result.delta = std::move(delta);
  return result;
}

}  // namespace elanus::data
