// What a compactor finds to do.
#include <algorithm>

#include "base/log.h"
#include "coord/compaction/impl.h"
#include "model/time_to_live.h"

namespace elanus::coord {
namespace {

// As the front lets it in: false, in any case of its letters, its first letter, or 0.
bool IsNo(std::string_view wish) {
  return wish == "false" || wish == "False" || wish == "FALSE" || wish == "f" || wish == "F" ||
         wish == "0";
}

}  // namespace

std::set<SegmentId> Compactor::Impl::BusyLocked(const model::ShardFiles& files,
                                                Protection protection) const {
  std::set<SegmentId> busy;
  for (const model::SegmentInfo& segment : files.segments) {
    if (protection == Protection::kCounts && hooks.is_protected && hooks.is_protected(segment.id)) {
      busy.insert(segment.id);
    }
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

void Compactor::Impl::PlanDue(const CompactionDue& due) {
  const auto collections = coord.catalog.List(ctx, model::kDefaultDatabase);
  if (!collections.ok()) return;
  for (const auto& info : *collections) {
    const std::string* wish = model::Find(info->properties, "collection.autocompaction.enabled");
    const bool is_manual = wish != nullptr && IsNo(*wish);
    CompactionDue wanted = is_manual ? CompactionDue() : due;
    wanted.fills = due.fills && !info->schema.functions.empty();
    if (!wanted.any()) continue;
    const Status status = PlanCollection(*info, wanted);
    if (!status.ok() && status.code() != ErrorCode::kCanceled) {
      LogWarn("planning compactions failed collection={} error=\"{}\"", info->id.value(),
              status.ToString());
    }
  }
}

// By the field that says until when a row lives. Such rows do not go with time alone, as those of a
// collection's time to live do, so they are counted.
std::map<SegmentId, int64_t> Compactor::Impl::CountExpired(const model::CollectionInfo& info,
                                                           const model::ShardFiles& files) {
  std::map<SegmentId, int64_t> expired;
  const FieldId field = model::ExpiryField(info.properties, info.schema);
  if (field == FieldId()) return expired;
  const int64_t until_us = ExpiredUntilUs(options, clock.NowMs());
  for (const model::SegmentInfo& segment : files.segments) {
    const Result<int64_t> rows = data.CountExpired(ctx, segment, field, until_us);
    if (rows.ok()) {
      expired[segment.id] = *rows;
    } else if (rows.status().code() != ErrorCode::kCanceled) {
      LogWarn("counting expired rows failed segment={} error=\"{}\"", segment.id.value(),
              rows.status().ToString());
    }
  }
  return expired;
}

Status Compactor::Impl::PlanCollection(const model::CollectionInfo& info,
                                       const CompactionDue& due) {
  for (const std::string& vchannel : info.vchannels) {
    TRY_ASSIGN(const model::ShardFiles files, coord.segments.ListShard(ctx, vchannel));
    std::map<SegmentId, int64_t> expired;
    if (due.merges) expired = CountExpired(info, files);
    std::lock_guard<Monitor> lock(*monitor);
    const std::set<SegmentId> busy = BusyLocked(files);
    const ShardView shard{.collection = info,
                          .vchannel = vchannel,
                          .files = files,
                          .busy = busy,
                          .now_ms = clock.NowMs(),
                          .expired_rows = std::move(expired),
                          .resting = RestingLocked()};
    std::vector<CompactionPlan> plans;
    // All would take the same segments. Of the first two, whose turn comes more seldom goes first.
    if (due.clustering) plans = PlanDueClustering(options, shard);
    if (due.fills && plans.empty()) plans = PlanFills(options, shard);
    if (due.merges && plans.empty()) plans = PlanAutomatic(options, shard);
    if (due.deletes && DeletesAreDue(options, shard) && !DeletesRunLocked(vchannel)) {
      plans.push_back({.collection = info.id, .vchannel = vchannel, .partition = {}, .inputs = {}});
    }
    for (CompactionPlan& plan : plans) {
      auto task = std::make_shared<CompactionWork>();
      task->plan = std::move(plan);
      task->is_automatic = true;
      EnqueueLocked(std::move(task));
    }
  }
  return {};
}

Result<std::vector<CompactionPlan>> Compactor::Impl::PlansFor(
    const roles::CompactionRequest& request, const model::CollectionInfo& info,
    Protection protection) {
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
    const std::set<SegmentId> busy = BusyLocked(files, protection);
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

// What is asked for by name is not passed over in silence, and neither is all there is to do.
Status Compactor::Impl::CheckProtection(const roles::CompactionRequest& request,
                                        const model::CollectionInfo& info, bool has_plans) {
  const auto blocked = [&] {
    return Error(roles::kCompactionBlocked, "{}[collection={}]",
                 InfoOf(roles::kCompactionBlocked).name, info.schema.name);
  };
  if (!hooks.is_protected) return {};
  if (std::any_of(request.segments.begin(), request.segments.end(), hooks.is_protected))
    return blocked();
  if (has_plans) return {};
  TRY_ASSIGN(const auto plans, PlansFor(request, info, Protection::kIgnored));
  return plans.empty() ? Status() : blocked();
}

}  // namespace elanus::coord
