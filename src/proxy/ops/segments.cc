// Lists of segments.
#include <algorithm>
#include <set>

#include "proxy/checks.h"
#include "proxy/segments.h"

namespace elanus::proxy {

Result<std::vector<model::SegmentInfo>> ListSegments(Context& ctx, Services& services,
                                                     const model::CollectionName& name) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  // In this order: what gets its files meanwhile is in both answers, not in none.
  TRY_ASSIGN(const auto served, services.streaming.ServedSegments(ctx, collection->id));
  TRY_ASSIGN(auto segments, services.coord.segments.ListSegments(ctx, collection->id));
  std::set<SegmentId> in_files;
  for (const model::SegmentInfo& segment : segments) in_files.insert(segment.id);
  for (const model::ServedSegment& one : served) {
    const bool is_fresh = one.info.state != model::SegmentState::kFlushed;
    if (is_fresh && in_files.count(one.info.id) == 0) segments.push_back(one.info);
  }
  return segments;
}

Result<std::vector<LoadedSegment>> ListLoadedSegments(Context& ctx, Services& services,
                                                      const model::CollectionName& name) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  if (!collection->loaded) return std::vector<LoadedSegment>();
  TRY_ASSIGN(auto served, services.streaming.ServedSegments(ctx, collection->id));
  std::vector<LoadedSegment> loaded;
  for (model::ServedSegment& segment : served) {
    if (!collection->IsLoaded(segment.info.partition)) continue;
    LoadedSegment one{.segment = std::move(segment), .index = {}, .index_name = {}};
    for (const model::IndexInfo& index : collection->indexes) {
      const model::FieldSchema* field = collection->schema.FindField(index.field);
      if (field == nullptr || !model::IsVector(field->type)) continue;
      const auto& has = one.segment.info.indexes;
      const bool is_built = std::any_of(has.begin(), has.end(), [&](const auto& built) {
        return built.index == index.id && !built.key.empty();
      });
      if (!is_built) continue;
      one.index = index.id;
      one.index_name = index.name;
      break;
    }
    loaded.push_back(std::move(one));
  }
  return loaded;
}

}  // namespace elanus::proxy
