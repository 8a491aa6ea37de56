// Resource groups, replicas, and moves of segments between nodes.
#include "proxy/resource_groups.h"

#include <algorithm>

#include "proxy/checks.h"
#include "proxy/ops.h"

namespace elanus::proxy {
namespace {

Status CheckGroupName(const Services& services, const std::string& name) {
  if (!name.empty()) return CheckName(services.options, "resource group name", name);
  return Error(ErrorCode::kMissingParameter, "resource group name couldn't be empty");
}

}  // namespace

Status CreateResourceGroup(Context& ctx, Services& services, const std::string& name,
                           const model::ResourceGroupConfig& config) {
  TRY(CheckGroupName(services, name));
  return services.resource_groups.CreateGroup(ctx, name, config);
}

Status DropResourceGroup(Context& ctx, Services& services, const std::string& name) {
  TRY(CheckGroupName(services, name));
  return services.resource_groups.DropGroup(ctx, name);
}

Status UpdateResourceGroups(Context& ctx, Services& services, const roles::GroupConfigs& wanted) {
  for (const auto& [name, config] : wanted) TRY(CheckGroupName(services, name));
  return services.resource_groups.UpdateGroups(ctx, wanted);
}

Status TransferNode(Context& ctx, Services& services, const model::NodeTransfer& wanted) {
  TRY(CheckGroupName(services, wanted.source));
  TRY(CheckGroupName(services, wanted.target));
  return services.resource_groups.TransferNodes(ctx, wanted);
}

Status TransferReplica(Context& ctx, Services& services, const model::ReplicaTransfer& wanted) {
  TRY(CheckGroupName(services, wanted.source));
  TRY(CheckGroupName(services, wanted.target));
  TRY(Resolve(ctx, services, wanted.collection).status());
  return services.resource_groups.TransferReplicas(ctx, wanted);
}

Result<model::ResourceGroupView> DescribeResourceGroup(Services& services,
                                                       const std::string& name) {
  TRY(CheckGroupName(services, name));
  return services.resource_groups.DescribeGroup(name);
}

std::vector<std::string> ListResourceGroups(Services& services) {
  return services.resource_groups.ListGroups();
}

Result<std::vector<model::Replica>> GetReplicas(Context& ctx, Services& services,
                                                const model::CollectionName& name,
                                                CollectionId id) {
  TRY_ASSIGN(const auto collection, DescribeCollection(ctx, services, name, id));
  std::vector<model::Replica> replicas;
  if (collection->loaded) replicas.push_back(services.resource_groups.FindReplica(*collection));
  return replicas;
}

Status LoadBalance(Context& ctx, Services& services, const model::CollectionName& name,
                   const SegmentMoves& moves) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  if (!collection->loaded || moves.source != model::kNodeId) {
    return Error(kReplicaNotFound, "{}[collection={}][node={}]", InfoOf(kReplicaNotFound).name,
                 name.collection, moves.source);
  }
  for (const int64_t target : moves.targets) {
    if (target == model::kNodeId) continue;
    return Error(kNodeNotFound, "{}[node={}]", InfoOf(kNodeNotFound).name, target);
  }
  TRY_ASSIGN(const auto served, services.streaming.ServedSegments(ctx, collection->id));
  for (const SegmentId segment : moves.segments) {
    const auto is_it = [&](const model::ServedSegment& one) {
      return one.info.id == segment && one.info.state == model::SegmentState::kFlushed;
    };
    if (std::any_of(served.begin(), served.end(), is_it)) continue;
    return Error(ErrorCode::kSegmentNotFound, "{}[segment={}]",
                 InfoOf(ErrorCode::kSegmentNotFound).name, segment.value());
  }
  return {};
}

}  // namespace elanus::proxy
