// Search of the lists of a growing index: scores the centroids, then the codes of the nearest
// lists, and answers with exact keys of the best rows of those.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "index/codes/dense_rows.h"
#include "index/growing/lists.h"
#include "index/ivf/reservoir.h"
#include "index/key_range.h"
#include "index/top_k.h"
#include "simd/select.h"

namespace elanus::index {
namespace {

constexpr size_t kTileRows = Reservoir::kBatch;
// Rows whose vectors are read for each of k hits, and some more for a small k.
constexpr uint32_t kRefine = 6;
constexpr uint32_t kRefineMore = 40;
// What is scored by its code costs this share of a row that is scanned, and a row that is read out
// of order twice as much as one in order.
constexpr double kCodeCost = 0.15;
constexpr double kRefineCost = 2.0;
constexpr double kUsualCandidates = 64;  // Of a walk of a graph that finds as much as the default.
constexpr double kRowsPerHit = 16;       // Rows scored by code for each of k hits, at least.

size_t RowsOf(std::span<const VectorBlock> blocks) {
  return (blocks.size() - 1) * kGrowingBlockRows + blocks.back().rows;
}

// How far one search goes.
struct Plan {
  size_t rows = 0;
  size_t probes = 0;
  uint32_t candidates = 0;
};

// One call's state for its queries, one after the other.
class ListSearch {
 public:
  ListSearch(Context& ctx, std::span<const VectorBlock> blocks, const Centroids& centroids,
             std::span<const std::shared_ptr<const Run>> runs, model::Metric metric,
             const SearchRequest& request, const Plan& plan)
      : ctx_(ctx),
        blocks_(blocks),
        runs_(runs),
        metric_(metric),
        request_(request),
        plan_(plan),
        is_l2_(metric == model::Metric::kL2),
        range_(request.range, metric),
        distance_(blocks[0].element, blocks[0].dim, is_l2_),
        found_(plan.candidates),
        best_(request.k),
        order_(*centroids.order, std::min(ListOrder::kQueriesAtOnce, request.queries.rows)) {
    for (const auto& run : runs) {
      scorers_.push_back(
          centroids.codec->NewScorer({.codes = run->codes.data(),
                                      .terms = run->terms.empty() ? nullptr : run->terms.data(),
                                      .rows = run->rows.size()}));
    }
  }

  Status Run(Hits hits) {
    const VectorBlock& queries = request_.queries;
    const size_t dim = queries.dim;
    const FloatRows floats(queries, metric_ == model::Metric::kCosine);
    std::vector<float> scratch(ListOrder::kQueriesAtOnce * dim);
    for (size_t q = 0; q < queries.rows; q += ListOrder::kQueriesAtOnce) {
      const size_t group = std::min(ListOrder::kQueriesAtOnce, queries.rows - q);
      const float* group_rows = floats.Read(q, group, scratch.data());
      order_.Score(group_rows, group);
      for (size_t i = 0; i < group; ++i) {
        order_.Choose(i, plan_.probes);
        for (const auto& scorer : scorers_) scorer->SetQuery(group_rows + i * dim);
        TRY(ScoreLists());
        ScoreVectors(RowOf(queries, q + i));
        best_.WriteTo(hits, q + i, is_l2_ ? 1.0f : -1.0f);
      }
    }
    return {};
  }

 private:
  Status ScoreLists() {
    met_ = 0;
    scored_ = 0;
    size_t wanted = 0;
    for (size_t p = 0; p < order_.size(); ++p) {
      // A filter keeps its recall when as many allowed rows are scored as rows without it.
      if (p == plan_.probes) wanted = met_;
      if (p >= plan_.probes && IsDone(wanted)) break;
      TRY(ctx_.CheckAlive());
      ScoreList(order_.at(p));
    }
    return {};
  }

  // A range may hold fewer rows than were asked for; no other reason leaves slots empty.
  bool IsDone(size_t wanted) const {
    return scored_ >= wanted && (found_.size() >= request_.k || range_.bounds());
  }

  void ScoreList(uint32_t list) {
    // A code of what is left over lacks the query's product with the centroid.
    const float product = order_.ProductOf(list);
    const float offset = is_l2_ ? -2 * product : -product;
    for (size_t r = 0; r < runs_.size(); ++r) {
      const index::Run& run = *runs_[r];
      const size_t first = r * kRunRows;
      size_t end = run.bounds[list + 1];
      // Invariant 3: an older view ends somewhere in the list.
      while (end > run.bounds[list] && first + run.rows[end - 1] >= plan_.rows) --end;
      for (size_t begin = run.bounds[list]; begin < end; begin += kTileRows) {
        const size_t count = std::min(kTileRows, end - begin);
        met_ += count;
        const size_t kept = request_.allowed.empty()
                                ? scorers_[r]->Below(begin, count, offset, found_.bound(),
                                                     found_.next_places(), found_.next_keys())
                                : ScoreAllowed(run, r, begin, count, offset);
        if (request_.allowed.empty()) scored_ += count;
        uint32_t* places = found_.next_places();
        for (size_t i = 0; i < kept; ++i) {
          places[i] = static_cast<uint32_t>(first + run.rows[places[i]]);
        }
        found_.Add(kept);
      }
    }
  }

  // The places and keys of allowed rows that are no worse than the bound; returns how many.
  size_t ScoreAllowed(const index::Run& run, size_t r, size_t begin, size_t count, float offset) {
    uint32_t* places = found_.next_places();
    float* keys = found_.next_keys();
    size_t met = 0;
    for (size_t place = begin; place < begin + count; ++place) {
      places[met] = static_cast<uint32_t>(place);
      met += request_.allowed.Test(r * kRunRows + run.rows[place]) ? 1 : 0;
    }
    scored_ += met;
    scorers_[r]->Score(places, met, keys);
    for (size_t i = 0; i < met; ++i) keys[i] += offset;
    return simd::Select().keep(keys, places, met, found_.bound());
  }

