// Resource groups, replicas, and moves of segments.
#include <array>

#include "base/machine.h"
#include "milvus.pb.h"
#include "proxy/resource_groups.h"
#include "wire/grpc/unary.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::milvus;
namespace common = milvus::proto::common;
namespace rg = milvus::proto::rg;

template <class Transfers>
std::vector<std::string> NamesOf(const Transfers& transfers) {
  std::vector<std::string> names;
  for (const auto& transfer : transfers) names.push_back(transfer.resource_group());
  return names;
}

model::ResourceGroupConfig DecodeConfig(const rg::ResourceGroupConfig& config) {
  constexpr int32_t kNotGiven = model::ResourceGroupConfig::kNotGiven;
  model::ResourceGroupConfig decoded{
      .requests = config.has_requests() ? config.requests().node_num() : kNotGiven,
      .limits = config.has_limits() ? config.limits().node_num() : kNotGiven,
      .transfer_from = NamesOf(config.transfer_from()),
      .transfer_to = NamesOf(config.transfer_to())};
  for (const auto& label : config.node_filter().node_labels()) {
    decoded.node_labels.push_back({label.key(), label.value()});
  }
  return decoded;
}

void EncodeConfig(const model::ResourceGroupConfig& config, rg::ResourceGroupConfig& out) {
  out.mutable_requests()->set_node_num(config.requests);
  out.mutable_limits()->set_node_num(config.limits);
  for (const auto& name : config.transfer_from) out.add_transfer_from()->set_resource_group(name);
  for (const auto& name : config.transfer_to) out.add_transfer_to()->set_resource_group(name);
  for (const auto& [key, value] : config.node_labels) {
    auto* label = out.mutable_node_filter()->add_node_labels();
    label->set_key(key);
    label->set_value(value);
  }
}

std::string AddressOf(const Call& call) { return fmt::format("{}:{}", HostName(), call.port); }

Status CreateResourceGroup(Call& call, const pb::CreateResourceGroupRequest& request,
                           common::Status&) {
  model::ResourceGroupConfig config;
  if (request.has_config()) config = DecodeConfig(request.config());
  return proxy::CreateResourceGroup(call.ctx, call.services, request.resource_group(), config);
}

Status DropResourceGroup(Call& call, const pb::DropResourceGroupRequest& request, common::Status&) {
  return proxy::DropResourceGroup(call.ctx, call.services, request.resource_group());
}

Status UpdateResourceGroups(Call& call, const pb::UpdateResourceGroupsRequest& request,
                            common::Status&) {
  roles::GroupConfigs wanted;
  for (const auto& [name, config] : request.resource_groups()) wanted[name] = DecodeConfig(config);
  return proxy::UpdateResourceGroups(call.ctx, call.services, wanted);
}

Status TransferNode(Call& call, const pb::TransferNodeRequest& request, common::Status&) {
  return proxy::TransferNode(call.ctx, call.services,
                             {.source = request.source_resource_group(),
                              .target = request.target_resource_group(),
                              .nodes = request.num_node()});
}

Status TransferReplica(Call& call, const pb::TransferReplicaRequest& request, common::Status&) {
  return proxy::TransferReplica(call.ctx, call.services,
                                {.source = request.source_resource_group(),
                                 .target = request.target_resource_group(),
                                 .collection = NameOf(call, request),
                                 .replicas = request.num_replica()});
}

Status ListResourceGroups(Call& call, const pb::ListResourceGroupsRequest&,
                          pb::ListResourceGroupsResponse& answer) {
  answer.mutable_status();
  for (auto& name : proxy::ListResourceGroups(call.services)) {
    answer.add_resource_groups(std::move(name));
  }
  return {};
}

Status DescribeResourceGroup(Call& call, const pb::DescribeResourceGroupRequest& request,
                             pb::DescribeResourceGroupResponse& answer) {
  TRY_ASSIGN(const auto view,
             proxy::DescribeResourceGroup(call.services, request.resource_group()));
  answer.mutable_status();
  pb::ResourceGroup& group = *answer.mutable_resource_group();
  group.set_name(view.name);
  group.set_capacity(view.config.requests);
  group.set_num_available_node(view.nodes);
  group.mutable_num_loaded_replica()->insert(view.replicas.begin(), view.replicas.end());
  group.mutable_num_outgoing_node()->insert(view.outgoing.begin(), view.outgoing.end());
  group.mutable_num_incoming_node()->insert(view.incoming.begin(), view.incoming.end());
  EncodeConfig(view.config, *group.mutable_config());
  if (view.nodes == 0) return {};
  auto* node = group.add_nodes();
  node->set_node_id(kNodeId);
  node->set_address(AddressOf(call));
  node->set_hostname(HostName());
  return {};
}

Status GetReplicas(Call& call, const pb::GetReplicasRequest& request,
                   pb::GetReplicasResponse& answer) {
  TRY_ASSIGN(const auto replicas, proxy::GetReplicas(call.ctx, call.services, NameOf(call, request),
                                                     CollectionId(request.collectionid())));
  answer.mutable_status();
  for (const model::Replica& replica : replicas) {
    auto* info = answer.add_replicas();
    // A collection has one, so its id serves.
    info->set_replicaid(replica.collection.value());
    info->set_collectionid(replica.collection.value());
    info->add_node_ids(kNodeId);
    info->set_resource_group_name(replica.group);
    if (replica.node_group != replica.group) {
      (*info->mutable_num_outbound_node())[replica.node_group] = 1;
    }
    if (!request.with_shard_nodes()) continue;
    for (const std::string& vchannel : replica.vchannels) {
      auto* shard = info->add_shard_replicas();
      shard->set_leaderid(kNodeId);
      shard->set_leader_addr(AddressOf(call));
      shard->set_dm_channel_name(vchannel);
      shard->add_node_ids(kNodeId);
    }
  }
  return {};
}

Status LoadBalance(Call& call, const pb::LoadBalanceRequest& request, common::Status&) {
  proxy::SegmentMoves moves{.source = request.src_nodeid(),
                            .targets = {request.dst_nodeids().begin(), request.dst_nodeids().end()},
                            .segments = {}};
  for (const int64_t id : request.sealed_segmentids()) moves.segments.emplace_back(id);
  return proxy::LoadBalance(call.ctx, call.services,
                            {.database = call.database, .collection = request.collectionname()},
                            moves);
}

constexpr auto kMethods = std::to_array<Method>({
    {"CreateResourceGroup",
     Unary<pb::CreateResourceGroupRequest, common::Status, CreateResourceGroup>},
    {"DropResourceGroup", Unary<pb::DropResourceGroupRequest, common::Status, DropResourceGroup>},
    {"UpdateResourceGroups",
     Unary<pb::UpdateResourceGroupsRequest, common::Status, UpdateResourceGroups>},
    {"TransferNode", Unary<pb::TransferNodeRequest, common::Status, TransferNode>},
    {"TransferReplica", Unary<pb::TransferReplicaRequest, common::Status, TransferReplica>},
    {"ListResourceGroups",
     Unary<pb::ListResourceGroupsRequest, pb::ListResourceGroupsResponse, ListResourceGroups>},
    {"DescribeResourceGroup", Unary<pb::DescribeResourceGroupRequest,
                                    pb::DescribeResourceGroupResponse, DescribeResourceGroup>},
    {"GetReplicas", Unary<pb::GetReplicasRequest, pb::GetReplicasResponse, GetReplicas>},
    {"LoadBalance", Unary<pb::LoadBalanceRequest, common::Status, LoadBalance>},
});

}  // namespace

std::span<const Method> ResourceMethods() { return kMethods; }

}  // namespace elanus::wire
