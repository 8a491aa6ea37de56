// Sizes of tasks.
#include "index/batch.h"

#include <algorithm>

namespace elanus::index {
namespace {

// A task is this part of a thread's share of what is left, so what the last one keeps others
// waiting for is small; but no less than this part of its share of all: each task costs an index a
// pass over its rows, however few its queries are.
constexpr size_t kPartOfShare = 2;
constexpr size_t kPartOfAll = 8;
// More queries at once save an index nothing, and others wait for the end of a task.
constexpr size_t kQueriesMax = 256;
constexpr size_t kRoundTo = 16;  // Indexes take queries in groups of 4 to 32.

size_t RoundUp(size_t queries) { return (queries + kRoundTo - 1) / kRoundTo * kRoundTo; }

}  // namespace

size_t HelpersMax(const Pool& pool, const BatchOptions& options) {
  if (options.threads_max == 0) return pool.workers();
  return std::min(pool.workers(), static_cast<size_t>(options.threads_max) - 1);
}

std::vector<size_t> CutQueries(const Pool& pool, const BatchOptions& options, size_t nq,
                               size_t segments) {
  std::vector<size_t> begins{0};
  const size_t threads = HelpersMax(pool, options) + 1;
  const size_t worth_a_pass = std::min(RoundUp(nq / (threads * kPartOfAll)), kQueriesMax);
  const size_t least = std::max(static_cast<size_t>(options.queries_min), worth_a_pass);
  const size_t parts = (threads * kPartOfShare + segments - 1) / segments;
  for (size_t left = nq; left > 0; left = nq - begins.back()) {
    const size_t even = (left + parts - 1) / parts;
    const size_t task = std::clamp(RoundUp(even), least, std::max(least, kQueriesMax));
    begins.push_back(begins.back() + (threads == 1 ? left : std::min(left, task)));
  }
  return begins;
}

}  // namespace elanus::index
