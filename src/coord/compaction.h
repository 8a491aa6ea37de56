// Compacts flushed segments in the background: small ones become one, deleted and expired rows go
// for good, delta logs that nothing needs are dropped.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/option_spec.h"
#include "roles/compaction.h"
#include "roles/coord.h"
#include "roles/data.h"

namespace elanus::coord {

struct CompactionOptions {
  bool enabled = true;
  bool automatic = true;
  bool waits_for_index = true;
  bool sorts_by_key = true;
  int64_t tasks_max = 1;
  int64_t throughput_mb_max = 0;
  int64_t segment_mb_max = 1024;  // Of dataCoord.segment.maxSize, which the streaming node reads.
  int64_t merge_interval_s = 60;
  int64_t deletes_interval_s = 10;
  double small_proportion = 0.5;
  double full_proportion = 0.85;
  double expansion_rate = 1.25;
  int64_t segments_min = 3;
  int64_t delta_logs_min = 10;
  int64_t delta_bytes_min = 8 << 20;
  double deleted_ratio = 0.2;
  int64_t delta_bytes_max = 16 << 20;
  int64_t delta_logs_max = 200;
  int64_t expired_bytes_max = 10 << 20;
  int64_t expiry_slack_h = -1;
  int64_t ticket_s_max = 3600;
  bool clustering_enabled = true;
  bool clustering_automatic = false;
  int64_t clustering_interval_s = 600;
  int64_t clustering_s_min = 3600;
  int64_t clustering_s_max = 259200;
  int64_t clustering_bytes_min = 512 << 20;
  bool fills_fields = true;
  int64_t fill_interval_s = 20;
  int64_t retention_s = 0;           // Of common.retentionDuration, likewise.
  int64_t entity_expiration_s = -1;  // Of common.entityExpiration, likewise.
  int64_t auto_index_memory_mb = 0;  // Of autoIndex.memoryLimit, likewise.

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(enabled, OptionSpec{"dataCoord.enableCompaction", "", 0, 1, "Compaction of any kind."});
    visit(automatic, OptionSpec{"dataCoord.compaction.enableAutoCompaction", "", 0, 1,
                                "Compaction that nobody asked for."});
    visit(waits_for_index,
          OptionSpec{"dataCoord.compaction.indexBasedCompaction", "", 0, 1,
                     "Automatic compaction takes segments once their indexes are built."});
    visit(sorts_by_key, OptionSpec{"dataCoord.sortCompaction.enable", "", 0, 1,
                                   "Rows of a compacted segment are put in the order of the "
                                   "primary key."});
    visit(tasks_max, OptionSpec{"dataCoord.compaction.maxParallelTaskNum", "", 1, 64,
                                "Compactions that run at once."});
    visit(throughput_mb_max,
          OptionSpec{"dataCoord.compaction.throughputMax", "MB/s", 0, 1e6,
                     "Automatic compactions write no faster, and rest between tasks, so that no "
                     "more is written on average; 0: as fast as it goes."});
    visit(merge_interval_s, OptionSpec{"dataCoord.compaction.mix.triggerInterval", "seconds", 1,
                                       1e6, "How often small segments are looked for."});
    visit(deletes_interval_s, OptionSpec{"dataCoord.compaction.levelzero.triggerInterval",
                                         "seconds", 1, 1e6, "How often delta logs are looked at."});
    visit(small_proportion, OptionSpec{"dataCoord.segment.smallProportion", "", 0, 1,
                                       "Of the largest size: a smaller segment may be merged."});
    visit(full_proportion,
          OptionSpec{"dataCoord.segment.compactableProportion", "", 0, 1,
                     "Of the largest size: two segments that fill it are merged at once."});
    visit(expansion_rate, OptionSpec{"dataCoord.segment.expansionRate", "", 1, 10,
                                     "How far the last input may lift a merge above the size."});
    visit(segments_min, OptionSpec{"dataCoord.compaction.min.segment", "", 2, 1000,
                                   "Segments worth a merge before they fill the size."});
    visit(delta_logs_min, OptionSpec{"dataCoord.compaction.levelzero.forceTrigger.deltalogMinNum",
                                     "", 1, 1e6, "New delta logs of a shard that are merged."});
    visit(delta_bytes_min, OptionSpec{"dataCoord.compaction.levelzero.forceTrigger.minSize",
                                      "bytes", 1, 1e12, "The same by size."});
    visit(deleted_ratio, OptionSpec{"dataCoord.compaction.single.ratio.threshold", "", 0, 1,
                                    "Share of deleted or expired rows worth a rewrite."});
    visit(delta_bytes_max, OptionSpec{"dataCoord.compaction.single.deltalog.maxsize", "bytes", 1,
                                      1e12, "Size of delta logs that calls for a rewrite."});
    visit(delta_logs_max, OptionSpec{"dataCoord.compaction.single.deltalog.maxnum", "", 1, 1e6,
                                     "Number of delta logs that calls for a rewrite."});
    visit(expired_bytes_max, OptionSpec{"dataCoord.compaction.single.expiredlog.maxsize", "bytes",
                                        1, 1e12, "Expired rows worth a rewrite, by size."});
    visit(expiry_slack_h, OptionSpec{"dataCoord.compaction.expiry.tolerance", "hours", -1, 1e6,
                                     "Expired rows stay on disk for this much longer; -1: none."});
    visit(ticket_s_max, OptionSpec{"dataCoord.compaction.dropTolerance", "seconds", 0, 1e9,
                                   "How long the state of a finished compaction is known."});
    visit(clustering_enabled, OptionSpec{"dataCoord.compaction.clustering.enable", "", 0, 1,
                                         "Compaction by the clustering key."});
    visit(clustering_automatic, OptionSpec{"dataCoord.compaction.clustering.autoEnable", "", 0, 1,
                                           "The same without being asked."});
    visit(clustering_interval_s,
          OptionSpec{"dataCoord.compaction.clustering.triggerInterval", "seconds", 1, 1e6,
                     "How often partitions that are due for it are looked for."});
    visit(clustering_s_min, OptionSpec{"dataCoord.compaction.clustering.minInterval", "seconds", 0,
                                       1e9, "A partition is not clustered again sooner."});
    visit(clustering_s_max,
          OptionSpec{"dataCoord.compaction.clustering.maxInterval", "seconds", 0, 1e9,
                     "After so long any new data of a partition is worth it."});
    visit(clustering_bytes_min,
          OptionSpec{"dataCoord.compaction.clustering.newDataSizeThreshold", "bytes", 1, 1e15,
                     "New data of a partition and shard that is worth it sooner."});
    visit(fills_fields,
          OptionSpec{"dataCoord.compaction.bumpSchemaVersion.enabled", "", 0, 1,
                     "Rows older than a function get the field that came with it; without it no "
                     "such function can be added."});
    visit(fill_interval_s,
          OptionSpec{"dataCoord.compaction.bumpSchemaVersion.triggerInterval", "seconds", 1, 1e6,
                     "How often segments that lack such a field are looked for."});
  }
};

