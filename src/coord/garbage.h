// Removes objects that nothing refers to: of dropped collections, partitions and indexes, of
// compacted segments, and what crashes have left behind.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/option_spec.h"
#include "coord/catalog.h"
#include "roles/garbage_collection.h"
#include "roles/streaming.h"
#include "store/object_store.h"

namespace elanus::coord {

struct GarbageOptions {
  bool enabled = true;
  int64_t interval_s = 3600;
  int64_t dropped_s_min = 10800;
  int64_t unknown_s_min = 86400;
  int64_t scan_interval_h = 168;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(enabled, OptionSpec{"dataCoord.enableGarbageCollection", "", 0, 1,
                              "Removal of files that nothing refers to."});
    visit(interval_s,
          OptionSpec{"dataCoord.gc.interval", "seconds", 1, 1e9, "How often they are removed."});
    visit(dropped_s_min, OptionSpec{"dataCoord.gc.dropTolerance", "seconds", 0, 1e9,
                                    "How long files of what was dropped or compacted stay."});
    visit(unknown_s_min,
          OptionSpec{"dataCoord.gc.missingTolerance", "seconds", 0, 1e9,
                     "How long a file must be seen without a reference before it goes, and "
                     "an upload that nobody finishes must have begun."});
    visit(scan_interval_h, OptionSpec{"dataCoord.gc.scanInterval", "hours", 0, 1e6,
                                      "How often all files are listed; the first round after a "
                                      "start lists them too."});
  }
};

struct GarbageParts {
  Executor& executor;
  Clock& clock;
  Catalog& catalog;
  roles::Streaming& streaming;
  store::ObjectStore& objects;
  std::function<std::vector<std::string>()> folders_in_use;  // Nothing in them is garbage.
  /// Objects that somebody may open later: those of a remote store that loaded segments have not
  /// read yet. Nor are they.
  std::function<std::set<std::string>()> keys_in_use = [] { return std::set<std::string>(); };
};

/// Thread-safe. The parts must outlive it.
class GarbageCollector final : public roles::GarbageCollection {
 public:
  GarbageCollector(GarbageParts parts, const GarbageOptions& options);
  /// Cancels the round that runs and joins.
  ~GarbageCollector() override;

  Result<std::string> Pause(Context& ctx, int64_t seconds, CollectionId collection) override;
  Status Resume(Context& ctx, const std::string& ticket) override;
  /// One round, now: what was dropped long enough ago goes, and what was seen without a reference
  /// for long enough. One at a time.
  Status Collect(Context& ctx);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::coord
