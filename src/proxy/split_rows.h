// A write of a collection as writes of its shards.
#pragma once

#include <vector>

#include "model/column.h"
#include "model/requests/shard.h"

namespace elanus::proxy {

/// The write of each shard, in shard order; some may have neither rows nor deletes. `new_keys` are
/// the primary keys of `columns` and say which shard a row goes to, `delete_keys` say it for
/// themselves. All is of `partition`; where the collection has a partition key, rows go to the
/// partition of theirs, and keys go from `partition`, or everywhere when it is 0.
std::vector<model::ShardWrite> SplitRows(const model::CollectionInfo& collection,
                                         PartitionId partition, std::vector<model::Column> columns,
                                         const model::Column& new_keys, model::Column delete_keys);

}  // namespace elanus::proxy
