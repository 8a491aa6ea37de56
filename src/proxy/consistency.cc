// Moments of reads.
#include "proxy/consistency.h"

#include <algorithm>

#include "proxy/checks.h"

namespace elanus::proxy {
namespace {

int64_t MsAhead(const Services& services, Timestamp moment) {
  return PhysicalMs(moment) - services.clock.NowMs();
}

bool IsTooFarAhead(const Services& services, Timestamp moment) {
  return MsAhead(services, moment) / 1000 > services.options.timestamp_lag_s_max;
}

// Whether every write that is still to come is later than the moment. The oracle is asked about the
// present millisecond only: what lies before that it does not give out any more, and the clock may
// be behind it.
Result<bool> IsReached(Context& ctx, Services& services, Timestamp moment) {
  if (MsAhead(services, moment) < 0) return true;
  TRY_ASSIGN(const Timestamp now, services.coord.oracle.Now(ctx));
  return now > moment;
}

Status CheckReached(Context& ctx, Services& services, Timestamp guarantee) {
  if (IsTooFarAhead(services, guarantee)) {
    return Error(ErrorCode::kTimeTickDelay,
                 "{}: guarantee timestamp {} is {} s ahead of the server's time, at most {} s are "
                 "allowed (queryNode.scheduler.maxTimestampLag)",
                 InfoOf(ErrorCode::kTimeTickDelay).name, guarantee.value(),
                 MsAhead(services, guarantee) / 1000, services.options.timestamp_lag_s_max);
  }
  TRY_ASSIGN(const bool is_reached, IsReached(ctx, services, guarantee));
  if (is_reached) return {};
  TRY(ctx.CheckAlive());
  return Error(ErrorCode::kTimeTickDelay,
               "{}: guarantee timestamp {} is {} ms ahead of the server's time, and this read "
               "cannot wait for it",
               InfoOf(ErrorCode::kTimeTickDelay).name, guarantee.value(),
               MsAhead(services, guarantee));
}

// The level says that the number is meant as it is.
bool IsLiteral(model::ConsistencyLevel level) {
  return level == model::ConsistencyLevel::kSession ||
         level == model::ConsistencyLevel::kCustomized;
}

int64_t MsUntil(Context& ctx, Services& services, const model::CollectionName& name,
                const model::ReadConsistency& consistency, const std::string* iterator) {
  const Timestamp moment = consistency.guarantee;
  // Of nearly every read this is all.
  if (MsAhead(services, moment) < 0) return 0;
  const auto collection = Resolve(ctx, services, name);
  if (!collection.ok()) return 0;
  if (!IsLiteral(LevelOf(**collection, consistency))) {
    // All pages of an iterator are read at the moment they name, whatever the level.
    const auto pins = ParseBool("iterator", iterator == nullptr ? "false" : *iterator);
    if (!pins.ok() || !*pins) return 0;
  }
  if (IsTooFarAhead(services, moment) || !ctx.CheckAlive().ok()) return 0;
  const auto is_reached = IsReached(ctx, services, moment);
  if (!is_reached.ok() || *is_reached) return 0;
  // The millisecond after it is past the moment, whatever its counter.
  return MsAhead(services, moment) + 1;
}

}  // namespace

model::ConsistencyLevel LevelOf(const model::CollectionInfo& collection,
                                const model::ReadConsistency& consistency) {
  using Level = model::ConsistencyLevel;
  if (consistency.use_default) return collection.consistency_level;
  const uint64_t given = consistency.guarantee.value();
  if (consistency.level != Level::kStrong || given == 0) return consistency.level;
  // Clients from before the level travelled: the number says it.
  if (given == 1) return Level::kEventually;
  return given == 2 ? Level::kBounded : Level::kCustomized;
}

Result<Timestamp> GuaranteeOf(Context& ctx, Services& services,
                              const model::CollectionInfo& collection,
                              const model::ReadConsistency& consistency) {
  Timestamp guarantee;
  switch (LevelOf(collection, consistency)) {
    case model::ConsistencyLevel::kStrong: {
      TRY_ASSIGN(guarantee, services.coord.oracle.Now(ctx));
      break;
    }
    case model::ConsistencyLevel::kBounded:
      guarantee = MakeTimestamp(services.clock.NowMs() - services.options.graceful_ms);
      break;
    case model::ConsistencyLevel::kEventually:
      guarantee = Timestamp(1);
      break;
    case model::ConsistencyLevel::kSession:
    case model::ConsistencyLevel::kCustomized:
      guarantee = consistency.guarantee;
      TRY(CheckReached(ctx, services, guarantee));
      break;
  }
  // A reader never sees an older schema.
  return std::max(guarantee, collection.updated);
}

int64_t MsToWait(Context& ctx, Services& services, const model::SearchRequest& request) {
  return MsUntil(ctx, services, request.name, request.consistency,
                 model::Find(request.params, "iterator"));
}

int64_t MsToWait(Context& ctx, Services& services, const model::HybridSearchRequest& request) {
  return MsUntil(ctx, services, request.name, request.consistency, nullptr);
}

int64_t MsToWait(Context& ctx, Services& services, const model::QueryRequest& request) {
  return MsUntil(ctx, services, request.name, request.consistency,
                 model::Find(request.params, "iterator"));
}

}  // namespace elanus::proxy
