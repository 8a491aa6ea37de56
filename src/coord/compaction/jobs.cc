// Background compactions.
#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/machine.h"
#include "coord/compaction.h"
#include "coord/compaction/plan.h"
#include "model/time_to_live.h"

namespace elanus::coord {
namespace {

constexpr int64_t kTickMs = 1000;

// As the front lets it in: false, in any case of its letters, its first letter, or 0.
bool IsNo(std::string_view wish) {
  return wish == "false" || wish == "False" || wish == "FALSE" || wish == "f" || wish == "F" ||
         wish == "0";
}

struct Task {
  enum class State { kWaiting, kRunning, kDone, kFailed };
  CompactionPlan plan;
  bool is_automatic = false;
  State state = State::kWaiting;
  SegmentId target{-1};
  std::string failure;
  std::vector<std::string> folders;  // What it may write to.

  bool is_over() const { return state == State::kDone || state == State::kFailed; }
};
using TaskPtr = std::shared_ptr<Task>;

struct Ticket {
  std::vector<TaskPtr> tasks;
  int64_t over_since_us = -1;  // -1: not over, or nobody has looked.
};

}  // namespace

struct Compactor::Impl {
  roles::Coord coord;
  roles::Data& data;
  const CompactionOptions options;
  std::function<void(CollectionId)> on_done;
  std::function<bool(SegmentId)> is_protected;  // May be empty.
  Clock& clock;
  Context ctx;  // Of the tasks; cancelled at the end.

  std::unique_ptr<Monitor> monitor;  // Guards the members below and the state of the tasks.
  std::deque<TaskPtr> waiting;
  std::set<TaskPtr> running;
  std::map<int64_t, Ticket> tickets;
  int64_t next_merges_us = 0;
  int64_t next_deletes_us = 0;
  int64_t resting_until_us = 0;  // Automatic tasks wait until then.
  bool stopping = false;

  std::vector<std::unique_ptr<Worker>> workers;

  Impl(Executor& executor, Clock& c, roles::Coord co, roles::Data& d, const CompactionOptions& o,
       std::function<void(CollectionId)> callback)
      : coord(co),
        data(d),
        options(o),
        on_done(std::move(callback)),
        clock(c),
        ctx(c),
        monitor(executor.MakeMonitor()) {
    next_merges_us = clock.MonotonicUs() + options.merge_interval_s * 1'000'000;
    next_deletes_us = clock.MonotonicUs() + options.deletes_interval_s * 1'000'000;
  }

