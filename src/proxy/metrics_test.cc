// Metrics of the front, which are the process's: tests look at what they add.
#include "proxy/metrics.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/metrics.h"

namespace elanus::proxy {
namespace {

constexpr int64_t kMany = 1000;

// The number on the line of that family with all these labels; 0 without one.
double NumberAt(const std::string& family,
                const std::vector<std::pair<std::string, std::string>>& labels) {
  const std::string text = MetricsText();
  for (size_t at = text.find("\n" + family + "{"); at != std::string::npos;
       at = text.find("\n" + family + "{", at + 1)) {
    const std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    bool has_all = true;
    for (const auto& [name, value] : labels)
      has_all = has_all && line.find(name + "=\"" + value + "\"") != std::string::npos;
    if (has_all) return std::stod(line.substr(line.rfind(' ')));
  }
  return 0;
}

double CallsOf(const std::string& method, const std::string& status, const std::string& database,
               const std::string& collection) {
  return NumberAt("milvus_proxy_req_count", {{"function_name", method},
                                             {"status", status},
                                             {"db_name", database},
                                             {"collection_name", collection},
                                             {"node_id", "1"}});
}

void Call(const std::string& method, const model::CollectionName& name, const Status& status,
          int64_t collections_max = kMany) {
  CountCall({.method = method, .name = name, .status = status}, collections_max);
}

TEST(ProxyMetrics, TellHowCallsEndedByCollection) {
  const std::pair<const char*, Status> ends[] = {
      {"success", Status()},
      {"fail_input", Status(ErrorCode::kInvalidParameter, "x")},
      {"fail_system", Status(ErrorCode::kServiceUnavailable, "x")},
      {"cancel", Status(ErrorCode::kCanceled, "x")},
      {"abandon", Status(ErrorCode::kDeadlineExceeded, "x")}};
  Call("Query", {.database = "house", .collection = "birds"}, Status());
  for (const auto& [name, status] : ends) {
    const double before = CallsOf("Query", name, "default", "birds");
    const double total = CallsOf("Query", "total", "default", "birds");
    Call("Query", {.collection = "birds"}, status);
    EXPECT_EQ(CallsOf("Query", name, "default", "birds"), before + 1) << name;
    EXPECT_EQ(CallsOf("Query", "total", "default", "birds"), total + 1) << name;
    EXPECT_EQ(CallsOf("Search", name, "default", "birds"), 0) << name;
    EXPECT_EQ(CallsOf("Query", "total", "house", "birds"), 1) << name;
  }
}

TEST(ProxyMetrics, NamesOfNoCollectionAreNoLabels) {
  const double before = CallsOf("Search", "fail_input", "", "");
  Call("Search", {.collection = "nowhere"}, Status(ErrorCode::kCollectionNotFound, "x"));
  Call("Search", {.database = "no", .collection = "there"},
       Status(ErrorCode::kDatabaseNotFound, "x"));
  for (const char* name : {"a\"} 1\n", "", "name with spaces"})
    Call("Search", {.collection = name}, Status(ErrorCode::kInvalidParameter, "x"));
  EXPECT_EQ(CallsOf("Search", "fail_input", "", ""), before + 5);
  const std::string text = MetricsText();
  for (const char* name : {"nowhere", "there\"", "spaces"})
    EXPECT_EQ(text.find(name), std::string::npos) << name;
}

TEST(ProxyMetrics, TheCollectionAskedForLongestAgoMakesRoom) {
  for (const char* name : {"first", "second", "first", "third"})
    Call("Query", {.collection = name}, Status(), 2);
  EXPECT_EQ(CallsOf("Query", "total", "default", "first"), 2);
  EXPECT_EQ(CallsOf("Query", "total", "default", "second"), 0);
  EXPECT_EQ(CallsOf("Query", "total", "default", "third"), 1);
}

TEST(ProxyMetrics, NoSeriesStaysOfACollectionThatMadeRoomWhileACallWasCounted) {
  constexpr int64_t kKept = 3;
  constexpr int kWorkers = 4;
  const auto executor = MakeThreadExecutor();
  {
    std::vector<std::unique_ptr<Worker>> workers;
    for (int worker = 0; worker < kWorkers; ++worker) {
      workers.push_back(executor->Spawn("caller", [worker] {
        for (int i = 0; i < 20'000; ++i) {
          const model::CollectionName name{.collection =
                                               fmt::format("racing{}", i * 7 * worker % 97)};
          const Status status;
          CountWrite({.kind = "insert", .name = name, .status = status, .rows = 1}, kKept);
        }
      }));
    }
  }
  const std::string text = MetricsText();
  std::set<std::string> left;
  const std::string label = "collection_name=\"racing";
  for (size_t at = text.find(label); at != std::string::npos; at = text.find(label, at + 1)) {
    left.insert(text.substr(at, text.find('"', at + label.size()) - at));
  }
  EXPECT_EQ(left.size(), static_cast<size_t>(kKept));
}

TEST(ProxyMetrics, TellWhatReadsAndWritesTook) {
  const model::CollectionName name{.collection = "geese"};
  const std::pair<std::string, std::string> geese = {"collection_name", "geese"};
  CountRead({.rpc = "Search", .name = name, .status = Status(), .nq = 3, .us = 2500}, kMany);
  CountRead({.rpc = "Search",
             .name = name,
             .status = Status(ErrorCode::kInvalidParameter, "x"),
             .nq = 4,
             .us = 9000},
            kMany);
  EXPECT_EQ(NumberAt("milvus_proxy_received_nq", {{"query_type", "search"}, geese}), 7);
  EXPECT_EQ(NumberAt("milvus_proxy_search_vectors_count", {geese}), 3);
  for (const char* family : {"milvus_proxy_sq_latency", "milvus_proxy_collection_sq_latency"}) {
    EXPECT_EQ(NumberAt(std::string(family) + "_sum", {{"query_type", "search"}, geese}), 2.5);
    EXPECT_EQ(NumberAt(std::string(family) + "_bucket", {{"le", "2"}, geese}), 0);
    EXPECT_EQ(NumberAt(std::string(family) + "_bucket", {{"le", "4"}, geese}), 1);
    EXPECT_EQ(NumberAt(std::string(family) + "_bucket", {{"le", "131072"}, geese}), 1);
  }
  for (const char* kind : {"insert", "upsert", "delete"}) {
    CountWrite({.kind = kind, .name = name, .status = Status(), .rows = 20, .us = 4000}, kMany);
    const std::string rows = "milvus_proxy_" + std::string(kind) + "_vectors_count";
    EXPECT_EQ(NumberAt(rows, {geese}), 20);
    EXPECT_EQ(NumberAt("milvus_proxy_mutation_latency_sum", {{"msg_type", kind}, geese}), 4);
  }
}

TEST(ProxyMetrics, TellWhatIsGoingOn) {
  const double before = NumberAt("milvus_proxy_executing_total_nq", {});
  {
    const SearchedQueries queries(5);
    EXPECT_EQ(NumberAt("milvus_proxy_executing_total_nq", {}), before + 5);
  }
  EXPECT_EQ(NumberAt("milvus_proxy_executing_total_nq", {}), before);
}

TEST(ProxyMetrics, TellHowManyReadsWereSlow) {
  const double before = NumberAt("milvus_proxy_slow_query_count", {{"msg_type", "hybrid_search"}});
  CountSlowRead("HybridSearch");
  EXPECT_EQ(NumberAt("milvus_proxy_slow_query_count", {{"msg_type", "hybrid_search"}}), before + 1);
}

}  // namespace
}  // namespace elanus::proxy
