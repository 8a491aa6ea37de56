// Partition keys at the front.
#include "proxy/partition_key.h"

#include <algorithm>

#include "expr/key_values.h"
#include "model/partition_key.h"
#include "proxy/checks.h"

namespace elanus::proxy {

Status CheckIsolation(const ProxyOptions& options, const model::CollectionSchema& schema,
                      const model::KeyValue& property) {
  TRY_ASSIGN(const bool wanted, ParseBool(property.key, property.value));
  if (!wanted) return {};
  const auto refuse = [&](std::string_view why) {
    return Error(ErrorCode::kIllegalSchema,
                 "{}[collection={}]: partition key isolation is enabled, {}",
                 InfoOf(ErrorCode::kIllegalSchema).name, schema.name, why);
  };
  if (schema.partition_key() == nullptr) return refuse("but no partition key field is set");
  if (!options.uses_materialized_view) return refuse("but common.materializedView.enabled is not");
  return {};
}

Status CheckPartitionKey(const ProxyOptions& options,
                         const model::CreateCollectionRequest& request) {
  const bool has_key = request.schema.partition_key() != nullptr;
  if (request.num_partitions < 0) {
    return Invalid("the number of partitions should be positive, got {}", request.num_partitions);
  }
  if (!has_key && request.num_partitions > 0) {
    return Invalid("num_partitions should only be specified with partition key field enabled");
  }
  if (!has_key && options.must_use_partition_key) {
    return Error(ErrorCode::kMissingParameter,
                 "partition key must be set when creating the collection {}, "
                 "proxy.mustUsePartitionKey is on",
                 request.schema.name);
  }
  for (const model::KeyValue& property : request.properties) {
    if (property.key != model::kIsolationKey) continue;
    TRY(CheckIsolation(options, request.schema, property));
  }
  return {};
}

Status CheckNoPartitionNames(const model::CollectionInfo& collection,
                             const std::vector<std::string>& names) {
  if (names.empty() || collection.schema.partition_key() == nullptr) return {};
  return Invalid(
      "not support manually specifying the partition names if partition key mode is used: {}",
      collection.schema.name);
}

Status CheckHasPartitionKey(const ProxyOptions& options, const model::CollectionInfo& collection) {
  if (!options.must_use_partition_key || collection.schema.partition_key() != nullptr) return {};
  return Invalid("must use a partition key in the read of {}, because mustUsePartitionKey is on",
                 collection.schema.name);
}

std::vector<PartitionId> ReachedPartitions(const model::CollectionInfo& collection,
                                           const expr::Plan& plan,
                                           const std::vector<PartitionId>& partitions) {
  const model::FieldSchema* key = collection.schema.partition_key();
  if (key == nullptr) return partitions;
  const auto values = expr::PossibleValues(plan, key->id);
  // With no value at all the filter tells that no row passes.
  if (!values || values->empty()) return partitions;
  std::vector<PartitionId> reached;
  for (const model::Scalar& value : *values) {
    const size_t at = model::PartitionOfKey(value, collection.partitions.size());
    const PartitionId id = collection.partitions[at].id;
    if (std::find(reached.begin(), reached.end(), id) == reached.end()) reached.push_back(id);
    if (reached.size() == collection.partitions.size()) break;
  }
  return reached;
}

Status CheckIsolatedSearch(const model::CollectionInfo& collection, const expr::Plan& plan) {
  const model::FieldSchema* key = model::IsolatedKey(collection);
  if (key == nullptr || expr::RequiredValue(plan, key->id)) return {};
  return Invalid(
      "partition key isolation is enabled, so the filter of a search must be {} == value, alone or "
      "joined to other conditions by and",
      key->name);
}

}  // namespace elanus::proxy
