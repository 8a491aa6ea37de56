// A search walks the graph on the codes, takes the best candidates, scores them anew as exactly as
// the index can (by its refine codes, by the segment's vectors, or by the decoded codes) and
// answers the best k. With a filter it takes the cheaper of a filtered walk and a scan of what is
// allowed.
#include "index/hnsw/search.h"

#include <algorithm>
#include <cmath>

#include "index/codes/choices.h"
#include "index/codes/rescore.h"
#include "index/flat/exact.h"
#include "index/hnsw/walk.h"
#include "index/top_k.h"

namespace elanus::index {
namespace {

// Scoring an allowed row in an exact scan is cheaper than a step of a walk, which also pays for
// cache misses.
constexpr double kExactAdvantage = 1.5;
// Distances of a walk per unit of ef, measured on real embeddings at ef 64.
constexpr double kDistancesPerEf = 12;
constexpr size_t kScanTile = 1024;
// Who asks for nothing gets a recall of .95 and more on real embeddings, at a cost that is still
// small; the reference's 16 and 1 give .85.
constexpr int64_t kDefaultEf = 64;

class GraphIndex final : public VectorIndex {
 public:
  GraphIndex(OpenedGraph graph, VectorBlock rows, model::Metric metric)
      : opened_(std::move(graph)), rows_(rows), metric_(metric) {}

  Status Search(Context& ctx, VectorBlock queries, uint32_t k, const Params& params,
                BitsetView allowed, Hits hits) const override;
  size_t memory_bytes() const override { return opened_.memory_bytes + opened_.file.heap_bytes(); }

 private:
  friend class GraphSearch;
  OpenedGraph opened_;
  const VectorBlock rows_;
  const model::Metric metric_;
};

// One call's state: scorers and scratch for its queries, one after the other.
class GraphSearch {
 public:
  GraphSearch(const GraphIndex& index, Context& ctx, uint32_t k, size_t beam, size_t candidates,
              BitsetView allowed)
      : index_(index),
        graph_(index.opened_.view),
        ctx_(ctx),
        k_(k),
        beam_(beam),
        candidates_(candidates),
        allowed_(allowed),
        allowed_count_(allowed.empty() ? graph_.nodes : allowed.Count()),
        walk_(index.opened_.codes.codec->NewScorer(index.opened_.packed)),
        rescorer_(index.opened_.codes.refine_kind, index.opened_.codes.refine.get(),
                  index.opened_.refine, index.rows_, index.metric_, *walk_,
                  index.opened_.codes.codec->kind() != CodeKind::kFloat32),
        best_(k) {
    normalised_.resize(index.rows_.dim);
  }

  Status Run(const float* query, Hits hits, size_t slot) {
    if (index_.metric_ == model::Metric::kCosine) {
      const float scale = InverseNorm(query, index_.rows_.dim);
      for (size_t d = 0; d < normalised_.size(); ++d) normalised_[d] = query[d] * scale;
      query = normalised_.data();
    }
    query_ = query;
    walk_->SetQuery(query);
    const size_t wanted = std::min<size_t>(k_, allowed_count_);
    found_.clear();
    if (wanted * 2 >= allowed_count_) {
      TRY(Scan());  // Half of all rows: a walk saves nothing.
    } else if (allowed_count_ == graph_.nodes) {
      TRY(WalkBeam(ctx_, graph_, *walk_, Descend(graph_, *walk_, scratch_), beam_, scratch_));
      const size_t count = std::min(candidates_, scratch_.beam.size());
      for (size_t i = 0; i < count; ++i) found_.push_back(scratch_.beam.at(i));
    } else {
      TRY(SearchAllowed());
    }
    // Parts of the graph may not be reachable (many equal rows): what was asked for is still there.
    if (found_.size() < wanted) TRY(Scan());
    Answer(hits, slot);
    return {};
  }

