// Collections whose rows come to their partitions by a key: what such a collection refuses, and
// which partitions a filter can reach.
#pragma once

#include <vector>

#include "expr/expr.h"
#include "proxy/services.h"

namespace elanus::proxy {

/// What a new collection says of partition keys: number of partitions, isolation, and that there
/// must be one. Errors: kInvalidParameter, kMissingParameter, kIllegalSchema.
Status CheckPartitionKey(const ProxyOptions& options,
                         const model::CreateCollectionRequest& request);

/// The value of partitionkey.isolation fits the collection. Errors: kInvalidParameter,
/// kIllegalSchema.
Status CheckIsolation(const ProxyOptions& options, const model::CollectionSchema& schema,
                      const model::KeyValue& property);

/// kInvalidParameter when partitions are named of a collection with a partition key.
Status CheckNoPartitionNames(const model::CollectionInfo& collection,
                             const std::vector<std::string>& names);

/// kInvalidParameter when reads need a partition key (proxy.mustUsePartitionKey) and there is none.
Status CheckHasPartitionKey(const ProxyOptions& options, const model::CollectionInfo& collection);

/// The partitions in which rows that pass can be; `partitions` when the filter does not tell.
std::vector<PartitionId> ReachedPartitions(const model::CollectionInfo& collection,
                                           const expr::Plan& plan,
                                           const std::vector<PartitionId>& partitions);

/// kInvalidParameter when the collection keeps the values of its key apart and the filter of a
/// search does not ask for exactly one.
Status CheckIsolatedSearch(const model::CollectionInfo& collection, const expr::Plan& plan);

}  // namespace elanus::proxy
