// Search inside one segment.
#include "segment/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/profile.h"
#include "expr/element_filter.h"
#include "index/embedding_list.h"
#include "index/search_params.h"
#include "segment/boost.h"
#include "segment/chain_hits.h"
#include "segment/element_search.h"
#include "segment/expire.h"
#include "segment/filter_source.h"
#include "segment/fold_elements.h"
#include "segment/grouping.h"
#include "segment/iterative_filter.h"
#include "segment/valid_rows.h"

namespace elanus::segment {
namespace {

index::ScoreRange RangeOf(const model::ShardSearch& search) {
  index::ScoreRange range;
  if (search.has_radius) range.radius = static_cast<float>(search.radius);
  if (search.has_range_filter) range.range_filter = static_cast<float>(search.range_filter);
  if (search.cursor && search.cursor->has_bound) {
    // A range holds its near end; a page begins past the last one's.
    const bool larger_is_better = model::LargerIsBetter(search.metric);
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const float begin =
        std::nextafter(search.cursor->bound, larger_is_better ? -kInfinity : kInfinity);
    if (!range.range_filter) {
      range.range_filter = begin;
    } else {
      range.range_filter = larger_is_better ? std::min(*range.range_filter, begin)
                                            : std::max(*range.range_filter, begin);
    }
  }
  return range;
}

// No score can lie in it.
bool IsEmpty(const index::ScoreRange& range, model::Metric metric) {
  if (!range.radius || !range.range_filter) return false;
  return model::LargerIsBetter(metric) ? *range.range_filter <= *range.radius
                                       : *range.range_filter >= *range.radius;
}

void Round(std::span<float> scores, int decimals) {
  const double scale = std::pow(10.0, decimals);
  for (float& score : scores) score = static_cast<float>(std::round(score * scale) / scale);
}

Result<index::Params> ParamsOf(const model::ShardSearch& search,
                               std::span<const index::ParamSpec> specs) {
  TRY_ASSIGN(index::Params params, index::ParseSearchParams(specs, search.params));
  if (search.metric == model::Metric::kBm25) params.Set("bm25_avgdl", search.mean_length);
  return params;
}

// Answers some of a search's queries.
class SegmentSearcher {
 public:
  SegmentSearcher(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                  const index::Helpers& helpers)
      : ctx_(ctx), segment_(segment), search_(search), helpers_(helpers) {}

  // See segment::SharesBatch.
  Result<bool> SharesBatch(BitsetView allowed) {
    const FieldIndex* index = nullptr;
    if (!search_.exact) {
      TRY_ASSIGN(index, segment_.IndexOf(search_.vector_field));
    }
    // The vectors stay unopened: an index may do without them. Without one they come in chunks.
    const size_t rows = segment_.rows();
    const index::VectorBlock shape{.rows = index == nullptr ? std::min(rows, kChunkRows) : rows,
                                   .element = index::BlockOf(search_.queries.view()).element};
    const index::IndexType* type = index == nullptr ? nullptr : index->type;
    if (!index::SharesExactBatch(type, shape, search_.metric, search_.k)) return false;
    // Rows of one key may have an index of their own, which needs no filter.
    if (index != nullptr) return allowed.empty();
    // Lists answer query by query.
    TRY_ASSIGN(const size_t in_lists, AskLists(RequestOf(0, 0, allowed), {}));
    return in_lists == 0;
  }

