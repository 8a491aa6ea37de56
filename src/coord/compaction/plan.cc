// What to compact.
#include "coord/compaction/plan.h"

#include <algorithm>
#include <map>

#include "model/back_fill.h"
#include "model/time_to_live.h"

namespace elanus::coord {
namespace {

using model::SegmentInfo;

bool IsNewer(const model::DeltaInfo& delta, Timestamp moment) {
  return delta.newest == Timestamp() || delta.newest > moment;
}

class Planner {
 public:
  Planner(const CompactionOptions& options, const ShardView& shard)
      : options_(options),
        shard_(shard),
        full_bytes_(options.segment_mb_max << 20),
        limit_bytes_(
            static_cast<int64_t>(options.expansion_rate * static_cast<double>(full_bytes_))),
        output_bytes_max_(limit_bytes_),
        reclaim_before_(ReclaimBefore(options, shard.collection, shard.now_ms)),
        clustering_key_(ClusteringKey(shard.collection.schema)),
        has_expiry_field_(model::ExpiryField(shard.collection.properties,
                                             shard.collection.schema) != FieldId()) {}

  std::vector<CompactionPlan> Automatic() {
    std::vector<CompactionPlan> plans;
    for (auto& [partition, segments] : ByPartition([&](const SegmentInfo& segment) {
           return segment.bytes > 0 && (!options_.waits_for_index || IsIndexed(segment));
         })) {
      std::vector<const SegmentInfo*> merged = Balanced(segments);
      for (const SegmentInfo* segment : segments) {
        const bool is_merged = std::find(merged.begin(), merged.end(), segment) != merged.end();
        const bool is_due = IsOversized(*segment) ||
                            (IsMostlyDead(*segment) && shard_.resting.count(segment->id) == 0);
        if (!is_merged && is_due) plans.push_back(PlanOf(partition, {segment}));
      }
      if (!merged.empty()) plans.push_back(PlanOf(partition, merged));
    }
    return plans;
  }

  std::vector<CompactionPlan> Fills() const {
    std::vector<CompactionPlan> plans;
    for (auto& [partition, segments] : ByPartition([&](const SegmentInfo& segment) {
           return !model::FieldsToFill(shard_.collection.schema, segment).empty();
         })) {
      for (const SegmentInfo* segment : segments) plans.push_back(PlanOf(partition, {segment}));
    }
    return plans;
  }

  std::vector<CompactionPlan> DueClustering() const {
    if (clustering_key_ == FieldId()) return {};
    std::vector<CompactionPlan> plans;
    std::set<PartitionId> held_up;  // Some of their segments are being compacted.
    for (const SegmentInfo& segment : shard_.files.segments) {
      if (shard_.busy.count(segment.id) > 0) held_up.insert(segment.partition);
    }
    for (auto& [partition, segments] :
         ByPartition([](const SegmentInfo& segment) { return segment.bytes > 0; })) {
      const bool all_indexed =
          !options_.waits_for_index ||
          std::all_of(segments.begin(), segments.end(),
                      [&](const SegmentInfo* segment) { return IsIndexed(*segment); });
      if (held_up.count(partition) > 0 || !all_indexed || !ClusteringIsDue(segments)) continue;
      plans.push_back(PlanOf(partition, segments));
      plans.back().output_bytes_max = full_bytes_;
      plans.back().is_clustering = true;
    }
    return plans;
  }

  std::vector<CompactionPlan> Clustering(const roles::CompactionRequest& request) {
    std::vector<CompactionPlan> plans;
    for (auto& [partition, segments] : ByPartition([&](const SegmentInfo& segment) {
           return segment.bytes > 0 && IsWanted(request, segment);
         })) {
      plans.push_back(PlanOf(partition, segments));
      plans.back().output_bytes_max = full_bytes_;
      plans.back().is_clustering = true;
    }
    return plans;
  }

