// Search of several segments in tasks.
#include "segment/search_tasks.h"

#include <algorithm>
#include <atomic>

#include "segment/segment_step.h"

namespace elanus::segment {
namespace {

// How many vectors a query has, about.
size_t VectorsPerQuery(const model::ShardSearch& search) {
  const index::VectorBlock queries = index::BlockOf(search.queries.view());
  if (!queries.is_lists() || queries.rows == 0) return 1;
  return (queries.Flat().rows + queries.rows - 1) / queries.rows;
}

// One SearchSegments.
class SegmentsSearch {
 public:
  SegmentsSearch(Context& ctx, const SearchThreads& threads,
                 std::span<const std::shared_ptr<const SegmentView>> views,
                 const model::ShardSearch& search)
      : ctx_(ctx),
        threads_(threads),
        views_(views),
        search_(search),
        allowed_(views.size()),
        shares_(views.size(), false),
        parts_left_(views.size()),
        found_(views.size()) {
    const size_t nq = search.nq();
    if (nq > 0 && threads.pool != nullptr) {
      begins_ = index::CutQueries(
          *threads.pool, threads.batch,
          {.queries = nq, .vectors_per_query = VectorsPerQuery(search), .segments = views.size()});
    } else if (nq > 0) {
      begins_.push_back(nq);
    }
    // A segment that is done with leaves its room in the cache to the next one.
    for (auto& left : parts_left_) left = parts();
  }

  Result<std::vector<Found>> Run(const expr::Plan& plan, Timestamp read_at) {
    TRY(ForEachTask(ctx_, threads_, views_.size(), [&](size_t v) -> Status {
      found_[v].segment = views_[v];
      found_[v].hits = NoHits(search_);
      ProfileStep step(ctx_, "segment");
      SaySegment(step, *views_[v]);
      TRY_ASSIGN(allowed_[v], SearchableRows(step.ctx(), *views_[v], plan, search_, read_at));
      if (parts() == 1) return Answer(step.ctx(), v, 0);
      if (parts() > 1) {
        TRY_ASSIGN(shares_[v], SharesBatch(step.ctx(), *views_[v], search_, allowed_[v]));
      }
      return {};
    }));
    if (parts() <= 1) return std::move(found_);
    TRY(ForEachTask(ctx_, threads_, views_.size() * parts(), [&](size_t task) {
      const size_t v = task / parts();
      return shares_[v] != 0 ? Status() : Answer(ctx_, v, task % parts());
    }));
    for (size_t v = 0; v < views_.size(); ++v) {
      if (shares_[v] != 0) TRY(AnswerAll(v));
    }
    return std::move(found_);
  }

 private:
  size_t parts() const { return begins_.size() - 1; }

  Status Answer(Context& ctx, size_t v, size_t part) {
    const size_t begin = begins_[part];
    ProfileStep step(ctx, "vectors");
    if (step.is_on() && parts() > 1) {
      step.Says("segment", views_[v]->id().value());
      step.Says("first_query", begin);
    }
    Status status = SearchQueries(step.ctx(), *views_[v], search_, allowed_[v], begin,
                                  begins_[part + 1] - begin, found_[v].hits);
    if (parts_left_[v].fetch_sub(1) == 1) views_[v]->Unpin();
    return status;
  }

  Status AnswerAll(size_t v) {
    ProfileStep step(ctx_, "vectors");
    if (step.is_on()) step.Says("segment", views_[v]->id().value());
    const index::Helpers helpers{.pool = threads_.pool,
                                 .max = index::HelpersMax(*threads_.pool, threads_.batch)};
    Status status = SearchQueries(step.ctx(), *views_[v], search_, allowed_[v], 0, search_.nq(),
                                  found_[v].hits, helpers);
    views_[v]->Unpin();
    return status;
  }

  Context& ctx_;
  const SearchThreads& threads_;
  const std::span<const std::shared_ptr<const SegmentView>> views_;
  const model::ShardSearch& search_;
  std::vector<size_t> begins_{0};  // Of the tasks of a segment.
  std::vector<Allowed> allowed_;
  std::vector<char> shares_;  // Not bool: written by several threads.
  std::vector<std::atomic<size_t>> parts_left_;
  std::vector<Found> found_;
};

}  // namespace

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
  if (views.empty()) return std::vector<Found>();
  return SegmentsSearch(ctx, threads, views, search).Run(plan, read_at);
}

}  // namespace elanus::segment
