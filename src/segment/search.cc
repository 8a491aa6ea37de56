// Search inside one segment.
#include "segment/search.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "segment/expire.h"
#include "segment/valid_rows.h"

namespace elanus::segment {
namespace {

// A segment as the filter sees it.
class FilterSource final : public expr::ColumnSource {
 public:
  explicit FilterSource(const SegmentView& segment) : segment_(segment) {}
  size_t rows() const override { return segment_.rows(); }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    return segment_.Read(field, begin, count);
  }
  model::IndexPromise Estimate(const model::Predicate& predicate) const override {
    return segment_.Estimate(predicate);
  }
  Result<model::Coverage> Answer(Context& ctx, const model::Predicate& predicate, Bitset& matches,
                                 Bitset* unknown) const override {
    return segment_.Answer(ctx, predicate, matches, unknown);
  }
  const model::BlockStats* Stats(FieldId field, size_t begin) const override {
    return segment_.Stats(field, begin);
  }

 private:
  const SegmentView& segment_;
};
static_assert(kChunkRows == expr::kBatchRows, "a batch of the filter must lie in one chunk");

index::ScoreRange RangeOf(const model::ShardSearch& search) {
  index::ScoreRange range;
  if (search.has_radius) range.radius = static_cast<float>(search.radius);
  if (search.has_range_filter) range.range_filter = static_cast<float>(search.range_filter);
  return range;
}

void Round(std::vector<float>& scores, int decimals) {
  const double scale = std::pow(10.0, decimals);
  for (float& score : scores) score = static_cast<float>(std::round(score * scale) / scale);
}

// The wire answers faults in search parameters with the engine's code.
Result<index::Params> ParamsOf(const model::ShardSearch& search,
                               std::span<const index::ParamSpec> specs) {
  Result<index::Params> params = index::ParseParams(specs, index::Phase::kSearch, search.params);
  if (!params.ok()) return Status(ErrorCode::kSegcore, std::string(params.status().message()));
  return params;
}

class SegmentSearcher {
 public:
  SegmentSearcher(Context& ctx, const SegmentView& segment, const model::ShardSearch& search)
      : ctx_(ctx), segment_(segment), search_(search) {}

  // `k` best hits of each query among the allowed rows.
  Status Best(BitsetView allowed, uint32_t k, SegmentHits& hits) {
    hits.rows.assign(size_t{search_.nq()} * k, index::kNoRow);
    hits.scores.assign(size_t{search_.nq()} * k, 0.0f);
    index::SearchRequest request{.queries = index::BlockOf(search_.queries.view()),
                                 .k = k,
                                 .params = {},
                                 .allowed = allowed,
                                 .range = RangeOf(search_)};
    const FieldIndex* index = segment_.IndexOf(search_.vector_field);
    const index::Hits slots{.rows = hits.rows.data(), .scores = hits.scores.data()};
    if (index != nullptr) {
      TRY_ASSIGN(request.params, ParamsOf(search_, index->type->params));
      return index->index->Search(ctx_, request, slots);
    }
    TRY_ASSIGN(request.params,
               ParamsOf(search_, index::ExactParams(KindOf(request.queries.element))));
    TRY_ASSIGN(const auto blocks, segment_.Vectors(search_.vector_field));
    size_t answered = 0;
    // With a range_filter the rows that lists lead to may all lie before the range.
    if (!search_.has_range_filter) {
      TRY_ASSIGN(answered, segment_.SearchLists(ctx_, search_.vector_field, search_.metric,
                                                search_.params, request, slots));
    }
    if (blocks.size() == 1 && answered == 0) {
      return index::SearchExact(ctx_, blocks[0], search_.metric, request, slots);
    }
    return OverBlocks(blocks, answered, request, hits);
  }

