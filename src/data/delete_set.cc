// Deletes by key.
#include "data/delete_set.h"

#include "store/formats/delta_log.h"
#include "store/open_checked.h"

namespace elanus::data {
namespace {
constexpr uint32_t kNone = UINT32_MAX;
}

Result<DeleteSet> DeleteSet::Read(Context& ctx, store::ObjectStore& objects,
                                  std::span<const model::DeltaInfo> deltas) {
  DeleteSet set;
  for (const model::DeltaInfo& delta : deltas) {
    TRY(ctx.CheckAlive());
    TRY_ASSIGN(const model::Deletes deletes,
               store::OpenChecked(ctx, objects, delta.key, [&](const Blob& blob) {
                 return store::DecodeDeltaLog(blob.bytes(), delta.key);
               }));
    if (deletes.keys.rows == 0) continue;
    if (set.all_.keys.rows == 0) {
      set.all_ = deletes;
      continue;
    }
    set.all_.keys.AppendAll(deletes.keys.view());
    set.all_.timestamps.insert(set.all_.timestamps.end(), deletes.timestamps.begin(),
                               deletes.timestamps.end());
    set.all_.partitions.insert(set.all_.partitions.end(), deletes.partitions.begin(),
                               deletes.partitions.end());
  }
  // Only now do the keys stay where they are.
  const model::ColumnView keys = set.all_.keys.view();
  set.next_.assign(keys.rows, kNone);
  set.used_.assign(keys.rows, 0);
  set.first_.reserve(keys.rows);
  for (uint32_t i = 0; i < keys.rows; ++i) {
    const auto [at, is_new] = set.first_.emplace(keys.Bytes(i), i);
    if (is_new) continue;
    set.next_[i] = at->second;
    at->second = i;
  }
  return set;
}

Timestamp DeleteSet::DeletedAt(std::string_view key, uint64_t inserted, PartitionId partition) {
  const auto found = first_.find(key);
  if (found == first_.end()) return Timestamp();
  uint32_t earliest = kNone;
  for (uint32_t i = found->second; i != kNone; i = next_[i]) {
    if (all_.timestamps[i] <= inserted || !all_.Reaches(i, partition)) continue;
    if (earliest == kNone || all_.timestamps[i] < all_.timestamps[earliest]) earliest = i;
  }
  if (earliest == kNone) return Timestamp();
  used_[earliest] = 1;
  return Timestamp(all_.timestamps[earliest]);
}

model::Deletes DeleteSet::Used() const {
  model::Deletes used;
  const model::ColumnView keys = all_.keys.view();
  for (size_t i = 0; i < keys.rows; ++i) {
    if (used_[i] == 0) continue;
    used.Append(keys.Slice(i, 1), Timestamp(all_.timestamps[i]), all_.partitions[i]);
  }
  return used;
}

}  // namespace elanus::data
