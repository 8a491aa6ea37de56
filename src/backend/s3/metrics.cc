// Counts and measures of an object store.
#include "backend/s3/metrics.h"

#include "base/metrics.h"

namespace elanus::backend {
namespace {

CounterFamily& Bytes() {
  static CounterFamily bytes{"milvus_storage_kv_bytes",
                             "Bytes sent to the object store (put) and fetched from it (get).",
                             {"persistent_data_op_type"}};
  return bytes;
}

}  // namespace

void CountRequest(const char* operation, int status, int64_t us, size_t bytes_sent) {
  static CounterFamily requests{"milvus_storage_op_count",
                                "Requests to the object store, each attempt of them, and whether "
                                "it answered as it should.",
                                {"persistent_data_op_type", "status"}};
  static HistogramFamily latencies{"milvus_storage_request_latency",
                                   "Milliseconds of a request to the object store.",
                                   {"persistent_data_op_type"}};
  const bool is_good = (status >= 200 && status < 300) || status == 404 || status == 412;
  requests.Add({operation, is_good ? "success" : "fail"});
  latencies.ObserveUs({operation}, us);
  if (is_good && bytes_sent > 0) Bytes().Add({operation}, static_cast<double>(bytes_sent));
}

void CountRetry() {
  static CounterFamily retries{
      "milvus_storage_retry_count", "Requests to the object store that were made again.", {}};
  retries.Add({});
}

void CountFetched(size_t bytes) { Bytes().Add({"get"}, static_cast<double>(bytes)); }

void CountCopy(bool is_hit) {
  static CounterFamily copies{"milvus_storage_local_copy_count",
                              "Openings of objects that found a copy on the local disk (hit), and "
                              "those that did not (miss).",
                              {"cache_state"}};
  copies.Add({is_hit ? "hit" : "miss"});
}

void CountCopyBytes(int64_t bytes) {
  static GaugeFamily copies{
      "milvus_storage_local_copy_bytes", "Bytes of copies of objects on the local disk.", {}};
  copies.Add({}, static_cast<double>(bytes));
}

}  // namespace elanus::backend
