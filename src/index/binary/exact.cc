// The exact scan. A tile of rows is read once for a group of queries.
#include "index/binary/exact.h"

#include <algorithm>
#include <array>
#include <vector>

#include "index/binary/min_hash.h"

namespace elanus::index {
namespace {

constexpr size_t kTileRows = BinaryScorer::kTileRows;
constexpr size_t kQueriesAtOnce = 16;
static_assert(kTileRows % 64 == 0, "tiles start at whole words");

}  // namespace

Status CheckBinaryRequest(const SearchRequest& request, model::Metric metric) {
  if (metric == model::Metric::kSubstructure || metric == model::Metric::kSuperstructure) {
    return Error(ErrorCode::kSegcoreUnsupported, "failed to search: metric {} is not supported",
                 NameOf(metric));
  }
  const ScoreRange& range = request.range;
  if (!range.radius || !range.range_filter) return {};
  const bool is_good = LargerIsBetter(metric) ? *range.range_filter > *range.radius
                                              : *range.range_filter < *range.radius;
  if (is_good) return {};
  return Error(ErrorCode::kSegcore,
               "failed to search: range_filter must be {} than radius: got range_filter {}, radius "
               "{}",
               LargerIsBetter(metric) ? "greater" : "less", *range.range_filter, *range.radius);
}

void ClearHits(size_t slots, Hits hits) {
  std::fill_n(hits.rows, slots, kNoRow);
  std::fill_n(hits.scores, slots, 0.0f);
}

Status ScanBinary(Context& ctx, BinaryScorer& scorer, size_t rows, model::Metric metric,
                  const SearchRequest& request, Hits hits) {
  const KeyRange range(request.range, metric);
  const float scale = LargerIsBetter(metric) ? -1.0f : 1.0f;
  std::array<uint32_t, kTileRows> numbers;
  std::array<float, kTileRows> keys;
  for (size_t q = 0; q < request.queries.rows; q += kQueriesAtOnce) {
    const size_t group = std::min(kQueriesAtOnce, request.queries.rows - q);
    std::vector<TopK> best(group, TopK(request.k));
    for (size_t begin = 0; begin < rows; begin += kTileRows) {
      TRY(ctx.CheckAlive());  // Once per tile: bounds how late a cancelled search stops.
      const size_t tile = std::min(kTileRows, rows - begin);
      size_t count = 0;
      for (size_t i = begin; i < begin + tile; ++i) {
        numbers[count] = static_cast<uint32_t>(i);
        count += request.allowed.empty() || request.allowed.Test(i) ? 1 : 0;
      }
      if (count == 0) continue;
      for (size_t i = 0; i < group; ++i) {
        scorer.SetQuery(BinaryBlock(request.queries).row(q + i));
        if (count == tile) {
          scorer.ScoreRange(begin, count, keys.data());
        } else {
          scorer.Score(numbers.data(), count, keys.data());
        }
        float bound = best[i].bound();
        for (size_t j = 0; j < count; ++j) {
          // Rows come in order, so that of equal keys the smaller row is in already.
          if (keys[j] >= bound || !range.Holds(keys[j])) continue;
          best[i].Push(keys[j], numbers[j]);
          bound = best[i].bound();
        }
      }
    }
    for (size_t i = 0; i < group; ++i) best[i].WriteTo(hits, q + i, scale);
  }
  return {};
}

Status ScanBinaryRows(Context& ctx, BinaryBlock rows, const uint32_t* ones, model::Metric metric,
                      const SearchRequest& request, Hits hits) {
  TRY(CheckBinaryRequest(request, metric));
  if (metric != model::Metric::kMinHashJaccard) {
    BitScorer scorer(rows, ones, metric);
    return ScanBinary(ctx, scorer, rows.rows, metric, request, hits);
  }
  const Result<SignatureShape> shape = ShapeOf(rows.dim, request.params);
  if (!shape.ok()) {
    return Error(ErrorCode::kSegcore, "failed to search: invalid_param_in_json: {}",
                 shape.status().message());
  }
  SignatureScorer scorer(rows, *shape, request.params.GetBool("mh_search_with_jaccard", false));
  return ScanBinary(ctx, scorer, rows.rows, metric, request, hits);
}

Status SearchExactBinary(Context& ctx, VectorBlock rows, model::Metric metric,
                         const SearchRequest& request, Hits hits) {
  return ScanBinaryRows(ctx, rows, nullptr, metric, request, hits);
}

}  // namespace elanus::index
