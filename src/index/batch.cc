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
// More queries at once save no index more that leaves the sharing to its caller, and others wait
// for the end of a task.
constexpr size_t kVectorsMax = 128;
constexpr size_t kRoundTo = 16;  // Indexes take queries in groups of 4 to 32.

size_t RoundUp(size_t queries, size_t to) { return (queries + to - 1) / to * to; }
}  // namespace

size_t HelpersMax(const Pool& pool, const BatchOptions& options) {
  if (options.threads_max == 0) return pool.workers();
  return std::min(pool.workers(), static_cast<size_t>(options.threads_max) - 1);
}

std::vector<size_t> CutQueries(const Pool& pool, const BatchOptions& options, const Batch& batch) {
  std::vector<size_t> begins{0};
  const size_t threads = HelpersMax(pool, options) + 1;
  const size_t vectors = std::max<size_t>(1, batch.vectors_per_query);
  const auto queries_of = [&](size_t count) { return (count + vectors - 1) / vectors; };
  const size_t round_to = queries_of(kRoundTo);
  const size_t most = queries_of(kVectorsMax);
  const size_t worth_a_pass =
      std::min(RoundUp(batch.queries / (threads * kPartOfAll), round_to), most);
  const size_t least = std::max(queries_of(static_cast<size_t>(options.queries_min)), worth_a_pass);
  const size_t parts = (threads * kPartOfShare + batch.segments - 1) / batch.segments;
  for (size_t left = batch.queries; left > 0; left = batch.queries - begins.back()) {
    const size_t even = (left + parts - 1) / parts;
    const size_t task = std::clamp(RoundUp(even, round_to), least, std::max(least, most));
    begins.push_back(begins.back() + (threads == 1 ? left : std::min(left, task)));
  }
  return begins;
}

}  // namespace elanus::index
