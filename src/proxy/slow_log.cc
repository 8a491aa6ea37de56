// Slow reads.
#include "proxy/slow_log.h"

#include <algorithm>

#include "base/log.h"
#include "base/profile.h"
#include "proxy/metrics.h"

namespace elanus::proxy {

SlowLog::SlowLog(Context& ctx, const ProxyOptions& options, std::string_view rpc,
                 const model::CollectionName& name)
    : ctx_(ctx),
      threshold_s_(options.slow_query_s),
      rpc_(rpc),
      name_(name),
      begin_us_(ctx.clock().MonotonicUs()) {
  ProfileSays(ctx_, "collection", name_.collection);
}

SlowLog::~SlowLog() {
  const auto us = static_cast<double>(ctx_.clock().MonotonicUs() - begin_us_);
  const double query_s = us / 1e6 / static_cast<double>(queries_);
  if (query_s < threshold_s_) return;
  CountSlowRead(rpc_);
  LogInfo(
      "{} slow database={} collection={} guarantee_timestamp={} consistency_level={} nq={} "
      "duration_ms={:.1f} duration_per_nq_ms={:.1f} filter=\"{}\" {}",
      rpc_, name_.database, name_.collection, guarantee_.value(),
      guarantee_ == Timestamp() ? "" : model::NameOf(level_), queries_, us / 1e3, query_s * 1e3,
      filter_, details_);
}

void SlowLog::Waits(model::ConsistencyLevel level, Timestamp guarantee) {
  level_ = level;
  guarantee_ = guarantee;
  if (ctx_.profile() == nullptr) return;
  ProfileSays(ctx_, "consistency_level", model::NameOf(level));
  ProfileSays(ctx_, "guarantee_timestamp", static_cast<int64_t>(guarantee.value()));
}

void SlowLog::Says(size_t queries, std::string filter, std::string details) {
  constexpr size_t kFilterBytesMax = 1000;  // Lists of keys may be long.
  queries_ = std::max<size_t>(1, queries);
  filter_ = std::move(filter);
  if (filter_.size() > kFilterBytesMax) filter_.resize(kFilterBytesMax);
  details_ = std::move(details);
  if (ctx_.profile() == nullptr) return;
  ProfileSays(ctx_, "nq", static_cast<int64_t>(queries_));
  ProfileSays(ctx_, "filter", filter_);
  ProfileSays(ctx_, "details", details_);
}

}  // namespace elanus::proxy
