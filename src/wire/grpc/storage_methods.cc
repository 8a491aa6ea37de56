// What lies on disk: segments and their compaction.
#include <array>

#include "milvus.pb.h"
#include "model/requests/compaction.h"
#include "proxy/flush_all.h"
#include "proxy/ops.h"
#include "proxy/segments.h"
#include "wire/grpc/unary.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::milvus;
namespace common = milvus::proto::common;

Status ManualCompaction(Call& call, const pb::ManualCompactionRequest& request,
                        pb::ManualCompactionResponse& answer) {
  model::ManualCompactionRequest compact{.name = NameOf(call, request),
                                         .collection = CollectionId(request.collectionid()),
                                         .major = request.majorcompaction(),
                                         .deletes_only = request.l0compaction(),
                                         .target_mb = request.target_size(),
                                         .partition = PartitionId(request.partition_id()),
                                         .vchannel = request.channel()};
  for (int64_t id : request.segment_ids()) compact.segments.emplace_back(id);
  TRY_ASSIGN(const auto ticket, proxy::Compact(call.ctx, call.services, compact));
  answer.mutable_status();
  answer.set_compactionid(ticket.id);
  answer.set_compactionplancount(static_cast<int32_t>(ticket.plans));
  return {};
}

common::CompactionState StateOf(const roles::CompactionState& state) {
  return state.executing > 0 ? common::CompactionState::Executing
                             : common::CompactionState::Completed;
}

Status GetCompactionState(Call& call, const pb::GetCompactionStateRequest& request,
                          pb::GetCompactionStateResponse& answer) {
  TRY_ASSIGN(const auto state,
             proxy::CompactionProgress(call.ctx, call.services, request.compactionid()));
  answer.mutable_status();
  answer.set_state(StateOf(state));
  answer.set_executingplanno(state.executing);
  answer.set_completedplanno(state.completed);
  answer.set_failedplanno(state.failed);
  return {};
}

Status GetCompactionStateWithPlans(Call& call, const pb::GetCompactionPlansRequest& request,
                                   pb::GetCompactionPlansResponse& answer) {
  TRY_ASSIGN(const auto state,
             proxy::CompactionProgress(call.ctx, call.services, request.compactionid()));
  answer.mutable_status();
  answer.set_state(StateOf(state));
  for (const auto& merge : state.merges) {
    auto* info = answer.add_mergeinfos();
    for (SegmentId id : merge.sources) info->add_sources(id.value());
    info->set_target(merge.target.value());
    if (merge.target != SegmentId(-1)) info->add_targets(merge.target.value());
    info->set_trigger_id(request.compactionid());
    info->set_partition_id(merge.partition.value());
    info->set_channel(merge.vchannel);
    info->set_failure_reason(merge.failure);
  }
  return {};
}

Status FlushAll(Call& call, const pb::FlushAllRequest&, pb::FlushAllResponse& answer) {
  TRY_ASSIGN(const Timestamp moment, proxy::FlushAll(call.ctx, call.services));
  answer.mutable_status();
  answer.set_flush_all_ts(moment.value());
  return {};
}

Status GetFlushAllState(Call& call, const pb::GetFlushAllStateRequest& request,
                        pb::GetFlushAllStateResponse& answer) {
  proxy::FlushAllMoments moments{.all = Timestamp(request.flush_all_ts()), .by_pchannel = {}};
  for (const auto& [pchannel, moment] : request.flush_all_tss()) {
    moments.by_pchannel[pchannel] = Timestamp(moment);
  }
  TRY_ASSIGN(const bool flushed, proxy::AreAllFlushed(call.ctx, call.services, moments));
  answer.mutable_status();
  answer.set_flushed(flushed);
  return {};
}

// What segments say of themselves in both lists.
template <class Info>
void EncodeSegment(const model::SegmentInfo& segment, Info& info) {
  info.set_segmentid(segment.id.value());
  info.set_collectionid(segment.collection.value());
  info.set_partitionid(segment.partition.value());
  info.set_num_rows(segment.rows);
  const bool is_clustered = segment.clustered_by != FieldId();
  info.set_level(is_clustered ? common::SegmentLevel::L2 : common::SegmentLevel::L1);
  info.set_is_sorted(segment.is_sorted_by_key);
  info.set_storage_version(segment.file_version);
}