  void Loop();
  TaskPtr TakeLocked();
  void Run(const TaskPtr& task);
  Result<roles::CompactionTask> TaskOf(const CompactionPlan& plan,
                                       const model::CollectionInfo& info,
                                       const model::ShardFiles& files);
  Status Merge(Task& task, int64_t& bytes);
  Status MergeDeletes(Task& task);
  void PlanDue(bool merges, bool deletes);
  Status PlanCollection(const model::CollectionInfo& info, bool merges, bool deletes);
  Result<std::vector<CompactionPlan>> PlansFor(const roles::CompactionRequest& request,
                                               const model::CollectionInfo& info);
  /// Segments of other plans, and those that are to be left alone.
  std::set<SegmentId> BusyLocked(const model::ShardFiles& files) const;
  bool DeletesRunLocked(const std::string& vchannel) const;
  void EnqueueLocked(TaskPtr task);
  void ForgetTicketsLocked();
};

std::set<SegmentId> Compactor::Impl::BusyLocked(const model::ShardFiles& files) const {
  std::set<SegmentId> busy;
  for (const model::SegmentInfo& segment : files.segments) {
    if (is_protected && is_protected(segment.id)) busy.insert(segment.id);
  }
  for (const TaskPtr& task : waiting)
    busy.insert(task->plan.inputs.begin(), task->plan.inputs.end());
  for (const TaskPtr& task : running)
    busy.insert(task->plan.inputs.begin(), task->plan.inputs.end());
  return busy;
}

bool Compactor::Impl::DeletesRunLocked(const std::string& vchannel) const {
  const auto is_such = [&](const TaskPtr& task) {
    return task->plan.inputs.empty() && task->plan.vchannel == vchannel;
  };
  return std::any_of(waiting.begin(), waiting.end(), is_such) ||
         std::any_of(running.begin(), running.end(), is_such);
}

// Asked-for tasks before automatic ones, and of these delta logs before merges.
void Compactor::Impl::EnqueueLocked(TaskPtr task) {
  const auto rank = [](const Task& t) {
    return (t.is_automatic ? 2 : 0) + (t.plan.inputs.empty() ? 0 : 1);
  };
  const auto at = std::find_if(waiting.begin(), waiting.end(),
                               [&](const TaskPtr& other) { return rank(*other) > rank(*task); });
  waiting.insert(at, std::move(task));
  monitor->NotifyAll();
}

TaskPtr Compactor::Impl::TakeLocked() {
  if (waiting.empty()) return nullptr;
  if (waiting.front()->is_automatic && clock.MonotonicUs() < resting_until_us) return nullptr;
  TaskPtr task = std::move(waiting.front());
  waiting.pop_front();
  task->state = Task::State::kRunning;
  running.insert(task);
  return task;
}

void Compactor::Impl::Loop() {
  LowerPriority();
  while (true) {
    TaskPtr task;
    bool merges = false;
    bool deletes = false;
    {
      std::lock_guard<Monitor> lock(*monitor);
      while (!stopping && task == nullptr && !merges && !deletes) {
        task = TakeLocked();
        if (task != nullptr) break;
        const int64_t now_us = clock.MonotonicUs();
        if (options.enabled && options.automatic) {
          merges = now_us >= next_merges_us;
          deletes = now_us >= next_deletes_us;
        }
        if (merges) next_merges_us = now_us + options.merge_interval_s * 1'000'000;
        if (deletes) next_deletes_us = now_us + options.deletes_interval_s * 1'000'000;
        if (!merges && !deletes) monitor->WaitFor(kTickMs);
      }
      if (stopping) return;
      ForgetTicketsLocked();
    }
    if (task != nullptr) {
      Run(task);
    } else {
      PlanDue(merges, deletes);
    }
  }
}

void Compactor::Impl::Run(const TaskPtr& task) {
  const int64_t begin_us = clock.MonotonicUs();
  int64_t bytes = 0;
  const Status status = task->plan.inputs.empty() ? MergeDeletes(*task) : Merge(*task, bytes);
  const CollectionId collection = task->plan.collection;
  if (!status.ok() && status.code() != ErrorCode::kCanceled &&
      status.code() != ErrorCode::kCollectionNotFound) {
    LogWarn("compaction failed collection={} vchannel={} inputs={} error=\"{}\"",
            collection.value(), task->plan.vchannel, task->plan.inputs.size(), status.ToString());
  }
  // Before the task is over: who waits for it finds the new segments on their way in.
  if (status.ok()) on_done(collection);
  std::lock_guard<Monitor> lock(*monitor);
  running.erase(task);
  task->state = status.ok() ? Task::State::kDone : Task::State::kFailed;
  task->failure = status.ToString();
  if (task->is_automatic && options.throughput_mb_max > 0) {
    resting_until_us = begin_us + bytes / options.throughput_mb_max;  // Bytes / (MB/s) are us.
  }
  monitor->NotifyAll();
}

Result<roles::CompactionTask> Compactor::Impl::TaskOf(const CompactionPlan& plan,
                                                      const model::CollectionInfo& info,
                                                      const model::ShardFiles& files) {
  const int64_t now_ms = clock.NowMs();
  roles::CompactionTask work{.output = {},
                             .inputs = {},
                             .deltas = files.deltas,
                             .deletes_until = files.checkpoint.timestamp,
                             .expired_before = ReclaimBefore(options, info, now_ms)};
  int64_t bytes = 0;
  for (const model::SegmentInfo& segment : files.segments) {
    if (!std::binary_search(plan.inputs.begin(), plan.inputs.end(), segment.id)) continue;
    work.inputs.push_back(segment);
    bytes += segment.bytes;
  }
  const model::CollectionSchema& schema = info.schema;
  if (options.expiry_slack_h >= 0) {
    work.expiry_us = (now_ms - options.expiry_slack_h * 3'600'000) * 1000;
  } else {
    work.expiry_us = now_ms * 1000;
  }
  work.expiry_field = model::ExpiryField(info.properties, schema);
  if (options.sorts_by_key) work.sort_by = schema.primary_key().id;
  for (const model::FieldSchema& field : schema.fields) {
    if (plan.is_clustering && field.is_clustering_key) work.sort_by = field.id;
  }
  work.output_bytes_max = plan.output_bytes_max;
  const int64_t outputs = work.output_bytes_max <= 0
                              ? 1
                              : std::max<int64_t>(1, (bytes - 1) / work.output_bytes_max + 1);
  TRY_ASSIGN(const int64_t id, coord.oracle.AllocateIds(ctx, outputs));
  work.output = SegmentId(id);
  for (int64_t i = 1; i < outputs; ++i) work.more_outputs.emplace_back(id + i);
  return work;
}

Status Compactor::Impl::Merge(Task& task, int64_t& bytes) {
  const CompactionPlan& plan = task.plan;
  TRY_ASSIGN(const auto info, coord.catalog.Find(ctx, plan.collection));
  TRY_ASSIGN(const model::ShardFiles files, coord.segments.ListShard(ctx, plan.vchannel));
  TRY_ASSIGN(roles::CompactionTask work, TaskOf(plan, *info, files));
  {
    std::lock_guard<Monitor> lock(*monitor);
    for (const char* kind : {"segments", "indexes"}) {
      const auto add = [&](SegmentId id) {
        task.folders.push_back(fmt::format("{}/{}/{}/", kind, plan.collection.value(), id.value()));
      };
      add(work.output);
      std::for_each(work.more_outputs.begin(), work.more_outputs.end(), add);
    }
  }
  if (work.inputs.size() != plan.inputs.size()) {
    return Error(ErrorCode::kSegmentNotFound, "{}: compacted or dropped meanwhile",
                 InfoOf(ErrorCode::kSegmentNotFound).name);
  }
  const int64_t begin_us = clock.MonotonicUs();
  TRY_ASSIGN(roles::CompactionResult result, data.Compact(ctx, work, *info));
  model::CompactionCommit commit{.collection = plan.collection, .vchannel = plan.vchannel};
  if (result.is_unchanged) {
    commit.known.push_back(
        {.segment = plan.inputs[0], .deletes_counted = work.deletes_until, .deleted_rows = 0});
  } else {
    commit.inputs = plan.inputs;
  }
  if (result.output) commit.outputs.push_back(*result.output);
  for (model::SegmentInfo& more : result.more_outputs) commit.outputs.push_back(std::move(more));
  int64_t rows = 0;
  for (model::SegmentInfo& output : commit.outputs) {
    bytes += output.bytes;
    rows += output.rows;
    // Before it is official: its rows are searched by index from the first moment on.
    for (const model::IndexInfo& index : info->indexes) {
      TRY_ASSIGN(model::SegmentIndexInfo built, data.BuildIndex(ctx, output, *info, index));
      output.indexes.push_back(std::move(built));
    }
  }
  TRY(coord.segments.CommitCompaction(ctx, commit));
  LogInfo("compacted vchannel={} inputs={} output={} outputs={} rows={} removed={} bytes={} ms={}",
          plan.vchannel, plan.inputs.size(), result.output ? work.output.value() : 0,
          commit.outputs.size(), rows, result.rows_removed, bytes,
          (clock.MonotonicUs() - begin_us) / 1000);
  if (result.output) {
    std::lock_guard<Monitor> lock(*monitor);
    task.target = result.output->id;
  }
  return {};
}

Status Compactor::Impl::MergeDeletes(Task& task) {
  const CompactionPlan& plan = task.plan;
  TRY_ASSIGN(const auto info, coord.catalog.Find(ctx, plan.collection));
  TRY_ASSIGN(const model::ShardFiles files, coord.segments.ListShard(ctx, plan.vchannel));
  if (files.deltas.empty()) return {};
  TRY_ASSIGN(const int64_t id, coord.oracle.AllocateIds(ctx, 1));
  {
    std::lock_guard<Monitor> lock(*monitor);
    task.folders.push_back(fmt::format("deltas/{}/{}/", plan.collection.value(), plan.vchannel));
  }
  TRY_ASSIGN(const roles::MergeDeletesResult result,
             data.MergeDeletes(ctx,
                               {.output = id,
                                .collection = plan.collection,
                                .vchannel = plan.vchannel,
                                .deltas = files.deltas,
                                .segments = files.segments},
                               *info));
  model::CompactionCommit commit{.collection = plan.collection, .vchannel = plan.vchannel};
  for (const model::DeltaInfo& delta : files.deltas) commit.old_deltas.push_back(delta.key);
  if (result.delta) commit.new_deltas.push_back(*result.delta);
  for (size_t i = 0; i < files.segments.size(); ++i) {
    commit.known.push_back({.segment = files.segments[i].id,
                            .deletes_counted = files.checkpoint.timestamp,
                            .deleted_rows = result.deleted_rows[i]});
  }
  TRY(coord.segments.CommitCompaction(ctx, commit));
  LogInfo("delta logs merged vchannel={} inputs={} deletes={}", plan.vchannel, files.deltas.size(),
          result.delta ? result.delta->rows : 0);
  return {};
}

void Compactor::Impl::PlanDue(bool merges, bool deletes) {
  const auto collections = coord.catalog.List(ctx, model::kDefaultDatabase);
  if (!collections.ok()) return;
  for (const auto& info : *collections) {
    const std::string* wish = model::Find(info->properties, "collection.autocompaction.enabled");
    if (wish != nullptr && IsNo(*wish)) continue;
    const Status status = PlanCollection(*info, merges, deletes);
    if (!status.ok() && status.code() != ErrorCode::kCanceled) {
      LogWarn("planning compactions failed collection={} error=\"{}\"", info->id.value(),
              status.ToString());
    }
  }
}

Status Compactor::Impl::PlanCollection(const model::CollectionInfo& info, bool merges,
                                       bool deletes) {
  for (const std::string& vchannel : info.vchannels) {
    TRY_ASSIGN(const model::ShardFiles files, coord.segments.ListShard(ctx, vchannel));
    std::lock_guard<Monitor> lock(*monitor);
    const std::set<SegmentId> busy = BusyLocked(files);
    const ShardView shard{.collection = info,
                          .vchannel = vchannel,
                          .files = files,
                          .busy = busy,
                          .now_ms = clock.NowMs()};
    std::vector<CompactionPlan> plans;
    if (merges) plans = PlanAutomatic(options, shard);
    if (deletes && DeletesAreDue(options, shard) && !DeletesRunLocked(vchannel)) {
      plans.push_back({.collection = info.id, .vchannel = vchannel, .partition = {}, .inputs = {}});
    }
    for (CompactionPlan& plan : plans) {
      auto task = std::make_shared<Task>();
      task->plan = std::move(plan);
      task->is_automatic = true;
      EnqueueLocked(std::move(task));
    }
  }
  return {};
}

Result<std::vector<CompactionPlan>> Compactor::Impl::PlansFor(
    const roles::CompactionRequest& request, const model::CollectionInfo& info) {
  std::vector<CompactionPlan> plans;
  for (const std::string& vchannel : info.vchannels) {
    if (!request.vchannel.empty() && request.vchannel != vchannel) continue;
    TRY_ASSIGN(const model::ShardFiles files, coord.segments.ListShard(ctx, vchannel));
    if (request.deletes_only) {
      if (files.deltas.empty()) continue;
      std::lock_guard<Monitor> lock(*monitor);
      if (DeletesRunLocked(vchannel)) continue;
      plans.push_back({.collection = info.id, .vchannel = vchannel, .partition = {}, .inputs = {}});
      continue;
    }
    std::lock_guard<Monitor> lock(*monitor);
    const std::set<SegmentId> busy = BusyLocked(files);
    const ShardView shard{.collection = info,
                          .vchannel = vchannel,
                          .files = files,
                          .busy = busy,
                          .now_ms = clock.NowMs()};
    for (CompactionPlan& plan : request.is_clustering ? PlanClustering(options, shard, request)
                                                      : PlanManual(options, shard, request)) {
      plans.push_back(std::move(plan));
    }
  }
  return plans;
}

void Compactor::Impl::ForgetTicketsLocked() {
  const int64_t now_us = clock.MonotonicUs();
  for (auto it = tickets.begin(); it != tickets.end();) {
    Ticket& ticket = it->second;
    const bool is_over = std::all_of(ticket.tasks.begin(), ticket.tasks.end(),
                                     [](const TaskPtr& task) { return task->is_over(); });
    if (is_over && ticket.over_since_us < 0) ticket.over_since_us = now_us;
    if (is_over && now_us - ticket.over_since_us > options.ticket_s_max * 1'000'000) {
      it = tickets.erase(it);
    } else {
      ++it;
    }
  }
}

Compactor::Compactor(Executor& executor, Clock& clock, roles::Coord coord, roles::Data& data,
                     const CompactionOptions& options, std::function<void(CollectionId)> on_done)
    : impl_(std::make_unique<Impl>(executor, clock, coord, data, options, std::move(on_done))) {
  for (int64_t i = 0; i < options.tasks_max; ++i) {
    impl_->workers.push_back(
        executor.Spawn(fmt::format("compact-{}", i), [impl = impl_.get()] { impl->Loop(); }));
  }
}

Compactor::~Compactor() {
  impl_->ctx.Cancel();
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    impl_->stopping = true;
    impl_->monitor->NotifyAll();
  }
  impl_->workers.clear();
}

