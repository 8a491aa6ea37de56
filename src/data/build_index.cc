// From column files to index files.
#include <algorithm>
#include <map>
#include <optional>

#include "base/extent.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/mapped_faults.h"
#include "data/node.h"
#include "data/open_file.h"
#include "expr/json_path.h"
#include "expr/json_terms.h"
#include "index/embedding_list.h"
#include "index/key_runs.h"
#include "index/scalar_index.h"
#include "index/vector_index.h"
#include "index/word_index.h"
#include "model/order.h"
#include "model/partition_key.h"
#include "segment/sealed.h"
#include "store/formats/column_file.h"
#include "text/field.h"

namespace elanus::data {
namespace {

constexpr uint64_t kNonZeroBytes = 8;  // Of a sparse row: place and value.

int64_t LimitOf(const DataOptions& options) {
  if (options.build_memory_mb > 0) return options.build_memory_mb << 20;
  return ReadMemoryUse().total_bytes / 2;
}

// The index of the whole column; with runs one for each of them.
Result<std::string> BuildVector(Context& ctx, const model::IndexInfo& index,
                                const model::ColumnView& column,
                                const std::optional<std::vector<index::KeyRun>>& runs, Pool* pool) {
  const bool is_lists = column.type == model::DataType::kArrayOfVector;
  const auto element = index::ElementOf(is_lists ? column.element_type : column.type);
  const auto metric = model::MetricOf(index.metric);
  const index::IndexType* type =
      element ? index::FindType(index::KindOf(*element), index.type) : nullptr;
  if (!metric || type == nullptr) {
    return Error(ErrorCode::kInternal, "index {} does not fit its field", index.name);
  }
  std::map<std::string, std::string> texts;
  for (const model::KeyValue& kv : index.build_params) texts[kv.key] = kv.value;
  TRY_ASSIGN(const index::Params params,
             index::ParseParams(type->params, index::Phase::kBuild, texts));
  const index::VectorBlock rows = index::BlockOf(column);
  if (runs) return index::BuildKeyRuns(ctx, *type, rows, *metric, params, *runs, {.pool = pool});
  return index::BuildIndex(ctx, *type, rows, *metric, params, {.pool = pool});
}

// The rows of each value of a key that has at least `rows_min`; nothing when the values do not lie
// together.
std::optional<std::vector<index::KeyRun>> RunsOf(const model::ColumnView& keys, int64_t rows_min) {
  const model::OrderField order{.field = FieldId()};
  std::vector<index::KeyRun> runs;
  uint32_t begin = 0;
  for (uint32_t row = 1; row <= keys.rows; ++row) {
    const int step = row == keys.rows ? -1 : model::CompareInOrder(order, keys, row - 1, keys, row);
    if (step == 0) continue;
    if (step > 0) return std::nullopt;
    if (row - begin >= rows_min) runs.push_back({.begin = begin, .rows = row - begin});
    begin = row;
  }
  return runs;
}

// The rows of each value of an isolated partition key; nothing: an index of all rows is wanted.
Result<std::optional<std::vector<index::KeyRun>>> KeyRunsOf(
    Context& ctx, store::ObjectStore& objects, int64_t rows_min, const segment::Manifest& manifest,
    const model::CollectionInfo& collection) {
  std::optional<std::vector<index::KeyRun>> none;
  const model::FieldSchema* key = model::IsolatedKey(collection);
  if (key == nullptr) return none;
  for (const segment::Manifest::File& file : manifest.files) {
    if (file.field != key->id) continue;
    TRY_ASSIGN(const store::OpenedColumn column, OpenColumn(ctx, objects, file.key));
    auto runs = RunsOf(column.view, rows_min);
    TRY(CheckMapped(column.blob.bytes()));
    return runs;
  }
  return none;
}

uint64_t DataBytes(const model::ColumnView& column) {
  if (column.rows == 0) return 0;
  if (column.width != 0) return column.rows * column.width;
  return ExtentOf(column.offsets, column.offsets + column.rows).bytes;
}

// What a build holds at its height: the index, and its file as bytes.
int64_t EstimateBuild(const model::IndexInfo& index, const model::ColumnView& column) {
  if (!index::IsTypeName(index.type)) return 2 * static_cast<int64_t>(DataBytes(column));
  const bool is_lists = column.type == model::DataType::kArrayOfVector;
  const auto element = index::ElementOf(is_lists ? column.element_type : column.type);
  const auto metric = model::MetricOf(index.metric);
  const index::IndexType* type =
      element ? index::FindType(index::KindOf(*element), index.type) : nullptr;
  if (!metric || type == nullptr) return 0;  // The build says so.
  const index::RowShape shape{.rows = index::BlockOf(column).rows,
                              .dim = column.dim,
                              .element = *element,
                              .metric = *metric,
                              .non_zeros = DataBytes(column) / kNonZeroBytes};
  std::map<std::string, std::string> texts;
  for (const model::KeyValue& kv : index.build_params) texts[kv.key] = kv.value;
  const auto params = index::ParseParams(type->params, index::Phase::kBuild, texts);
  if (!params.ok()) return 0;
  return static_cast<int64_t>(type->BuildMemory(shape, *params));
}

// Rows that hold a vector.
int64_t ValidRows(const model::ColumnView& column) {
  if (column.valid == nullptr) return static_cast<int64_t>(column.rows);
  return static_cast<int64_t>(column.rows) -
         std::count(column.valid, column.valid + column.rows, 0);
}

Result<std::string> BuildScalar(Context& ctx, const model::CollectionSchema& schema,
                                const model::IndexInfo& index, const model::ColumnView& column) {
  if (index.type == index::kWordIndexName) {
    const model::FieldSchema* field = schema.FindField(index.field);
    if (field == nullptr) return Error(ErrorCode::kInternal, "index {} has no field", index.name);
    TRY_ASSIGN(const text::AnalyzerPtr analyzer, text::AnalyzerOf(*field));
    return index::BuildWordIndex(ctx, column, *analyzer);
  }
  const index::ScalarIndexType* type = index::FindScalarType(index.type);
  if (type == nullptr) {
    return Error(ErrorCode::kInternal, "index {} has the unknown type {}", index.name, index.type);
  }
  std::map<std::string, std::string> texts;
  for (const model::KeyValue& kv : index.build_params) texts[kv.key] = kv.value;
  TRY_ASSIGN(const index::Params params,
             index::ParseParams(type->params, index::Phase::kBuild, texts));
  if (index.json_cast_type.empty()) return type->Build(ctx, column, params);
  if (index.json_cast_type == expr::kWholeDocument) {
    TRY_ASSIGN(const model::Column terms, expr::ExtractJsonTerms(ctx, column, index.json_path));
    return index::JsonTermsType().Build(ctx, terms.view(), params);
  }
  TRY_ASSIGN(const model::Column values,
             expr::ExtractJson(ctx, column, index.json_path, index.json_cast_type));
  return type->Build(ctx, values.view(), params);
}

}  // namespace

Node::Node(Executor& executor, store::ObjectStore& objects, Pool& build_pool,
           const DataOptions& options)
    : executor_(executor),
      objects_(objects),
      build_pool_(build_pool),
      options_(options),
      build_memory_(executor, LimitOf(options)) {}

Result<model::SegmentIndexInfo> Node::BuildIndex(Context& ctx, const model::SegmentInfo& info,
                                                 const model::CollectionInfo& collection,
                                                 const model::IndexInfo& index,
                                                 roles::BuildPace pace) {
  const bool takes_all = pace == roles::BuildPace::kAll || options_.compaction_build_all_cores;
  Pool* const pool = takes_all ? &build_pool_ : nullptr;
  model::SegmentIndexInfo built{.index = index.id};
  const bool is_vector = index::IsTypeName(index.type);
  if (is_vector && info.rows < options_.index_rows_min) return built;
  TRY_ASSIGN(const segment::Manifest manifest, OpenManifest(ctx, objects_, info.manifest_key));
  for (const segment::Manifest::File& file : manifest.files) {
    if (file.field != index.field) continue;
    TRY_ASSIGN(const store::OpenedColumn column, OpenColumn(ctx, objects_, file.key));
    // A scan of few vectors is as fast, and exact.
    if (is_vector && ValidRows(column.view) < options_.index_rows_min) return built;
    TRY_ASSIGN(const auto share, build_memory_.Take(ctx, EstimateBuild(index, column.view)));
    const int64_t begin_us = ctx.clock().MonotonicUs();
    std::string bytes;
    if (is_vector) {
      TRY_ASSIGN(const auto runs,
                 KeyRunsOf(ctx, objects_, options_.index_rows_min, manifest, collection));
      if (runs && runs->empty()) return built;  // No value has enough rows.
      TRY_ASSIGN(bytes, BuildVector(ctx, index, column.view, runs, pool));
    } else {
      TRY_ASSIGN(bytes, BuildScalar(ctx, collection.schema, index, column.view));
    }
    TRY(CheckMapped(column.blob.bytes()));
    built.key =
        fmt::format("indexes/{}/{}/{}", collection.id.value(), info.id.value(), index.id.value());
    built.bytes = static_cast<int64_t>(bytes.size());
    // Which of its types it took stands in the file.
    if (const index::ScalarIndexType* taken = index::TypeOfFile(bytes);
        !is_vector && taken != nullptr && taken->name != index.type) {
      built.type = taken->name;
    }
    TRY(objects_.Put(ctx, built.key, bytes));
    LogInfo("index built collection={} segment={} index={} type={} rows={} bytes={} ms={}",
            collection.schema.name, info.id.value(), index.name, index.type, info.rows,
            bytes.size(), (ctx.clock().MonotonicUs() - begin_us) / 1000);
    return built;
  }
  return built;  // A field added after the segment was written: nothing to index.
}

}  // namespace elanus::data
