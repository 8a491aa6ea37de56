// From several segments to one, and from several delta logs to one.
#include <algorithm>

#include "base/log.h"
#include "data/delete_set.h"
#include "data/node.h"
#include "data/segment_writer.h"
#include "segment/fill.h"
#include "segment/sealed.h"
#include "store/formats/column_file.h"
#include "store/formats/delta_log.h"

namespace elanus::data {
namespace {

constexpr size_t kRowsPerCheck = 8192;  // Between two looks at the context.

// A segment whose columns are opened as they are needed.
class Input {
 public:
  static Result<Input> Open(Context& ctx, store::ObjectStore& objects,
                            const model::SegmentInfo& info, const model::FieldSchema& key_field) {
    Input input(objects, info);
    TRY_ASSIGN(const Blob blob, objects.Open(ctx, info.manifest_key));
    TRY_ASSIGN(input.manifest_, segment::DecodeManifest(blob.bytes(), info.manifest_key));
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
    TRY_ASSIGN(Blob blob, objects_->Open(ctx, file->key));
    TRY_ASSIGN(store::OpenedColumn column, store::OpenColumnFile(std::move(blob), file->key));
    if (column.view.rows != rows() || column.field != field) {
      return Error(ErrorCode::kIntegrity, "{}: does not belong to segment {}", file->key,
                   info_->id.value());
    }
    return column;
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
  uint32_t input;
  uint32_t row;
};

// Rows that lie side by side in their input and in the output.
struct Run {
  uint32_t input;
  uint32_t begin;
  uint32_t count;
};

Result<std::vector<Place>> RowsThatStay(Context& ctx, std::span<const Input> inputs,
                                        DeleteSet& deletes, Timestamp expired_before) {
  std::vector<Place> stay;
  for (uint32_t i = 0; i < inputs.size(); ++i) {
    const Input& input = inputs[i];
    const uint64_t* timestamps = input.timestamps();
    for (uint32_t row = 0; row < input.rows(); ++row) {
      if (row % kRowsPerCheck == 0) TRY(ctx.CheckAlive());
      if (timestamps[row] < expired_before.value()) continue;
      if (deletes.size() > 0 &&
          deletes.Hides(input.keys().Bytes(row), timestamps[row], input.info().partition)) {
        continue;
      }
      stay.push_back({timestamps[row], i, row});
    }
  }
  const auto older = [](const Place& a, const Place& b) { return a.inserted < b.inserted; };
  // Flushes follow one another, so their rows are in order already.
  if (!std::is_sorted(stay.begin(), stay.end(), older)) {
    std::stable_sort(stay.begin(), stay.end(), older);
  }
  return stay;
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

// The column of the output; one column of each input is open meanwhile.
Result<model::Column> Gather(Context& ctx, std::span<const Input> inputs, std::span<const Run> runs,
                             const model::FieldSchema& field) {
  std::vector<store::OpenedColumn> opened(inputs.size());
  std::vector<model::Column> fillers(inputs.size());
  std::vector<model::ColumnView> views(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].Has(field.id)) {
      TRY_ASSIGN(opened[i], inputs[i].Read(ctx, field.id));
      views[i] = opened[i].view;
    } else {
      fillers[i] = segment::FillColumn(field, inputs[i].rows());
      views[i] = fillers[i].view();
    }
  }
  model::Column column =
      model::MakeColumn(field.id, field.name, field.type, field.element_type, field.dim());
  size_t rows = 0;
  for (const Run& run : runs) rows += run.count;
  column.data.reserve(rows * column.width());
  for (const Run& run : runs) column.AppendAll(views[run.input].Slice(run.begin, run.count));
  return column;
}

}  // namespace

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
  TRY_ASSIGN(const std::vector<Place> places,
             RowsThatStay(ctx, inputs, deletes, task.expired_before));
  roles::CompactionResult result{.output = {},
                                 .rows_removed = static_cast<int64_t>(rows - places.size())};
  result.is_unchanged = inputs.size() == 1 && result.rows_removed == 0;
  if (result.is_unchanged || places.empty()) return result;

  const std::vector<Run> runs = RunsOf(places);
  const model::SegmentInfo& first = task.inputs[0];
  SegmentWriter writer(objects_, {.id = task.output,
                                  .collection = first.collection,
                                  .partition = first.partition,
                                  .vchannel = first.vchannel});
  for (const model::FieldSchema& field : schema.fields) {
    const bool is_known = std::any_of(inputs.begin(), inputs.end(),
                                      [&](const Input& input) { return input.Has(field.id); });
    if (!is_known) continue;  // Added later than all of them: filled when it is read.
    TRY_ASSIGN(const model::Column column, Gather(ctx, inputs, runs, field));
    TRY(writer.Put(ctx, column));
  }
  std::vector<uint64_t> timestamps;
  timestamps.reserve(places.size());
  for (const Place& place : places) timestamps.push_back(place.inserted);
  TRY_ASSIGN(result.output, writer.Finish(ctx, timestamps));
  result.output->deletes_applied = task.deletes_until;
  result.output->deletes_counted = task.deletes_until;
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
      if (deletes.Hides(input.keys().Bytes(row), input.timestamps()[row], info.partition)) ++hidden;
    }
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
