// Watching memory and disk.
#include "coord/admission.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/log.h"

namespace elanus::coord {
namespace {

Status Refused(std::string_view reason) {
  return Error(ErrorCode::kQuotaExceeded, "{}[reason={}]", InfoOf(ErrorCode::kQuotaExceeded).name,
               reason);
}

// A gate with two marks: what has shut it must fall below the lower one before it opens.
void Turn(std::atomic<bool>& is_shut, bool is_above_high, bool is_below_low,
          std::string_view what) {
  const bool was_shut = is_shut.load();
  if (!was_shut && is_above_high) {
    is_shut.store(true);
    LogWarn("writes are refused: {} is short", what);
  } else if (was_shut && is_below_low) {
    is_shut.store(false);
    LogInfo("writes go on: there is room again what={}", what);
  }
}

}  // namespace

struct Admission::Impl {
  AdmissionProbes probes;
  const AdmissionOptions options;
  std::atomic<bool> is_memory_short{false};
  std::atomic<bool> is_disk_short{false};

  std::unique_ptr<Monitor> monitor;  // Guards `stopping`.
  bool stopping = false;
  std::unique_ptr<Worker> worker;

  void Loop(Admission& owner) {
    while (true) {
      owner.Look();
      std::lock_guard<Monitor> lock(*monitor);
      if (!stopping) monitor->WaitFor(options.interval_ms);
      if (stopping) return;
    }
  }

  void LookAtMemory() {
    if (!options.watches_memory) return;
    const MemoryUse use = probes.memory();
    if (use.total_bytes <= 0) return;
    const double share = static_cast<double>(use.used_bytes) / static_cast<double>(use.total_bytes);
    const double low = std::min(options.memory_low, options.memory_high);
    Turn(is_memory_short, share >= options.memory_high, share < low, "memory");
  }

  void LookAtDisk() {
    if (!options.watches_disk) return;
    bool is_full = false;
    bool has_room = true;
    if (const Result<DiskUse> disk = probes.disk(); disk.ok()) {
      const auto free = static_cast<double>(disk->free_bytes);
      const auto least = static_cast<double>(options.disk_free_mb_min << 20);
      is_full = free < least;
      has_room = free * options.disk_resume >= least;
    }
    if (options.disk_quota_mb >= 0) {
      const auto stored = static_cast<double>(probes.stored_bytes());
      const auto quota = static_cast<double>(options.disk_quota_mb << 20);
      is_full = is_full || stored >= quota;
      has_room = has_room && stored < quota * options.disk_resume;
    }
    Turn(is_disk_short, is_full, has_room, "disk");
  }
};

Admission::Admission(Executor& executor, AdmissionProbes probes, const AdmissionOptions& options)
    : impl_(new Impl{.probes = std::move(probes),
                     .options = options,
                     .monitor = executor.MakeMonitor(),
                     .worker = {}}) {
  impl_->worker = executor.Spawn("admission", [this] { impl_->Loop(*this); });
}

Admission::~Admission() {
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    impl_->stopping = true;
    impl_->monitor->NotifyAll();
  }
  impl_->worker.reset();
}

void Admission::Look() {
  impl_->LookAtMemory();
  impl_->LookAtDisk();
}

Status Admission::CheckWrite(roles::WriteKind kind) {
  if (impl_->options.force_deny) {
    return Refused("access has been disabled by the administrator");
  }
  if (impl_->is_memory_short.load(std::memory_order_relaxed)) {
    return Refused("memory quota exceeded, please allocate more resources");
  }
  if (kind == roles::WriteKind::kInsert && impl_->is_disk_short.load(std::memory_order_relaxed)) {
    return Refused("disk quota exceeded, please allocate more resources");
  }
  return {};
}

}  // namespace elanus::coord
