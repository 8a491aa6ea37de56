// The repair of a data directory.
#include "server/repair.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "backend/local/directory_lock.h"
#include "backend/local/log_repair.h"
#include "backend/rocksdb/rocksdb_meta_store.h"
#include "base/executor.h"
#include "base/fields.h"
#include "coord/oracle.h"
#include "model/channel.h"
#include "model/requests/shard.h"
#include "server/catalog_check.h"

namespace elanus::server {
namespace {

constexpr std::string_view kCheckpoints = "checkpoint/";

// By stream, the position up to which its records are in files already.
Result<std::map<std::string, uint64_t>> ReadCheckpoints(const std::string& data_directory) {
  SystemClock clock;
  Context ctx(clock);
  const auto executor = MakeThreadExecutor();
  TRY_ASSIGN(const auto meta, backend::OpenRocksDbMetaStore(data_directory + "/meta"));
  // A start that was refused may have left an empty one.
  TRY_ASSIGN(const auto oracle, coord::Oracle::Open(ctx, *meta, *executor, clock));
  if (oracle->opened_at() == Timestamp()) return CatalogIsLost(data_directory);
  TRY_ASSIGN(const auto pairs, meta->Scan(ctx, kCheckpoints));
  std::map<std::string, uint64_t> positions;
  for (const auto& [key, value] : pairs) {
    TRY_ASSIGN(const auto checkpoint, Decode<model::ShardCheckpoint>(value));
    uint64_t& position = positions[model::PChannelOf(key.substr(kCheckpoints.size()))];
    position = std::max(position, checkpoint.position);
  }
  return positions;
}

}  // namespace

Result<bool> Repair(const RepairRequest& request) {
  TRY(CheckHoldsCatalog(request.data_directory));
  TRY_ASSIGN(const auto lock, backend::DirectoryLock::Take(request.data_directory));
  TRY_ASSIGN(const auto positions, ReadCheckpoints(request.data_directory));
  backend::FileSystem& files = backend::LocalFileSystem();
  TRY_ASSIGN(const auto damages,
             backend::FindLogDamage(files, request.data_directory + "/wal", positions));
  if (damages.empty()) std::puts("nothing is damaged in the log");
  for (const backend::LogDamage& damage : damages) {
    std::printf("%s\n", damage.words.c_str());
    std::printf("  to be given up: records %lu to %lu at most, %lu bytes\n",
                static_cast<unsigned long>(damage.first_lost),
                static_cast<unsigned long>(damage.next_position - 1),
                static_cast<unsigned long>(damage.lost_bytes));
    if (!damage.file.empty()) {
      std::printf("  cut: %s at %lu\n", damage.file.c_str(),
                  static_cast<unsigned long>(damage.offset));
    }
    for (const std::string& later : damage.later_files) {
      std::printf("  set aside: %s\n", later.c_str());
    }
    if (!request.cut) continue;
    TRY(backend::CutLog(files, damage));
    std::printf("  done; what was cut is kept beside it, with .cut-%lu at the end of its name\n",
                static_cast<unsigned long>(damage.next_position));
  }
  if (!damages.empty() && !request.cut) {
    std::puts("nothing was changed; to do it: elanus repair --cut --data DIR");
    return false;
  }
  return true;
}

}  // namespace elanus::server