  std::vector<CompactionPlan> Manual(const roles::CompactionRequest& request) {
    std::vector<CompactionPlan> plans;
    const int64_t full = request.target_mb > 0 ? request.target_mb << 20 : full_bytes_;
    const auto small =
        request.target_mb > 0
            ? full
            : static_cast<int64_t>(options_.small_proportion * static_cast<double>(full));
    const auto limit = static_cast<int64_t>(options_.expansion_rate * static_cast<double>(full));
    output_bytes_max_ = std::max(limit, limit_bytes_);
    for (auto& [partition, segments] : ByPartition([&](const SegmentInfo& segment) {
           const bool is_small = segment.bytes > 0 && segment.LiveBytes() < small;
           return IsWanted(request, segment) &&
                  (is_small || MayHaveDeadRows(segment) || IsOversized(segment));
         })) {
      // In the order of their rows, so that those of one time stay together.
      std::stable_sort(segments.begin(), segments.end(),
                       [](const auto* a, const auto* b) { return a->oldest < b->oldest; });
      std::vector<const SegmentInfo*> bin;
      int64_t bytes = 0;
      const auto close = [&] {
        if (bin.size() > 1 ||
            (bin.size() == 1 && (MayHaveDeadRows(*bin[0]) || IsOversized(*bin[0])))) {
          plans.push_back(PlanOf(partition, bin));
        }
        bin.clear();
        bytes = 0;
      };
      for (const SegmentInfo* segment : segments) {
        if (IsClustered(*segment) && request.target_mb <= 0) {
          // Merged with others it would lose its order.
          if (MayHaveDeadRows(*segment)) plans.push_back(PlanOf(partition, {segment}));
          continue;
        }
        // Of unknown size: rewritten alone, and known then.
        const int64_t more = segment->bytes > 0 ? segment->LiveBytes() : limit;
        if (!bin.empty() && (bytes >= full || bytes + more > limit)) close();
        bin.push_back(segment);
        bytes += more;
      }
      close();
    }
    return plans;
  }

 private:
  using Segments = std::vector<const SegmentInfo*>;

  template <class Predicate>
  std::map<PartitionId, Segments> ByPartition(Predicate takes) const {
    std::map<PartitionId, Segments> groups;
    for (const SegmentInfo& segment : shard_.files.segments) {
      if (shard_.busy.count(segment.id) == 0 && takes(segment)) {
        groups[segment.partition].push_back(&segment);
      }
    }
    return groups;
  }

  CompactionPlan PlanOf(PartitionId partition, const Segments& segments) const {
    CompactionPlan plan{.collection = shard_.collection.id,
                        .vchannel = shard_.vchannel,
                        .partition = partition,
                        .inputs = {}};
    plan.output_bytes_max = output_bytes_max_;
    for (const SegmentInfo* segment : segments) plan.inputs.push_back(segment->id);
    plan.is_clustering = segments.size() == 1 && IsClustered(*segments[0]);
    std::sort(plan.inputs.begin(), plan.inputs.end());
    return plan;
  }

  static bool IsWanted(const roles::CompactionRequest& request, const SegmentInfo& segment) {
    if (request.partition != PartitionId() && request.partition != segment.partition) return false;
    const auto& ids = request.segments;
    return ids.empty() || std::find(ids.begin(), ids.end(), segment.id) != ids.end();
  }

  static FieldId ClusteringKey(const model::CollectionSchema& schema) {
    for (const model::FieldSchema& field : schema.fields) {
      if (field.is_clustering_key) return field.id;
    }
    return {};
  }

  bool IsClustered(const SegmentInfo& segment) const {
    return clustering_key_ != FieldId() && segment.clustered_by == clustering_key_;
  }

