// Delta logs: the deleted keys of one flush of a shard, with their moments and partitions.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "model/requests/shard.h"

namespace elanus::store {

std::string EncodeDeltaLog(const model::Deletes& deletes);
/// kIntegrity, naming `key`, when the file is damaged.
Result<model::Deletes> DecodeDeltaLog(std::string_view file, std::string_view key);

}  // namespace elanus::store
