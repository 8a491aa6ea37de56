// Counts and measures of the front.
#include "proxy/metrics.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/error_code.h"
#include "base/metrics.h"

namespace elanus::proxy {
namespace {

struct Families {
  CounterFamily requests{
      "milvus_proxy_req_count",
      "Calls by how they ended: cancel when the caller went, abandon when its deadline passed.",
      {"function_name", "status", "db_name", "collection_name"}};
  HistogramFamily request_ms{
      "milvus_proxy_req_latency", "Milliseconds that calls ran.", {"function_name"}};
  HistogramFamily grpc_ms{"milvus_proxy_grpc_latency",
                          "Milliseconds from a call's arrival to its answer.",
                          {"function_name", "status"}};
  HistogramFamily queue_ms{"milvus_proxy_req_in_queue_latency",
                           "Milliseconds that calls waited before they ran.",
                           {"function_name"}};
  CounterFamily received_bytes{"milvus_proxy_receive_bytes_count",
                               "Bytes of reads and writes that came.",
                               {"msg_type", "db_name", "collection_name"}};
  CounterFamily sent_bytes{"milvus_proxy_send_bytes_count", "Bytes of answers.", {}};
  CounterFamily received_nq{"milvus_proxy_received_nq",
                            "Query vectors of searches; a query counts as one.",
                            {"query_type", "db_name", "collection_name"}};
  CounterFamily searched{"milvus_proxy_search_vectors_count",
                         "Query vectors of searches that succeeded.",
                         {"db_name", "collection_name"}};
  CounterFamily inserted{"milvus_proxy_insert_vectors_count",
                         "Rows that were inserted.",
                         {"db_name", "collection_name"}};
  CounterFamily upserted{"milvus_proxy_upsert_vectors_count",
                         "Rows that were upserted.",
                         {"db_name", "collection_name"}};
  CounterFamily deleted{"milvus_proxy_delete_vectors_count",
                        "Keys that were deleted.",
                        {"db_name", "collection_name"}};
  HistogramFamily read_ms{"milvus_proxy_sq_latency",
                          "Milliseconds of reads that succeeded.",
                          {"query_type", "db_name", "collection_name"}};
  HistogramFamily collection_read_ms{"milvus_proxy_collection_sq_latency",
                                     "The same.",
                                     {"query_type", "db_name", "collection_name"}};
  HistogramFamily write_ms{"milvus_proxy_mutation_latency",
                           "Milliseconds of writes that succeeded.",
                           {"msg_type", "db_name", "collection_name"}};
  HistogramFamily collection_write_ms{"milvus_proxy_collection_mutation_latency",
                                      "The same.",
                                      {"msg_type", "db_name", "collection_name"}};
  HistogramFamily append_ms{"milvus_proxy_mutation_send_latency",
                            "Milliseconds until the log had a write.",
                            {"msg_type"}};
  HistogramFamily wait_ms{"milvus_proxy_sq_wait_result_latency",
                          "Milliseconds until all shards had answered.",
                          {"query_type"}};
  HistogramFamily reduce_ms{"milvus_proxy_sq_reduce_result_latency",
                            "Milliseconds from the hits of the shards to the answer.",
                            {"query_type"}};
  CounterFamily slow{"milvus_proxy_slow_query_count",
                     "Reads that took proxy.slowQuerySpanInSeconds or more.",
                     {"msg_type"}};
  CounterFamily rated{"milvus_proxy_rate_limit_req_count",
                      "Requests of collections that have a rate.",
                      {"msg_type", "status"}};
  CounterFamily recalls{"milvus_proxy_recall_search_cnt",
                        "Searches that estimated their recall.",
                        {"query_type", "db_name", "collection_name"}};
  GaugeFamily executing_nq{
      "milvus_proxy_executing_total_nq", "Query vectors that are being searched with.", {}};

  // Whatever is told of a collection.
  void Forget(const std::string& database, const std::string& collection) {
    const LabelValues last = {database, collection};
    for (CounterFamily* family : {&requests, &received_bytes, &received_nq, &searched, &inserted,
                                  &upserted, &deleted, &recalls})
      family->Forget(last);
    for (HistogramFamily* family : {&read_ms, &collection_read_ms, &write_ms, &collection_write_ms})
      family->Forget(last);
  }
};

Families& OfProcess() {
  static Families families;
  return families;
}

// How the labels call a read.
std::string_view TypeOf(std::string_view rpc) {
  if (rpc == "Search") return "search";
  if (rpc == "HybridSearch") return "hybrid_search";
  CHECK(rpc == "Query");  // A read of another name.
  return "query";
}

// Of calls whose bytes are counted by collection; else empty.
std::string_view MessageOf(std::string_view method) {
  static constexpr auto kMessages = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"Insert", "insert"},
       {"Upsert", "upsert"},
       {"Delete", "delete"},
       {"Search", "search"},
       {"HybridSearch", "hybrid_search"},
       {"Query", "query"}});
  for (const auto& [name, message] : kMessages) {
    if (method == name) return message;
  }
  return {};
}

std::string_view EndOf(const Status& status) {
  if (status.ok()) return "success";
  if (status.code() == ErrorCode::kCanceled) return "cancel";
  if (status.code() == ErrorCode::kDeadlineExceeded) return "abandon";
  return InfoOf(status.code()).is_input_error ? "fail_input" : "fail_system";
}

// Whatever else a request may have for a name does not become a label.
bool IsName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$';
  });
}

