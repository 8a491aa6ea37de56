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

Result<std::vector<std::string>> ReadGroups(Services& services, std::string_view list) {
  std::vector<std::string> names;
  while (true) {
    const size_t end = std::min(list.find(','), list.size());
    std::string_view name = list.substr(0, end);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    names.emplace_back(name);
    if (end == list.size()) break;
    list.remove_prefix(end + 1);
  }
  for (const std::string& name : names) {
    TRY(services.resource_groups.DescribeGroup(name).status());
  }
  if (static_cast<int64_t>(names.size()) > kNodes) {
    return Invalid("{} should name one group, or as many as replicas: got {} for {}", kGroupsKey,
                   names.size(), kNodes);
  }
  return names;
}

Status CheckPlace(Services& services, const model::CollectionInfo& collection,
                  const LoadPlace& place) {
  if (place.replicas < 0) {
    return Invalid("replica_number should not be negative, got {}", place.replicas);
  }
  if (!place.priority.empty() && place.priority != "high" && place.priority != "low") {
    return Invalid("load_priority should be high or low, got {}", place.priority);
  }
  const int64_t replicas = std::max<int64_t>(place.replicas, 1);
  const auto groups = static_cast<int64_t>(place.resource_groups.size());
  if (groups > 1 && groups != replicas) {
    return Invalid("resource groups should be none, one, or as many as replicas: got {} for {}",
                   groups, replicas);
  }
  if (replicas > kNodes && !collection.loaded) {
    return Error(kTooFewNodes, "{}[currentStreamingNode={}][expectedStreamingNode={}]",
                 InfoOf(kTooFewNodes).name, kNodes, replicas);
  }
  if (replicas > kNodes && place.is_of_partitions) {
    return Invalid("the number of replicas of loaded partitions cannot be changed: got {}, want {}",
                   replicas, kNodes);
  }
  std::vector<std::string> groups_named = place.resource_groups;
  if (groups_named.empty()) {
    groups_named.push_back(services.resource_groups.FindReplica(collection).group);
  }
  for (const std::string& group : groups_named) {
    TRY_ASSIGN(const auto known, services.resource_groups.DescribeGroup(group));
    // All replicas in one group, or one in each. What is loaded stays where it is.
    const int64_t wanted = groups_named.size() == 1 ? replicas : 1;
    const bool stays = collection.loaded && place.resource_groups.empty() && wanted == 1;
    if (stays || known.nodes >= wanted) continue;
    return Error(roles::kResourceGroupTooSmall, "{}[rg={}][currentNodeNum={}][expectedNodeNum={}]",
                 InfoOf(roles::kResourceGroupTooSmall).name, group, known.nodes, wanted);
  }
  if (replicas <= kNodes) return {};
  return Error(roles::kResourceGroupTooSmall, "{}[rg={}][currentNodeNum={}][expectedNodeNum={}]",
               InfoOf(roles::kResourceGroupTooSmall).name, groups_named[0], kNodes, replicas);
}

Status LoadAt(Context& ctx, Services& services, const model::CollectionName& name,
              const std::vector<std::string>& partitions, const model::LoadFields& fields,
              const LoadPlace& asked) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  LoadPlace place = asked;
  const std::string* property = model::Find(collection->properties, kGroupsKey);
  if (place.resource_groups.empty() && property != nullptr && !collection->loaded) {
    TRY_ASSIGN(place.resource_groups, ReadGroups(services, *property));
  }
  if (place.is_refresh) TRY(CheckRefresh(ctx, services, name));
  TRY(CheckPlace(services, *collection, place));
  TRY(Load(ctx, services, name, partitions, fields));
  if (place.resource_groups.empty() && collection->loaded) return {};
  return services.resource_groups.PutReplica(ctx, collection->id,
                                             place.resource_groups.empty()
                                                 ? std::string(model::kDefaultResourceGroup)
                                                 : place.resource_groups[0]);
}

}  // namespace elanus::proxy