 private:
  // The cheaper of a filtered walk and an exact scan of what is allowed. A walk that turns out
  // dearer than the scan (the filter keeps rows far from the query) is given up for it, so the cost
  // stays within twice the cheaper one.
  Status SearchAllowed() {
    const double exact_cost = static_cast<double>(allowed_count_) / kExactAdvantage;
    const double walk_cost = static_cast<double>(beam_) * kDistancesPerEf *
                             static_cast<double>(graph_.nodes) /
                             static_cast<double>(allowed_count_ + 1);
    if (walk_cost < exact_cost) {
      TRY_ASSIGN(const bool complete,
                 WalkFiltered(ctx_, graph_, *walk_, Descend(graph_, *walk_, scratch_), beam_,
                              allowed_, static_cast<size_t>(exact_cost) + 1, scratch_, found_));
      if (complete) return {};
    }
    return Scan();
  }

  // Every allowed row by its code; the best candidates stay in found_.
  Status Scan() {
    TopK best(static_cast<uint32_t>(candidates_));
    float keys[kScanTile];
    uint32_t nodes[kScanTile];
    for (size_t begin = 0; begin < graph_.nodes; begin += kScanTile) {
      TRY(ctx_.CheckAlive());
      const size_t end = std::min<size_t>(graph_.nodes, begin + kScanTile);
      size_t count = 0;
      for (size_t node = begin; node < end; ++node) {
        if (!allowed_.empty() && !allowed_.Test(graph_.rows[node])) continue;
        nodes[count++] = static_cast<uint32_t>(node);
      }
      walk_->Score(nodes, count, keys);
      for (size_t i = 0; i < count; ++i) best.Push(keys[i], nodes[i]);
    }
    found_.clear();
    best.ForEach([&](float key, uint32_t node) { found_.push_back({key, node}); });
    std::sort(found_.begin(), found_.end());
    return {};
  }

  void Answer(Hits hits, size_t slot) {
    candidates_found_.Clear();
    const size_t count = std::min(candidates_, found_.size());
    for (size_t i = 0; i < count; ++i) {
      candidates_found_.Add(found_[i].node, graph_.rows[found_[i].node], found_[i].key);
    }
    rescorer_.Run(query_, k_, candidates_found_, best_);
    best_.WriteTo(hits, slot, index_.metric_ == model::Metric::kL2 ? 1.0f : -1.0f);
  }

  const GraphIndex& index_;
  const GraphView& graph_;
  Context& ctx_;
  const uint32_t k_;
  const size_t beam_;
  const size_t candidates_;  // k at least.
  const BitsetView allowed_;
  const size_t allowed_count_;
  std::unique_ptr<Scorer> walk_;
  Rescorer rescorer_;
  const float* query_ = nullptr;
  TopK best_;
  WalkScratch scratch_;
  std::vector<Neighbour> found_;
  Candidates candidates_found_;
  std::vector<float> normalised_;
};

Status GraphIndex::Search(Context& ctx, VectorBlock queries, uint32_t k, const Params& params,
                          BitsetView allowed, Hits hits) const {
  const int64_t ef = params.GetInt("ef", std::max<int64_t>(k, kDefaultEf));
  if (ef < k) {
    return Error(ErrorCode::kSegcore,
                 "failed to search: out_of_range_in_json: ef({}) should be larger than k({})", ef,
                 k);
  }
  const size_t nodes = opened_.view.nodes;
  if (nodes == 0) {
    std::fill_n(hits.rows, queries.rows * k, kNoRow);
    std::fill_n(hits.scores, queries.rows * k, 0.0f);
    return {};
  }
  const bool refines = opened_.codes.refine_kind != CodeKind::kNone;
  const double refine_k = refines ? params.Get("refine_k", kDefaultRefineK) : 1;
  const auto candidates = static_cast<size_t>(
      std::min(std::ceil(static_cast<double>(k) * refine_k), static_cast<double>(nodes)));
  const size_t beam = std::min(nodes, std::max(static_cast<size_t>(ef), candidates));
  GraphSearch search(*this, ctx, k, beam, std::max<size_t>(candidates, 1), allowed);
  for (size_t q = 0; q < queries.rows; ++q) TRY(search.Run(queries.row(q), hits, q));
  return {};
}

}  // namespace

std::unique_ptr<VectorIndex> MakeGraphIndex(OpenedGraph graph, VectorBlock rows,
                                            model::Metric metric) {
  return std::make_unique<GraphIndex>(std::move(graph), rows, metric);
}

}  // namespace elanus::index