  const void* VectorOf(uint32_t row) const {
    return RowOf(blocks_[row / kGrowingBlockRows], row % kGrowingBlockRows);
  }

  // Exact keys of the rows that were found, and the best of those.
  void ScoreVectors(const void* query) {
    const VectorBlock& queries = request_.queries;
    const bool is_cosine = metric_ == model::Metric::kCosine;
    const float query_scale = is_cosine ? InverseNorm(queries.element, query, queries.dim) : 1.0f;
    const void* prepared = distance_.Prepare(query, prepared_);
    rows_.clear();
    found_.ForEach([&](float, uint32_t row) { rows_.push_back(row); });
    found_.Clear();
    std::sort(rows_.begin(), rows_.end());
    for (size_t i = 0; i < rows_.size(); i += 4) {
      const size_t group = std::min<size_t>(4, rows_.size() - i);
      const void* vectors[4];
      for (size_t j = 0; j < 4; ++j) vectors[j] = VectorOf(rows_[i + std::min(j, group - 1)]);
      for (size_t j = i + 4; j < std::min(i + 8, rows_.size()); ++j) {
        distance_.Prefetch(VectorOf(rows_[j]));
      }
      float keys[4];
      distance_.Four(prepared, vectors, keys);
      for (size_t j = 0; j < group; ++j) {
        const float scale =
            is_cosine ? query_scale * InverseNorm(queries.element, vectors[j], queries.dim) : 1.0f;
        const float key = keys[j] * scale;
        if (range_.Holds(key)) best_.Push(key, rows_[i + j]);
      }
    }
  }

  Context& ctx_;
  const std::span<const VectorBlock> blocks_;
  const std::span<const std::shared_ptr<const index::Run>> runs_;
  const model::Metric metric_;
  const SearchRequest& request_;
  const Plan plan_;
  const bool is_l2_;
  const KeyRange range_;
  const ElementDistance distance_;
  std::vector<std::unique_ptr<Scorer>> scorers_;  // Of each run.
  Reservoir found_;                               // By code.
  TopK best_;
  ListOrder order_;
  std::vector<uint32_t> rows_;  // The found ones, in order.
  std::vector<float> prepared_;
  size_t met_ = 0;     // Rows of the lists read for this query,
  size_t scored_ = 0;  // and those of them that are allowed.
};

// The number that a parameter holds, else `fallback`.
double NumberOf(const std::map<std::string, std::string>& params, const std::string& name,
                double fallback) {
  const auto found = params.find(name);
  if (found == params.end()) return fallback;
  const std::string& text = found->second;
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  return whole && std::isfinite(number) ? number : fallback;
}

}  // namespace

size_t DenseGrowingIndex::ProbesOf(const std::map<std::string, std::string>& params, size_t lists,
                                   size_t rows, uint32_t k) const {
  // Twice the lists need some 1.4 times the probes.
  const double growth = static_cast<double>(lists) / static_cast<double>(options_.lists);
  double probes = static_cast<double>(options_.probes) * std::sqrt(growth);
  // Walks of graphs that are asked for more candidates find more.
  const double candidates = std::max(NumberOf(params, "ef", 0), NumberOf(params, "search_list", 0));
  probes *= std::max(1.0, std::sqrt(candidates / std::max<double>(kUsualCandidates, 2.0 * k)));
  // Hits of a large k lie in more lists.
  const double rows_per_list = static_cast<double>(rows) / static_cast<double>(lists);
  probes = std::max(probes, kRowsPerHit * k / rows_per_list);
  // Lists that are asked for are asked for as a share.
  const double share =
      NumberOf(params, "nprobe", 0) / std::max(1.0, NumberOf(params, "nlist", 128));
  probes = std::max(probes, share * static_cast<double>(lists));
  return static_cast<size_t>(std::ceil(std::min(probes, static_cast<double>(lists))));
}

Result<size_t> DenseGrowingIndex::Search(Context& ctx, std::span<const VectorBlock> blocks,
                                         const std::map<std::string, std::string>& params,
                                         const SearchRequest& request, Hits hits) const {
  const std::shared_ptr<const DenseLists> lists = Current();
  if (lists == nullptr || blocks.empty()) return 0;
  const size_t count = lists->centroids->count;
  Plan plan{.rows = std::min(lists->rows, RowsOf(blocks))};
  plan.probes = ProbesOf(params, count, plan.rows, request.k);
  plan.candidates =
      static_cast<uint32_t>(std::min<size_t>(plan.rows, size_t{request.k} * kRefine + kRefineMore));
  if (plan.probes >= count) return 0;
  const size_t allowed =
      request.allowed.empty() ? plan.rows : BitsetView{request.allowed.words, plan.rows}.Count();
  const double scored = static_cast<double>(plan.rows * plan.probes) / static_cast<double>(count);
  const double cost = scored * kCodeCost + plan.candidates * kRefineCost;
  if (static_cast<double>(allowed) <= cost) return 0;
  const size_t runs = std::min(lists->runs.size(), (plan.rows + kRunRows - 1) / kRunRows);
  ListSearch search(ctx, blocks, *lists->centroids, std::span(lists->runs).first(runs), metric(),
                    request, plan);
  TRY(search.Run(hits));
  return plan.rows;
}

}  // namespace elanus::index