/// What a compactor asks and tells; called on its threads.
struct CompactionHooks {
  /// After each compaction of the collection that became official: its loaded segments are to be
  /// brought up to date.
  std::function<void(CollectionId)> on_done;
  /// Segments to be left alone; empty: none.
  std::function<bool(SegmentId)> is_protected = nullptr;
  /// Rows that were there at this moment are kept, though they are deleted or expired by now
  /// (kTimestampMax: none); empty: none for any collection.
  std::function<Timestamp(CollectionId)> oldest_open_read = nullptr;
};

/// Thread-safe. The parts must outlive it. It begins at once, so what `hooks` ask must be there.
class Compactor final : public roles::Compaction {
 public:
  Compactor(Executor& executor, Clock& clock, roles::Coord coord, roles::Data& data,
            const CompactionOptions& options, CompactionHooks hooks);
  /// Cancels what runs and joins; what was not official stays garbage.
  ~Compactor() override;

  Result<roles::CompactionTicket> Compact(Context& ctx,
                                          const roles::CompactionRequest& request) override;
  Status FillFields(Context& ctx) override;
  Result<roles::CompactionState> State(Context& ctx, int64_t ticket) override;
  /// Folders that running compactions write to: nothing in them is garbage yet.
  std::vector<std::string> FoldersInUse() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::coord
