// A search scores the centroids, scans the codes of the nearest lists, takes the best candidates,
// scores them anew as exactly as the index can and answers the best k. Lists past the asked ones
// are scanned while hits are missing, and with a filter until as many allowed rows have been scored
// as rows would have been without it.
#include "index/ivf/search.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

#include "index/codes/choices.h"
#include "index/codes/rescore.h"
#include "index/flat/exact.h"
#include "index/top_k.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

constexpr size_t kTileRows = 256;
constexpr size_t kQueriesAtOnce = 64;
constexpr size_t kCentroidsPerTile = 32;
constexpr int64_t kDefaultProbes = 8;

class IvfIndex final : public VectorIndex {
 public:
  IvfIndex(OpenedIvf lists, VectorBlock rows, model::Metric metric)
      : opened_(std::move(lists)), rows_(rows), metric_(metric) {
    if (metric != model::Metric::kL2) return;
    centroid_squares_.resize(opened_.header.lists);
    for (size_t l = 0; l < centroid_squares_.size(); ++l) {
      const float* centroid = opened_.centroids + l * rows.dim;
      centroid_squares_[l] = simd::Best().ip(centroid, centroid, rows.dim);
    }
  }
  Status Search(Context& ctx, VectorBlock queries, uint32_t k, const Params& params,
                BitsetView allowed, Hits hits) const override;
  size_t memory_bytes() const override {
    return opened_.file.heap_bytes() + centroid_squares_.size() * sizeof(float);
  }

 private:
  friend class IvfSearch;
  OpenedIvf opened_;
  const VectorBlock rows_;
  const model::Metric metric_;
  std::vector<float> centroid_squares_;  // For L2.
};

// One call's state: scorers and scratch for its queries, one after the other.
class IvfSearch {
 public:
  IvfSearch(const IvfIndex& index, Context& ctx, uint32_t k, uint32_t candidates, size_t probes,
            bool fills, BitsetView allowed)
      : index_(index),
        lists_(index.opened_),
        ctx_(ctx),
        k_(k),
        probes_(probes),
        fills_(fills),
        allowed_(allowed),
        is_l2_(index.metric_ == model::Metric::kL2),
        scan_(lists_.codes.codec->NewScorer(lists_.packed)),
        // Codecs of residuals lack the centroid's part, and score without rounding where it counts.
        rescorer_(lists_.codes.refine_kind, lists_.codes.refine.get(), lists_.refine, index.rows_,
                  index.metric_, *scan_,
                  !lists_.codes.residual && lists_.codes.codec->kind() != CodeKind::kFloat32),
        found_(candidates),
        best_(k),
        order_(lists_.header.lists) {}

  Status Run(VectorBlock queries, Hits hits) {
    for (size_t begin = 0; begin < queries.rows; begin += kQueriesAtOnce) {
      const size_t count = std::min(kQueriesAtOnce, queries.rows - begin);
      ScoreCentroids(queries, begin, count);
      for (size_t i = 0; i < count; ++i) {
        query_ = group_.data() + i * index_.rows_.dim;
        products_ = all_products_.data() + i * order_.size();
        TRY(RunOne(hits, begin + i));
      }
    }
    return {};
  }

 private:
  // Products of a group of queries with all centroids: a tile of centroids is read once for all.
  void ScoreCentroids(VectorBlock queries, size_t begin, size_t count) {
    const size_t dim = index_.rows_.dim;
    const size_t lists = order_.size();
    group_.resize(count * dim);
    all_products_.resize(count * lists);
    for (size_t i = 0; i < count; ++i) {
      const float* query = queries.row(begin + i);
      const float scale = index_.metric_ == model::Metric::kCosine ? InverseNorm(query, dim) : 1.0f;
      for (size_t d = 0; d < dim; ++d) group_[i * dim + d] = query[d] * scale;
    }
    for (size_t l = 0; l < lists; l += kCentroidsPerTile) {
      const size_t tile = std::min(kCentroidsPerTile, lists - l);
      for (size_t i = 0; i < count; i += 4) {
        kernels_.ip_block(group_.data() + i * dim, std::min<size_t>(4, count - i),
                          lists_.centroids + l * dim, tile, dim,
                          all_products_.data() + i * lists + l, lists);
      }
    }
  }

  Status RunOne(Hits hits, size_t slot) {
    scan_->SetQuery(query_);
    OrderLists();
    size_t rows_met = 0;
    size_t wanted = 0;
    allowed_met_ = 0;
    for (size_t p = 0; p < order_.size(); ++p) {
      if (p == probes_) {
        // A filter keeps its recall when as many allowed rows are scored as rows without it.
        wanted = allowed_.empty() ? 0 : rows_met;
        if (allowed_met_ < wanted || (!found_.full() && fills_)) {
          std::sort(order_.begin() + static_cast<ptrdiff_t>(p), order_.end());
        }
      }
      if (p >= probes_ && allowed_met_ >= wanted && (found_.full() || !fills_)) break;
      TRY(ctx_.CheckAlive());
      rows_met += ScanList(static_cast<uint32_t>(order_[p]));
    }
    Answer(hits, slot);
    return {};
  }

