// Fetches at the same time.
#include "segment/fetches.h"

#include <mutex>

namespace elanus::segment {

Status Fetches::ForEach(Context& ctx, size_t count,
                        const std::function<Status(Context&, size_t)>& fetch) const {
  if (pool_ == nullptr || count < 2) {
    for (size_t i = 0; i < count; ++i) {
      TRY(ctx.CheckAlive());
      TRY(fetch(ctx, i));
    }
    return {};
  }
  Context together(ctx, ctx.profile());
  std::mutex mutex;
  Status first;  // The others may have failed because of it.
  const Status done = pool_->ParallelFor(together, count, [&](size_t i) -> Status {
    Status fetched = fetch(together, i);
    if (fetched.ok()) return fetched;
    const std::lock_guard<std::mutex> lock(mutex);
    if (first.ok()) first = fetched;
    together.Cancel();
    return fetched;
  });
  return first.ok() ? done : first;
}

}  // namespace elanus::segment
