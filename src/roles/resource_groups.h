// What the coordinator answers about resource groups.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "model/requests/resource_group.h"

namespace elanus::roles {

inline constexpr ErrorCode kResourceGroupNotFound{300};
inline constexpr ErrorCode kResourceGroupExists{301};
inline constexpr ErrorCode kResourceGroupLimit{302};
inline constexpr ErrorCode kResourceGroupConfig{303};
inline constexpr ErrorCode kResourceGroupTooSmall{304};

using GroupConfigs = std::map<std::string, model::ResourceGroupConfig>;

/// The default group has every node that no other wants, and every replica that was not put into
/// another. Names have been checked. Thread-safe. Changes are durable when they return, and move
/// the node to where it then belongs.
class ResourceGroups {
 public:
  virtual ~ResourceGroups() = default;
  /// The same once more: success. Errors: kResourceGroupExists, kResourceGroupLimit,
  /// kResourceGroupConfig.
  virtual Status CreateGroup(Context& ctx, const std::string& name,
                             const model::ResourceGroupConfig& config) = 0;
  /// Unknown: success. kInvalidParameter: it is the default one, has replicas, may have nodes, or
  /// another names it.
  virtual Status DropGroup(Context& ctx, const std::string& name) = 0;
  /// All or none. Errors: kResourceGroupNotFound, kResourceGroupConfig.
  virtual Status UpdateGroups(Context& ctx, const GroupConfigs& wanted) = 0;
  /// Moves so many from what one group wants to what another does. Errors: kInvalidParameter,
  /// kResourceGroupNotFound, kResourceGroupTooSmall.
  virtual Status TransferNodes(Context& ctx, const model::NodeTransfer& wanted) = 0;
  /// Errors: kCollectionNotFound, kResourceGroupNotFound, kInvalidParameter, kCollectionNotLoaded.
  virtual Status TransferReplicas(Context& ctx, const model::ReplicaTransfer& wanted) = 0;
  /// Where the replica of a collection is when it is loaded. kResourceGroupNotFound.
  virtual Status PutReplica(Context& ctx, CollectionId collection, const std::string& group) = 0;
  /// By name, the default one first.
  virtual std::vector<std::string> ListGroups() = 0;
  /// kResourceGroupNotFound.
  virtual Result<model::ResourceGroupView> DescribeGroup(const std::string& name) = 0;
  /// The group of a loaded collection's replica, and of the node that it is on.
  virtual model::Replica FindReplica(const model::CollectionInfo& collection) = 0;
};

}  // namespace elanus::roles
