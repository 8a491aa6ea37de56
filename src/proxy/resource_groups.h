// What a client asks of resource groups, and of where the copies of loaded collections are.
#pragma once

#include <string>
#include <vector>

#include "model/requests/resource_group.h"
#include "proxy/services.h"

namespace elanus::proxy {

inline constexpr ErrorCode kReplicaNotFound{400};
inline constexpr ErrorCode kNodeNotFound{901};

/// Names are checked first (kInvalidParameter; of an empty one kMissingParameter), then as
/// roles::ResourceGroups says.
Status CreateResourceGroup(Context& ctx, Services& services, const std::string& name,
                           const model::ResourceGroupConfig& config);
Status DropResourceGroup(Context& ctx, Services& services, const std::string& name);
Status UpdateResourceGroups(Context& ctx, Services& services, const roles::GroupConfigs& wanted);
Status TransferNode(Context& ctx, Services& services, const model::NodeTransfer& wanted);
Status TransferReplica(Context& ctx, Services& services, const model::ReplicaTransfer& wanted);
Result<model::ResourceGroupView> DescribeResourceGroup(Services& services, const std::string& name);
std::vector<std::string> ListResourceGroups(Services& services);

/// By name, or by `id` when the name is empty. Empty: the collection is not loaded.
Result<std::vector<model::Replica>> GetReplicas(Context& ctx, Services& services,
                                                const model::CollectionName& name, CollectionId id);

struct SegmentMoves {
  int64_t source = 0;               // A node.
  std::vector<int64_t> targets;     // Nodes; none: any.
  std::vector<SegmentId> segments;  // None: all.
};
/// Where there is one node there is nothing to move, so what it is asked for is checked and done.
/// Errors: kReplicaNotFound (no replica is on the source), kNodeNotFound, kSegmentNotFound.
Status LoadBalance(Context& ctx, Services& services, const model::CollectionName& name,
                   const SegmentMoves& moves);

}  // namespace elanus::proxy
