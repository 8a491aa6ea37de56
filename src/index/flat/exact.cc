// Exact search: scores every allowed row. It is the oracle the other types are tested against, so
// it stays simple; its speed comes from the kernels and from reading a tile of rows once for many
// queries.
#include "index/flat/exact.h"

#include <array>
#include <limits>
#include <vector>

#include "index/exact_batch.h"
#include "index/flat/flat.h"
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
constexpr size_t kPieceRows = 8 * kTileRows;  // That a thread takes at once.
// Each thread finds k rows of its own: where these are few among its rows, that is little work
// more.
constexpr size_t kSharedRowsPerHit = 64;
constexpr size_t kMergedAtOnce = 32;  // Queries.
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

  /// The queries that Scan answers, kQueriesAtOnce at most; borrowed. Empty `allowed`: every row.
  void SetQueries(const VectorBlock& queries, BitsetView allowed) {
    queries_ = queries;
    allowed_ = allowed;
    for (size_t i = 0; i < queries.rows; ++i) {
      const void* query = RowOf(queries, i);
      prepared_[i] = distance_.Prepare(query, scratch_[i]);
      query_scale_[i] = is_cosine_ ? InverseNorm(rows_.element, query, rows_.dim) : 1.0f;
    }
    is_float_ = rows_.element == ElementType::kFloat32;
    in_panels_ = is_float_ && allowed.empty() && queries.rows >= kPanelQueriesMin;
    if (in_panels_) PrepareForPanels(queries.row(0), queries.rows);
  }

  /// Rows [first, end), for each query into its sink. `first` is a multiple of kTileRows. Of equal
  /// keys a sink that is full takes none, so each gets its rows in ascending order.
  template <class Sink>
  Status Scan(size_t first, size_t end, Sink* sinks) {
    const size_t count = queries_.rows;
    for (size_t row = first; row < end; row += kTileRows) {
      TRY(ctx_.CheckAlive());  // Once per tile: bounds how late a cancelled search stops.
      const size_t tile = std::min(kTileRows, end - row);
      if (!allowed_.empty()) {
        for (size_t i = 0; i < count; ++i) ScoreAllowed(i, row, tile, sinks[i]);
        continue;
      }
      for (size_t r = 0; r < tile; ++r) row_scale_[r] = RowScale(row + r);
      if (in_panels_) {
        for (size_t r = 0; r < tile; r += simd::kPanelRows) {
          TRY(ctx_.CheckAlive());
          ScorePanel(count, row, r, std::min(simd::kPanelRows, tile - r), sinks);
        }
      } else if (is_float_) {
        ScoreFloats(queries_.row(0), count, row, tile, sinks);
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
  void ScoreAllowed(size_t query, size_t begin, size_t tile, Sink& sink) {
    static_assert(kTileRows % 64 == 0, "tiles start at whole words");
    uint32_t places[kTileRows + kListBitsRoom];
    size_t word = 0;
    const size_t count =
        ListBits({allowed_.words + begin / 64, tile}, word, places, std::size(places));
    for (size_t i = 0; i < count; i += 4) {
      const size_t held = std::min<size_t>(4, count - i);
      const void* pointers[4];
      for (size_t j = 0; j < 4; ++j)
        pointers[j] = RowOf(rows_, begin + places[i + (j < held ? j : 0)]);
      float keys[4];
      distance_.Four(prepared_[query], pointers, keys);
      for (size_t j = 0; j < held; ++j) {
        const auto row = static_cast<uint32_t>(begin + places[i + j]);
        const float key = keys[j] * query_scale_[query] * RowScale(row);
        if (range_.Holds(key)) sink.Push(key, row);
      }
    }
  }

  Context& ctx_;
  const VectorBlock rows_;
  const bool is_l2_;
  const bool is_cosine_;
  const float* inverse_norms_;
  const KeyRange range_;
  const ElementDistance distance_;
  VectorBlock queries_;
  BitsetView allowed_;
  bool is_float_ = false;
  bool in_panels_ = false;
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

// Queries of a group, where each wants k hits.
size_t QueriesAtOnce(uint32_t k) {
  return std::clamp(kHitsAtOnce / std::max(k, 1u), kQueriesAtLeast, kQueriesAtOnce);
}

// Calls fn(request of the group, its hits) for group after group.
template <class Fn>
Status ForEachGroup(const SearchRequest& request, Hits hits, Fn fn) {
  const size_t at_once = QueriesAtOnce(request.k);
  for (size_t q = 0; q < request.queries.rows; q += at_once) {
    SearchRequest group = request;
    group.queries = request.queries.Slice(q, std::min(at_once, request.queries.rows - q));
    TRY(fn(group, Hits{.rows = hits.rows + q * request.k, .scores = hits.scores + q * request.k}));
  }
  return {};
}

// Several threads scan the rows for one group of queries, piece by piece.
class SharedScan {
 public:
  SharedScan(Context& ctx, const VectorBlock& rows, model::Metric metric,
             const SearchRequest& request)
      : ctx_(ctx), rows_(rows), metric_(metric), request_(request) {}

  /// The hits of all queries of the request, kQueriesAtOnce at most.
  Status Run(const Helpers& helpers, Hits hits) {
    const size_t pieces = (rows_.rows + kPieceRows - 1) / kPieceRows;
    TRY(helpers.pool->ParallelFor(
        ctx_, pieces, [this](size_t) { return ScanNext(); }, helpers.max));
    const size_t queries = request_.queries.rows;
    return helpers.pool->ParallelFor(
        ctx_, (queries + kMergedAtOnce - 1) / kMergedAtOnce,
        [&](size_t part) -> Status {
          const size_t begin = part * kMergedAtOnce;
          Merge(begin, std::min(queries, begin + kMergedAtOnce), hits);
          return {};
        },
        helpers.max);
  }

 private:
  // What one thread at a time needs, and what was found with it.
  struct Share {
    Share(Context& ctx, const VectorBlock& rows, model::Metric metric, const SearchRequest& request)
        : scanner(ctx, rows, metric, /*inverse_norms=*/nullptr, request.range),
          best(request.queries.rows, TopK(request.k)) {
      scanner.SetQueries(request.queries, request.allowed);
    }
    Scanner scanner;
    std::vector<TopK> best;
  };

  // A piece is taken together with the share that it goes to, so those of a share ascend, as Scan
  // asks for.
  Status ScanNext() {
    std::unique_ptr<Share> share;
    size_t first = 0;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      first = next_row_;
      next_row_ += kPieceRows;
      if (!shares_.empty()) {
        share = std::move(shares_.back());
        shares_.pop_back();
      }
    }
    if (share == nullptr) share = std::make_unique<Share>(ctx_, rows_, metric_, request_);
    const size_t end = std::min(rows_.rows, first + kPieceRows);
    Status scanned = share->scanner.Scan(first, end, share->best.data());
    const std::lock_guard<std::mutex> lock(mutex_);
    shares_.push_back(std::move(share));
    return scanned;
  }

  void Merge(size_t begin, size_t end, Hits hits) {
    for (size_t q = begin; q < end; ++q) {
      TopK& best = shares_[0]->best[q];
      for (size_t s = 1; s < shares_.size(); ++s) {
        shares_[s]->best[q].ForEach([&](float key, uint32_t row) { best.Push(key, row); });
      }
      best.WriteTo(hits, q, ScaleOf(metric_));
    }
  }

  Context& ctx_;
  const VectorBlock rows_;
  const model::Metric metric_;
  const SearchRequest& request_;
  std::mutex mutex_;  // Guards what follows until all pieces are done.
  size_t next_row_ = 0;
  std::vector<std::unique_ptr<Share>> shares_;  // That no thread has.
};

}  // namespace

std::vector<float> Normalised(VectorBlock rows) {
  std::vector<float> normalised(rows.rows * rows.dim);
  const FloatRows unit(rows, true);
  for (size_t r = 0; r < rows.rows; ++r) unit.Copy(r, normalised.data() + r * rows.dim);
  return normalised;
}

Status ScanExact(Context& ctx, VectorBlock rows, model::Metric metric, const float* inverse_norms,
                 const SearchRequest& request, Hits hits) {
  return ForEachGroup(request, hits, [&](const SearchRequest& group, Hits group_hits) -> Status {
    Scanner scanner(ctx, rows, metric, inverse_norms, request.range);
    scanner.SetQueries(group.queries, request.allowed);
    std::vector<TopK> best(group.queries.rows, TopK(request.k));
    TRY(scanner.Scan(0, rows.rows, best.data()));
    for (size_t i = 0; i < best.size(); ++i) best[i].WriteTo(group_hits, i, ScaleOf(metric));
    return {};
  });
}

bool SharesExactBatch(const IndexType* type, const VectorBlock& rows, model::Metric metric,
                      uint32_t k) {
  const bool scans = type == nullptr || type == &FlatType();
  if (!scans || model::IsMaxSim(metric) || KindOf(rows.element) != VectorKind::kDense) return false;
  return rows.rows > kPieceRows && rows.rows / kSharedRowsPerHit >= k;
}

Status SearchExactTogether(Context& ctx, const Helpers& helpers, VectorBlock rows,
                           model::Metric metric, const SearchRequest& request, Hits hits) {
  return ForEachGroup(request, hits, [&](const SearchRequest& group, Hits group_hits) {
    return SharedScan(ctx, rows, metric, group).Run(helpers, group_hits);
  });
}

Result<std::unique_ptr<HitStream>> StreamScan(Context& ctx, VectorBlock rows, model::Metric metric,
                                              const float* inverse_norms,
                                              const StreamRequest& request) {
  Scanner scanner(ctx, rows, metric, inverse_norms, request.range);
  scanner.SetQueries(request.query.Slice(0, 1), request.allowed);
  Collector all;
  TRY(scanner.Scan(0, rows.rows, &all));
  return MakeScoredStream(std::move(all.rows), ScaleOf(metric));
}

}  // namespace elanus::index
