// From column files to index files.
#include <algorithm>
#include <map>

#include "base/log.h"
#include "data/node.h"
#include "expr/json_path.h"
#include "index/embedding_list.h"
#include "index/scalar_index.h"
#include "index/vector_index.h"
#include "index/word_index.h"
#include "segment/sealed.h"
#include "store/formats/column_file.h"
#include "text/field.h"

namespace elanus::data {
namespace {

Result<std::string> BuildVector(Context& ctx, const model::IndexInfo& index,
                                const model::ColumnView& column, Pool& pool) {
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
  return index::BuildIndex(ctx, *type, index::BlockOf(column), *metric, params, {.pool = &pool});
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
  TRY_ASSIGN(const model::Column values,
             expr::ExtractJson(ctx, column, index.json_path, index.json_cast_type));
  return type->Build(ctx, values.view(), params);
}

}  // namespace

Result<model::SegmentIndexInfo> Node::BuildIndex(Context& ctx, const model::SegmentInfo& info,
                                                 const model::CollectionInfo& collection,
                                                 const model::IndexInfo& index) {
  model::SegmentIndexInfo built{.index = index.id};
  const bool is_vector = index::IsTypeName(index.type);
  if (is_vector && info.rows < options_.index_rows_min) return built;
  TRY_ASSIGN(const Blob manifest_blob, objects_.Open(ctx, info.manifest_key));
  TRY_ASSIGN(const segment::Manifest manifest,
             segment::DecodeManifest(manifest_blob.bytes(), info.manifest_key));
  for (const segment::Manifest::File& file : manifest.files) {
    if (file.field != index.field) continue;
    TRY_ASSIGN(Blob blob, objects_.Open(ctx, file.key));
    TRY_ASSIGN(const store::OpenedColumn column, store::OpenColumnFile(std::move(blob), file.key));
    // A scan of few vectors is as fast, and exact.
    if (is_vector && ValidRows(column.view) < options_.index_rows_min) return built;
    const int64_t begin_us = ctx.clock().MonotonicUs();
    std::string bytes;
    if (is_vector) {
      TRY_ASSIGN(bytes, BuildVector(ctx, index, column.view, build_pool_));
    } else {
      TRY_ASSIGN(bytes, BuildScalar(ctx, collection.schema, index, column.view));
    }
    built.key =
        fmt::format("indexes/{}/{}/{}", collection.id.value(), info.id.value(), index.id.value());
    built.bytes = static_cast<int64_t>(bytes.size());
    TRY(objects_.Put(ctx, built.key, bytes));
    LogInfo("index built collection={} segment={} index={} type={} rows={} bytes={} ms={}",
            collection.schema.name, info.id.value(), index.name, index.type, info.rows,
            bytes.size(), (ctx.clock().MonotonicUs() - begin_us) / 1000);
    return built;
  }
  return built;  // A field added after the segment was written: nothing to index.
}

}  // namespace elanus::data
