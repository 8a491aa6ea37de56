// Refuses writes while memory or disk are nearly used up, and lets them in again once there is
// room.
#pragma once

#include <functional>
#include <memory>

#include "base/executor.h"
#include "base/machine.h"
#include "base/option_spec.h"
#include "roles/admission.h"

namespace elanus::coord {

struct AdmissionOptions {
  bool force_deny = false;
  bool watches_memory = true;
  double memory_low = 0.85;
  double memory_high = 0.95;
  bool watches_disk = true;
  int64_t disk_quota_mb = -1;
  int64_t disk_free_mb_min = 256;
  double disk_resume = 0.9;
  int64_t interval_ms = 500;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(force_deny,
          OptionSpec{"quotaAndLimits.limitWriting.forceDeny", "", 0, 1, "Every write is refused."});
    visit(watches_memory, OptionSpec{"quotaAndLimits.limitWriting.memProtection.enabled", "", 0, 1,
                                     "Writes are refused while memory is short."});
    visit(memory_low,
          OptionSpec{"quotaAndLimits.limitWriting.memProtection.dataNodeMemoryLowWaterLevel", "", 0,
                     1, "Share of the machine's memory below which writes go on again."});
    visit(memory_high,
          OptionSpec{"quotaAndLimits.limitWriting.memProtection.dataNodeMemoryHighWaterLevel", "",
                     0, 1, "Share of the machine's memory from which on writes are refused."});
    visit(watches_disk, OptionSpec{"quotaAndLimits.limitWriting.diskProtection.enabled", "", 0, 1,
                                   "Inserts are refused while disk is short; deletes are not."});
    visit(disk_quota_mb, OptionSpec{"quotaAndLimits.limitWriting.diskProtection.diskQuota", "MB",
                                    -1, 1e9, "What may be stored; -1: no limit."});
    visit(disk_free_mb_min,
          OptionSpec{"quotaAndLimits.limitWriting.diskProtection.freeSpaceMin", "MB", 0, 1e9,
                     "Free space of the data directory's disk below which inserts are refused."});
    visit(disk_resume,
          OptionSpec{"quotaAndLimits.limitWriting.diskProtection.resumeRatio", "", 0, 1,
                     "Inserts go on below this share of the quota, or above the free space divided "
                     "by it."});
    visit(interval_ms, OptionSpec{"quotaAndLimits.quotaCenterCollectInterval", "ms", 10, 1e6,
                                  "How often memory and disk are looked at."});
  }
};

/// Where the numbers come from.
struct AdmissionProbes {
  std::function<MemoryUse()> memory;
  std::function<Result<DiskUse>()> disk;
  std::function<int64_t()> stored_bytes;  // Of all segments, indexes and delta logs.
};

/// Thread-safe.
class Admission final : public roles::Admission {
 public:
  Admission(Executor& executor, AdmissionProbes probes, const AdmissionOptions& options);
  /// Joins.
  ~Admission() override;
  Status CheckWrite(roles::WriteKind kind) override;
  /// Looks at memory and disk now; the worker does so at each interval.
  void Look();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::coord
