// Search of several segments in tasks.
#include "segment/search_tasks.h"

#include <algorithm>
#include <atomic>

#include "segment/segment_step.h"

namespace elanus::segment {

Status ForEachTask(Context& ctx, const SearchThreads& threads, size_t count,
                   const std::function<Status(size_t)>& fn) {
  if (threads.pool != nullptr) {
    return threads.pool->ParallelFor(ctx, count, fn,
                                     index::HelpersMax(*threads.pool, threads.batch));
  }
  for (size_t i = 0; i < count; ++i) TRY(fn(i));
  return {};
}

Result<std::vector<Found>> SearchSegments(Context& ctx, const SearchThreads& threads,
                                          std::span<const std::shared_ptr<const SegmentView>> views,
                                          const expr::Plan& plan, const model::ShardSearch& search,
                                          Timestamp read_at) {
  std::vector<Found> found(views.size());
  if (views.empty()) return found;
  const size_t nq = search.nq();
  std::vector<size_t> begins{0};
  if (nq > 0 && threads.pool != nullptr) {
    begins = index::CutQueries(*threads.pool, threads.batch, nq, views.size());
  } else if (nq > 0) {
    begins.push_back(nq);
  }
  const size_t parts = begins.size() - 1;
  std::vector<Allowed> allowed(views.size());
  // A segment that is done with leaves its room in the cache to the next one.
  std::vector<std::atomic<size_t>> parts_left(views.size());
  for (auto& left : parts_left) left = parts;
  const auto answer = [&](Context& within, size_t v, size_t part) {
    const size_t begin = begins[part];
    ProfileStep step(within, "vectors");
    if (step.is_on() && parts > 1) {
      step.Says("segment", views[v]->id().value());
      step.Says("first_query", begin);
    }
    Status status = SearchQueries(step.ctx(), *views[v], search, allowed[v], begin,
                                  begins[part + 1] - begin, found[v].hits);
    if (parts_left[v].fetch_sub(1) == 1) views[v]->Unpin();
    return status;
  };
  TRY(ForEachTask(ctx, threads, views.size(), [&](size_t v) -> Status {
    found[v].segment = views[v];
    found[v].hits = NoHits(search);
    ProfileStep step(ctx, "segment");
    SaySegment(step, *views[v]);
    TRY_ASSIGN(allowed[v], SearchableRows(step.ctx(), *views[v], plan, search, read_at));
    return parts == 1 ? answer(step.ctx(), v, 0) : Status();
  }));
  if (parts <= 1) return found;
  TRY(ForEachTask(ctx, threads, views.size() * parts,
                  [&](size_t task) { return answer(ctx, task / parts, task % parts); }));
  return found;
}

}  // namespace elanus::segment
