// Requests and answers of searches, as clients see them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/timestamp.h"
#include "model/column.h"
#include "model/requests/collection.h"
#include "model/requests/function_chain.h"
#include "model/scalar.h"

namespace elanus::model {

/// How fresh a read must be, as the request says it.
struct ReadConsistency {
  bool use_default = false;
  ConsistencyLevel level = ConsistencyLevel::kStrong;
  Timestamp guarantee;
};

/// A function that scores hits anew, as the request says it.
struct RerankFunction {
  std::string name;
  std::vector<std::string> inputs;  // Names of fields.
  std::vector<KeyValue> params;
};
struct FunctionScore {
  std::vector<RerankFunction> functions;
  std::vector<KeyValue> params;
};

/// What buckets, or hits in them, are sorted by.
struct BucketOrder {
  std::string key;
  std::string direction;  // As written; empty: descending.
  bool nulls_first = false;
};

/// One level of buckets; those of the next one lie in them.
struct BucketLevel {
  struct Metric {
    std::string op;
    std::string field;  // A name, `_score`, or `*` for all hits.
  };
  struct TopHits {
    int64_t size = 0;
    std::vector<BucketOrder> sort;
  };
  std::vector<std::string> fields;  // Their values are the key.
  int64_t size = 0;
  int64_t search_size = 0;  // Buckets that are looked at; 0: `size`.
  std::map<std::string, Metric> metrics;
  std::vector<BucketOrder> order;
  std::optional<TopHits> top_hits;
};

struct SearchRequest {
  CollectionName name;
  std::vector<std::string> partitions;
  std::string filter;
  std::map<std::string, Scalar> templates;
  std::string anns_field;
  Column queries;        // Of the placeholder's vector type, one row a query.
  Column query_keys;     // Instead of queries: the vectors of these rows are
                         // searched with.
  int64_t nq_given = 0;  // What the client says nq is, which limits are held against; 0: nothing.
  std::vector<std::string> output_fields;
  std::vector<KeyValue> params;  // As on the wire (topk, offset, metric_type, params, ...).
  ReadConsistency consistency;
  std::optional<FunctionScore> function_score;
  std::vector<FunctionChain> chains;
  std::vector<BucketLevel> aggregation;  // Empty: none.
};

/// Several searches of one collection whose hits become one list.
struct HybridSearchRequest {
  CollectionName name;
  std::vector<std::string> partitions;
  std::vector<SearchRequest> requests;  // What they say of name, partitions, output is not read.
  std::vector<KeyValue> rank_params;    // As on the wire (strategy, params, limit, offset, ...).
  std::vector<std::string> output_fields;
  ReadConsistency consistency;
  std::optional<FunctionScore> function_score;
};

/// Where a page of a search iterator ends.
struct IteratorPage {
  std::string token;
  float last_bound = 0;
};

struct SearchResult {
  uint32_t nq = 0;
  int64_t top_k = 0;             // As asked for.
  std::vector<uint32_t> counts;  // Hits of each query.
  Column primary_keys;           // All hits, query by query.
  std::vector<float> scores;
  bool larger_is_better = true;  // Of the scores.
  std::vector<Column> columns;   // Output fields, aligned with the hits.
  std::vector<std::string> output_fields;
  std::string primary_field;
  Timestamp session;                 // Non-zero: the moment an iterator is pinned to.
  std::vector<Column> group_values;  // What the hits are grouped by, aligned with them.
  bool has_group_list = false;       // The request names a list of fields, not a single one.
  std::optional<IteratorPage> page;
  std::vector<float> recalls;            // Of each query, when asked for.
  std::vector<int64_t> element_indices;  // Of hits by element: which of its row's each is.
  int64_t searched_rows = 0;             // Of the segments searched, added up over all searches.
  std::string explain;                   // How the search was run, as JSON; empty: nobody asked.
};
}  // namespace elanus::model