void Compactor::Protect(std::function<bool(SegmentId)> is_protected) {
  std::lock_guard<Monitor> lock(*impl_->monitor);
  impl_->is_protected = std::move(is_protected);
}

Result<roles::CompactionTicket> Compactor::Compact(Context& ctx,
                                                   const roles::CompactionRequest& request) {
  Impl& s = *impl_;
  if (!s.options.enabled) {
    return Status(ErrorCode::kServiceUnavailable, "compaction is disabled");
  }
  TRY_ASSIGN(const auto info, s.coord.catalog.Find(ctx, request.collection));
  const auto& fields = info->schema.fields;
  if (request.is_clustering &&
      std::none_of(fields.begin(), fields.end(),
                   [](const model::FieldSchema& field) { return field.is_clustering_key; })) {
    return Error(roles::kClusteringUnsupported, "{}[collection={}]: it has no clustering key",
                 InfoOf(roles::kClusteringUnsupported).name, info->schema.name);
  }
  {
    // What waits and nobody asked for gives way to what is asked for now.
    std::lock_guard<Monitor> lock(*s.monitor);
    std::erase_if(s.waiting, [&](const TaskPtr& task) {
      return task->is_automatic && task->plan.collection == info->id;
    });
  }
  TRY_ASSIGN(std::vector<CompactionPlan> plans, s.PlansFor(request, *info));
  TRY_ASSIGN(const int64_t id, s.coord.oracle.AllocateIds(ctx, 1));
  std::lock_guard<Monitor> lock(*s.monitor);
  Ticket ticket;
  // Their inputs are not planned again, so they belong to the answer.
  const auto add = [&](const TaskPtr& task) {
    if (task->plan.collection == info->id) ticket.tasks.push_back(task);
  };
  std::for_each(s.running.begin(), s.running.end(), add);
  std::for_each(s.waiting.begin(), s.waiting.end(), add);
  for (CompactionPlan& plan : plans) {
    auto task = std::make_shared<Task>();
    task->plan = std::move(plan);
    ticket.tasks.push_back(task);
    s.EnqueueLocked(std::move(task));
  }
  if (ticket.tasks.empty()) return roles::CompactionTicket();
  const auto count = static_cast<int64_t>(ticket.tasks.size());
  s.tickets.emplace(id, std::move(ticket));
  return roles::CompactionTicket{.id = id, .plans = count};
}

Result<roles::CompactionState> Compactor::State(Context&, int64_t ticket) {
  std::lock_guard<Monitor> lock(*impl_->monitor);
  impl_->ForgetTicketsLocked();
  roles::CompactionState state;
  const auto found = impl_->tickets.find(ticket);
  if (found == impl_->tickets.end()) return state;
  for (const TaskPtr& task : found->second.tasks) {
    if (!task->is_over()) ++state.executing;
    if (task->state == Task::State::kDone) ++state.completed;
    if (task->state == Task::State::kFailed) ++state.failed;
    if (task->plan.inputs.empty()) continue;
    state.merges.push_back({.partition = task->plan.partition,
                            .vchannel = task->plan.vchannel,
                            .sources = task->plan.inputs,
                            .target = task->target,
                            .is_over = task->is_over(),
                            .failure = task->failure});
  }
  return state;
}

std::vector<std::string> Compactor::FoldersInUse() const {
  std::lock_guard<Monitor> lock(*impl_->monitor);
  std::vector<std::string> folders;
  for (const TaskPtr& task : impl_->running) {
    folders.insert(folders.end(), task->folders.begin(), task->folders.end());
  }
  return folders;
}

}  // namespace elanus::coord