 private:
  // Chunks of a growing segment: the best of what each has past the first `answered` rows, merged
  // with the hits of those.
  Status OverBlocks(const std::vector<index::VectorBlock>& blocks, size_t answered,
                    const index::SearchRequest& request, SegmentHits& hits) {
    const uint32_t k = request.k;
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
      part.rows.assign(size_t{search_.nq()} * part_k, index::kNoRow);
      part.scores.resize(size_t{search_.nq()} * part_k);
      part_request.k = part_k;
      if (!allowed.empty()) {
        static_assert(kChunkRows % 64 == 0, "blocks start at whole words");
        part_request.allowed = {allowed.words + first_row / 64, block.rows};
      }
      TRY(index::SearchExact(ctx_, block, search_.metric, part_request,
                             {.rows = part.rows.data(), .scores = part.scores.data()}));
      for (uint32_t q = 0; q < search_.nq(); ++q) {
        merged.clear();
        uint32_t* rows = hits.rows.data() + size_t{q} * k;
        float* scores = hits.scores.data() + size_t{q} * k;
        for (uint32_t i = 0; i < k && rows[i] != index::kNoRow; ++i) {
          merged.emplace_back(scores[i], rows[i]);
        }
        for (uint32_t i = 0; i < part_k; ++i) {
          const uint32_t row = part.rows[size_t{q} * part_k + i];
          if (row == index::kNoRow) break;
          merged.emplace_back(part.scores[size_t{q} * part_k + i],
                              row + static_cast<uint32_t>(first_row));
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
};

}  // namespace

Result<Allowed> AllowedRows(Context& ctx, const SegmentView& segment, const expr::Plan& plan,
                            const model::ShardRead& read, Timestamp read_at) {
  const Visible visible = HideExpired(segment, segment.VisibleAt(read_at), read.expired_before);
  Allowed allowed;
  if (visible.none) {
    allowed.none = true;
    return allowed;
  }
  if (plan.always_true()) {
    allowed.all = visible.rows == nullptr;
    allowed.shared = visible.rows;
    return allowed;
  }
  TRY(expr::Evaluate(ctx, plan, FilterSource(segment), allowed.bits));
  if (visible.rows != nullptr) allowed.bits.And(*visible.rows);
  allowed.none = !allowed.bits.Any();
  return allowed;
}

Result<SegmentHits> Search(Context& ctx, const SegmentView& segment, const expr::Plan& plan,
                           const model::ShardSearch& search, Timestamp read_at) {
  TRY_ASSIGN(Allowed allowed, AllowedRows(ctx, segment, plan, search.read, read_at));
  if (!allowed.none) KeepOnly(allowed, segment.RowsWithVector(search.vector_field));
  SegmentHits hits;
  if (allowed.none) {
    hits.rows.assign(size_t{search.nq()} * search.k, index::kNoRow);
    hits.scores.assign(size_t{search.nq()} * search.k, 0.0f);
    return hits;
  }
  SegmentSearcher searcher(ctx, segment, search);
  TRY(searcher.Best(allowed.view(), search.k, hits));
  if (search.round_decimal >= 0) Round(hits.scores, search.round_decimal);
  return hits;
}

SegmentStream::SegmentStream() = default;
SegmentStream::~SegmentStream() = default;

Result<std::unique_ptr<SegmentStream>> SegmentStream::Open(
    Context& ctx, std::shared_ptr<const SegmentView> segment, const expr::Plan& plan,
    const model::ShardSearch& search, size_t query, Timestamp read_at) {
  std::unique_ptr<SegmentStream> stream(new SegmentStream);
  TRY_ASSIGN(stream->allowed_, AllowedRows(ctx, *segment, plan, search.read, read_at));
  if (!stream->allowed_.none) {
    KeepOnly(stream->allowed_, segment->RowsWithVector(search.vector_field));
  }
  stream->segment_ = std::move(segment);
  if (stream->allowed_.none) return stream;
  const BitsetView allowed = stream->allowed_.view();
  index::StreamRequest request{.query = index::BlockOf(search.queries.view()).Slice(query, 1),
                               .params = {},
                               .allowed = allowed,
                               .range = RangeOf(search)};
  const FieldIndex* index = stream->segment_->IndexOf(search.vector_field);
  if (index != nullptr) {
    TRY_ASSIGN(request.params, ParamsOf(search, index->type->params));
    TRY_ASSIGN(auto hits, index->index->Stream(ctx, request));
    stream->parts_.push_back({.hits = std::move(hits)});
    return stream;
  }
  TRY_ASSIGN(request.params, ParamsOf(search, index::ExactParams(KindOf(request.query.element))));
  TRY_ASSIGN(const auto blocks, stream->segment_->Vectors(search.vector_field));
  stream->larger_is_better_ = LargerIsBetter(search.metric);
  size_t first_row = 0;
  for (const index::VectorBlock& block : blocks) {
    if (!allowed.empty()) request.allowed = {allowed.words + first_row / 64, block.rows};
    TRY_ASSIGN(auto hits, index::StreamExact(ctx, block, search.metric, request));
    stream->parts_.push_back(
        {.hits = std::move(hits), .first_row = static_cast<uint32_t>(first_row)});
    first_row += block.rows;
  }
  return stream;
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
    hits.rows.push_back(best->first_row + best->rows[best->next]);
    hits.scores.push_back(best->score());
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
  return {};
}

}  // namespace elanus::segment
