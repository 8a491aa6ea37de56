// Counts of reads.
#include "proxy/read_counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <shared_mutex>
#include <utility>

#include "base/check.h"
#include "base/error_code.h"

namespace elanus::proxy {
namespace {

constexpr std::array<std::string_view, 3> kRpcs = {"Search", "HybridSearch", "Query"};
constexpr std::array<std::string_view, 3> kMessages = {"search", "hybrid_search", "query"};
enum End : size_t { kSuccess, kInputError, kSystemError, kCanceled, kPastDeadline, kEnds };
constexpr std::array<std::string_view, kEnds> kEndNames = {"success", "fail_input", "fail_system",
                                                           "cancel", "abandon"};

size_t PlaceOf(std::string_view rpc) {
  const auto found = std::find(kRpcs.begin(), kRpcs.end(), rpc);
  CHECK(found != kRpcs.end());  // A read of another name.
  return static_cast<size_t>(found - kRpcs.begin());
}

End EndOf(const Status& status) {
  if (status.ok()) return kSuccess;
  if (status.code() == ErrorCode::kCanceled) return kCanceled;
  if (status.code() == ErrorCode::kDeadlineExceeded) return kPastDeadline;
  return InfoOf(status.code()).is_input_error ? kInputError : kSystemError;
}

// Whatever else a request may have for a name does not become a label.
bool IsName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$';
  });
}

using Collection = std::pair<std::string, std::string>;  // Database and name.

Collection LabelsOf(const model::CollectionName& name, const Status& status) {
  const bool is_there = status.code() != ErrorCode::kCollectionNotFound &&
                        status.code() != ErrorCode::kDatabaseNotFound && IsName(name.collection) &&
                        (name.database.empty() || IsName(name.database));
  if (!is_there) return {};
  return {name.database.empty() ? "default" : name.database, name.collection};
}

struct Counts {
  std::array<std::array<std::atomic<uint64_t>, kEnds>, kRpcs.size()> ends{};
  std::atomic<uint64_t> last_read{0};  // Its number among all reads.
};

struct Process {
  std::shared_mutex mutex;  // Guards the map; what its values count has no lock.
  std::map<Collection, std::shared_ptr<Counts>> collections;
  std::atomic<uint64_t> reads{0};
  std::array<std::atomic<uint64_t>, kRpcs.size()> slow{};
};

Process& OfProcess() {
  static Process process;
  return process;
}

std::shared_ptr<Counts> CountsOf(const Collection& collection, int64_t collections_max) {
  Process& process = OfProcess();
  {
    std::shared_lock<std::shared_mutex> lock(process.mutex);
    const auto found = process.collections.find(collection);
    if (found != process.collections.end()) return found->second;
  }
  std::lock_guard<std::shared_mutex> lock(process.mutex);
  auto& collections = process.collections;
  while (!collections.empty() && collections.size() >= static_cast<size_t>(collections_max)) {
    collections.erase(std::min_element(
        collections.begin(), collections.end(),
        [](const auto& a, const auto& b) { return a.second->last_read < b.second->last_read; }));
  }
  auto& counts = collections[collection];
  if (counts == nullptr) counts = std::make_shared<Counts>();
  return counts;
}

void AddCounts(const Collection& collection, const Counts& counts, std::string& text) {
  for (size_t rpc = 0; rpc < kRpcs.size(); ++rpc) {
    uint64_t total = 0;
    const auto add = [&](std::string_view status, uint64_t count) {
      text += fmt::format(
          "milvus_proxy_req_count{{node_id=\"1\",function_name=\"{}\",status=\"{}\",db_name=\"{}\","
          "collection_name=\"{}\"}} {}\n",
          kRpcs[rpc], status, collection.first, collection.second, count);
    };
    for (size_t end = 0; end < kEnds; ++end) {
      const uint64_t count = counts.ends[rpc][end].load(std::memory_order_relaxed);
      if (count > 0) add(kEndNames[end], count);
      total += count;
    }
    if (total > 0) add("total", total);
  }
}

}  // namespace

void CountRead(std::string_view rpc, const model::CollectionName& name, const Status& status,
               int64_t collections_max) {
  const auto counts = CountsOf(LabelsOf(name, status), collections_max);
  counts->ends[PlaceOf(rpc)][EndOf(status)].fetch_add(1, std::memory_order_relaxed);
  counts->last_read.store(OfProcess().reads.fetch_add(1, std::memory_order_relaxed),
                          std::memory_order_relaxed);
}

void CountSlowRead(std::string_view rpc) {
  OfProcess().slow[PlaceOf(rpc)].fetch_add(1, std::memory_order_relaxed);
}

std::string ReadCountsText() {
  Process& process = OfProcess();
  std::string text =
      "# HELP milvus_proxy_req_count Reads by how they ended: cancel when the caller went, abandon "
      "when its deadline passed.\n# TYPE milvus_proxy_req_count counter\n";
  {
    std::shared_lock<std::shared_mutex> lock(process.mutex);
    for (const auto& [collection, counts] : process.collections)
      AddCounts(collection, *counts, text);
  }
  text +=
      "# HELP milvus_proxy_slow_query_count Reads that took proxy.slowQuerySpanInSeconds or more.\n"
      "# TYPE milvus_proxy_slow_query_count counter\n";
  for (size_t rpc = 0; rpc < kRpcs.size(); ++rpc) {
    text += fmt::format("milvus_proxy_slow_query_count{{node_id=\"1\",msg_type=\"{}\"}} {}\n",
                        kMessages[rpc], process.slow[rpc].load(std::memory_order_relaxed));
  }
  return text;
}

}  // namespace elanus::proxy
