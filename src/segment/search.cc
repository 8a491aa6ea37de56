// Search inside one segment.
#include "segment/search.h"

#include <algorithm>
#include <cmath>
#include <optional>

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
  Result<bool> Answer(Context& ctx, const model::Predicate& predicate,
                      Bitset& matches) const override {
    return segment_.Answer(ctx, predicate, matches);
  }

 private:
  const SegmentView& segment_;
};
static_assert(kChunkRows == expr::kBatchRows, "a batch of the filter must lie in one chunk");

bool InRange(const model::ShardSearch& search, float score) {
  const bool larger_is_better = model::LargerIsBetter(search.metric);
  if (search.has_radius) {
    if (larger_is_better ? !(score > search.radius) : !(score < search.radius)) return false;
  }
  if (search.has_range_filter) {
    if (larger_is_better ? !(score <= search.range_filter) : !(score >= search.range_filter)) {
      return false;
    }
  }
  return true;
}

void Round(std::vector<float>& scores, int decimals) {
  const double scale = std::pow(10.0, decimals);
  for (float& score : scores) score = static_cast<float>(std::round(score * scale) / scale);
}

// Keeps the hits of one query that lie in the range; they stay in order.
uint32_t KeepRange(const model::ShardSearch& search, uint32_t* rows, float* scores, uint32_t k) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < k && rows[i] != index::kNoRow; ++i) {
    if (!InRange(search, scores[i])) continue;
    rows[kept] = rows[i];
    scores[kept] = scores[i];
    ++kept;
  }
  for (uint32_t i = kept; i < k; ++i) rows[i] = index::kNoRow;
  return kept;
}

class SegmentSearcher {
 public:
  SegmentSearcher(Context& ctx, const SegmentView& segment, const model::ShardSearch& search)
      : ctx_(ctx), segment_(segment), search_(search) {}

  // `k` best hits of each query among the allowed rows, without the range.
  Status Best(BitsetView allowed, uint32_t k, bool exact, SegmentHits& hits) {
    hits.rows.assign(size_t{search_.nq} * k, index::kNoRow);
    hits.scores.assign(size_t{search_.nq} * k, 0.0f);
    const index::VectorBlock queries{
        .data = search_.queries.data(), .rows = search_.nq, .dim = search_.dim};
    const FieldIndex* index = exact ? nullptr : segment_.IndexOf(search_.vector_field);
    if (index != nullptr) {
      Result<index::Params> params =
          index::ParseParams(index->type->params, index::Phase::kSearch, search_.params);
      // The wire answers faults in search parameters with the engine's code.
      if (!params.ok()) return Status(ErrorCode::kSegcore, std::string(params.status().message()));
      return index->index->Search(ctx_, queries, k, *params, allowed,
                                  {.rows = hits.rows.data(), .scores = hits.scores.data()});
    }
    TRY_ASSIGN(const auto blocks, segment_.Vectors(search_.vector_field));
    if (blocks.size() == 1) {
      return index::SearchExact(ctx_, blocks[0], search_.metric, queries, k, allowed,
                                {.rows = hits.rows.data(), .scores = hits.scores.data()});
    }
    return OverBlocks(blocks, queries, allowed, k, hits);
  }

 private:
  // Chunks of a growing segment: each block's best, merged.
  Status OverBlocks(const std::vector<index::VectorBlock>& blocks, index::VectorBlock queries,
                    BitsetView allowed, uint32_t k, SegmentHits& hits) {
    const bool larger_is_better = model::LargerIsBetter(search_.metric);
    SegmentHits part;
    std::vector<std::pair<float, uint32_t>> merged;
    size_t first_row = 0;
    for (const index::VectorBlock& block : blocks) {
      const uint32_t part_k = static_cast<uint32_t>(std::min<size_t>(k, block.rows));
      part.rows.assign(size_t{search_.nq} * part_k, index::kNoRow);
      part.scores.resize(size_t{search_.nq} * part_k);
      BitsetView block_allowed;
      if (!allowed.empty()) {
        static_assert(kChunkRows % 64 == 0, "blocks start at whole words");
        block_allowed = {allowed.words + first_row / 64, block.rows};
      }
      TRY(index::SearchExact(ctx_, block, search_.metric, queries, part_k, block_allowed,
                             {.rows = part.rows.data(), .scores = part.scores.data()}));
      for (uint32_t q = 0; q < search_.nq; ++q) {
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

// With a range_filter the best rows may all lie before the range: look deeper, exactly, until k are
// found or the worst hit has left the range.
Status SearchRange(SegmentSearcher& searcher, const SegmentView& segment,
                   const model::ShardSearch& search, BitsetView allowed, SegmentHits& hits) {
  const uint32_t rows = static_cast<uint32_t>(segment.rows());
  for (uint32_t depth = search.k;; depth = depth > rows / 2 ? rows : depth * 2) {
    depth = std::min(depth, rows);
    SegmentHits deep;
    TRY(searcher.Best(allowed, depth, /*exact=*/true, deep));
    bool complete = true;
    for (uint32_t q = 0; q < search.nq; ++q) {
      uint32_t* deep_rows = deep.rows.data() + size_t{q} * depth;
      float* deep_scores = deep.scores.data() + size_t{q} * depth;
      const bool exhausted = depth == rows || deep_rows[depth - 1] == index::kNoRow;
      const uint32_t kept = KeepRange(search, deep_rows, deep_scores, depth);
      if (kept < search.k && !exhausted) complete = false;
      for (uint32_t i = 0; i < search.k; ++i) {
        const bool used = i < kept;
        hits.rows[size_t{q} * search.k + i] = used ? deep_rows[i] : index::kNoRow;
        hits.scores[size_t{q} * search.k + i] = used ? deep_scores[i] : 0.0f;
      }
    }
    if (complete || depth == rows) return {};
  }
}

}  // namespace

Result<Allowed> AllowedRows(Context& ctx, const SegmentView& segment, const expr::Plan& plan,
                            Timestamp read_at) {
  const Visible visible = segment.VisibleAt(read_at);
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
  TRY_ASSIGN(const Allowed allowed, AllowedRows(ctx, segment, plan, read_at));
  SegmentHits hits;
  if (allowed.none) {
    hits.rows.assign(size_t{search.nq} * search.k, index::kNoRow);
    hits.scores.assign(size_t{search.nq} * search.k, 0.0f);
    return hits;
  }
  SegmentSearcher searcher(ctx, segment, search);
  if (search.has_range_filter) {
    hits.rows.resize(size_t{search.nq} * search.k);
    hits.scores.resize(size_t{search.nq} * search.k);
    TRY(SearchRange(searcher, segment, search, allowed.view(), hits));
  } else {
    TRY(searcher.Best(allowed.view(), search.k, /*exact=*/false, hits));
    if (search.has_radius) {
      for (uint32_t q = 0; q < search.nq; ++q) {
        KeepRange(search, hits.rows.data() + size_t{q} * search.k,
                  hits.scores.data() + size_t{q} * search.k, search.k);
      }
    }
  }
  if (search.round_decimal >= 0) Round(hits.scores, search.round_decimal);
  return hits;
}

}  // namespace elanus::segment