  bool ClusteringIsDue(const Segments& segments) const {
    int64_t fresh_bytes = 0;
    Timestamp oldest_fresh = kTimestampMax;
    Timestamp last;
    for (const SegmentInfo* segment : segments) {
      if (IsClustered(*segment)) {
        last = std::max(last, segment->clustered_at);
      } else {
        fresh_bytes += segment->LiveBytes();
        oldest_fresh = std::min(oldest_fresh, segment->oldest);
      }
    }
    if (fresh_bytes == 0) return false;
    const bool is_first = last == Timestamp();
    const int64_t age_ms = shard_.now_ms - PhysicalMs(is_first ? oldest_fresh : last);
    if (age_ms >= options_.clustering_s_max * 1000) return true;
    return fresh_bytes >= options_.clustering_bytes_min &&
           (is_first || age_ms >= options_.clustering_s_min * 1000);
  }

  bool IsIndexed(const SegmentInfo& segment) const {
    const auto& indexes = shard_.collection.indexes;
    return std::all_of(indexes.begin(), indexes.end(), [&](const model::IndexInfo& index) {
      return std::any_of(segment.indexes.begin(), segment.indexes.end(),
                         [&](const auto& built) { return built.index == index.id; });
    });
  }

  // Such as those written before the size was lowered.
  bool IsOversized(const SegmentInfo& segment) const {
    return segment.LiveBytes() > 2 * limit_bytes_;
  }

  // Smallest first, as long as the next is no larger than those before it together: the merge at
  // least doubles its largest input.
  Segments Balanced(Segments segments) const {
    const double full = static_cast<double>(full_bytes_);
    std::erase_if(segments, [&](const SegmentInfo* segment) {
      return IsClustered(*segment) ||
             static_cast<double>(segment->LiveBytes()) >= options_.small_proportion * full;
    });
    std::stable_sort(segments.begin(), segments.end(),
                     [](const auto* a, const auto* b) { return a->LiveBytes() < b->LiveBytes(); });
    Segments merged;
    double bytes = 0;
    Segments best;
    for (const SegmentInfo* segment : segments) {
      const auto more = static_cast<double>(segment->LiveBytes());
      if (bytes >= full || bytes + more > full * options_.expansion_rate) break;
      merged.push_back(segment);
      bytes += more;
      const bool doubles = 2 * more <= bytes;
      const bool fills = bytes >= options_.full_proportion * full;
      const bool many = merged.size() >= static_cast<size_t>(options_.segments_min);
      if ((many && doubles) || (merged.size() > 1 && fills)) best = merged;
    }
    return best;
  }

  bool MayHaveDeadRows(const SegmentInfo& segment) const {
    const auto& deltas = shard_.files.deltas;
    return segment.deleted_rows > 0 || segment.oldest < reclaim_before_ || has_expiry_field_ ||
           std::any_of(deltas.begin(), deltas.end(), [&](const model::DeltaInfo& delta) {
             return IsNewer(delta, segment.deletes_applied);
           });
  }

  bool IsMostlyDead(const SegmentInfo& segment) const {
    const auto rows = static_cast<double>(segment.rows);
    const auto deleted = static_cast<double>(segment.deleted_rows);
    if (deleted > 0 && deleted >= options_.deleted_ratio * rows) return true;
    int64_t logs = 0;
    int64_t bytes = 0;
    for (const model::DeltaInfo& delta : shard_.files.deltas) {
      if (!IsNewer(delta, segment.deletes_applied)) continue;
      ++logs;
      bytes += delta.bytes;
    }
    if (logs > options_.delta_logs_max || bytes > options_.delta_bytes_max) return true;
    const double expired = ExpiredShare(segment);
    return expired > 0 && (expired >= options_.deleted_ratio ||
                           expired * static_cast<double>(segment.bytes) >
                               static_cast<double>(options_.expired_bytes_max));
  }

