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
#include "simd/panels.h"

namespace elanus::index {
namespace {

constexpr size_t kTileRows = 256;
constexpr size_t kQueriesAtOnce = 512;   // That meet a tile while it is in the cache,
constexpr size_t kQueriesAtLeast = 32;   // and fewer where they want many hits:
constexpr size_t kHitsAtOnce = 1 << 18;  // so many are held.
constexpr size_t kQueriesPerKernel = 4;
// So many pay for turning a tile into panels.
constexpr size_t kPanelQueriesMin = 8;
// Of a sum of float32 products, as a share of what is added up, times the number of products.
constexpr float kFloatError = 1.2e-7f;

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
    const bool is_float = rows_.element == ElementType::kFloat32;
    const bool in_panels = is_float && allowed.empty() && count >= kPanelQueriesMin;
    if (in_panels) PrepareForPanels(queries.row(begin), count);
    for (size_t row = 0; row < rows_.rows; row += kTileRows) {
      TRY(ctx_.CheckAlive());  // Once per tile: bounds how late a cancelled search stops.
      const size_t tile = std::min(kTileRows, rows_.rows - row);
      if (!allowed.empty()) {
        for (size_t i = 0; i < count; ++i) ScoreAllowed(i, row, tile, allowed, sinks[i]);
        continue;
      }
      for (size_t r = 0; r < tile; ++r) row_scale_[r] = RowScale(row + r);
      if (in_panels) {
        for (size_t r = 0; r < tile; r += simd::kPanelRows) {
          TRY(ctx_.CheckAlive());
          ScorePanel(count, row, r, std::min(simd::kPanelRows, tile - r), sinks);
        }
      } else if (is_float) {
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

  // Queries as panels meet them: of COSINE with their scale.
  void PrepareForPanels(const float* queries, size_t count) {
    const size_t dim = rows_.dim;
    group_.assign(queries, queries + count * dim);
    panel_.resize(dim * simd::kPanelRows);
    for (size_t i = 0; i < count; ++i) {
      float* query = group_.data() + i * dim;
      for (size_t d = 0; is_cosine_ && d < dim; ++d) query[d] *= query_scale_[i];
      query_square_[i] = simd::Best().ip(query, query, dim);
    }
  }

  // Rows first + [from, from + count) against all queries. Products tell which rows may enter, with
  // room for what rounding does to them: |q - r|^2 as |q|^2 + |r|^2 - 2 <q, r> loses digits. Those
  // few are then scored as a query alone scores them, so that answers do not depend on how many
  // queries come together.
  template <class Sink>
  void ScorePanel(size_t queries, size_t first, size_t from, size_t count, Sink* sinks) {
    constexpr size_t kVectors = simd::PanelKernels::kVectors;
    const simd::PanelKernels& panels = simd::Panels();
    const float* rows = rows_.row(first + from);
    panels.pack(rows, count, rows_.dim, panel_.data());
    std::array<float, simd::kPanelRows> terms{};
    std::array<float, simd::kPanelRows> scales{};
    float longest = 0;  // Square of the longest row, as it is scored.
    for (size_t r = 0; r < count; ++r) {
      const float* row = rows + r * rows_.dim;
      const float scale = row_scale_[from + r];
      const float square = simd::Best().ip(row, row, rows_.dim) * scale * scale;
      terms[r] = is_l2_ ? square : 0.0f;
      scales[r] = is_l2_ ? -2.0f : -scale;
      longest = square > longest ? square : longest;
    }
    const uint64_t present = count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
    const float rounding = kFloatError * static_cast<float>(rows_.dim + 16);
    std::array<float, kVectors * simd::kPanelRows> products;
    for (size_t q = 0; q < queries; q += kVectors) {
      const size_t group = std::min(kVectors, queries - q);
      panels.products(group_.data() + q * rows_.dim, group, rows_.dim, panel_.data(),
                      products.data());
      for (size_t g = 0; g < group; ++g) {
        const float square = query_square_[q + g];
        const float limit =
            sinks[q + g].bound() - (is_l2_ ? square : 0.0f) + rounding * (square + longest);
        uint64_t bits = present & panels.not_above(products.data() + g * simd::kPanelRows,
                                                   scales.data(), terms.data(), limit);
        for (; bits != 0; bits &= bits - 1) {
          const size_t r = from + static_cast<size_t>(__builtin_ctzll(bits));
          PushOne(q + g, first + r, row_scale_[r], sinks[q + g]);
        }
      }
    }
  }

  template <class Sink>
  void PushOne(size_t query, size_t row, float scale, Sink& sink) const {
    const float key =
        distance_.One(prepared_[query], RowOf(rows_, row)) * scale * query_scale_[query];
    if (key < sink.bound() && range_.Holds(key)) sink.Push(key, static_cast<uint32_t>(row));
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
  std::array<float, kQueriesAtOnce> query_square_{};
  std::vector<float> group_;  // The queries, for panels.
  std::vector<float> panel_;
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
  const size_t at_once =
      std::clamp(kHitsAtOnce / std::max(request.k, 1u), kQueriesAtLeast, kQueriesAtOnce);
  for (size_t q = 0; q < request.queries.rows; q += at_once) {
    const size_t count = std::min(at_once, request.queries.rows - q);
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
