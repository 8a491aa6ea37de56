// Exact search: scores every allowed row. It is the oracle the other types are tested against, so
// it stays simple; its speed comes from the kernels and from reading a tile of rows once for many
// queries.
#include "index/flat/exact.h"

#include <array>
#include <cmath>
#include <vector>

#include "index/top_k.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

constexpr size_t kTileRows = 256;
constexpr size_t kQueriesAtOnce = 32;  // That meet a tile while it is in the cache.
constexpr size_t kQueriesPerKernel = 4;

class Scanner {
 public:
  Scanner(Context& ctx, VectorBlock rows, model::Metric metric, const float* inverse_norms)
      : ctx_(ctx), rows_(rows), metric_(metric), inverse_norms_(inverse_norms) {}

  Status Run(VectorBlock queries, uint32_t k, BitsetView allowed, Hits hits) {
    const float scale = model::LargerIsBetter(metric_) ? -1.0f : 1.0f;
    for (size_t q = 0; q < queries.rows; q += kQueriesAtOnce) {
      const size_t count = std::min(kQueriesAtOnce, queries.rows - q);
      std::vector<TopK> best(count, TopK(k));
      for (size_t i = 0; i < count; ++i) {
        query_scale_[i] =
            metric_ == model::Metric::kCosine ? InverseNorm(queries.row(q + i), rows_.dim) : 1.0f;
      }
      for (size_t begin = 0; begin < rows_.rows; begin += kTileRows) {
        TRY(ctx_.CheckAlive());  // Once per tile: bounds how late a cancelled search stops.
        const size_t tile = std::min(kTileRows, rows_.rows - begin);
        if (allowed.empty()) {
          for (size_t i = 0; i < count; i += kQueriesPerKernel) {
            ScoreTile(queries.row(q + i), std::min(kQueriesPerKernel, count - i), begin, tile,
                      best.data() + i, query_scale_.data() + i);
          }
        } else {
          for (size_t i = 0; i < count; ++i) {
            ScoreAllowed(queries.row(q + i), query_scale_[i], begin, tile, allowed, best[i]);
          }
        }
      }
      for (size_t i = 0; i < count; ++i) best[i].WriteTo(hits, q + i, scale);
    }
    return {};
  }

 private:
  float RowScale(size_t row) const {
    if (metric_ != model::Metric::kCosine) return 1.0f;
    return inverse_norms_ != nullptr ? inverse_norms_[row] : InverseNorm(rows_.row(row), rows_.dim);
  }

  void ScoreTile(const float* queries, size_t count, size_t begin, size_t tile, TopK* best,
                 const float* query_scale) {
    const bool is_l2 = metric_ == model::Metric::kL2;
    (is_l2 ? kernels_.l2_block : kernels_.ip_block)(queries, count, rows_.row(begin), tile,
                                                    rows_.dim, scores_.data(), kTileRows);
    for (size_t r = 0; r < tile; ++r) row_scale_[r] = is_l2 ? 1.0f : -RowScale(begin + r);
    for (size_t i = 0; i < count; ++i) {
      const float* scores = scores_.data() + i * kTileRows;
      float bound = best[i].bound();
      for (size_t r = 0; r < tile; ++r) {
        const float key = scores[r] * row_scale_[r] * query_scale[i];
        if (key < bound) {
          best[i].Push(key, static_cast<uint32_t>(begin + r));
          bound = best[i].bound();
        }
      }
    }
  }

  void ScoreAllowed(const float* query, float query_scale, size_t begin, size_t tile,
                    BitsetView allowed, TopK& best) {
    const bool is_l2 = metric_ == model::Metric::kL2;
    const float* pointers[4];
    uint32_t numbers[4];
    size_t held = 0;
    float out[4];
    const auto flush = [&] {
      for (size_t i = held; i < 4; ++i) pointers[i] = pointers[0];
      (is_l2 ? kernels_.l2_x4 : kernels_.ip_x4)(query, pointers, rows_.dim, out);
      for (size_t i = 0; i < held; ++i) {
        best.Push(is_l2 ? out[i] : -out[i] * query_scale * RowScale(numbers[i]), numbers[i]);
      }
      held = 0;
    };
    static_assert(kTileRows % 64 == 0, "tiles start at whole words");
    ForEachSet({allowed.words + begin / 64, tile}, [&](size_t i) {
      if (i >= tile) return;
      pointers[held] = rows_.row(begin + i);
      numbers[held++] = static_cast<uint32_t>(begin + i);
      if (held == 4) flush();
    });
    if (held > 0) flush();
  }

  Context& ctx_;
  const VectorBlock rows_;
  const model::Metric metric_;
  const float* inverse_norms_;
  const simd::Kernels& kernels_ = simd::Best();
  std::array<float, kQueriesAtOnce> query_scale_{};
  std::array<float, kTileRows> row_scale_{};
  std::array<float, kQueriesPerKernel * kTileRows> scores_{};
};

}  // namespace

float InverseNorm(const float* row, size_t dim) {
  const float square = simd::Best().ip(row, row, dim);
  return square > 0 ? 1.0f / std::sqrt(square) : 0.0f;
}

std::vector<float> Normalised(VectorBlock rows) {
  std::vector<float> normalised(rows.rows * rows.dim);
  for (size_t r = 0; r < rows.rows; ++r) {
    const float scale = InverseNorm(rows.row(r), rows.dim);
    for (size_t d = 0; d < rows.dim; ++d) normalised[r * rows.dim + d] = rows.row(r)[d] * scale;
  }
  return normalised;
}

Status ScanExact(Context& ctx, VectorBlock rows, model::Metric metric, const float* inverse_norms,
                 VectorBlock queries, uint32_t k, BitsetView allowed, Hits hits) {
  return Scanner(ctx, rows, metric, inverse_norms).Run(queries, k, allowed, hits);
}

Status SearchExact(Context& ctx, VectorBlock rows, model::Metric metric, VectorBlock queries,
                   uint32_t k, BitsetView allowed, Hits hits) {
  return ScanExact(ctx, rows, metric, nullptr, queries, k, allowed, hits);
}

}  // namespace elanus::index