  // An estimate: as if the rows had come evenly. What it misses is reclaimed later.
  double ExpiredShare(const SegmentInfo& segment) const {
    if (const auto counted = shard_.expired_rows.find(segment.id);
        counted != shard_.expired_rows.end() && segment.rows > 0) {
      return static_cast<double>(counted->second) / static_cast<double>(segment.rows);
    }
    if (segment.oldest >= reclaim_before_) return 0;
    if (segment.newest < reclaim_before_) return 1;
    const auto span = static_cast<double>(PhysicalMs(segment.newest) - PhysicalMs(segment.oldest));
    const auto gone = static_cast<double>(PhysicalMs(reclaim_before_) - PhysicalMs(segment.oldest));
    return span <= 0 ? 0 : gone / span;
  }

  const CompactionOptions& options_;
  const ShardView& shard_;
  const int64_t full_bytes_;
  const int64_t limit_bytes_;  // Twice of which is too much for one segment.
  int64_t output_bytes_max_;   // The same, or more when the request asks for more.
  const Timestamp reclaim_before_;
  const FieldId clustering_key_;  // 0: none.
  const bool has_expiry_field_;
};

}  // namespace

namespace {

// What has expired by then may go.
int64_t ExpiredUntilMs(const CompactionOptions& options, int64_t now_ms, Timestamp open_read) {
  const int64_t slack_ms =
      std::max<int64_t>(0, options.expiry_slack_h) * 3600 * 1000 + options.retention_s * 1000;
  return std::min(now_ms - slack_ms, PhysicalMs(open_read));
}

}  // namespace

Timestamp ReclaimBefore(const CompactionOptions& options, const model::CollectionInfo& collection,
                        int64_t now_ms, Timestamp open_read) {
  return model::ExpiredBefore(collection.properties,
                              {.now_ms = ExpiredUntilMs(options, now_ms, open_read),
                               .default_s = options.entity_expiration_s});
}

Timestamp DeletedUntil(const CompactionOptions& options, int64_t now_ms, Timestamp open_read) {
  if (options.retention_s == 0) return open_read;
  return std::min(open_read, MakeTimestamp(now_ms - options.retention_s * 1000));
}

int64_t ExpiredUntilUs(const CompactionOptions& options, int64_t now_ms, Timestamp open_read) {
  return ExpiredUntilMs(options, now_ms, open_read) * 1000;
}

bool DeletesAreDue(const CompactionOptions& options, const ShardView& shard) {
  Timestamp counted = kTimestampMax;  // In every segment.
  int64_t rows = 0;
  for (const SegmentInfo& segment : shard.files.segments) {
    counted = std::min(counted, std::max(segment.deletes_applied, segment.deletes_counted));
    rows += segment.rows;
  }
  int64_t logs = 0;
  int64_t bytes = 0;
  int64_t deletes = 0;
  for (const model::DeltaInfo& delta : shard.files.deltas) {
    // Of an early build, without its moment: it would be due for ever.
    if (delta.newest == Timestamp() || delta.newest <= counted) continue;
    ++logs;
    bytes += delta.bytes;
    deletes += delta.rows;
  }
  return logs >= options.delta_logs_min || bytes >= options.delta_bytes_min ||
         (deletes > 0 &&
          static_cast<double>(deletes) >= options.deleted_ratio * static_cast<double>(rows));
}

std::vector<CompactionPlan> PlanAutomatic(const CompactionOptions& options,
                                          const ShardView& shard) {
  return Planner(options, shard).Automatic();
}

std::vector<CompactionPlan> PlanFills(const CompactionOptions& options, const ShardView& shard) {
  return Planner(options, shard).Fills();
}

std::vector<CompactionPlan> PlanManual(const CompactionOptions& options, const ShardView& shard,
                                       const roles::CompactionRequest& request) {
  return Planner(options, shard).Manual(request);
}

std::vector<CompactionPlan> PlanDueClustering(const CompactionOptions& options,
                                              const ShardView& shard) {
  return Planner(options, shard).DueClustering();
}

std::vector<CompactionPlan> PlanClustering(const CompactionOptions& options, const ShardView& shard,
                                           const roles::CompactionRequest& request) {
  return Planner(options, shard).Clustering(request);
}

}  // namespace elanus::coord
