// Rows of an index first, then the filter.
#include "segment/iterative_filter.h"

#include <algorithm>

#include "base/profile.h"
#include "segment/filter_source.h"

namespace elanus::segment {
namespace {

constexpr size_t kFirstBatch = 64;
constexpr size_t kBatchMax = 8192;

struct Scored {
  float key;  // Smaller is better.
  uint32_t row;
  bool operator<(const Scored& o) const { return key < o.key || (key == o.key && row < o.row); }
};

// One query: batches of the stream, each twice the one before, until enough rows pass.
Status SearchOne(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                 const Allowed& allowed, size_t query, SegmentHits& hits, size_t& looked_at) {
  TRY_ASSIGN(const auto stream, SegmentStream::Open(ctx, segment, allowed, search, query));
  const FilterSource source(segment);
  const float scale = model::LargerIsBetter(search.metric) ? -1.0f : 1.0f;
  std::vector<Scored> passed;
  Bitset candidates(segment.rows());
  Bitset matches;
  for (size_t batch = std::max<size_t>(kFirstBatch, 2 * size_t{search.k});;
       batch = std::min(2 * batch, std::max(kBatchMax, size_t{search.k}))) {
    TRY(ctx.CheckAlive());
    TRY_ASSIGN(const SegmentHits found, stream->Next(ctx, batch));
    looked_at += found.rows.size();
    for (uint32_t row : found.rows) candidates.Set(row);
    TRY(expr::EvaluateAmong(ctx, *allowed.filter, source, candidates, matches));
    for (size_t i = 0; i < found.rows.size(); ++i) {
      candidates.Clear(found.rows[i]);
      if (matches.Test(found.rows[i])) passed.push_back({scale * found.scores[i], found.rows[i]});
    }
    if (found.rows.size() < batch || passed.size() >= search.k) break;
  }
  // The stream gives its rows nearly in order.
  std::sort(passed.begin(), passed.end());
  const size_t kept = std::min<size_t>(search.k, passed.size());
  for (size_t i = 0; i < kept; ++i) {
    hits.rows[query * search.k + i] = passed[i].row;
    hits.scores[query * search.k + i] = scale * passed[i].key;
  }
  return {};
}

}  // namespace

Result<bool> FiltersLater(const SegmentView& segment, const expr::Plan& plan,
                          const model::ShardSearch& search) {
  const bool is_plain = !search.grouping.is_on() && !search.by_element && !search.has_radius &&
                        !search.cursor && !search.exact;
  if (!search.iterative_filter || !is_plain || plan.always_true() || expr::HasSample(plan)) {
    return false;
  }
  TRY_ASSIGN(const FieldIndex* index, segment.IndexOf(search.vector_field));
  return index != nullptr;
}

Status SearchThenFilter(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                        const Allowed& allowed, size_t begin, size_t count, SegmentHits& hits) {
  size_t looked_at = 0;
  for (size_t query = begin; query < begin + count; ++query) {
    TRY(SearchOne(ctx, segment, search, allowed, query, hits, looked_at));
  }
  ProfileSays(ctx, "filter", "asked of the rows the index gave, by the hint");
  ProfileSays(ctx, "rows_filtered", static_cast<int64_t>(looked_at));
  return {};
}

}  // namespace elanus::segment
