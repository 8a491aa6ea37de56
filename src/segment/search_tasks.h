// Search of several segments, their queries in tasks for several threads.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/executor.h"
#include "index/batch.h"
#include "segment/search.h"

namespace elanus::segment {

/// Who may help a search.
struct SearchThreads {
  Pool* pool = nullptr;  // Null: the calling thread alone.
  index::BatchOptions batch = {};
};

/// Runs fn(0) .. fn(count - 1), with the help there is; see Pool::ParallelFor.
Status ForEachTask(Context& ctx, const SearchThreads& threads, size_t count,
                   const std::function<Status(size_t)>& fn);

/// The hits of each view: the filter once a segment, then its queries in tasks; where there is one
/// task a segment it does both. A segment whose threads had better share its rows than the queries
/// (SharesBatch) is one task of all threads. Unpins a view once all its queries are answered.
/// `views` and `search` are borrowed. Errors: as SearchableRows and SearchQueries.
Result<std::vector<Found>> SearchSegments(Context& ctx, const SearchThreads& threads,
                                          std::span<const std::shared_ptr<const SegmentView>> views,
                                          const expr::Plan& plan, const model::ShardSearch& search,
                                          Timestamp read_at);

}  // namespace elanus::segment
