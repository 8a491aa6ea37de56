// Counts and measures of a query node.
#include "query/metrics.h"

#include <string>

#include "base/metrics.h"

namespace elanus::query {

void CountCore(std::string_view type, int64_t us) {
  static HistogramFamily cores{"milvus_querynode_sq_core_latency",
                               "Milliseconds of finding rows in sealed segments.",
                               {"query_type"}};
  cores.ObserveUs({type}, us);
}

void CountReduce(std::string_view type, int64_t us) {
  static HistogramFamily reduces{"milvus_querynode_sq_reduce_latency",
                                 "Milliseconds of merging hits of sealed segments and of reading "
                                 "their output fields.",
                                 {"query_type", "reduce_level", "reduce_type"}};
  reduces.ObserveUs({type, "segments", "merge"}, us);
}

void CountPartial(std::string_view type, CollectionId collection) {
  static CounterFamily partials{"milvus_querynode_partial_result_count",
                                "Answers without segments that cannot be read.",
                                {"query_type", "collection_id"}};
  partials.Add({type, std::to_string(collection.value())});
}

void CountLoad(int64_t us) {
  static HistogramFamily loads{
      "milvus_querynode_load_segment_latency", "Milliseconds of loading a segment.", {}};
  loads.ObserveUs({}, us);
}

}  // namespace elanus::query
