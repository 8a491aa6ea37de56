// What the front counts and measures of calls, reads and writes, for whoever looks after the
// server. docs/metrics.md lists the families.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "model/requests/collection.h"

namespace elanus::proxy {

// Everything here is of the process and thread-safe. A name of no collection counts as the empty
// one; of more than `collections_max` collections the series of those that were asked for longest
// ago are dropped.

struct EndedCall {
  std::string_view method;  // Of the wire: "Search".
  const model::CollectionName& name;
  const Status& status;
  int64_t waited_us = 0;  // Before it ran.
  int64_t ran_us = 0;
  size_t received_bytes = 0;
  size_t sent_bytes = 0;
};
void CountCall(const EndedCall& call, int64_t collections_max);

struct EndedRead {
  std::string_view rpc;  // "Search", "HybridSearch" or "Query", also when it came over HTTP.
  const model::CollectionName& name;
  const Status& status;
  size_t nq = 1;
  int64_t us = 0;
};
void CountRead(const EndedRead& read, int64_t collections_max);

/// A read that took too long; `rpc` as above.
void CountSlowRead(std::string_view rpc);

struct EndedWrite {
  std::string_view kind;  // "insert", "upsert" or "delete".
  const model::CollectionName& name;
  const Status& status;
  int64_t rows = 0;
  int64_t us = 0;
};
void CountWrite(const EndedWrite& write, int64_t collections_max);

/// A request that was let in, or not, where its collection has a rate; `kind` is "insert",
/// "delete", "search" or "query".
void CountRate(std::string_view kind, bool is_let_in);

/// A search that estimates its recall.
void CountRecall(std::string_view rpc, const model::CollectionName& name, int64_t collections_max);

/// Parts of a request whose time is measured.
enum class Part { kWaitForShards, kReduce, kAppend };

/// Measures a part of a request from here to its end. `of` is "insert", "upsert" or "delete" of
/// kAppend, else "search", "hybrid_search" or "query".
class MeasuredPart {
 public:
  MeasuredPart(Clock& clock, Part part, std::string_view of);
  ~MeasuredPart();
  MeasuredPart(const MeasuredPart&) = delete;
  MeasuredPart& operator=(const MeasuredPart&) = delete;

 private:
  Clock& clock_;
  const Part part_;
  const std::string_view of_;
  const int64_t begin_us_;
};

/// Query vectors that are being searched with, while it lives.
class SearchedQueries {
 public:
  explicit SearchedQueries(size_t nq);
  ~SearchedQueries();
  SearchedQueries(const SearchedQueries&) = delete;
  SearchedQueries& operator=(const SearchedQueries&) = delete;

 private:
  const double nq_;
};

}  // namespace elanus::proxy
