// The limits a request meets at the front, each with its configuration key.
#pragma once

#include <cstdint>
#include <string>

#include "base/option_spec.h"

namespace elanus::proxy {

struct ProxyOptions {
  int64_t name_bytes_max = 255;
  std::string name_extra = "$";
  int64_t fields_max = 64;
  int64_t vector_fields_max = 10;
  int64_t dim_max = 32768;
  int64_t shards_max = 16;
  int64_t varchar_bytes_max = 65535;
  int64_t text_bytes_max = 2097152;
  int64_t geometry_bytes_max = 2097152;
  int64_t array_capacity_max = 4096;
  int64_t description_bytes_max = 1024;
  int64_t json_bytes_max = 65536;
  int64_t filled_bytes_max = 268435456;
  int64_t index_param_bytes_max = 102400;
  int64_t bitmap_cardinality_limit = 100;
  int64_t top_k_max = 16384;
  int64_t nq_max = 16384;
  int64_t query_window_max = 16384;
  int64_t large_top_k_max = 1000000;
  int64_t large_query_window_max = 1000000;
  int64_t output_bytes_max = 104857600;
  int64_t group_size_max = 10;
  int64_t group_fields_max = 10;
  int64_t result_entries_max = -1;
  int64_t hybrid_searches_max = 1024;
  int64_t aggregation_entries_max = 10000;
  int64_t query_groups_max = 100000;
  double slow_query_s = 1;
  bool slow_query_explain = false;
  int64_t explain_steps_max = 2000;
  int64_t counted_collections_max = 1000;
  int64_t entity_expiration_s = -1;  // Of common.entityExpiration, a key of the streaming node.
  int64_t graceful_ms = 5000;
  bool must_use_partition_key = false;
  bool uses_materialized_view = true;
  int64_t timestamp_lag_s_max = 86400;
  double data_ratio_min = 1;
  bool partition_names_are_patterns = false;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(name_bytes_max,
          OptionSpec{"proxy.maxNameLength", "bytes", 1, 65535, "Length of a name."});
    visit(name_extra, OptionSpec{"proxy.nameValidation.allowedChars", "", 0, 0,
                                 "What names of snapshots may have beside letters, digits and _, "
                                 "but not at their beginning."});
    visit(fields_max, OptionSpec{"proxy.maxFieldNum", "", 1, 1024, "Fields of a collection."});
    visit(vector_fields_max,
          OptionSpec{"proxy.maxVectorFieldNum", "", 1, 10, "Vector fields of a collection."});
    visit(dim_max,
          OptionSpec{"proxy.maxDimension", "", 2, 1 << 20, "Dimensions of a vector field."});
    visit(shards_max, OptionSpec{"proxy.maxShardNum", "", 1, 256, "Shards of a collection."});
    visit(varchar_bytes_max,
          OptionSpec{"proxy.maxVarCharLength", "bytes", 1, 1 << 24, "Largest max_length."});
    visit(text_bytes_max, OptionSpec{"proxy.maxTextLength", "bytes", 1, 1 << 28,
                                     "Length of a value of a Text field."});
    visit(geometry_bytes_max, OptionSpec{"proxy.maxGeometryLength", "bytes", 64, 1 << 28,
                                         "Length of a geometry as it is stored (WKB)."});
    visit(array_capacity_max,
          OptionSpec{"proxy.maxArrayCapacity", "", 1, 1 << 20, "Largest max_capacity."});
    visit(description_bytes_max, OptionSpec{"proxy.maxCollectionDescriptionLength", "bytes", 0,
                                            1 << 20, "Length of a collection's description."});
    visit(json_bytes_max,
          OptionSpec{"common.JSONMaxLength", "bytes", 2, 1 << 26, "Length of a JSON value."});
    visit(filled_bytes_max, OptionSpec{"proxy.maxFilledInsertSize", "bytes", 1024, 4e9,
                                       "What nulls and defaults of an insert may take up."});
    visit(index_param_bytes_max, OptionSpec{"proxy.maxIndexParamsSize", "bytes", 1, 1 << 26,
                                            "Length of all parameters of an index."});
    visit(bitmap_cardinality_limit,
          OptionSpec{"scalarAutoIndex.params.bitmapCardinalityLimit", "", 1, 1000,
                     "A segment with so many distinct values gets no bitmaps from AUTOINDEX."});
    visit(top_k_max,
          OptionSpec{"quotaAndLimits.limits.topK", "", 1, 1 << 20, "Hits a query may ask for."});
    visit(nq_max, OptionSpec{"quotaAndLimits.limits.nq", "", 1, 1 << 20, "Queries in one search."});
    visit(query_window_max, OptionSpec{"quotaAndLimits.limits.maxQueryResultWindow", "rows", 1,
                                       1 << 30, "Largest offset + limit of a query."});
    visit(large_top_k_max, OptionSpec{"quotaAndLimits.limits.largeTopK", "", 1, 1 << 24,
                                      "Hits that a query of a collection may ask for whose "
                                      "query_mode is large_topk."});
    visit(large_query_window_max,
          OptionSpec{"quotaAndLimits.limits.largeMaxQueryResultWindow", "rows", 1, 1 << 30,
                     "Largest offset + limit of a query of such a collection."});
    visit(output_bytes_max, OptionSpec{"quotaAndLimits.limits.maxOutputSize", "bytes", 1024, 4e9,
                                       "Size of an answer."});
    visit(group_size_max, OptionSpec{"quotaAndLimits.limits.maxGroupSize", "hits", 1, 16384,
                                     "Hits of a group that a grouped search may ask for."});
    visit(group_fields_max, OptionSpec{"proxy.maxGroupByFields", "", 1, 64,
                                       "Fields that a search or query may group by."});
    visit(result_entries_max, OptionSpec{"proxy.maxResultEntries", "hits", -1, 1e12,
                                         "Queries x hits of a search; -1: no limit."});
    visit(hybrid_searches_max, OptionSpec{"proxy.maxHybridSearches", "", 1, 1 << 20,
                                          "Searches that a hybrid search is made of."});
    visit(aggregation_entries_max,
          OptionSpec{"proxy.maxSearchAggregationResultEntries", "hits", 1, 1e9,
                     "Queries x buckets x hits of each that a search aggregation may ask for."});
    visit(query_groups_max, OptionSpec{"common.groupBy.maxGroups", "", 1, 1 << 30,
                                       "Groups of a query with aggregates."});
    visit(slow_query_s, OptionSpec{"proxy.slowQuerySpanInSeconds", "seconds", 0, 1e9,
                                   "A search that takes so long for each of its queries, or a "
                                   "query that does, gets a line in the log."});
    visit(
        slow_query_explain,
        OptionSpec{"proxy.slowQueryExplain", "", 0, 1,
                   "Every search and query is profiled, and the line of a slow one is followed by "
                   "how it was run; costs a few microseconds a segment."});
    visit(explain_steps_max, OptionSpec{"proxy.explain.maxSteps", "", 1, 1e6,
                                        "Steps in the report of one search or query."});
    visit(counted_collections_max,
          OptionSpec{"proxy.metrics.maxCollections", "", 1, 1e6,
                     "Collections whose reads are counted apart; past so many the counts of the "
                     "one that was read longest ago go."});
    visit(graceful_ms,
          OptionSpec{"common.gracefulTime", "ms", 0, 1e9, "How far Bounded reads may lag."});
    visit(timestamp_lag_s_max,
          OptionSpec{"queryNode.scheduler.maxTimestampLag", "seconds", 0, 1e9,
                     "A read whose guarantee timestamp lies further ahead of the server's time is "
                     "refused."});
    visit(data_ratio_min,
          OptionSpec{"proxy.partialResultRequiredDataRatio", "", 0, 1,
                     "Below 1, segments whose files cannot be read are left out of the answers to "
                     "reads, as long as the others have this share of the flushed rows of each "
                     "shard."});
    visit(partition_names_are_patterns,
          OptionSpec{"proxy.partitionNameRegexp", "", 0, 1,
                     "The partition names of searches and queries are regular expressions, which "
                     "match whole names."});
    visit(must_use_partition_key,
          OptionSpec{"proxy.mustUsePartitionKey", "", 0, 1,
                     "Collections without a partition key can be neither created nor read."});
    visit(uses_materialized_view,
          OptionSpec{"common.materializedView.enabled", "", 0, 1,
                     "Collections may keep the values of their partition key apart "
                     "(partitionkey.isolation)."});
  }
};

}  // namespace elanus::proxy
