// The halves of a shard read for one query, such that no older version of a key shows because the
// newer one did not fit into the other half's page.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "model/requests/shard.h"
#include "model/schema.h"

namespace elanus::shard {

/// Reads one part of the shard's rows.
using RowsReader = std::function<Result<model::PartialRows>(const model::ShardQuery&)>;

/// What the parts answer to `query`. In the order of keys, or without a limit, that is all; of rows
/// that are ordered by fields under a limit, a part is read further for as long as rows of its page
/// have newer versions elsewhere. Errors: those of the readers.
Result<std::vector<model::PartialRows>> ReadParts(Context& ctx, std::span<const RowsReader> parts,
                                                  const model::ShardQuery& query,
                                                  const model::CollectionSchema& schema);

}  // namespace elanus::shard
