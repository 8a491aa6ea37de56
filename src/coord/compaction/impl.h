// What a compactor consists of: tasks that wait or run, and what is due. Private to it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "coord/compaction.h"
#include "coord/compaction/plan.h"

namespace elanus::coord {

struct CompactionWork {
  enum class State { kWaiting, kRunning, kDone, kFailed };
  CompactionPlan plan;
  bool is_automatic = false;
  State state = State::kWaiting;
  SegmentId target{-1};
  std::string failure;
  std::vector<std::string> folders;  // What it may write to.

  bool is_over() const { return state == State::kDone || state == State::kFailed; }
};
using TaskPtr = std::shared_ptr<CompactionWork>;

// Kinds of plans that are made without being asked.
struct CompactionDue {
  bool merges = false;
  bool deletes = false;
  bool clustering = false;
  bool fills = false;
  bool any() const { return merges || deletes || clustering || fills; }
};

struct CompactionTasks {
  std::vector<TaskPtr> tasks;
  int64_t over_since_us = -1;  // -1: not over, or nobody has looked.
};

struct Compactor::Impl {
  roles::Coord coord;
  roles::Data& data;
  const CompactionOptions options;
  const CompactionHooks hooks;
  Clock& clock;
  Context ctx;  // Of the tasks; cancelled at the end.

  std::unique_ptr<Monitor> monitor;  // Guards the members below and the state of the tasks.
  std::deque<TaskPtr> waiting;
  std::set<TaskPtr> running;
  std::map<int64_t, CompactionTasks> tickets;
  int64_t next_merges_us = 0;
  int64_t next_deletes_us = 0;
  int64_t next_clustering_us = 0;
  int64_t next_fills_us = 0;                      // At once: a restart may have stopped some.
  std::map<SegmentId, int64_t> resting_segments;  // Their dead rows stay until then, in us.
  int64_t resting_until_us = 0;                   // Automatic tasks wait until then.
  bool stopping = false;

  std::vector<std::unique_ptr<Worker>> workers;

  Impl(Executor& executor, Clock& c, roles::Coord co, roles::Data& d, const CompactionOptions& o,
       CompactionHooks asked)
      : coord(co),
        data(d),
        options(o),
        hooks(std::move(asked)),
        clock(c),
        ctx(c),
        monitor(executor.MakeMonitor()) {
    next_merges_us = clock.MonotonicUs() + options.merge_interval_s * 1'000'000;
    next_deletes_us = clock.MonotonicUs() + options.deletes_interval_s * 1'000'000;
    next_clustering_us = clock.MonotonicUs() + options.clustering_interval_s * 1'000'000;
  }

  void Loop();
  TaskPtr TakeLocked();
  void Run(const TaskPtr& task);
  bool IsOvertaken(const CompactionPlan& plan);
  Result<roles::CompactionTask> TaskOf(const CompactionPlan& plan,
                                       const model::CollectionInfo& info,
                                       const model::ShardFiles& files);
  Timestamp OldestOpenRead(CollectionId collection);
  Timestamp ClusteredAt(const roles::CompactionTask& work) const;
  Status Merge(CompactionWork& task, int64_t& bytes);
  Status BuildIndexes(const model::CollectionInfo& info, model::SegmentInfo& segment);
  Status MergeDeletes(CompactionWork& task);
  CompactionDue DueLocked();
  void PlanDue(const CompactionDue& due);
  Status PlanCollection(const model::CollectionInfo& info, const CompactionDue& due);
  std::map<SegmentId, int64_t> CountExpired(const model::CollectionInfo& info,
                                            const model::ShardFiles& files);
  void RestLocked(const std::vector<SegmentId>& segments);
  std::set<SegmentId> RestingLocked();
  enum class Protection { kCounts, kIgnored };
  Result<std::vector<CompactionPlan>> PlansFor(const roles::CompactionRequest& request,
                                               const model::CollectionInfo& info,
                                               Protection protection);
  Status CheckProtection(const roles::CompactionRequest& request, const model::CollectionInfo& info,
                         bool has_plans);
  /// Segments of other plans, and those that are to be left alone.
  std::set<SegmentId> BusyLocked(const model::ShardFiles& files,
                                 Protection protection = Protection::kCounts) const;
  bool DeletesRunLocked(const std::string& vchannel) const;
  void EnqueueLocked(TaskPtr task);
  void ForgetTicketsLocked();
};

}  // namespace elanus::coord
