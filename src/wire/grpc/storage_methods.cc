// What lies on disk: segments and their compaction.
#include <array>

#include "milvus.pb.h"
#include "model/requests/compaction.h"
#include "proxy/ops.h"
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
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), state) == wanted.end()) continue;
    auto* info = answer.add_infos();
    info->set_segmentid(segment.id.value());
    info->set_collectionid(segment.collection.value());
    info->set_partitionid(segment.partition.value());
    info->set_num_rows(segment.rows);
    info->set_state(state);
    info->set_level(common::SegmentLevel::L1);
    info->set_insert_channel(segment.vchannel);
  }
  return {};
}

constexpr auto kMethods = std::to_array<Method>({
    {"ManualCompaction",
     Unary<pb::ManualCompactionRequest, pb::ManualCompactionResponse, ManualCompaction>},
    {"GetCompactionState",
     Unary<pb::GetCompactionStateRequest, pb::GetCompactionStateResponse, GetCompactionState>},
    {"GetCompactionStateWithPlans",
     Unary<pb::GetCompactionPlansRequest, pb::GetCompactionPlansResponse,
           GetCompactionStateWithPlans>},
    {"GetPersistentSegmentInfo",
     Unary<pb::GetPersistentSegmentInfoRequest, pb::GetPersistentSegmentInfoResponse,
           GetPersistentSegmentInfo>},
});

}  // namespace

std::span<const Method> StorageMethods() { return kMethods; }

}  // namespace elanus::wire
