// Timestamps and ids, strictly increasing over the life of a deployment.
#pragma once

#include <memory>

#include "base/executor.h"
#include "roles/coord.h"
#include "store/meta_store.h"

namespace elanus::coord {

/// Reserves windows in the meta store (3 s of time, 100,000 ids) and answers from memory inside
/// them, so a restart goes on above everything that was ever given out. Thread-safe.
class Oracle final : public roles::Oracle {
 public:
  static Result<std::unique_ptr<Oracle>> Open(Context& ctx, store::MetaStore& meta,
                                              Executor& executor, Clock& clock);
  Result<Timestamp> Now(Context& ctx) override;
  /// Everything that was given out before it was opened is earlier; 0: nothing was.
  Timestamp opened_at() const { return opened_at_; }
  Result<int64_t> AllocateIds(Context& ctx, int64_t count) override;

 private:
  Oracle(store::MetaStore& meta, Executor& executor, Clock& clock)
      : meta_(meta), clock_(clock), monitor_(executor.MakeMonitor()) {}
  /// Makes the key hold at least `value`.
  Status Reserve(Context& ctx, const char* key, uint64_t value);

  store::MetaStore& meta_;
  Clock& clock_;
  Timestamp opened_at_;
  std::unique_ptr<Monitor> monitor_;  // Guards the members below.
  uint64_t last_ = 0;
  int64_t window_end_ms_ = 0;  // Timestamps below it may be given out.
  int64_t next_id_ = 0;
  int64_t ids_end_ = 0;
  bool reserving_ = false;  // One caller writes to the meta store, the others wait.
};

}  // namespace elanus::coord
