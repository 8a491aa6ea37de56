// Flushes of every collection at once.
#include "proxy/flush_all.h"

#include <algorithm>

#include "model/channel.h"

namespace elanus::proxy {
namespace {

// Dropped meanwhile: there is nothing of it to flush.
bool IsGone(const Status& status) { return status.code() == ErrorCode::kCollectionNotFound; }

}  // namespace

Result<Timestamp> FlushAll(Context& ctx, Services& services) {
  TRY_ASSIGN(Timestamp latest, services.coord.oracle.Now(ctx));
  TRY_ASSIGN(const auto collections, services.coord.catalog.List(ctx, model::kDefaultDatabase));
  for (const auto& collection : collections) {
    const auto sealed = services.streaming.Seal(ctx, collection->id);
    if (IsGone(sealed.status())) continue;
    TRY(sealed.status());
    latest = std::max(latest, sealed->timestamp);
  }
  return latest;
}

Result<bool> AreAllFlushed(Context& ctx, Services& services, const FlushAllMoments& moments) {
  TRY_ASSIGN(const auto collections, services.coord.catalog.List(ctx, model::kDefaultDatabase));
  if (collections.empty()) return true;
  if (moments.by_pchannel.empty() && moments.all == Timestamp()) {
    return Error(ErrorCode::kMissingParameter, "flush_all_tss or flush_all_ts is required");
  }
  for (const auto& collection : collections) {
    Timestamp until = moments.all;
    for (const std::string& vchannel : collection->vchannels) {
      if (moments.by_pchannel.empty()) break;
      const std::string pchannel = model::PChannelOf(vchannel);
      const auto found = moments.by_pchannel.find(pchannel);
      if (found == moments.by_pchannel.end()) {
        return Invalid("flush_all_tss has no timestamp of channel {}", pchannel);
      }
      until = std::max(until, found->second);
    }
    const auto flushed = services.streaming.IsFlushed(ctx, collection->id, until);
    if (IsGone(flushed.status())) continue;
    TRY_ASSIGN(const bool is_flushed, flushed);
    if (!is_flushed) return false;
  }
  return true;
}

}  // namespace elanus::proxy
