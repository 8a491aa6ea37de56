// How a batch of queries is cut into tasks for several threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/executor.h"
#include "base/option_spec.h"

namespace elanus::index {

/// What one request may take of the machine.
struct BatchOptions {
  int64_t threads_max = 0;
  int64_t queries_min = 16;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(threads_max, OptionSpec{"queryNode.search.threadsPerRequest", "", 0, 1024,
                                  "Threads that work on one search at most, the one that asked "
                                  "among them; 0: as many as there are."});
    visit(queries_min, OptionSpec{"queryNode.search.queriesPerTask", "", 1, 16384,
                                  "A search of more query vectors than this is cut into tasks of "
                                  "at least so many, for several threads."});
  }
};

/// Queries that come together.
struct Batch {
  size_t queries = 0;
  size_t vectors_per_query = 1;  // About so many, where queries are lists of vectors.
  size_t segments = 1;           // That answer each of them.
};

/// Workers of the pool that may help the thread that asks, see Pool::ParallelFor.
size_t HelpersMax(const Pool& pool, const BatchOptions& options);

/// Where the tasks begin that the queries, at least one, become in each of the segments, ascending
/// from 0; then their number. Tasks are taken in this order. The first ones are large, so that an
/// index can share work among their queries, the last ones small, so that the threads end at about
/// the same time (guided self-scheduling: C. D. Polychronopoulos and D. J. Kuck, IEEE Transactions
/// on Computers 36, 1987).
std::vector<size_t> CutQueries(const Pool& pool, const BatchOptions& options, const Batch& batch);

}  // namespace elanus::index
