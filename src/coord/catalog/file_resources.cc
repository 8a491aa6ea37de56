// The names of file resources, and who uses them.
#include <algorithm>

#include "base/fields.h"
#include "coord/catalog/impl.h"
#include "text/file_source.h"

namespace elanus::coord {

Status Catalog::Impl::CheckResources(const model::CollectionSchema& schema) const {
  for (const std::string& name : text::FileResourcesOf(schema)) {
    if (resources.count(name) == 0) return text::UnknownFileResource(name);
  }
  return {};
}

Result<bool> Catalog::AddFileResource(Context& ctx, model::FileResource resource) {
  Impl::Turn turn(*impl_);
  const auto known = impl_->resources.find(resource.name);
  if (known != impl_->resources.end()) {
    if (known->second.path == resource.path) return false;
    return Invalid("file resource {} already exists", resource.name);
  }
  if (impl_->resources.size() >= static_cast<size_t>(impl_->options.file_resources_max)) {
    return Invalid("there are {} file resources, more are not allowed: common.fileResource.maxNum",
                   impl_->resources.size());
  }
  store::MetaTxn txn;
  txn.puts.emplace_back(ResourceKey(resource.name), Encode(resource));
  TRY_ASSIGN(const bool applied, impl_->meta.Commit(ctx, txn));
  if (!applied) return Status(ErrorCode::kInternal, "a catalog change met another one");
  std::unique_lock<std::shared_mutex> lock(impl_->mutex);
  const std::string name = resource.name;
  impl_->resources[name] = std::move(resource);
  return true;
}

Status Catalog::RemoveFileResource(Context& ctx, const std::string& name) {
  Impl::Turn turn(*impl_);
  const auto known = impl_->resources.find(name);
  if (known == impl_->resources.end()) return {};
  // Who names it is asked of the schemas themselves: a count could be wrong. Collections come and
  // change in turns, so none begins to name it meanwhile.
  size_t users = 0;
  TRY_ASSIGN(const auto collections, List(ctx, model::kDefaultDatabase));
  for (const auto& collection : collections) {
    const std::vector<std::string> used = text::FileResourcesOf(collection->schema);
    if (std::find(used.begin(), used.end(), name) != used.end()) ++users;
  }
  if (users > 0) return Invalid("file resource {} is still in use: {}", name, users);
  store::MetaTxn txn;
  txn.deletes.push_back(ResourceKey(name));
  TRY(impl_->Discard(ctx, {known->second.copy}, txn));
  TRY_ASSIGN(const bool applied, impl_->meta.Commit(ctx, txn));
  if (!applied) return Status(ErrorCode::kInternal, "a catalog change met another one");
  std::unique_lock<std::shared_mutex> lock(impl_->mutex);
  impl_->resources.erase(known);
  return {};
}

std::optional<model::FileResource> Catalog::FindFileResource(std::string_view name) const {
  std::shared_lock<std::shared_mutex> lock(impl_->mutex);
  const auto known = impl_->resources.find(name);
  if (known == impl_->resources.end()) return std::nullopt;
  return known->second;
}

std::vector<model::FileResource> Catalog::ListFileResources() const {
  std::shared_lock<std::shared_mutex> lock(impl_->mutex);
  std::vector<model::FileResource> all;
  for (const auto& [name, resource] : impl_->resources) all.push_back(resource);
  return all;
}

}  // namespace elanus::coord
