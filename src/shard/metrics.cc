// Counts and measures of reads.
#include "shard/metrics.h"

#include "base/metrics.h"

namespace elanus::shard {

void CountWait(std::string_view type, int64_t us) {
  static HistogramFamily waits{"milvus_querynode_sq_wait_tsafe_latency",
                               "Milliseconds until a shard had reached a read's guarantee.",
                               {"query_type"}};
  waits.ObserveUs({type}, us);
}

void CountRead(std::string_view type, const Status& status, int64_t us) {
  static HistogramFamily reads{"milvus_querynode_sq_req_latency",
                               "Milliseconds of reads of a shard that succeeded.",
                               {"query_type", "scope"}};
  if (status.ok()) reads.ObserveUs({type, "OnLeader"}, us);
}

void CountSearch(size_t nq, size_t top_k) {
  static HistogramFamily nqs{"milvus_querynode_search_nq", "Query vectors of a search.", {}};
  static HistogramFamily top_ks{"milvus_querynode_search_topk", "Hits that a search asks for.", {}};
  nqs.Observe({}, static_cast<double>(nq));
  top_ks.Observe({}, static_cast<double>(top_k));
}

}  // namespace elanus::shard
