// A line in the log for each read that takes long.
#pragma once

#include <cstdint>
#include <string>

#include "base/context.h"
#include "base/timestamp.h"
#include "model/requests/collection.h"
#include "proxy/options.h"

namespace elanus::proxy {

/// Measures from its construction to its end. Not thread-safe.
class SlowLog {
 public:
  /// `rpc` must outlive it.
  SlowLog(Context& ctx, const ProxyOptions& options, std::string_view rpc,
          const model::CollectionName& name);
  /// Writes "<rpc> slow ..." when the time for each query has reached the threshold, and counts.
  ~SlowLog();
  SlowLog(const SlowLog&) = delete;
  SlowLog& operator=(const SlowLog&) = delete;

  /// What the read is, as far as it is known. `queries` counts at least as 1.
  void Says(size_t queries, std::string filter, std::string details);
  /// What the read waits for.
  void Waits(model::ConsistencyLevel level, Timestamp guarantee);

 private:
  Context& ctx_;
  const double threshold_s_;
  const std::string_view rpc_;
  const model::CollectionName name_;
  const int64_t begin_us_;
  size_t queries_ = 1;
  std::string filter_;
  std::string details_;
  model::ConsistencyLevel level_ = model::ConsistencyLevel::kStrong;
  Timestamp guarantee_;  // 0: it ended before that was known.
};

}  // namespace elanus::proxy
