// Counts of reads, which are the process's: tests look at what they add.
#include "proxy/read_counts.h"

#include <gtest/gtest.h>

#include <utility>

namespace elanus::proxy {
namespace {

constexpr int64_t kMany = 1000;

// The count on the line that begins so; 0 without one.
uint64_t CountAt(const std::string& line) {
  const std::string text = ReadCountsText();
  const size_t at = text.find("\n" + line + " ");
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + line.size() + 2));
}

uint64_t CountOf(const std::string& rpc, const std::string& status, const std::string& database,
                 const std::string& collection) {
  return CountAt("milvus_proxy_req_count{node_id=\"1\",function_name=\"" + rpc + "\",status=\"" +
                 status + "\",db_name=\"" + database + "\",collection_name=\"" + collection +
                 "\"}");
}

TEST(ReadCounts, TellHowReadsEndedByCollection) {
  const std::pair<const char*, Status> ends[] = {
      {"success", Status()},
      {"fail_input", Status(ErrorCode::kInvalidParameter, "x")},
      {"fail_system", Status(ErrorCode::kServiceUnavailable, "x")},
      {"cancel", Status(ErrorCode::kCanceled, "x")},
      {"abandon", Status(ErrorCode::kDeadlineExceeded, "x")}};
  CountRead("Query", {.database = "house", .collection = "birds"}, Status(), kMany);
  for (const auto& [name, status] : ends) {
    const uint64_t before = CountOf("Query", name, "default", "birds");
    const uint64_t total = CountOf("Query", "total", "default", "birds");
    CountRead("Query", {.collection = "birds"}, status, kMany);
    EXPECT_EQ(CountOf("Query", name, "default", "birds"), before + 1) << name;
    EXPECT_EQ(CountOf("Query", "total", "default", "birds"), total + 1) << name;
    EXPECT_EQ(CountOf("Search", name, "default", "birds"), 0u) << name;
    EXPECT_EQ(CountOf("Query", "total", "house", "birds"), 1u) << name;
  }
}

TEST(ReadCounts, NamesOfNoCollectionAreNoLabels) {
  const uint64_t before = CountOf("Search", "fail_input", "", "");
  CountRead("Search", {.collection = "nowhere"}, Status(ErrorCode::kCollectionNotFound, "x"),
            kMany);
  CountRead("Search", {.database = "no", .collection = "there"},
            Status(ErrorCode::kDatabaseNotFound, "x"), kMany);
  for (const char* name : {"a\"} 1\n", "", "name with spaces"})
    CountRead("Search", {.collection = name}, Status(ErrorCode::kInvalidParameter, "x"), kMany);
  EXPECT_EQ(CountOf("Search", "fail_input", "", ""), before + 5);
  const std::string text = ReadCountsText();
  for (const char* name : {"nowhere", "there", "spaces"})
    EXPECT_EQ(text.find(name), std::string::npos) << name;
}

TEST(ReadCounts, TheOneReadLongestAgoMakesRoom) {
  for (const char* name : {"first", "second", "first", "third"})
    CountRead("Query", {.collection = name}, Status(), 2);
  EXPECT_EQ(CountOf("Query", "total", "default", "first"), 2u);
  EXPECT_EQ(CountOf("Query", "total", "default", "second"), 0u);
  EXPECT_EQ(CountOf("Query", "total", "default", "third"), 1u);
}

TEST(ReadCounts, TellHowManyWereSlow) {
  const std::string line =
      "milvus_proxy_slow_query_count{node_id=\"1\",msg_type=\"hybrid_search\"}";
  const uint64_t before = CountAt(line);
  CountSlowRead("HybridSearch");
  EXPECT_EQ(CountAt(line), before + 1);
}

}  // namespace
}  // namespace elanus::proxy
