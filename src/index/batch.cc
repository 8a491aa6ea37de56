// Sizes of tasks.
#include "index/batch.h"

#include <algorithm>

namespace elanus::index {
namespace {

// A task is a thread's share of what is left, but no less than this part of its share of all: each
// task costs an index a pass over its rows, however few its queries are.
constexpr size_t kPartOfAll = 4;
// Lists are shared by so many, which takes a tenth less than by half as many. More queries at once
// save no index more that leaves the sharing to its caller, and others wait for the end of a task.
constexpr size_t kVectorsMax = 256;
constexpr size_t kRoundTo = 16;  // Indexes take queries in groups of 4 to 32.

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
      std::min((batch.queries / (threads * kPartOfAll) + round_to - 1) / round_to * round_to, most);
  const size_t least = std::max(queries_of(static_cast<size_t>(options.queries_min)), worth_a_pass);
  // Segments may differ in size: a task of one should not keep the others waiting at the end.
  const size_t parts =
      batch.segments == 1 ? threads : (2 * threads + batch.segments - 1) / batch.segments;
  for (size_t left = batch.queries; left > 0; left = batch.queries - begins.back()) {
    // Rounded down, so that the first task is not longer than all the others.
    const size_t even = parts == 1 ? left : left / parts / round_to * round_to;
    const size_t task = std::clamp(even, least, std::max(least, most));
    begins.push_back(begins.back() + (threads == 1 ? left : std::min(left, task)));
  }
  return begins;
}

}  // namespace elanus::index
