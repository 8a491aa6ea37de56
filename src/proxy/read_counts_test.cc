// Counts of reads, which are the process's: tests look at what they add.
#include "proxy/read_counts.h"

#include <gtest/gtest.h>

namespace elanus::proxy {
namespace {

// The count on the line of this RPC and status.
uint64_t CountOf(const std::string& rpc, const std::string& status) {
  const std::string text = ReadCountsText();
  const std::string line = "milvus_proxy_req_count{node_id=\"1\",function_name=\"" + rpc +
                           "\",status=\"" + status + "\"} ";
  const size_t at = text.find(line);
  EXPECT_NE(at, std::string::npos) << text;
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + line.size()));
}

TEST(ReadCounts, TellHowReadsEnded) {
  const std::pair<const char*, Status> ends[] = {
      {"success", Status()},
      {"fail_input", Status(ErrorCode::kInvalidParameter, "x")},
      {"fail_system", Status(ErrorCode::kServiceUnavailable, "x")},
      {"cancel", Status(ErrorCode::kCanceled, "x")},
      {"abandon", Status(ErrorCode::kDeadlineExceeded, "x")}};
  for (const auto& [name, status] : ends) {
    const uint64_t before = CountOf("Query", name);
    const uint64_t total = CountOf("Query", "total");
    const uint64_t others = CountOf("Search", name);
    CountRead("Query", status);
    EXPECT_EQ(CountOf("Query", name), before + 1) << name;
    EXPECT_EQ(CountOf("Query", "total"), total + 1) << name;
    EXPECT_EQ(CountOf("Search", name), others) << name;
  }
}

}  // namespace
}  // namespace elanus::proxy