  // The best hits of queries [begin, begin + count) among the allowed rows; `slots` are those of
  // the first of them.
  Status Best(size_t begin, size_t count, BitsetView allowed, index::Hits slots) {
    index::SearchRequest request = RequestOf(begin, count, allowed);
    if (IsEmpty(request.range, search_.metric)) return {};
    const FieldIndex* index = nullptr;
    if (!search_.exact) {
      TRY_ASSIGN(index, segment_.IndexOf(search_.vector_field));
    }
    if (index != nullptr) {
      ProfileSays(ctx_, "by", index->type->name);
      TRY_ASSIGN(request.params, ParamsOf(search_, index::ParamsFor(*index->type, search_.metric)));
      if (helpers_.pool == nullptr) return index->index->Search(ctx_, request, slots);
      TRY_ASSIGN(const auto rows, segment_.Vectors(search_.vector_field));
      return Scan(rows[0], request, slots);
    }
    TRY_ASSIGN(request.params,
               ParamsOf(search_, index::ExactParams(KindOf(request.queries.element))));
    TRY_ASSIGN(const auto blocks, segment_.Vectors(search_.vector_field));
    TRY_ASSIGN(const size_t answered, AskLists(request, slots));
    SayScanned(answered);
    if (blocks.size() == 1 && answered == 0) {
      return Scan(blocks[0], request, slots);
    }
    return OverBlocks(blocks, answered, request, slots);
  }

 private:
  index::SearchRequest RequestOf(size_t begin, size_t count, BitsetView allowed) const {
    return {.queries = index::BlockOf(search_.queries.view()).Slice(begin, count),
            .k = search_.k,
            .params = {},
            .allowed = allowed,
            .range = RangeOf(search_)};
  }

  Status Scan(const index::VectorBlock& rows, const index::SearchRequest& request,
              index::Hits slots) {
    if (helpers_.pool == nullptr) {
      return index::SearchExact(ctx_, rows, search_.metric, request, slots);
    }
    return index::SearchExactTogether(ctx_, helpers_, rows, search_.metric, request, slots);
  }

  // As SegmentView::SearchLists.
  Result<size_t> AskLists(const index::SearchRequest& request, index::Hits slots) {
    // With a range_filter the rows that lists lead to may all lie before the range.
    if (request.range.range_filter || search_.exact) return size_t{0};
    return segment_.SearchLists(ctx_, search_.vector_field, search_.metric, search_.params, request,
                                slots);
  }

  void SayScanned(size_t answered) const {
    if (ctx_.profile() == nullptr) return;
    ProfileSays(ctx_, "by",
                answered == 0 ? "every allowed row" : "lists of fresh rows, then the rest");
    ProfileSays(ctx_, "why",
                search_.exact          ? "an exact answer is wanted"
                : segment_.IsGrowing() ? "the segment still grows"
                                       : "the segment has no index on the field");
    if (answered > 0) ProfileSays(ctx_, "rows_in_lists", static_cast<int64_t>(answered));
  }

  // Chunks of a growing segment: the best of what each has past the first `answered` rows, merged
  // with the hits of those.
  Status OverBlocks(const std::vector<index::VectorBlock>& blocks, size_t answered,
                    const index::SearchRequest& request, index::Hits slots) {
    const uint32_t k = request.k;
    const size_t nq = request.queries.rows;
    const BitsetView allowed = request.allowed;
    index::SearchRequest part_request = request;
    const bool larger_is_better = model::LargerIsBetter(search_.metric);
    SegmentHits part;
    std::vector<std::pair<float, uint32_t>> merged;
    size_t first_row = 0;
    for (const index::VectorBlock& whole : blocks) {
      const size_t skipped = std::min(whole.rows, answered - std::min(answered, first_row));
      first_row += skipped;
      if (skipped == whole.rows) continue;
      const index::VectorBlock block = whole.Slice(skipped, whole.rows - skipped);
      const uint32_t part_k = static_cast<uint32_t>(std::min<size_t>(k, block.rows));
      part.rows.assign(nq * part_k, index::kNoRow);
      part.scores.resize(nq * part_k);
      part_request.k = part_k;
      if (!allowed.empty()) {
        static_assert(kChunkRows % 64 == 0, "blocks start at whole words");
        part_request.allowed = {allowed.words + first_row / 64, block.rows};
      }
      TRY(Scan(block, part_request, {.rows = part.rows.data(), .scores = part.scores.data()}));
      for (size_t q = 0; q < nq; ++q) {
        merged.clear();
        uint32_t* rows = slots.rows + q * k;
        float* scores = slots.scores + q * k;
        for (uint32_t i = 0; i < k && rows[i] != index::kNoRow; ++i) {
          merged.emplace_back(scores[i], rows[i]);
        }
        for (uint32_t i = 0; i < part_k; ++i) {
          const uint32_t row = part.rows[q * part_k + i];
          if (row == index::kNoRow) break;
          merged.emplace_back(part.scores[q * part_k + i], row + static_cast<uint32_t>(first_row));
        }
        const size_t keep = std::min<size_t>(k, merged.size());
        std::partial_sort(merged.begin(), merged.begin() + static_cast<ptrdiff_t>(keep),
                          merged.end(), [&](const auto& a, const auto& b) {
                            if (a.first != b.first) {
                              return larger_is_better ? a.first > b.first : a.first < b.first;
                            }
                            return a.second < b.second;
                          });
        for (size_t i = 0; i < keep; ++i) {
          scores[i] = merged[i].first;
          rows[i] = merged[i].second;
        }
      }
      first_row += block.rows;
    }
    return {};
  }