  // Lists by L2 of their centroid for L2, by inner product for the others; the probes first.
  void OrderLists() {
    const size_t lists = order_.size();
    for (size_t l = 0; l < lists; ++l) {
      order_[l] = Sortable(is_l2_ ? index_.centroid_squares_[l] - 2 * products_[l] : -products_[l],
                           static_cast<uint32_t>(l));
    }
    const auto middle = order_.begin() + static_cast<ptrdiff_t>(std::min(probes_, lists));
    if (middle != order_.end()) std::nth_element(order_.begin(), middle, order_.end());
    std::sort(order_.begin(), middle);
  }

  // A key and a list as one number that sorts by the key: a float's bits sort as an integer's once
  // negative ones are turned over.
  static uint64_t Sortable(float key, uint32_t list) {
    const auto bits = std::bit_cast<uint32_t>(key);
    const uint32_t turned = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
    return static_cast<uint64_t>(turned) << 32 | list;
  }

  // Returns how many rows the list has.
  size_t ScanList(uint32_t list) {
    // A code of what is left over lacks the query's product with the centroid.
    const float offset = !lists_.codes.residual ? 0.0f
                         : is_l2_               ? -2 * products_[list]
                                                : -products_[list];
    const size_t list_begin = lists_.bounds[list];
    const size_t list_end = list_begin + lists_.list_rows[list];
    std::array<float, kTileRows> keys;
    std::array<uint32_t, kTileRows> places;
    for (size_t begin = list_begin; begin < list_end; begin += kTileRows) {
      const size_t count = std::min<size_t>(kTileRows, list_end - begin);
      size_t kept = 0;
      if (allowed_.empty()) {
        kept = scan_->Below(begin, count, offset, found_.bound(), places.data(), keys.data());
      } else {
        kept = ScoreAllowed(begin, count, offset, places.data(), keys.data());
      }
      for (size_t i = 0; i < kept; ++i) found_.Push(keys[i], places[i]);
    }
    return list_end - list_begin;
  }

  size_t ScoreAllowed(size_t begin, size_t count, float offset, uint32_t* places, float* keys) {
    size_t kept = 0;
    for (size_t i = begin; i < begin + count; ++i) {
      places[kept] = static_cast<uint32_t>(i);
      kept += allowed_.Test(lists_.numbers[i]) ? 1 : 0;
    }
    allowed_met_ += kept;
    scan_->Score(places, kept, keys);
    for (size_t i = 0; i < kept; ++i) keys[i] += offset;
    return kept;
  }

  void Answer(Hits hits, size_t slot) {
    candidates_.Clear();
    found_.ForEach([&](float key, uint32_t place) {
      candidates_.Add(place, lists_.numbers[place], is_l2_ ? std::max(key, 0.0f) : key);
    });
    found_.Clear();
    rescorer_.Run(query_, k_, candidates_, best_);
    best_.WriteTo(hits, slot, is_l2_ ? 1.0f : -1.0f);
  }

  const IvfIndex& index_;
  const OpenedIvf& lists_;
  Context& ctx_;
  const uint32_t k_;
  const size_t probes_;
  const bool fills_;
  const BitsetView allowed_;
  const bool is_l2_;
  const simd::Kernels& kernels_ = simd::Best();
  std::unique_ptr<Scorer> scan_;
  Rescorer rescorer_;
  size_t allowed_met_ = 0;
  TopK found_;  // Places in lists.
  TopK best_;   // Rows.
  Candidates candidates_;
  std::vector<float> group_;         // Queries, normalised for COSINE.
  std::vector<float> all_products_;  // Of each query of the group with each centroid.
  const float* query_ = nullptr;     // The one that is answered now,
  const float* products_ = nullptr;  // and its products.
  std::vector<uint64_t> order_;      // Lists, see Sortable.
};

Status IvfIndex::Search(Context& ctx, VectorBlock queries, uint32_t k, const Params& params,
                        BitsetView allowed, Hits hits) const {
  if (opened_.header.rows == 0) {
    std::fill_n(hits.rows, queries.rows * k, kNoRow);
    std::fill_n(hits.scores, queries.rows * k, 0.0f);
    return {};
  }
  const bool refines = opened_.codes.refine_kind != CodeKind::kNone;
  // SCANN counts candidates, the others multiples of k.
  const int64_t reorder = params.GetInt("reorder_k", k);
  if (reorder < k) {
    return Error(
        ErrorCode::kSegcore,
        "failed to search: out_of_range_in_json: reorder_k({}) should be larger than k({})",
        reorder, k);
  }
  const double wanted = !refines                  ? static_cast<double>(k)
                        : params.Has("reorder_k") ? static_cast<double>(reorder)
                                                  : k * params.Get("refine_k", kDefaultRefineK);
  const auto candidates =
      static_cast<uint32_t>(std::min(std::ceil(wanted), static_cast<double>(opened_.header.rows)));
  const auto probes = static_cast<size_t>(params.GetInt("nprobe", kDefaultProbes));
  IvfSearch search(*this, ctx, k, std::max(candidates, 1u), probes,
                   params.GetBool("ensure_topk_full", true), allowed);
  return search.Run(queries, hits);
}

}  // namespace

std::unique_ptr<VectorIndex> MakeIvfIndex(OpenedIvf lists, VectorBlock rows, model::Metric metric) {
  return std::make_unique<IvfIndex>(std::move(lists), rows, metric);
}

}  // namespace elanus::index
