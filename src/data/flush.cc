// From sealed rows to files.
#include <algorithm>

#include "data/node.h"
#include "data/segment_writer.h"
#include "store/formats/delta_log.h"

namespace elanus::data {

Result<model::SegmentInfo> Node::Flush(Context& ctx, const roles::FlushTask& task) {
  SegmentWriter writer(objects_, {.id = task.segment,
                                  .collection = task.collection,
                                  .partition = task.partition,
                                  .vchannel = task.vchannel});
  for (const model::Column& column : task.columns) TRY(writer.Put(ctx, column));
  return writer.Finish(ctx, task.row_timestamps);
}

Result<model::DeltaInfo> Node::FlushDeletes(Context& ctx, CollectionId collection,
                                            const std::string& vchannel,
                                            const model::Deletes& deletes) {
  // Keyed by content moment: a repeated flush of the same deletes writes the same object.
  const uint64_t newest = *std::max_element(deletes.timestamps.begin(), deletes.timestamps.end());
  model::DeltaInfo info{
      .key = fmt::format("deltas/{}/{}/{:020}", collection.value(), vchannel, newest),
      .collection = collection,
      .vchannel = vchannel,
      .rows = static_cast<int64_t>(deletes.keys.rows),
      .newest = Timestamp(newest)};
  const std::string bytes = store::EncodeDeltaLog(deletes);
  info.bytes = static_cast<int64_t>(bytes.size());
  TRY(objects_.Put(ctx, info.key, bytes));
  return info;
}

}  // namespace elanus::data