  Context& ctx_;
  const SegmentView& segment_;
  const model::ShardSearch& search_;
  const index::Helpers helpers_;
};

}  // namespace

Result<Allowed> AllowedRows(Context& ctx, const SegmentView& segment, const expr::Plan& plan,
                            const model::ShardRead& read, Timestamp read_at) {
  ProfileStep step(ctx, "filter");
  TRY_ASSIGN(const Visible visible, VisibleRows(segment, read, read_at));
  Allowed allowed;
  if (step.is_on()) {
    step.Says("rows_visible", visible.none              ? size_t{0}
                              : visible.rows == nullptr ? segment.rows()
                                                        : visible.rows->Count());
  }
  if (visible.none) {
    allowed.none = true;
    return allowed;
  }
  if (plan.always_true()) {
    allowed.all = visible.rows == nullptr;
    allowed.shared = visible.rows;
    return allowed;
  }
  TRY(expr::Evaluate(step.ctx(), plan, FilterSource(segment), allowed.bits));
  if (visible.rows != nullptr) allowed.bits.And(*visible.rows);
  allowed.none = !allowed.bits.Any();
  if (step.is_on()) step.Says("rows_after", allowed.bits.Count());
  return allowed;
}

Result<Allowed> SearchableRows(Context& ctx, const SegmentView& segment, const expr::Plan& plan,
                               const model::ShardSearch& search, Timestamp read_at) {
  TRY_ASSIGN(const bool filters_later, FiltersLater(segment, plan, search));
  TRY_ASSIGN(Allowed allowed, AllowedRows(ctx, segment, filters_later ? expr::Plan(nullptr) : plan,
                                          search.read, read_at));
  if (filters_later) allowed.filter = plan;
  if (!allowed.none) KeepOnly(allowed, segment.RowsWithVector(search.vector_field));
  if (allowed.none || !search.by_element || !expr::ElementFilterField(plan)) return allowed;
  for (size_t begin = 0; begin < segment.rows(); begin += kChunkRows) {
    TRY(expr::EvaluateElementFilter(ctx, plan, FilterSource(segment), begin,
                                    std::min(kChunkRows, segment.rows() - begin),
                                    allowed.elements.emplace_back()));
  }
  return allowed;
}

SegmentHits NoHits(const model::ShardSearch& search) {
  const size_t slots = size_t{search.nq()} * search.hits_max();
  return {.rows = std::vector<uint32_t>(slots, index::kNoRow),
          .scores = std::vector<float>(slots, 0.0f),
          .elements = std::vector<uint32_t>(search.by_element ? slots : 0)};
}

Result<bool> SharesBatch(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                         const Allowed& allowed) {
  // What is done with hits afterwards is work for several threads, too.
  const bool more_follows = !search.boosting.boosts.empty() || !search.chain.empty();
  if (allowed.none || allowed.filter || search.by_element || search.fold ||
      search.grouping.is_on() || more_follows) {
    return false;
  }
  return SegmentSearcher(ctx, segment, search, {}).SharesBatch(allowed.view());
}

Status SearchQueries(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                     const Allowed& allowed, size_t begin, size_t count, SegmentHits& hits,
                     const index::Helpers& helpers) {
  if (allowed.none) return {};
  const size_t first = begin * search.hits_max();
  const size_t slots = count * search.hits_max();
  if (search.grouping.is_on()) {
    TRY(SearchGroups(ctx, segment, allowed, search, begin, count, hits));
  } else if (search.fold) {
    TRY(FoldElements(ctx, segment, search, allowed, begin, count, hits));
  } else if (search.by_element) {
    TRY(SearchElements(ctx, segment, search, allowed, begin, count, hits));
  } else if (allowed.filter) {
    TRY(SearchThenFilter(ctx, segment, search, allowed, begin, count, hits));
  } else {
    SegmentSearcher searcher(ctx, segment, search, helpers);
    TRY(searcher.Best(begin, count, allowed.view(),
                      {.rows = hits.rows.data() + first, .scores = hits.scores.data() + first}));
  }
  if (!search.boosting.boosts.empty()) {
    TRY(BoostHits(ctx, segment, search, begin, count, hits));
  }
  if (!search.chain.empty()) TRY(ChainHits(ctx, segment, search, begin, count, hits));
  if (search.round_decimal >= 0)
    Round(std::span(hits.scores).subspan(first, slots), search.round_decimal);
  return {};
}

Result<SegmentHits> Search(Context& ctx, const SegmentView& segment, const expr::Plan& plan,
                           const model::ShardSearch& search, Timestamp read_at) {
  TRY_ASSIGN(const Allowed allowed, SearchableRows(ctx, segment, plan, search, read_at));
  SegmentHits hits = NoHits(search);
  TRY(SearchQueries(ctx, segment, search, allowed, 0, search.nq(), hits));
  return hits;
}

SegmentStream::SegmentStream() = default;
SegmentStream::~SegmentStream() = default;

Result<std::unique_ptr<SegmentStream>> SegmentStream::Open(
    Context& ctx, std::shared_ptr<const SegmentView> segment, const expr::Plan& plan,
    const model::ShardSearch& search, size_t query, Timestamp read_at) {
  std::unique_ptr<SegmentStream> stream(new SegmentStream);
  TRY_ASSIGN(stream->allowed_, SearchableRows(ctx, *segment, plan, search, read_at));
  stream->segment_ = std::move(segment);
  if (stream->allowed_.none) return stream;
  TRY(stream->OpenParts(ctx, *stream->segment_, stream->allowed_, search, query));
  return stream;
}

Result<std::unique_ptr<SegmentStream>> SegmentStream::Open(Context& ctx, const SegmentView& segment,
                                                           const Allowed& allowed,
                                                           const model::ShardSearch& search,
                                                           size_t query) {
  std::unique_ptr<SegmentStream> stream(new SegmentStream);
  if (allowed.none) return stream;
  TRY(stream->OpenParts(ctx, segment, allowed, search, query));
  return stream;
}

Status SegmentStream::OpenParts(Context& ctx, const SegmentView& segment, const Allowed& allowed,
                                const model::ShardSearch& search, size_t query) {
  index::StreamRequest request{.query = index::BlockOf(search.queries.view()).Slice(query, 1),
                               .params = {},
                               .allowed = allowed.view(),
                               .range = RangeOf(search)};
  if (IsEmpty(request.range, search.metric)) return {};
  const FieldIndex* index = nullptr;
  if (!search.exact) {
    TRY_ASSIGN(index, segment.IndexOf(search.vector_field));
  }
  TRY_ASSIGN(
      request.params,
      ParamsOf(search, index != nullptr ? index->type->params
                                        : index::ExactParams(KindOf(request.query.element))));
  if (index != nullptr && !search.by_element) {
    TRY_ASSIGN(auto hits, index->index->Stream(ctx, request));
    parts_.push_back({.hits = std::move(hits)});
    return {};
  }
  TRY_ASSIGN(const auto blocks, segment.Vectors(search.vector_field));
  larger_is_better_ = LargerIsBetter(search.metric);
  size_t first_row = 0;
  for (const index::VectorBlock& block : blocks) {
    Part part{.hits = nullptr, .first_row = static_cast<uint32_t>(first_row)};
    index::VectorBlock rows = block;
    if (search.by_element) {
      part.lists = block;
      part.vectors = std::make_unique<Bitset>();
      rows = block.Flat();
      request.allowed = {};
      const bool takes_all = allowed.all && allowed.elements.empty();
      const bool any = takes_all || AllowVectors({block, first_row}, allowed, *part.vectors);
      if (!takes_all) request.allowed = part.vectors->view();
      first_row += block.rows;
      if (!any || rows.rows == 0) continue;
    } else {
      if (!allowed.all) request.allowed = {allowed.view().words + first_row / 64, block.rows};
      first_row += block.rows;
    }
    // A segment with an index is one block.
    if (index != nullptr) {
      TRY_ASSIGN(part.hits, index->index->Stream(ctx, request));
    } else {
      TRY_ASSIGN(part.hits, index::StreamExact(ctx, rows, search.metric, request));
    }
    parts_.push_back(std::move(part));
  }
  return {};
}

Result<SegmentHits> SegmentStream::Next(Context& ctx, size_t count) {
  SegmentHits hits;
  if (parts_.size() == 1) {
    hits.rows.resize(count);
    hits.scores.resize(count);
    TRY_ASSIGN(
        const size_t found,
        parts_[0].hits->Next(ctx, count, {.rows = hits.rows.data(), .scores = hits.scores.data()}));
    hits.rows.resize(found);
    hits.scores.resize(found);
    parts_[0].Place(hits.rows, hits.elements);
    return hits;
  }
  while (hits.rows.size() < count) {
    // The best of what the parts would give next; there are few of them.
    Part* best = nullptr;
    for (Part& part : parts_) {
      TRY(part.Fill(ctx));
      if (part.ended()) continue;
      const bool is_better = best == nullptr || (larger_is_better_ ? part.score() > best->score()
                                                                   : part.score() < best->score());
      if (is_better) best = &part;
    }
    if (best == nullptr) break;
    hits.rows.push_back(best->rows[best->next]);
    hits.scores.push_back(best->score());
    if (best->lists) hits.elements.push_back(best->elements[best->next]);
    ++best->next;
  }
  return hits;
}

Status SegmentStream::Part::Fill(Context& ctx) {
  if (next < rows.size() || last) return {};
  rows.resize(kRowsAtOnce);
  scores.resize(kRowsAtOnce);
  next = 0;
  TRY_ASSIGN(const size_t found,
             hits->Next(ctx, kRowsAtOnce, {.rows = rows.data(), .scores = scores.data()}));
  last = found < kRowsAtOnce;
  rows.resize(found);
  scores.resize(found);
  Place(rows, elements);
  return {};
}

void SegmentStream::Part::Place(std::span<uint32_t> found, std::vector<uint32_t>& to) const {
  to.clear();
  for (uint32_t& place : found) {
    if (lists) {
      const size_t row = lists->OwnerOf(place);
      to.push_back(static_cast<uint32_t>(place - lists->FirstVector(row)));
      place = static_cast<uint32_t>(row);
    }
    place += first_row;
  }
}

}  // namespace elanus::segment