Status GetPersistentSegmentInfo(Call& call, const pb::GetPersistentSegmentInfoRequest& request,
                                pb::GetPersistentSegmentInfoResponse& answer) {
  if (!request.dbname().empty()) call.database = request.dbname();
  TRY_ASSIGN(const auto segments, proxy::ListSegments(call.ctx, call.services,
                                                      {.database = call.database,
                                                       .collection = request.collectionname()}));
  answer.mutable_status();
  for (const model::SegmentInfo& segment : segments) {
    const auto state = static_cast<common::SegmentState>(segment.state);
    const auto& wanted = request.states();
    const bool is_wanted = wanted.empty()
                               ? state != common::SegmentState::Growing
                               : std::find(wanted.begin(), wanted.end(), state) != wanted.end();
    if (!is_wanted) continue;
    auto* info = answer.add_infos();
    EncodeSegment(segment, *info);
    info->set_state(state);
    info->set_insert_channel(segment.vchannel);
  }
  return {};
}

Status GetQuerySegmentInfo(Call& call, const pb::GetQuerySegmentInfoRequest& request,
                           pb::GetQuerySegmentInfoResponse& answer) {
  if (!request.dbname().empty()) call.database = request.dbname();
  TRY_ASSIGN(const auto segments,
             proxy::ListLoadedSegments(
                 call.ctx, call.services,
                 {.database = call.database, .collection = request.collectionname()}));
  answer.mutable_status();
  for (const proxy::LoadedSegment& one : segments) {
    auto* info = answer.add_infos();
    EncodeSegment(one.segment.info, *info);
    // Rows that are not in official files yet are served from memory, sealed or not.
    const bool is_loaded = one.segment.info.state == model::SegmentState::kFlushed;
    info->set_state(is_loaded ? common::SegmentState::Sealed : common::SegmentState::Growing);
    info->set_mem_size(one.segment.memory_bytes);
    info->set_indexid(one.index.value());
    info->set_index_name(one.index_name);
    info->set_nodeid(kNodeId);
    info->add_nodeids(kNodeId);
  }
  return {};
}

Status CreateSnapshot(Call& call, const pb::CreateSnapshotRequest& request, common::Status&) {
  return proxy::CreateSnapshot(call.ctx, call.services,
                               {.collection = NameOf(call, request),
                                .name = request.name(),
                                .description = request.description(),
                                .protection_s = request.compaction_protection_seconds()});
}

Status DropSnapshot(Call& call, const pb::DropSnapshotRequest& request, common::Status&) {
  return proxy::DropSnapshot(call.ctx, call.services, NameOf(call, request), request.name());
}

Status ListSnapshots(Call& call, const pb::ListSnapshotsRequest& request,
                     pb::ListSnapshotsResponse& answer) {
  TRY_ASSIGN(const auto names,
             proxy::ListSnapshots(call.ctx, call.services, NameOf(call, request)));
  answer.mutable_status();
  for (const std::string& name : names) answer.add_snapshots(name);
  return {};
}

Status DescribeSnapshot(Call& call, const pb::DescribeSnapshotRequest& request,
                        pb::DescribeSnapshotResponse& answer) {
  TRY_ASSIGN(const auto snapshot, proxy::DescribeSnapshot(call.ctx, call.services,
                                                          NameOf(call, request), request.name()));
  answer.mutable_status();
  answer.set_name(snapshot.name);
  answer.set_description(snapshot.description);
  answer.set_collection_name(snapshot.collection.schema.name);
  for (const auto& partition : snapshot.collection.partitions) {
    answer.add_partition_names(partition.name);
  }
  answer.set_create_ts(static_cast<int64_t>(snapshot.moment.value()));
  answer.set_s3_location(fmt::format("segments/{}/", snapshot.collection.id.value()));
  return {};
}

Status RestoreSnapshot(Call& call, const pb::RestoreSnapshotRequest& request,
                       pb::RestoreSnapshotResponse& answer) {
  const std::string& database = request.target_db_name();
  TRY_ASSIGN(const int64_t job,
             proxy::RestoreSnapshot(call.ctx, call.services, NameOf(call, request), request.name(),
                                    {.database = database.empty() ? call.database : database,
                                     .collection = request.target_collection_name()}));
  answer.mutable_status();
  answer.set_job_id(job);
  return {};
}

