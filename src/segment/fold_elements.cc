// Folding elements.
#include "segment/fold_elements.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "index/top_k.h"
#include "segment/boost.h"
#include "segment/element_search.h"

namespace elanus::segment {
namespace {

// A sum is looked for until no row that is left can have a larger one; through an index, which
// gives elements nearly in order and takes its time, among so many rows at most.
constexpr size_t kRowsMin = 1000;
constexpr size_t kRowsPerHit = 64;
constexpr size_t kFirstBatch = 64;
constexpr size_t kBatchMax = 4096;

struct Row {
  uint32_t row;
  uint32_t element;  // The best of it.
  float score;       // Of that element.
};

// Scores rows by all their elements.
class RowFolder {
 public:
  RowFolder(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
            const Allowed& allowed)
      : ctx_(ctx), segment_(segment), search_(search), allowed_(allowed) {}

  Status Open(size_t query) {
    request_.queries = index::BlockOf(search_.queries.view()).Slice(query, 1);
    if (search_.has_radius) request_.range.radius = static_cast<float>(search_.radius);
    if (search_.has_range_filter)
      request_.range.range_filter = static_cast<float>(search_.range_filter);
    TRY_ASSIGN(blocks_, segment_.Vectors(search_.vector_field));
    for (const index::VectorBlock& block : blocks_) {
      for (size_t row = 0; row < block.rows; ++row) {
        longest_ = std::max(longest_, block.FirstVector(row + 1) - block.FirstVector(row));
      }
    }
    return {};
  }

  /// No row has a larger score whose elements all score `element` at most.
  float Bound(float element) const {
    const bool adds = search_.fold->kind == Kind::kSum || search_.fold->kind == Kind::kTopSum;
    if (!adds || element <= 0) return element;
    const size_t most =
        search_.fold->kind == Kind::kSum ? longest_ : std::min<size_t>(longest_, search_.fold->top);
    return static_cast<float>(most) * element;
  }

  /// The score of a row; its best element goes to `row`.
  Result<float> Fold(Row& row) {
    const ListBlock lists = BlockWith(row.row);
    const index::VectorBlock one = lists.block.Slice(row.row - lists.first_row, 1);
    const index::VectorBlock flat = one.Flat();
    request_.k = static_cast<uint32_t>(flat.rows);
    request_.allowed = {};
    if (!allowed_.elements.empty()) {
      KeepElements(lists, row.row);
      request_.allowed = kept_.view();
    }
    found_.assign(flat.rows, index::kNoRow);
    scores_.assign(flat.rows, 0.0f);
    TRY(index::SearchExact(ctx_, flat, search_.metric, request_,
                           {.rows = found_.data(), .scores = scores_.data()}));
    const auto count = static_cast<size_t>(std::find(found_.begin(), found_.end(), index::kNoRow) -
                                           found_.begin());
    if (count == 0) return row.score;  // The index has put it into the range by its codes.
    row.element = found_[0];
    return FoldScores(std::span(scores_).first(count));
  }

 private:
  using Kind = model::ElementFold::Kind;

  float FoldScores(std::span<const float> scores) const {
    const model::ElementFold& fold = *search_.fold;
    if (fold.kind == Kind::kMax) return scores[0];
    const bool takes_top = fold.kind == Kind::kTopSum || fold.kind == Kind::kTopAvg;
    if (takes_top) scores = scores.first(std::min<size_t>(fold.top, scores.size()));
    const double sum = std::accumulate(scores.begin(), scores.end(), 0.0);
    const bool averages = fold.kind == Kind::kAvg || fold.kind == Kind::kTopAvg;
    return static_cast<float>(averages ? sum / static_cast<double>(scores.size()) : sum);
  }

  ListBlock BlockWith(uint32_t row) const {
    size_t first_row = 0;
    for (const index::VectorBlock& block : blocks_) {
      if (row < first_row + block.rows) return {block, first_row};
      first_row += block.rows;
    }
    CHECK(false);
    return {};
  }
  void KeepElements(const ListBlock& lists, uint32_t row) {
    const size_t chunk = row / kChunkRows;
    const size_t chunk_begin = lists.block.FirstVector(chunk * kChunkRows - lists.first_row);
    const size_t begin = lists.block.FirstVector(row - lists.first_row);
    const size_t end = lists.block.FirstVector(row - lists.first_row + 1);
    kept_.Resize(end - begin);
    for (size_t v = begin; v < end; ++v) {
      if (KeepsElement(allowed_, chunk, v - chunk_begin)) kept_.Set(v - begin);
    }
  }

  Context& ctx_;
  const SegmentView& segment_;
  const model::ShardSearch& search_;
  const Allowed& allowed_;
  std::vector<index::VectorBlock> blocks_;
  size_t longest_ = 0;  // Elements of a row, at most.
  index::SearchRequest request_;
  Bitset kept_;
  std::vector<uint32_t> found_;
  std::vector<float> scores_;
};

Status FoldOne(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
               const Allowed& allowed, size_t query, SegmentHits& hits) {
  TRY_ASSIGN(const auto stream, SegmentStream::Open(ctx, segment, allowed, search, query));
  TRY_ASSIGN(const FieldIndex* index, segment.IndexOf(search.vector_field));
  const bool is_best = search.fold->kind == model::ElementFold::Kind::kMax;
  size_t rows_max = segment.rows();
  if (is_best) {
    rows_max = search.k;
  } else if (index != nullptr && !search.exact) {
    rows_max = kRowsMin + kRowsPerHit * search.k;
  }
  RowFolder folder(ctx, segment, search, allowed);
  TRY(folder.Open(query));
  const float scale = model::LargerIsBetter(search.metric) ? -1.0f : 1.0f;
  index::TopK best(search.k);
  std::vector<Row> rows;
  std::unordered_set<uint32_t> met;
  for (size_t batch = kFirstBatch; rows.size() < rows_max; batch = std::min(2 * batch, kBatchMax)) {
    TRY(ctx.CheckAlive());
    TRY_ASSIGN(const SegmentHits found, stream->Next(ctx, batch));
    for (size_t i = 0; i < found.rows.size(); ++i) {
      if (!met.insert(found.rows[i]).second) continue;
      rows.push_back({found.rows[i], found.elements[i], found.scores[i]});
      float score = found.scores[i];
      if (!is_best) {
        TRY_ASSIGN(score, folder.Fold(rows.back()));
      }
      best.Push(scale * score, static_cast<uint32_t>(rows.size() - 1));
    }
    if (found.rows.size() < batch) break;
    if (!is_best && best.full() && -best.bound() >= folder.Bound(found.scores.back())) break;
  }
  const size_t first = query * search.hits_max();
  best.WriteTo({.rows = hits.rows.data() + first, .scores = hits.scores.data() + first}, 0, scale);
  for (size_t i = first; i < first + search.k && hits.rows[i] != index::kNoRow; ++i) {
    const Row& row = rows[hits.rows[i]];
    hits.rows[i] = row.row;
    hits.elements[i] = row.element;
  }
  return {};
}

}  // namespace

Status FoldElements(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                    const Allowed& allowed, size_t begin, size_t count, SegmentHits& hits) {
  for (size_t query = begin; query < begin + count; ++query) {
    TRY(FoldOne(ctx, segment, search, allowed, query, hits));
  }
  return {};
}

}  // namespace elanus::segment
