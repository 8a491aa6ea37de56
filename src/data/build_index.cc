// From column files to index files.
#include <map>

#include "base/log.h"
#include "data/node.h"
#include "index/scalar_index.h"
#include "index/vector_index.h"
#include "segment/sealed.h"
#include "store/formats/column_file.h"

namespace elanus::data {
namespace {

Result<std::string> BuildVector(Context& ctx, const index::IndexType& type,
                                const model::IndexInfo& index, const model::ColumnView& column,
                                Pool& pool) {
  std::map<std::string, std::string> texts;
  for (const model::KeyValue& kv : index.build_params) texts[kv.key] = kv.value;
  TRY_ASSIGN(const index::Params params,
             index::ParseParams(type.params, index::Phase::kBuild, texts));
  const auto metric = model::MetricOf(index.metric);
  if (!metric) return Error(ErrorCode::kInternal, "index {} has no metric", index.name);
  return type.Build(ctx, {.data = column.data, .rows = column.rows, .dim = column.dim}, *metric,
                    params, {.pool = &pool});
}

}  // namespace

Result<model::SegmentIndexInfo> Node::BuildIndex(Context& ctx, const model::SegmentInfo& info,
                                                 const model::CollectionInfo& collection,
                                                 const model::IndexInfo& index) {
  model::SegmentIndexInfo built{.index = index.id};
  const index::IndexType* type = index::FindType(index.type);
  if (type != nullptr && info.rows < options_.index_rows_min) return built;
  TRY_ASSIGN(const Blob manifest_blob, objects_.Open(ctx, info.manifest_key));
  TRY_ASSIGN(const segment::Manifest manifest,
             segment::DecodeManifest(manifest_blob.bytes(), info.manifest_key));
  for (const segment::Manifest::File& file : manifest.files) {
    if (file.field != index.field) continue;
    TRY_ASSIGN(Blob blob, objects_.Open(ctx, file.key));
    TRY_ASSIGN(const store::OpenedColumn column, store::OpenColumnFile(std::move(blob), file.key));
    const int64_t begin_us = ctx.clock().MonotonicUs();
    std::string bytes;
    if (type != nullptr) {
      TRY_ASSIGN(bytes, BuildVector(ctx, *type, index, column.view, build_pool_));
    } else {
      TRY_ASSIGN(bytes, index::BuildSortedIndex(ctx, column.view));
    }
    built.key =
        fmt::format("indexes/{}/{}/{}", collection.id.value(), info.id.value(), index.id.value());
    TRY(objects_.Put(ctx, built.key, bytes));
    LogInfo("index built collection={} segment={} index={} type={} rows={} bytes={} ms={}",
            collection.schema.name, info.id.value(), index.name, index.type, info.rows,
            bytes.size(), (ctx.clock().MonotonicUs() - begin_us) / 1000);
    return built;
  }
  return built;  // A field added after the segment was written: nothing to index.
}

}  // namespace elanus::data
