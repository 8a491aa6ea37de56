// A search scores the centroids, scans the codes of the nearest lists, takes the best candidates,
// scores them anew as exactly as the index can and answers the best k. Lists past the asked ones
// are scanned while hits are missing, and with a filter until as many allowed rows have been scored
// as rows would have been without it.
#include "index/ivf/search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "index/codes/raw_scorer.h"
#include "index/top_k.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

constexpr size_t kTileRows = 256;
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
        probes_(probes),
        fills_(fills),
        allowed_(allowed),
        is_l2_(index.metric_ == model::Metric::kL2),
        scan_(lists_.codes.codec->NewScorer(lists_.packed)),
        found_(candidates),
        best_(k),
        query_(index.rows_.dim),
        products_(lists_.header.lists),
        order_(lists_.header.lists) {
    if (lists_.codes.refine != nullptr) {
      refine_ = lists_.codes.refine->NewScorer(lists_.refine);
    } else if (lists_.codes.refine_kind == CodeKind::kFloat32) {
      refine_ = std::make_unique<RawScorer>(index.rows_, index.metric_);
      refines_rows_ = true;
    }
  }

  Status Run(const float* query, Hits hits, size_t slot) {
    std::copy_n(query, query_.size(), query_.data());
    if (index_.metric_ == model::Metric::kCosine) {
      const float scale = InverseNorm(query, query_.size());
      for (float& v : query_) v *= scale;
    }
    scan_->SetQuery(query_.data());
    OrderLists();
    size_t rows_met = 0;
    size_t wanted = 0;
    allowed_met_ = 0;
    for (size_t p = 0; p < order_.size(); ++p) {
      if (p == probes_) {
        // A filter keeps its recall when as many allowed rows are scored as rows without it.
        wanted = allowed_.empty() ? 0 : rows_met;
        std::sort(order_.begin() + static_cast<ptrdiff_t>(p), order_.end());
      }
      if (p >= probes_ && allowed_met_ >= wanted && (found_.full() || !fills_)) break;
      TRY(ctx_.CheckAlive());
      rows_met += ScanList(order_[p].second);
    }
    Answer(hits, slot);
    return {};
  }

 private:
  // Lists by L2 of their centroid for L2, by inner product for the others; the probes first.
  void OrderLists() {
    const size_t lists = order_.size();
    kernels_.ip_block(query_.data(), 1, lists_.centroids, lists, query_.size(), products_.data(),
                      lists);
    for (size_t l = 0; l < lists; ++l) {
      order_[l] = {is_l2_ ? index_.centroid_squares_[l] - 2 * products_[l] : -products_[l],
                   static_cast<uint32_t>(l)};
    }
    const auto middle = order_.begin() + static_cast<ptrdiff_t>(std::min(probes_, lists));
    std::nth_element(order_.begin(), middle - (middle == order_.end() ? 1 : 0), order_.end());
    std::sort(order_.begin(), middle);
  }

  // Returns how many rows the list has.
  size_t ScanList(uint32_t list) {
    // A code of what is left over lacks the query's product with the centroid.
    const float offset = !lists_.codes.residual ? 0.0f
                         : is_l2_               ? -2 * products_[list]
                                                : -products_[list];
    const size_t list_begin = lists_.bounds[list];
    const size_t list_end = lists_.bounds[list + 1];
    std::array<float, kTileRows> keys;
    std::array<uint32_t, kTileRows> places;
    for (size_t begin = list_begin; begin < list_end; begin += kTileRows) {
      size_t count = std::min<size_t>(kTileRows, list_end - begin);
      if (allowed_.empty()) {
        scan_->ScoreRange(begin, count, keys.data());
      } else {
        size_t kept = 0;
        for (size_t i = begin; i < begin + count; ++i) {
          places[kept] = static_cast<uint32_t>(i);
          kept += allowed_.Test(lists_.numbers[i]) ? 1 : 0;
        }
        count = kept;
        allowed_met_ += kept;
        scan_->Score(places.data(), count, keys.data());
      }
      float bound = found_.bound();
      for (size_t i = 0; i < count; ++i) {
        const float key = keys[i] + offset;
        if (key > bound) continue;
        found_.Push(key, allowed_.empty() ? static_cast<uint32_t>(begin + i) : places[i]);
        bound = found_.bound();
      }
    }
    return list_end - list_begin;
  }

  void Answer(Hits hits, size_t slot) {
    if (refine_ != nullptr) refine_->SetQuery(query_.data());
    const CodeKind kind = lists_.codes.codec->kind();
    // Scores of whole rows can be had better from the decoded code; those of residuals lack the
    // centroid's part, and their codecs score without rounding the query.
    const bool rescore = !lists_.codes.residual && kind != CodeKind::kFloat32;
    found_.ForEach([&](float key, uint32_t at) {
      const uint32_t row = lists_.numbers[at];
      if (refine_ != nullptr) {
        key = refine_->ScoreExact(refines_rows_ ? row : at);
      } else if (rescore) {
        key = scan_->ScoreExact(at);
      }
      best_.Push(is_l2_ ? std::max(key, 0.0f) : key, row);
    });
    found_.Clear();
    best_.WriteTo(hits, slot, is_l2_ ? 1.0f : -1.0f);
  }

  const IvfIndex& index_;
  const OpenedIvf& lists_;
  Context& ctx_;
  const size_t probes_;
  const bool fills_;
  const BitsetView allowed_;
  const bool is_l2_;
  const simd::Kernels& kernels_ = simd::Best();
  std::unique_ptr<Scorer> scan_;
  std::unique_ptr<Scorer> refine_;
  bool refines_rows_ = false;  // refine_ counts the segment's rows, not places in lists.
  size_t allowed_met_ = 0;
  TopK found_;  // Places in lists.
  TopK best_;   // Rows.
  std::vector<float> query_;
  std::vector<float> products_;  // Of the query with each centroid.
  std::vector<std::pair<float, uint32_t>> order_;
};

Status IvfIndex::Search(Context& ctx, VectorBlock queries, uint32_t k, const Params& params,
                        BitsetView allowed, Hits hits) const {
  if (opened_.header.rows == 0) {
    std::fill_n(hits.rows, queries.rows * k, kNoRow);
    std::fill_n(hits.scores, queries.rows * k, 0.0f);
    return {};
  }
  const bool refines = opened_.codes.refine_kind != CodeKind::kNone;
  const double wanted = static_cast<double>(k) * (refines ? params.Get("refine_k", 1) : 1);
  const auto candidates =
      static_cast<uint32_t>(std::min(std::ceil(wanted), static_cast<double>(opened_.header.rows)));
  const auto probes = static_cast<size_t>(params.GetInt("nprobe", kDefaultProbes));
  IvfSearch search(*this, ctx, k, std::max(candidates, 1u), probes,
                   params.GetBool("ensure_topk_full", true), allowed);
  for (size_t q = 0; q < queries.rows; ++q) TRY(search.Run(queries.row(q), hits, q));
  return {};
}

}  // namespace

std::unique_ptr<VectorIndex> MakeIvfIndex(OpenedIvf lists, VectorBlock rows, model::Metric metric) {
  return std::make_unique<IvfIndex>(std::move(lists), rows, metric);
}

}  // namespace elanus::index
