// Exact search: scores every allowed row. It is the oracle the other types are tested against, so
// it stays simple; its speed comes from the kernels and from reading a tile of rows once for many
// queries.
#include "index/flat/exact.h"

#include <array>
#include <limits>
#include <vector>

#include "index/key_range.h"
#include "index/stream.h"
#include "index/top_k.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

constexpr size_t kTileRows = 256;
constexpr size_t kQueriesAtOnce = 32;  // That meet a tile while it is in the cache.
constexpr size_t kQueriesPerKernel = 4;

// Takes every key.
struct Collector {
  std::vector<ScoredRow> rows;
  float bound() const { return std::numeric_limits<float>::infinity(); }
  void Push(float key, uint32_t row) { rows.push_back({key, row}); }
};

class Scanner {
 public:
  Scanner(Context& ctx, VectorBlock rows, model::Metric metric, const float* inverse_norms,
          const ScoreRange& range)
      : ctx_(ctx),
        rows_(rows),
        is_l2_(metric == model::Metric::kL2),
        is_cosine_(metric == model::Metric::kCosine),
        inverse_norms_(inverse_norms),
        range_(range, metric),
        distance_(rows.element, rows.dim, is_l2_) {}

  /// Queries [begin, begin + count), each into its sink. count <= kQueriesAtOnce.
  template <class Sink>
  Status Run(const VectorBlock& queries, size_t begin, size_t count, BitsetView allowed,
             Sink* sinks) {
    for (size_t i = 0; i < count; ++i) {
      const void* query = RowOf(queries, begin + i);
      prepared_[i] = distance_.Prepare(query, scratch_[i]);
      query_scale_[i] = is_cosine_ ? InverseNorm(rows_.element, query, rows_.dim) : 1.0f;
    }
    for (size_t row = 0; row < rows_.rows; row += kTileRows) {
      TRY(ctx_.CheckAlive());  // Once per tile: bounds how late a cancelled search stops.
      const size_t tile = std::min(kTileRows, rows_.rows - row);
      if (!allowed.empty()) {
        for (size_t i = 0; i < count; ++i) ScoreAllowed(i, row, tile, allowed, sinks[i]);
        continue;
      }
      for (size_t r = 0; r < tile; ++r) row_scale_[r] = RowScale(row + r);
      if (rows_.element == ElementType::kFloat32) {
        ScoreFloats(queries.row(begin), count, row, tile, sinks);
      } else {
        for (size_t i = 0; i < count; ++i) ScoreTile(i, row, tile, sinks[i]);
      }
    }
    return {};
  }

 private:
  float RowScale(size_t row) const {
    if (!is_cosine_) return 1.0f;
    return inverse_norms_ != nullptr ? inverse_norms_[row]
                                     : InverseNorm(rows_.element, RowOf(rows_, row), rows_.dim);
  }

  // Keys of a tile without the scales; `sign` makes keys of them.
  template <class Sink>
  void PushTile(const float* keys, float sign, size_t query, size_t begin, size_t tile,
                Sink& sink) const {
    float bound = sink.bound();
    for (size_t r = 0; r < tile; ++r) {
      const float key = sign * keys[r] * row_scale_[r] * query_scale_[query];
      if (key < bound && range_.Holds(key)) {
        sink.Push(key, static_cast<uint32_t>(begin + r));
        bound = sink.bound();
      }
    }
  }

  // Four queries at a time, which lie one after the other.
  template <class Sink>
  void ScoreFloats(const float* queries, size_t count, size_t begin, size_t tile, Sink* sinks) {
    const simd::Kernels& kernels = simd::Best();
    for (size_t i = 0; i < count; i += kQueriesPerKernel) {
      const size_t group = std::min(kQueriesPerKernel, count - i);
      (is_l2_ ? kernels.l2_block : kernels.ip_block)(queries + i * rows_.dim, group,
                                                     rows_.row(begin), tile, rows_.dim,
                                                     keys_.data(), kTileRows);
      for (size_t q = i; q < i + group; ++q) {
        PushTile(keys_.data() + (q - i) * kTileRows, is_l2_ ? 1.0f : -1.0f, q, begin, tile,
                 sinks[q]);
      }
    }
  }

