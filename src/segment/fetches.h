// What a load fetches from elsewhere, at the same time: a store far away costs its latency a few
// times, not once for each file.
#pragma once

#include <cstddef>
#include <functional>

#include "base/context.h"
#include "base/executor.h"
#include "base/status.h"

namespace elanus::segment {

/// Thread-safe, copied freely.
class Fetches {
 public:
  /// One after another: where files lie on this machine.
  Fetches() = default;
  /// As many at the same time as the pool has workers, and one more by whoever asks; `pool`
  /// outlives this. Those that ask from within a fetch share the same workers.
  explicit Fetches(Pool& pool) : pool_(&pool) {}

  /// Runs fetch(ctx, 0) .. fetch(ctx, count - 1), with a context that is cancelled as soon as one
  /// fails; returns when all have ended, with the error of the one that failed first.
  Status ForEach(Context& ctx, size_t count,
                 const std::function<Status(Context&, size_t)>& fetch) const;

 private:
  Pool* pool_ = nullptr;
};

}  // namespace elanus::segment
