// Hits sorted into buckets by the values they have, and what is reckoned and shown of each bucket.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/requests/search_aggregation.h"
#include "model/requests/shard.h"
#include "model/schema.h"

namespace elanus::proxy {

/// What a metric, or an order of hits, looks at.
struct BucketSource {
  enum class Kind { kHits, kScore, kField };
  Kind kind = Kind::kHits;
  FieldId field;
};

struct BucketMetric {
  std::string alias;
  model::AggregateOp op = model::AggregateOp::kCount;
  BucketSource source;
};

struct BucketTerm {
  enum class Kind { kMetric, kCount, kKey };
  Kind kind = Kind::kCount;
  std::string alias;  // kMetric.
  bool is_descending = true;
  bool nulls_first = false;
};

struct HitTerm {
  BucketSource source;  // Not kHits.
  bool is_descending = true;
  bool nulls_first = false;
};

/// One level, checked against a schema.
struct BucketPlan {
  size_t keys_begin = 0;  // Of its own among the keys of all levels.
  size_t keys_end = 0;
  size_t size = 0;
  size_t search_size = 0;
  std::vector<BucketMetric> metrics;
  std::vector<BucketTerm> order;  // Empty: by the best hit.
  size_t top_hits = 0;
  std::vector<HitTerm> hit_order;  // Empty: by score.
};

/// A request's levels, with all that the search has to find for them.
struct BucketsPlan {
  std::vector<BucketPlan> levels;
  std::vector<std::string> keys;   // Names of the fields of all levels.
  std::vector<std::string> reads;  // Names of what metrics and orders look at.
  size_t buckets_max = 1;          // Of all levels together.
  size_t hits_max = 1;             // Of each innermost bucket.
  bool larger_is_better = true;
};

/// Errors: kInvalidParameter.
Result<BucketsPlan> PlanBuckets(const model::CollectionSchema& schema,
                                const std::vector<model::BucketLevel>& levels);

/// The buckets of hits [begin, end) of the result, which are grouped by the keys of the plan, the
/// group with the best hit first. Errors: kSegcore (a sum that leaves int64).
Result<std::vector<model::Bucket>> MakeBuckets(const BucketsPlan& plan,
                                               const model::SearchResult& result, size_t begin,
                                               size_t end);

}  // namespace elanus::proxy