// The collections that have series, and when each was asked for last. Series are added to within
// Use() only: whoever drops those of a collection waits for it, so none is made again behind its
// back, which nobody would drop any more.
class Labels {
 public:
  // Calls add(database, collection) with the labels of what ended so.
  template <class Add>
  void Use(const model::CollectionName& name, const Status& status, int64_t collections_max,
           const Add& add) {
    const bool is_there = status.code() != ErrorCode::kCollectionNotFound &&
                          status.code() != ErrorCode::kDatabaseNotFound &&
                          IsName(name.collection) &&
                          (name.database.empty() || IsName(name.database));
    if (!is_there) return add(std::string(), std::string());
    const Collection labels(name.database.empty() ? "default" : name.database, name.collection);
    const uint64_t now = clock_.fetch_add(1, std::memory_order_relaxed);
    {
      const std::shared_lock<std::shared_mutex> lock(mutex_);
      const auto found = used_.find(labels);
      if (found != used_.end()) {
        found->second->store(now, std::memory_order_relaxed);
        return add(labels.first, labels.second);
      }
    }
    const std::unique_lock<std::shared_mutex> lock(mutex_);
    auto& used = used_[labels];
    if (used == nullptr) used = std::make_unique<std::atomic<uint64_t>>();
    used->store(now, std::memory_order_relaxed);
    add(labels.first, labels.second);
    MakeRoom(collections_max);
  }

 private:
  using Collection = std::pair<std::string, std::string>;  // Database and name.

  void MakeRoom(int64_t collections_max) {
    while (used_.size() > static_cast<size_t>(collections_max)) {
      const auto oldest =
          std::min_element(used_.begin(), used_.end(),
                           [](const auto& a, const auto& b) { return *a.second < *b.second; });
      OfProcess().Forget(oldest->first.first, oldest->first.second);
      used_.erase(oldest);
    }
  }

  std::atomic<uint64_t> clock_{0};
  std::shared_mutex mutex_;  // Guards the map, and the series of what is in it.
  std::map<Collection, std::unique_ptr<std::atomic<uint64_t>>> used_;
};

Labels& LabelsOfProcess() {
  static Labels labels;
  return labels;
}

}  // namespace

void CountCall(const EndedCall& call, int64_t collections_max) {
  Families& families = OfProcess();
  const std::string_view end = EndOf(call.status);
  const std::string_view message = MessageOf(call.method);
  LabelsOfProcess().Use(call.name, call.status, collections_max,
                        [&](const std::string& database, const std::string& collection) {
                          for (std::string_view status : {end, std::string_view("total")})
                            families.requests.Add({call.method, status, database, collection});
                          if (message.empty()) return;
                          families.received_bytes.Add({message, database, collection},
                                                      static_cast<double>(call.received_bytes));
                        });
  families.request_ms.ObserveUs({call.method}, call.ran_us);
  families.queue_ms.ObserveUs({call.method}, call.waited_us);
  families.grpc_ms.ObserveUs({call.method, end}, call.waited_us + call.ran_us);
  families.sent_bytes.Add({}, static_cast<double>(call.sent_bytes));
}

void CountRead(const EndedRead& read, int64_t collections_max) {
  Families& families = OfProcess();
  const std::string_view type = TypeOf(read.rpc);
  const auto nq = static_cast<double>(read.nq);
  LabelsOfProcess().Use(
      read.name, read.status, collections_max,
      [&](const std::string& database, const std::string& collection) {
        families.received_nq.Add({type, database, collection}, nq);
        if (!read.status.ok()) return;
        if (type != "query") families.searched.Add({database, collection}, nq);
        families.read_ms.ObserveUs({type, database, collection}, read.us);
        families.collection_read_ms.ObserveUs({type, database, collection}, read.us);
      });
}

void CountSlowRead(std::string_view rpc) { OfProcess().slow.Add({TypeOf(rpc)}); }

void CountWrite(const EndedWrite& write, int64_t collections_max) {
  if (!write.status.ok()) return;
  Families& families = OfProcess();
  CounterFamily& rows = write.kind == "insert"   ? families.inserted
                        : write.kind == "upsert" ? families.upserted
                                                 : families.deleted;
  LabelsOfProcess().Use(
      write.name, write.status, collections_max,
      [&](const std::string& database, const std::string& collection) {
        rows.Add({database, collection}, static_cast<double>(write.rows));
        families.write_ms.ObserveUs({write.kind, database, collection}, write.us);
        families.collection_write_ms.ObserveUs({write.kind, database, collection}, write.us);
      });
}

void CountRate(std::string_view kind, bool is_let_in) {
  OfProcess().rated.Add({kind, is_let_in ? "success" : "fail"});
}

void CountRecall(std::string_view rpc, const model::CollectionName& name, int64_t collections_max) {
  LabelsOfProcess().Use(name, Status(), collections_max,
                        [&](const std::string& database, const std::string& collection) {
                          OfProcess().recalls.Add({TypeOf(rpc), database, collection});
                        });
}

MeasuredPart::MeasuredPart(Clock& clock, Part part, std::string_view of)
    : clock_(clock), part_(part), of_(of), begin_us_(clock.MonotonicUs()) {}

MeasuredPart::~MeasuredPart() {
  const int64_t us = clock_.MonotonicUs() - begin_us_;
  Families& families = OfProcess();
  HistogramFamily& family = part_ == Part::kWaitForShards ? families.wait_ms
                            : part_ == Part::kReduce      ? families.reduce_ms
                                                          : families.append_ms;
  family.ObserveUs({of_}, us);
}

SearchedQueries::SearchedQueries(size_t nq) : nq_(static_cast<double>(nq)) {
  OfProcess().executing_nq.Add({}, nq_);
}
SearchedQueries::~SearchedQueries() { OfProcess().executing_nq.Add({}, -nq_); }

}  // namespace elanus::proxy