void EncodeJob(const model::RestoreJob& job, pb::RestoreSnapshotInfo& info) {
  info.set_job_id(job.id);
  info.set_snapshot_name(job.snapshot);
  info.set_db_name(job.database);
  info.set_collection_name(job.target);
  info.set_state(static_cast<pb::RestoreSnapshotState>(job.state));
  info.set_progress(job.progress);
  info.set_reason(job.reason);
  info.set_start_time(static_cast<uint64_t>(job.started_ms));
  info.set_time_cost(static_cast<uint64_t>(job.cost_ms));
}

Status GetRestoreSnapshotState(Call& call, const pb::GetRestoreSnapshotStateRequest& request,
                               pb::GetRestoreSnapshotStateResponse& answer) {
  TRY_ASSIGN(const auto job, proxy::GetRestoreJob(call.services, request.job_id()));
  answer.mutable_status();
  EncodeJob(job, *answer.mutable_info());
  return {};
}

Status ListRestoreSnapshotJobs(Call& call, const pb::ListRestoreSnapshotJobsRequest& request,
                               pb::ListRestoreSnapshotJobsResponse& answer) {
  TRY_ASSIGN(const auto jobs,
             proxy::ListRestoreJobs(call.ctx, call.services, NameOf(call, request)));
  answer.mutable_status();
  for (const auto& job : jobs) EncodeJob(job, *answer.add_jobs());
  return {};
}

Status PinSnapshotData(Call& call, const pb::PinSnapshotDataRequest& request,
                       pb::PinSnapshotDataResponse& answer) {
  TRY_ASSIGN(const int64_t pin, proxy::PinSnapshot(call.ctx, call.services, NameOf(call, request),
                                                   request.name(), request.ttl_seconds()));
  answer.mutable_status();
  answer.set_pin_id(pin);
  return {};
}

Status UnpinSnapshotData(Call& call, const pb::UnpinSnapshotDataRequest& request, common::Status&) {
  return proxy::UnpinSnapshot(call.ctx, call.services, request.pin_id());
}

constexpr auto kMethods = std::to_array<Method>({
    {"CreateSnapshot", Unary<pb::CreateSnapshotRequest, common::Status, CreateSnapshot>},
    {"DropSnapshot", Unary<pb::DropSnapshotRequest, common::Status, DropSnapshot>},
    {"ListSnapshots", Unary<pb::ListSnapshotsRequest, pb::ListSnapshotsResponse, ListSnapshots>},
    {"DescribeSnapshot",
     Unary<pb::DescribeSnapshotRequest, pb::DescribeSnapshotResponse, DescribeSnapshot>},
    {"RestoreSnapshot",
     Unary<pb::RestoreSnapshotRequest, pb::RestoreSnapshotResponse, RestoreSnapshot>},
    {"GetRestoreSnapshotState",
     Unary<pb::GetRestoreSnapshotStateRequest, pb::GetRestoreSnapshotStateResponse,
           GetRestoreSnapshotState>},
    {"ListRestoreSnapshotJobs",
     Unary<pb::ListRestoreSnapshotJobsRequest, pb::ListRestoreSnapshotJobsResponse,
           ListRestoreSnapshotJobs>},
    {"PinSnapshotData",
     Unary<pb::PinSnapshotDataRequest, pb::PinSnapshotDataResponse, PinSnapshotData>},
    {"UnpinSnapshotData", Unary<pb::UnpinSnapshotDataRequest, common::Status, UnpinSnapshotData>},
    {"ManualCompaction",
     Unary<pb::ManualCompactionRequest, pb::ManualCompactionResponse, ManualCompaction>},
    {"GetCompactionState",
     Unary<pb::GetCompactionStateRequest, pb::GetCompactionStateResponse, GetCompactionState>},
    {"GetCompactionStateWithPlans",
     Unary<pb::GetCompactionPlansRequest, pb::GetCompactionPlansResponse,
           GetCompactionStateWithPlans>},
    {"FlushAll", Unary<pb::FlushAllRequest, pb::FlushAllResponse, FlushAll>},
    {"GetFlushAllState",
     Unary<pb::GetFlushAllStateRequest, pb::GetFlushAllStateResponse, GetFlushAllState>},
    {"GetPersistentSegmentInfo",
     Unary<pb::GetPersistentSegmentInfoRequest, pb::GetPersistentSegmentInfoResponse,
           GetPersistentSegmentInfo>},
    {"GetQuerySegmentInfo",
     Unary<pb::GetQuerySegmentInfoRequest, pb::GetQuerySegmentInfoResponse, GetQuerySegmentInfo>},
});

}  // namespace

std::span<const Method> StorageMethods() { return kMethods; }

}  // namespace elanus::wire
