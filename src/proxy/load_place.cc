// One node has one copy of a collection.
#include "proxy/load_place.h"

#include <algorithm>

#include "proxy/checks.h"
#include "proxy/ops.h"

namespace elanus::proxy {
namespace {

constexpr int64_t kNodes = 1;

Status CheckRefresh(Context& ctx, Services& services, const model::CollectionName& name) {
  TRY_ASSIGN(const int64_t progress, LoadProgress(ctx, services, name, {}));
  if (progress >= 100) return {};
  return Error(ErrorCode::kCollectionNotLoaded, "{}[collection={}]: it is being loaded",
               InfoOf(ErrorCode::kCollectionNotLoaded).name, name.collection);
}

}  // namespace

Status CheckPlace(Context& ctx, Services& services, const model::CollectionName& name,
                  const LoadPlace& place) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  if (place.is_refresh) TRY(CheckRefresh(ctx, services, name));
  const int64_t replicas = std::max<int64_t>(place.replicas, 1);
  const auto groups = static_cast<int64_t>(place.resource_groups.size());
  if (groups > 1 && groups != replicas) {
    return Invalid("resource groups should be none, one, or as many as replicas: got {} for {}",
                   groups, replicas);
  }
  if (replicas > kNodes && !collection->loaded) {
    return Error(kTooFewNodes, "{}[currentStreamingNode={}][expectedStreamingNode={}]",
                 InfoOf(kTooFewNodes).name, kNodes, replicas);
  }
  if (replicas > kNodes && place.is_of_partitions) {
    return Invalid("the number of replicas of loaded partitions cannot be changed: got {}, want {}",
                   replicas, kNodes);
  }
  for (const std::string& group : place.resource_groups) {
    if (group == kDefaultResourceGroup) continue;
    return Error(kResourceGroupNotFound, "{}[rg={}]", InfoOf(kResourceGroupNotFound).name, group);
  }
  if (replicas <= kNodes) return {};
  return Error(kResourceGroupTooSmall, "{}[rg={}][currentNodeNum={}][expectedNodeNum={}]",
               InfoOf(kResourceGroupTooSmall).name, kDefaultResourceGroup, kNodes, replicas);
}

}  // namespace elanus::proxy
