// The second read of a search: values of rows by their keys, at the moment of the first.
#pragma once

#include <vector>

#include "proxy/services.h"

namespace elanus::proxy {

/// Where and when a request reads.
struct ReadScope {
  roles::CollectionSnapshot collection;
  std::vector<PartitionId> partitions;  // Empty: every loaded one.
  std::vector<Timestamp> moments;       // One a shard, in shard order.
  Timestamp ends;  // Rows that end before it have ended; 0: before the moments.
  bool ignore_growing = false;
  double data_ratio_min = 1;  // As model::ShardRead.
};

/// The moments at which all reads of one request agree, once the shards have reached the guarantee.
Result<std::vector<Timestamp>> ReadMoments(Context& ctx, Services& services,
                                           const model::CollectionInfo& collection,
                                           Timestamp guarantee);

/// What `ends` of reads of this request should be: the time it is, where rows of the collection end
/// by themselves. A shard's moment is that of its newest write, and rows end without one.
Timestamp EndsNow(const Services& services, const model::CollectionInfo& collection);

/// The moment of an iterator, which all its pages are pinned to: the one that this page names, or,
/// when it is the first and names none, now. No later write is given an earlier timestamp, so that
/// a shard that has reached it has all rows of it; and what ends by itself has ended by it.
Result<Timestamp> IteratorMoment(Context& ctx, Services& services,
                                 const model::CollectionInfo& collection, Timestamp named);

struct Fetched {
  std::vector<model::Column> columns;  // One a field, aligned with the keys; nulls where missing.
  std::vector<size_t> missing;         // Keys that no row has.
};

/// Reads `fields` of the rows with `keys`, any number of times each. Errors: those of a query.
Result<Fetched> FetchByKeys(Context& ctx, Services& services, const ReadScope& scope,
                            const model::Column& keys, const std::vector<FieldId>& fields);

/// As above for keys that were found a moment ago: one that is missing is kInconsistentRequery.
Result<std::vector<model::Column>> FetchFound(Context& ctx, Services& services,
                                              const ReadScope& scope, const model::Column& keys,
                                              const std::vector<FieldId>& fields);

}  // namespace elanus::proxy
