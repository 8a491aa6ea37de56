// Properties of a collection that may change while it lives.
#include <algorithm>

#include "model/time_to_live.h"
#include "proxy/checks.h"
#include "proxy/ops.h"

namespace elanus::proxy {
namespace {

constexpr std::string_view kAutoCompactionKey = "collection.autocompaction.enabled";

Status CheckAlterable(std::string_view key) {
  if (key == model::kTimeToLiveKey || key == kAutoCompactionKey || key == roles::kDescriptionKey) {
    return {};
  }
  for (std::string_view fixed : {"collection.external_source", "collection.external_spec",
                                 "namespace.mode", "namespace.sharding.enabled"}) {
    if (key == fixed) return Invalid("property {} cannot be altered", key);
  }
  return Error(ErrorCode::kUnimplemented, "altering the property {} is not supported yet", key);
}

}  // namespace

Status AlterCollection(Context& ctx, Services& services, const model::CollectionName& name,
                       const std::vector<model::KeyValue>& set,
                       const std::vector<std::string>& remove) {
  if (!set.empty() && !remove.empty()) {
    return Invalid("cannot provide both properties and delete keys at the same time");
  }
  if (set.empty() && remove.empty()) return Invalid("no properties or delete keys provided");
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  for (const model::KeyValue& property : set) {
    TRY(CheckAlterable(property.key));
    if (property.key == kAutoCompactionKey) {
      TRY(ParseBool(property.key, property.value).status());
    }
    const auto limit = static_cast<size_t>(services.options.description_bytes_max);
    if (property.key == roles::kDescriptionKey && property.value.size() > limit) {
      return Invalid("the description may have {} bytes, got {}", limit, property.value.size());
    }
  }
  TRY(model::TimeToLiveSeconds(set).status());
  for (const std::string& key : remove) TRY(CheckAlterable(key));
  TRY(services.coord.catalog.AlterProperties(ctx, collection->id, set, remove));
  // The shards read by the new description from their next version of it on.
  return services.streaming.SyncLoaded(ctx, collection->id);
}

}  // namespace elanus::proxy
