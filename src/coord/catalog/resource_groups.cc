// Resource groups: what they want of nodes, which of them has the one there is, and whose replicas
// are in which.
#include <fmt/format.h>

#include <algorithm>

#include "base/fields.h"
#include "coord/catalog/impl.h"

namespace elanus::coord {
namespace {

using model::kDefaultResourceGroup;
using model::ResourceGroup;
using model::ResourceGroupConfig;

Status NoSuchGroup(std::string_view name) {
  return Error(roles::kResourceGroupNotFound, "{}[rg={}]",
               InfoOf(roles::kResourceGroupNotFound).name, name);
}

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsDefault(const ResourceGroup& group) { return group.name == kDefaultResourceGroup; }

// The node has no labels.
bool MayHaveNode(const ResourceGroup& group) {
  return group.config.limits >= 1 && group.config.node_labels.empty();
}
bool MissesNode(const ResourceGroup& group) {
  return MayHaveNode(group) && group.config.requests >= 1;
}

ResourceGroup& HolderOf(Groups& groups) {
  for (auto& [name, group] : groups) {
    if (group.has_node) return group;
  }
  return groups.find(kDefaultResourceGroup)->second;
}

// Puts the node where it belongs. A group that wants it keeps it; else it goes where the group lets
// it go to or who takes from the group is, then to the oldest that misses one. A group that does
// not want it, and may have it, keeps it while nobody else misses one.
void Settle(Groups& groups) {
  ResourceGroup& holder = HolderOf(groups);
  const bool may_stay = IsDefault(holder) || MayHaveNode(holder);
  if (may_stay && !IsDefault(holder) && MissesNode(holder)) return;
  ResourceGroup* next = may_stay ? &holder : &groups.find(kDefaultResourceGroup)->second;
  int best = 0;
  for (auto& [name, group] : groups) {
    if (&group == &holder || IsDefault(group) || !MayHaveNode(group)) continue;
    const bool is_given = Contains(holder.config.transfer_to, name);
    const bool is_taken = Contains(group.config.transfer_from, holder.name);
    if (!MissesNode(group) && (may_stay || !is_given)) continue;
    const int rank = is_given ? 3 : is_taken ? 2 : 1;
    if (rank < best || (rank == best && group.created > next->created)) continue;
    best = rank;
    next = &group;
  }
  holder.has_node = false;
  next->has_node = !IsDefault(*next);
}

std::string Describe(const ResourceGroupConfig& config) {
  return fmt::format("requests:{} limits:{} transfer_from:{} transfer_to:{}", config.requests,
                     config.limits, fmt::join(config.transfer_from, ","),
                     fmt::join(config.transfer_to, ","));
}

Status CheckConfig(const Groups& groups, const std::string& name,
                   const ResourceGroupConfig& config) {
  const auto bad = [&](std::string_view why) {
    return Error(roles::kResourceGroupConfig, "{}[rg={}][config={}]: {}",
                 InfoOf(roles::kResourceGroupConfig).name, name, Describe(config), why);
  };
  if (config.requests < 0 || config.limits < 0) {
    return bad("requests and limits should be there and not be negative");
  }
  if (config.limits < config.requests) return bad("limits should not be smaller than requests");
  if (name == kDefaultResourceGroup &&
      (config.requests != 0 || config.limits != model::kDefaultGroupLimit)) {
    return bad("requests and limits of the default group do not change");
  }
  for (const auto* others : {&config.transfer_from, &config.transfer_to}) {
    for (const std::string& other : *others) {
      if (other == name) return bad("a group does not transfer to itself");
      if (groups.find(other) == groups.end()) return bad(fmt::format("no such group: {}", other));
    }
  }
  return {};
}

}  // namespace

Status Catalog::Impl::OpenGroups(Context& ctx) {
  TRY_ASSIGN(const auto stored, meta.Scan(ctx, "group/"));
  for (const auto& [key, value] : stored) {
    TRY_ASSIGN(auto group, Decode<ResourceGroup>(value));
    const std::string name = group.name;
    groups[name] = std::move(group);
  }
  const std::string name(kDefaultResourceGroup);
  if (groups.count(name) == 0) {
    groups[name] = {.name = name, .config = {.limits = model::kDefaultGroupLimit}};
  }
  return {};
}

Groups Catalog::Impl::CopyGroups() const {
  std::shared_lock<std::shared_mutex> lock(mutex);
  return groups;
}

Status Catalog::Impl::CommitGroups(Context& ctx, Groups next) {
  Settle(next);
  const Groups old = CopyGroups();
  store::MetaTxn txn;
  for (auto& [name, group] : next) {
    {
      // Of collections that were dropped since.
      std::shared_lock<std::shared_mutex> lock(mutex);
      std::erase_if(group.replicas, [&](CollectionId id) { return by_id.count(id) == 0; });
    }
    const auto known = old.find(name);
    if (known != old.end() && known->second == group) continue;
    txn.puts.emplace_back(GroupKey(name), Encode(group));
  }
  for (const auto& [name, group] : old) {
    if (next.count(name) == 0) txn.deletes.push_back(GroupKey(name));
  }
  if (txn.puts.empty() && txn.deletes.empty()) return {};
  TRY_ASSIGN(const bool applied, meta.Commit(ctx, txn));
  if (!applied) return Status(ErrorCode::kInternal, "a catalog change met another one");
  std::unique_lock<std::shared_mutex> lock(mutex);
  groups = std::move(next);
  return {};
}

Status Catalog::CreateGroup(Context& ctx, const std::string& name,
                            const ResourceGroupConfig& config) {
  Impl::Turn turn(*impl_);
  Groups next = impl_->CopyGroups();
  if (const auto known = next.find(name); known != next.end()) {
    if (known->second.config == config) return {};
    return Error(roles::kResourceGroupExists, "{}[rg={}]", InfoOf(roles::kResourceGroupExists).name,
                 name);
  }
  const auto groups_max = static_cast<size_t>(impl_->options.resource_groups_max);
  if (next.size() >= groups_max) {
    return Error(roles::kResourceGroupLimit, "{}[rg={}][limit={}]",
                 InfoOf(roles::kResourceGroupLimit).name, name, groups_max);
  }
  TRY(CheckConfig(next, name, config));
  ResourceGroup group{.name = name, .config = config};
  TRY_ASSIGN(group.created, impl_->oracle.Now(ctx));
  next[name] = std::move(group);
  return impl_->CommitGroups(ctx, std::move(next));
}

Status Catalog::DropGroup(Context& ctx, const std::string& name) {
  Impl::Turn turn(*impl_);
  Groups next = impl_->CopyGroups();
  const auto found = next.find(name);
  if (found == next.end()) return {};
  TRY_ASSIGN(const auto view, DescribeGroup(name));
  if (!view.replicas.empty()) {
    return Invalid("some replicas still loaded in resource group[{}], release it first", name);
  }
  if (name == kDefaultResourceGroup) return Invalid("delete default rg is not permitted");
  if (found->second.config.limits != 0) {
    return Invalid("resource group {}'s limits node num is not 0, which is {}", name,
                   found->second.config.limits);
  }
  for (const auto& [other, group] : next) {
    if (!Contains(group.config.transfer_from, name) && !Contains(group.config.transfer_to, name))
      continue;
    return Invalid("resource group {} is used by {}'s `from` or `to`, remove that configuration",
                   name, other);
  }
  next.erase(found);
  return impl_->CommitGroups(ctx, std::move(next));
}

Status Catalog::UpdateGroups(Context& ctx, const roles::GroupConfigs& wanted) {
  Impl::Turn turn(*impl_);
  Groups next = impl_->CopyGroups();
  for (const auto& [name, config] : wanted) {
    if (next.count(name) == 0) return NoSuchGroup(name);
  }
  for (const auto& [name, config] : wanted) {
    TRY(CheckConfig(next, name, config));
    next[name].config = config;
  }
  return impl_->CommitGroups(ctx, std::move(next));
}

Status Catalog::TransferNodes(Context& ctx, const model::NodeTransfer& wanted) {
  if (wanted.source == wanted.target) {
    return Invalid("source and target resource group should not be the same: {}", wanted.source);
  }
  if (wanted.nodes <= 0) return Invalid("num_node should be positive, got {}", wanted.nodes);
  Impl::Turn turn(*impl_);
  Groups next = impl_->CopyGroups();
  for (const std::string* name : {&wanted.source, &wanted.target}) {
    if (next.count(*name) == 0) return NoSuchGroup(*name);
  }
  ResourceGroup& source = next[wanted.source];
  ResourceGroup& target = next[wanted.target];
  const int64_t nodes = &HolderOf(next) == &source ? 1 : 0;
  if (nodes < wanted.nodes) {
    return Error(roles::kResourceGroupTooSmall, "{}[rg={}][currentNodeNum={}][expectedNodeNum={}]",
                 InfoOf(roles::kResourceGroupTooSmall).name, wanted.source, nodes, wanted.nodes);
  }
  if (!IsDefault(source)) {
    source.config.requests = std::max(0, source.config.requests - 1);
    source.config.limits = std::max(0, source.config.limits - 1);
  }
  if (!IsDefault(target)) {
    target.config.requests += 1;
    target.config.limits += 1;
  }
  return impl_->CommitGroups(ctx, std::move(next));
}

Status Catalog::TransferReplicas(Context& ctx, const model::ReplicaTransfer& wanted) {
  TRY_ASSIGN(const auto info, Find(ctx, wanted.collection));
  for (const std::string* name : {&wanted.source, &wanted.target}) {
    TRY(DescribeGroup(*name).status());
  }
  if (wanted.source == wanted.target) {
    return Invalid("source and target resource group should not be the same: {}", wanted.source);
  }
  if (wanted.replicas <= 0) return Invalid("num_replica should be positive: {}", wanted.replicas);
  if (!info->loaded) {
    return Error(ErrorCode::kCollectionNotLoaded, "{}[collection={}]",
                 InfoOf(ErrorCode::kCollectionNotLoaded).name, info->schema.name);
  }
  const int64_t replicas = FindReplica(*info).group == wanted.source ? 1 : 0;
  if (replicas < wanted.replicas) {
    return Invalid("only found [{}] replicas in source resource group[{}], but {} are wanted",
                   replicas, wanted.source, wanted.replicas);
  }
  return PutReplica(ctx, info->id, wanted.target);
}

Status Catalog::PutReplica(Context& ctx, CollectionId collection, const std::string& group) {
  Impl::Turn turn(*impl_);
  Groups next = impl_->CopyGroups();
  const auto found = next.find(group);
  if (found == next.end()) return NoSuchGroup(group);
  for (auto& [name, other] : next) std::erase(other.replicas, collection);
  if (!IsDefault(found->second)) found->second.replicas.push_back(collection);
  return impl_->CommitGroups(ctx, std::move(next));
}

std::vector<std::string> Catalog::ListGroups() {
  std::vector<std::string> names = {std::string(kDefaultResourceGroup)};
  for (const auto& [name, group] : impl_->CopyGroups()) {
    if (!IsDefault(group)) names.push_back(name);
  }
  return names;
}

model::Replica Catalog::FindReplica(const model::CollectionInfo& collection) {
  Groups groups = impl_->CopyGroups();
  model::Replica replica{.collection = collection.id,
                         .vchannels = collection.vchannels,
                         .group = std::string(kDefaultResourceGroup),
                         .node_group = HolderOf(groups).name};
  for (const auto& [name, group] : groups) {
    const auto& listed = group.replicas;
    // What was released may still be listed.
    if (collection.loaded && std::find(listed.begin(), listed.end(), collection.id) != listed.end())
      replica.group = name;
  }
  return replica;
}

Result<model::ResourceGroupView> Catalog::DescribeGroup(const std::string& name) {
  Groups groups = impl_->CopyGroups();
  const auto found = groups.find(name);
  if (found == groups.end()) return NoSuchGroup(name);
  const bool has_node = &HolderOf(groups) == &found->second;
  model::ResourceGroupView view{
      .name = name, .config = found->second.config, .nodes = has_node ? 1 : 0};
  std::vector<roles::CollectionSnapshot> loaded;
  {
    std::shared_lock<std::shared_mutex> lock(impl_->mutex);
    for (const auto& [id, entry] : impl_->by_id) {
      if (entry->info->loaded) loaded.push_back(entry->info);
    }
  }
  for (const auto& info : loaded) {
    const bool is_here = FindReplica(*info).group == name;
    if (is_here) view.replicas[info->schema.name] = 1;
    if (is_here && !has_node) view.outgoing[info->schema.name] = 1;
    if (!is_here && has_node) view.incoming[info->schema.name] = 1;
  }
  return view;
}

}  // namespace elanus::coord
