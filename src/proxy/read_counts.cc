// Counts of reads.
#include "proxy/read_counts.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "base/check.h"
#include "base/error_code.h"

namespace elanus::proxy {
namespace {

constexpr std::array<std::string_view, 3> kRpcs = {"Search", "HybridSearch", "Query"};
enum End : size_t { kSuccess, kInputError, kSystemError, kCanceled, kPastDeadline, kEnds };
constexpr std::array<std::string_view, kEnds> kEndNames = {"success", "fail_input", "fail_system",
                                                           "cancel", "abandon"};

End EndOf(const Status& status) {
  if (status.ok()) return kSuccess;
  if (status.code() == ErrorCode::kCanceled) return kCanceled;
  if (status.code() == ErrorCode::kDeadlineExceeded) return kPastDeadline;
  return InfoOf(status.code()).is_input_error ? kInputError : kSystemError;
}

using Counts = std::array<std::array<std::atomic<uint64_t>, kEnds>, kRpcs.size()>;

Counts& OfProcess() {
  static Counts counts{};
  return counts;
}

}  // namespace

void CountRead(std::string_view rpc, const Status& status) {
  for (size_t i = 0; i < kRpcs.size(); ++i) {
    if (kRpcs[i] != rpc) continue;
    OfProcess()[i][EndOf(status)].fetch_add(1, std::memory_order_relaxed);
    return;
  }
  CHECK(false);  // A read of another name.
}

std::string ReadCountsText() {
  static constexpr std::string_view kName = "milvus_proxy_req_count";
  std::string text = fmt::format(
      "# HELP {0} Reads by how they ended: cancel when the caller went, abandon when its deadline "
      "passed.\n# TYPE {0} counter\n",
      kName);
  const auto add = [&](std::string_view rpc, std::string_view status, uint64_t count) {
    text += fmt::format("{}{{node_id=\"1\",function_name=\"{}\",status=\"{}\"}} {}\n", kName, rpc,
                        status, count);
  };
  for (size_t i = 0; i < kRpcs.size(); ++i) {
    uint64_t total = 0;
    for (size_t end = 0; end < kEnds; ++end) {
      const uint64_t count = OfProcess()[i][end].load(std::memory_order_relaxed);
      add(kRpcs[i], kEndNames[end], count);
      total += count;
    }
    add(kRpcs[i], "total", total);
  }
  return text;
}

}  // namespace elanus::proxy
