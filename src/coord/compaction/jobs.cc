// Background compactions.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "coord/auto_choice.h"
#include "coord/compaction/impl.h"
#include "model/partition_key.h"
#include "model/time_to_live.h"

namespace elanus::coord {
namespace {

constexpr int64_t kTickMs = 1000;

}  // namespace

// Asked-for tasks before automatic ones, and of these delta logs before merges.
void Compactor::Impl::EnqueueLocked(TaskPtr task) {
  const auto rank = [](const CompactionWork& t) {
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
  task->state = CompactionWork::State::kRunning;
  running.insert(task);
  return task;
}

// What is due now, and when it will be again.
CompactionDue Compactor::Impl::DueLocked() {
  if (!options.enabled) return {};
  const int64_t now_us = clock.MonotonicUs();
  const auto is_due = [&](int64_t& next_us, int64_t interval_s) {
    if (now_us < next_us) return false;
    next_us = now_us + interval_s * 1'000'000;
    return true;
  };
  CompactionDue due;
  due.fills = options.fills_fields && is_due(next_fills_us, options.fill_interval_s);
  if (!options.automatic) return due;
  due.merges = is_due(next_merges_us, options.merge_interval_s);
  due.deletes = is_due(next_deletes_us, options.deletes_interval_s);
  due.clustering = options.clustering_enabled && options.clustering_automatic &&
                   is_due(next_clustering_us, options.clustering_interval_s);
  return due;
}

void Compactor::Impl::Loop() {
  while (true) {
    TaskPtr task;
    CompactionDue due;
    {
      std::lock_guard<Monitor> lock(*monitor);
      while (!stopping) {
        task = TakeLocked();
        if (task != nullptr) break;
        due = DueLocked();
        if (due.any()) break;
        monitor->WaitFor(kTickMs);
      }
      if (stopping) return;
      ForgetTicketsLocked();
    }
    if (task != nullptr) {
      Run(task);
    } else {
      PlanDue(due);
    }
  }
}

// What it was to compact is gone: truncated, dropped, or compacted by another.
bool Compactor::Impl::IsOvertaken(const CompactionPlan& plan) {
  const auto files = coord.segments.ListShard(ctx, plan.vchannel);
  if (!files.ok()) return false;
  if (plan.inputs.empty()) return files->deltas.empty();
  const auto is_there = [&](SegmentId input) {
    return std::any_of(files->segments.begin(), files->segments.end(),
                       [&](const model::SegmentInfo& segment) { return segment.id == input; });
  };
  return !std::all_of(plan.inputs.begin(), plan.inputs.end(), is_there);
}

void Compactor::Impl::Run(const TaskPtr& task) {
  const int64_t begin_us = clock.MonotonicUs();
  int64_t bytes = 0;
  Status status = task->plan.inputs.empty() ? MergeDeletes(*task) : Merge(*task, bytes);
  const bool is_dropped = status.code() == ErrorCode::kCollectionNotFound;
  if (!status.ok() && !is_dropped && IsOvertaken(task->plan)) {
    LogInfo("compaction overtaken vchannel={} inputs={} by=\"{}\"", task->plan.vchannel,
            task->plan.inputs.size(), status.ToString());
    status = {};  // There is nothing left to do, and nothing failed.
  }
  const CollectionId collection = task->plan.collection;
  if (!status.ok() && !is_dropped && status.code() != ErrorCode::kCanceled) {
    LogWarn("compaction failed collection={} vchannel={} inputs={} error=\"{}\"",
            collection.value(), task->plan.vchannel, task->plan.inputs.size(), status.ToString());
  }
  // Before the task is over: who waits for it finds the new segments on their way in.
  if (status.ok()) hooks.on_done(collection);
  std::lock_guard<Monitor> lock(*monitor);
  running.erase(task);
  task->state = status.ok() ? CompactionWork::State::kDone : CompactionWork::State::kFailed;
  task->failure = status.ToString();
  if (task->is_automatic && options.throughput_mb_max > 0) {
    resting_until_us = begin_us + bytes / options.throughput_mb_max;  // Bytes / (MB/s) are us.
  }
  monitor->NotifyAll();
}

Timestamp Compactor::Impl::OldestOpenRead(CollectionId collection) {
  return hooks.oldest_open_read ? hooks.oldest_open_read(collection) : kTimestampMax;
}

Result<roles::CompactionTask> Compactor::Impl::TaskOf(const CompactionPlan& plan,
                                                      const model::CollectionInfo& info,
                                                      const model::ShardFiles& files) {
  const int64_t now_ms = clock.NowMs();
  // Asked after the files were listed: whoever begins to read later does so at a moment behind
  // their deletes.
  const Timestamp open_read = OldestOpenRead(info.id);
  roles::CompactionTask work{.output = {},
                             .inputs = {},
                             .deltas = files.deltas,
                             .deletes_until = files.checkpoint.timestamp,
                             .expired_before = ReclaimBefore(options, info, now_ms, open_read),
                             .reclaim_until = DeletedUntil(options, now_ms, open_read)};
  int64_t bytes = 0;
  for (const model::SegmentInfo& segment : files.segments) {
    if (!std::binary_search(plan.inputs.begin(), plan.inputs.end(), segment.id)) continue;
    work.inputs.push_back(segment);
    bytes += segment.bytes;
  }
  const model::CollectionSchema& schema = info.schema;
  work.expiry_us = ExpiredUntilUs(options, now_ms, open_read);
  work.expiry_field = model::ExpiryField(info.properties, schema);
  if (options.sorts_by_key) work.sort_by = schema.primary_key().id;
  if (const model::FieldSchema* key = model::IsolatedKey(info)) work.sort_by = key->id;
  for (const model::FieldSchema& field : schema.fields) {
    if (!plan.is_clustering || !field.is_clustering_key) continue;
    work.sort_by = field.id;
    work.is_clustering = true;
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

// A segment that is rewritten alone keeps its age.
Timestamp Compactor::Impl::ClusteredAt(const roles::CompactionTask& work) const {
  const model::SegmentInfo& first = work.inputs[0];
  const bool is_rewrite = work.inputs.size() == 1 && first.clustered_by == work.sort_by;
  return is_rewrite ? first.clustered_at : MakeTimestamp(clock.NowMs());
}

// Before the segment is official: its rows are searched by index from the first moment on.
Status Compactor::Impl::BuildIndexes(const model::CollectionInfo& info,
                                     model::SegmentInfo& segment) {
  TRY_ASSIGN(const auto segments, coord.segments.ListSegments(ctx, info.id));
  int64_t rows = 0;
  for (const model::SegmentInfo& other : segments) rows += other.rows;
  for (const model::IndexInfo& index : info.indexes) {
    const model::IndexInfo wanted = ChosenFor(
        index, info, {.segment = segment.rows, .collection = rows}, options.auto_index_memory_mb);
    TRY_ASSIGN(model::SegmentIndexInfo built,
               data.BuildIndex(ctx, segment, info, wanted, roles::BuildPace::kSome));
    NoteChoice(wanted, built);
    segment.indexes.push_back(std::move(built));
  }
  return {};
}

Status Compactor::Impl::Merge(CompactionWork& task, int64_t& bytes) {
  const CompactionPlan& plan = task.plan;
  TRY_ASSIGN(const auto info, coord.catalog.Find(ctx, plan.collection));
  TRY_ASSIGN(const model::ShardFiles files, coord.segments.ListShard(ctx, plan.vchannel));
  TRY_ASSIGN(roles::CompactionTask work, TaskOf(plan, *info, files));
  if (task.is_automatic) work.write_bytes_per_s = options.throughput_mb_max << 20;
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
    commit.known.push_back({.segment = plan.inputs[0],
                            .deletes_counted = work.deletes_until,
                            .deleted_rows = result.rows_hidden});
  } else {
    commit.inputs = plan.inputs;
  }
  if (result.output) commit.outputs.push_back(*result.output);
  for (model::SegmentInfo& more : result.more_outputs) commit.outputs.push_back(std::move(more));
  int64_t rows = 0;
  for (model::SegmentInfo& output : commit.outputs) {
    bytes += output.bytes;
    rows += output.rows;
    if (output.clustered_by != FieldId()) output.clustered_at = ClusteredAt(work);
    TRY(BuildIndexes(*info, output));
  }
  TRY(coord.segments.CommitCompaction(ctx, commit));
  LogInfo("compacted vchannel={} inputs={} output={} outputs={} rows={} removed={} bytes={} ms={}",
          plan.vchannel, plan.inputs.size(), result.output ? work.output.value() : 0,
          commit.outputs.size(), rows, result.rows_removed, bytes,
          (clock.MonotonicUs() - begin_us) / 1000);
  std::lock_guard<Monitor> lock(*monitor);
  if (result.output) task.target = result.output->id;
  if (result.rows_hidden > 0) {
    std::vector<SegmentId> left = commit.inputs.empty() ? plan.inputs : std::vector<SegmentId>();
    for (const model::SegmentInfo& output : commit.outputs) left.push_back(output.id);
    RestLocked(left);
  }
  return {};
}

// Rows that are kept for readers of the past cannot go before the retention is over, so there is no
// use in rewriting their segments again and again until then.
void Compactor::Impl::RestLocked(const std::vector<SegmentId>& segments) {
  const int64_t until_us =
      clock.MonotonicUs() + std::max<int64_t>(options.retention_s / 2, 1) * 1'000'000;
  for (SegmentId segment : segments) resting_segments[segment] = until_us;
}

std::set<SegmentId> Compactor::Impl::RestingLocked() {
  const int64_t now_us = clock.MonotonicUs();
  std::erase_if(resting_segments, [&](const auto& entry) { return entry.second <= now_us; });
  std::set<SegmentId> resting;
  for (const auto& [segment, until_us] : resting_segments) resting.insert(segment);
  return resting;
}

Status Compactor::Impl::MergeDeletes(CompactionWork& task) {
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

void Compactor::Impl::ForgetTicketsLocked() {
  const int64_t now_us = clock.MonotonicUs();
  for (auto it = tickets.begin(); it != tickets.end();) {
    CompactionTasks& ticket = it->second;
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
                     const CompactionOptions& options, CompactionHooks hooks)
    : impl_(std::make_unique<Impl>(executor, clock, coord, data, options, std::move(hooks))) {
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

Result<roles::CompactionTicket> Compactor::Compact(Context& ctx,
                                                   const roles::CompactionRequest& request) {
  Impl& s = *impl_;
  if (!s.options.enabled) {
    return Status(ErrorCode::kServiceUnavailable, "compaction is disabled");
  }
  TRY_ASSIGN(const auto info, s.coord.catalog.Find(ctx, request.collection));
  const auto& fields = info->schema.fields;
  if (request.is_clustering && !s.options.clustering_enabled) {
    return Error(roles::kClusteringUnsupported, "{}: it is switched off",
                 InfoOf(roles::kClusteringUnsupported).name);
  }
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
  TRY_ASSIGN(std::vector<CompactionPlan> plans,
             s.PlansFor(request, *info, Impl::Protection::kCounts));
  TRY(s.CheckProtection(request, *info, !plans.empty()));
  TRY_ASSIGN(const int64_t id, s.coord.oracle.AllocateIds(ctx, 1));
  std::lock_guard<Monitor> lock(*s.monitor);
  CompactionTasks ticket;
  // Their inputs are not planned again, so they belong to the answer.
  const auto add = [&](const TaskPtr& task) {
    if (task->plan.collection == info->id) ticket.tasks.push_back(task);
  };
  std::for_each(s.running.begin(), s.running.end(), add);
  std::for_each(s.waiting.begin(), s.waiting.end(), add);
  for (CompactionPlan& plan : plans) {
    auto task = std::make_shared<CompactionWork>();
    task->plan = std::move(plan);
    ticket.tasks.push_back(task);
    s.EnqueueLocked(std::move(task));
  }
  if (ticket.tasks.empty()) return roles::CompactionTicket();
  const auto count = static_cast<int64_t>(ticket.tasks.size());
  s.tickets.emplace(id, std::move(ticket));
  return roles::CompactionTicket{.id = id, .plans = count};
}

Status Compactor::FillFields(Context&) {
  if (!impl_->options.enabled || !impl_->options.fills_fields) {
    return Error(ErrorCode::kServiceUnavailable, "filling fields of old rows is disabled");
  }
  std::lock_guard<Monitor> lock(*impl_->monitor);
  impl_->next_fills_us = 0;
  impl_->monitor->NotifyAll();
  return {};
}

Result<roles::CompactionState> Compactor::State(Context&, int64_t ticket) {
  std::lock_guard<Monitor> lock(*impl_->monitor);
  impl_->ForgetTicketsLocked();
  roles::CompactionState state;
  const auto found = impl_->tickets.find(ticket);
  if (found == impl_->tickets.end()) return state;
  for (const TaskPtr& task : found->second.tasks) {
    if (!task->is_over()) ++state.executing;
    if (task->state == CompactionWork::State::kDone) ++state.completed;
    if (task->state == CompactionWork::State::kFailed) ++state.failed;
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
