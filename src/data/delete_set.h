// The deletes of several delta logs, to be asked row by row.
#pragma once

#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/context.h"
#include "model/requests/shard.h"
#include "store/object_store.h"

namespace elanus::data {

/// About 40 bytes a delete beside its key. For one thread.
class DeleteSet {
 public:
  /// Reads the delta logs. Errors: kKeyNotFound, kIntegrity, kIoFailed.
  static Result<DeleteSet> Read(Context& ctx, store::ObjectStore& objects,
                                std::span<const model::DeltaInfo> deltas);
  DeleteSet(DeleteSet&&) = default;
  DeleteSet& operator=(DeleteSet&&) = default;

  /// When a row of `partition` with this key, inserted at `inserted`, was deleted first; 0: never.
  /// That delete counts as used.
  Timestamp DeletedAt(std::string_view key, uint64_t inserted, PartitionId partition);
  /// The deletes that have hidden a row so far.
  model::Deletes Used() const;
  size_t size() const { return all_.keys.rows; }

 private:
  DeleteSet() = default;

  model::Deletes all_;
  std::unordered_map<std::string_view, uint32_t> first_;  // By key: views into `all_`.
  std::vector<uint32_t> next_;                            // The next delete of the same key.
  std::vector<uint8_t> used_;
};

}  // namespace elanus::data
