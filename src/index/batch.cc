// Sizes of tasks.
#include "index/batch.h"

#include <algorithm>

namespace elanus::index {
namespace {

// A thread that is done early waits for the last task of the others: an eighth of its own share.
constexpr size_t kTasksPerThread = 8;
// More queries at once save an index nothing, and others wait for the end of a task.
constexpr size_t kQueriesMax = 256;
constexpr size_t kRoundTo = 16;  // Indexes take queries in groups of 4 to 32.

}  // namespace

size_t HelpersMax(const Pool& pool, const BatchOptions& options) {
  if (options.threads_max == 0) return pool.workers();
  return std::min(pool.workers(), static_cast<size_t>(options.threads_max) - 1);
}

size_t QueriesPerTask(const Pool& pool, const BatchOptions& options, size_t nq, size_t segments) {
  const size_t threads = HelpersMax(pool, options) + 1;
  if (threads == 1) return nq;
  const size_t tasks_a_segment = (threads * kTasksPerThread + segments - 1) / segments;
  const size_t even = (nq + tasks_a_segment - 1) / tasks_a_segment;
  const size_t rounded = (even + kRoundTo - 1) / kRoundTo * kRoundTo;
  const auto least = static_cast<size_t>(options.queries_min);
  return std::min(nq, std::clamp(rounded, least, std::max(least, kQueriesMax)));
}

}  // namespace elanus::index