  template <class Sink>
  void ScoreTile(size_t query, size_t begin, size_t tile, Sink& sink) {
    size_t r = 0;
    for (; r + 4 <= tile; r += 4) {
      const void* const four[4] = {RowOf(rows_, begin + r), RowOf(rows_, begin + r + 1),
                                   RowOf(rows_, begin + r + 2), RowOf(rows_, begin + r + 3)};
      distance_.Four(prepared_[query], four, keys_.data() + r);
    }
    for (; r < tile; ++r) {
      keys_[r] = distance_.One(prepared_[query], RowOf(rows_, begin + r));
    }
    PushTile(keys_.data(), 1.0f, query, begin, tile, sink);
  }

  template <class Sink>
  void ScoreAllowed(size_t query, size_t begin, size_t tile, BitsetView allowed, Sink& sink) {
    const void* pointers[4];
    uint32_t numbers[4];
    size_t held = 0;
    float keys[4];
    const auto flush = [&] {
      for (size_t i = held; i < 4; ++i) pointers[i] = pointers[0];
      distance_.Four(prepared_[query], pointers, keys);
      for (size_t i = 0; i < held; ++i) {
        const float key = keys[i] * query_scale_[query] * RowScale(numbers[i]);
        if (range_.Holds(key)) sink.Push(key, numbers[i]);
      }
      held = 0;
    };
    static_assert(kTileRows % 64 == 0, "tiles start at whole words");
    ForEachSet({allowed.words + begin / 64, tile}, [&](size_t i) {
      if (i >= tile) return;
      pointers[held] = RowOf(rows_, begin + i);
      numbers[held++] = static_cast<uint32_t>(begin + i);
      if (held == 4) flush();
    });
    if (held > 0) flush();
  }

  Context& ctx_;
  const VectorBlock rows_;
  const bool is_l2_;
  const bool is_cosine_;
  const float* inverse_norms_;
  const KeyRange range_;
  const ElementDistance distance_;
  std::array<std::vector<float>, kQueriesAtOnce> scratch_;
  std::array<const void*, kQueriesAtOnce> prepared_{};
  std::array<float, kQueriesAtOnce> query_scale_{};
  std::array<float, kTileRows> row_scale_{};
  std::array<float, kQueriesPerKernel * kTileRows> keys_{};
};

float ScaleOf(model::Metric metric) { return model::LargerIsBetter(metric) ? -1.0f : 1.0f; }

}  // namespace

std::vector<float> Normalised(VectorBlock rows) {
  std::vector<float> normalised(rows.rows * rows.dim);
  const FloatRows unit(rows, true);
  for (size_t r = 0; r < rows.rows; ++r) unit.Copy(r, normalised.data() + r * rows.dim);
  return normalised;
}

Status ScanExact(Context& ctx, VectorBlock rows, model::Metric metric, const float* inverse_norms,
                 const SearchRequest& request, Hits hits) {
  Scanner scanner(ctx, rows, metric, inverse_norms, request.range);
  for (size_t q = 0; q < request.queries.rows; q += kQueriesAtOnce) {
    const size_t count = std::min(kQueriesAtOnce, request.queries.rows - q);
    std::vector<TopK> best(count, TopK(request.k));
    TRY(scanner.Run(request.queries, q, count, request.allowed, best.data()));
    for (size_t i = 0; i < count; ++i) best[i].WriteTo(hits, q + i, ScaleOf(metric));
  }
  return {};
}

Result<std::unique_ptr<HitStream>> StreamScan(Context& ctx, VectorBlock rows, model::Metric metric,
                                              const float* inverse_norms,
                                              const StreamRequest& request) {
  Scanner scanner(ctx, rows, metric, inverse_norms, request.range);
  Collector all;
  TRY(scanner.Run(request.query, 0, 1, request.allowed, &all));
  return MakeScoredStream(std::move(all.rows), ScaleOf(metric));
}

}  // namespace elanus::index
