// A stream over a graph: a best-first walk that keeps everything it has met, gives the nearest of
// it once `seed_ef` others are nearer than all that is left to expand, and goes on from there. What
// no link leads to comes last.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <queue>
#include <set>

#include "index/codes/refining_stream.h"
#include "index/hnsw/search.h"
#include "index/hnsw/walk.h"

namespace elanus::index {
namespace {

constexpr int kExpansionsPerCheck = 64;
constexpr size_t kScanTile = 1024;
// Nodes that a scan has on their way into the cache, and that it scores in one go.
constexpr size_t kNodesAhead = 16;
constexpr size_t kNodesAtOnce = 8;
// A row costs so much less in a scan than in a walk: its code is asked for long before.
constexpr double kExactAdvantage = 3;
constexpr double kDistancesPerEf = 12;

class WalkStream final : public CandidateStream {
 public:
  WalkStream(const OpenedGraph& opened, size_t ef, BitsetView allowed)
      : graph_(opened.view),
        ef_(ef),
        allowed_(allowed),
        allowed_count_(allowed.empty() ? graph_.nodes : allowed.Count()),
        scorer_(opened.codes.codec->NewScorer(opened.packed)),
        met_(graph_.nodes) {}

  void SetQuery(const QueryVector& query) override {
    scorer_->SetQuery(scorer_->takes_plain_query() ? query.plain() : query.unit());
  }
  Scorer& scorer() override { return *scorer_; }

  Result<bool> Next(Context& ctx, Candidate& next) override {
    if (!started_) TRY(Start(ctx));
    while (!open_.empty() && (near_.size() < ef_ || open_.top().key <= near_.rbegin()->key)) {
      if (distances_ > distances_max_) {
        TRY(MeetAll(ctx));
      } else {
        TRY(Expand(ctx));
      }
    }
    if (near_.empty()) {
      TRY(MeetAll(ctx));
      if (near_.empty()) return false;
    }
    const Neighbour nearest = *near_.begin();
    near_.erase(near_.begin());
    if (!far_.empty()) near_.insert(TakeFar());
    next = {.key = nearest.key, .place = nearest.node, .row = graph_.rows[nearest.node]};
    return true;
  }

 private:
  struct Farther {
    bool operator()(const Neighbour& a, const Neighbour& b) const { return b < a; }
  };
  using Queue = std::priority_queue<Neighbour, std::vector<Neighbour>, Farther>;

  Neighbour TakeFar() {
    std::pop_heap(far_.begin(), far_.end(), Farther());
    const Neighbour nearest = far_.back();
    far_.pop_back();
    return nearest;
  }
  void PutFar(const Neighbour& met) {
    far_.push_back(met);
    std::push_heap(far_.begin(), far_.end(), Farther());
  }

  // Few allowed rows are scored at once.
  Status Start(Context& ctx) {
    started_ = true;
    if (graph_.nodes == 0) return {};
    const double exact_cost = static_cast<double>(allowed_count_) / kExactAdvantage;
    const double walk_cost = static_cast<double>(ef_) * kDistancesPerEf *
                             static_cast<double>(graph_.nodes) /
                             static_cast<double>(allowed_count_ + 1);
    if (walk_cost >= exact_cost) return MeetAll(ctx);
    distances_max_ = allowed_count_;
    batch_ = {Descend(graph_, *scorer_, scratch_)};
    met_.Set(batch_[0]);
    MeetBatch();
    return {};
  }

  Status Expand(Context& ctx) {
    if (++expansions_ % kExpansionsPerCheck == 0) TRY(ctx.CheckAlive());
    const uint32_t* links = graph_.Neighbours(open_.top().node, 0);
    open_.pop();
    batch_.clear();
    for (uint32_t i = 1; i <= links[0]; ++i) {
      if (met_.Test(links[i])) continue;
      met_.Set(links[i]);
      graph_.Prefetch(links[i]);
      batch_.push_back(links[i]);
    }
    distances_ += batch_.size();
    MeetBatch();
    return {};
  }

  void MeetBatch() {
    keys_.resize(batch_.size());
    scorer_->Score(batch_.data(), batch_.size(), keys_.data());
    for (size_t i = 0; i < batch_.size(); ++i) {
      const Neighbour met{keys_[i], batch_[i]};
      open_.push(met);
      Keep(met);
    }
  }
  void Keep(const Neighbour& met) {
    if (!allowed_.empty() && !allowed_.Test(graph_.rows[met.node])) return;
    if (near_.size() == ef_ && *near_.rbegin() < met) {
      PutFar(met);
      return;
    }
    near_.insert(met);
    if (near_.size() <= ef_) return;
    PutFar(*near_.rbegin());
    near_.erase(std::prev(near_.end()));
  }

  // Scores every allowed row that was not met: cheaper than a walk that would meet all others, and
  // the only way to those that no link leads to.
  Status MeetAll(Context& ctx) {
    open_ = {};
    if (met_all_) return {};
    met_all_ = true;
    std::array<uint32_t, kScanTile> tile;
    uint32_t next = 0;
    size_t next_row = 0;
    while (const size_t count =
               allowed_.empty() ? TakeNodes(next, tile) : TakeAllowed(next_row, tile)) {
      TRY(ctx.CheckAlive());
      batch_.clear();
      for (size_t i = 0; i < count; ++i) {
        if (!met_.Test(tile[i])) batch_.push_back(tile[i]);
      }
      ScoreTile();
    }
    // In order at once, rather than one by one.
    std::make_heap(far_.begin(), far_.end(), Farther());
    while (!far_.empty() && (near_.size() < ef_ || far_.front() < *near_.rbegin())) {
      Keep(TakeFar());
    }
    return {};
  }

  size_t TakeNodes(uint32_t& next, std::array<uint32_t, kScanTile>& tile) const {
    const auto count = std::min<size_t>(kScanTile, graph_.nodes - next);
    std::iota(tile.begin(), tile.begin() + static_cast<ptrdiff_t>(count), next);
    next += static_cast<uint32_t>(count);
    return count;
  }
  size_t TakeAllowed(size_t& next_row, std::array<uint32_t, kScanTile>& tile) const {
    const size_t count = ListBits(allowed_, next_row, tile.data(), kScanTile);
    for (size_t i = 0; i < count; ++i) tile[i] = graph_.node_of[tile[i]];
    return count;
  }

  // The batch to far_, in no order.
  void ScoreTile() {
    const size_t count = batch_.size();
    keys_.resize(count);
    for (size_t i = 0; i < std::min(count, kNodesAhead); ++i) graph_.Prefetch(batch_[i]);
    for (size_t begin = 0; begin < count; begin += kNodesAtOnce) {
      const size_t end = std::min(count, begin + kNodesAtOnce);
      for (size_t i = begin + kNodesAhead; i < std::min(count, end + kNodesAhead); ++i) {
        graph_.Prefetch(batch_[i]);
      }
      scorer_->Score(batch_.data() + begin, end - begin, keys_.data() + begin);
    }
    for (size_t i = 0; i < count; ++i) far_.push_back({keys_[i], batch_[i]});
  }

  const GraphView& graph_;
  const size_t ef_;
  const BitsetView allowed_;
  const size_t allowed_count_;
  const std::unique_ptr<Scorer> scorer_;
  Bitset met_;
  bool started_ = false;
  bool met_all_ = false;
  Queue open_;                  // Met and not expanded.
  std::set<Neighbour> near_;    // The `ef` nearest that were met, allowed and not given yet.
  std::vector<Neighbour> far_;  // The others of them: a heap, the nearest in front.
  size_t distances_ = 0;
  size_t distances_max_ = 0;
  int expansions_ = 0;
  WalkScratch scratch_;
  std::vector<uint32_t> batch_;
  std::vector<float> keys_;
};

}  // namespace

std::unique_ptr<HitStream> MakeGraphStream(const OpenedGraph& graph, VectorBlock rows,
                                           model::Metric metric, const StreamRequest& request) {
  const int64_t search_ef = request.params.GetInt("ef", kDefaultSeedEf);
  const auto ef = static_cast<size_t>(request.params.GetInt("seed_ef", search_ef));
  const double ratio = request.params.Get("iterator_refine_ratio", kDefaultWindowRatio);
  const auto breadth = std::min<size_t>(ef, std::max<size_t>(rows.rows, 1));
  return std::make_unique<RefiningStream>(
      std::make_unique<WalkStream>(graph, breadth, request.allowed),
      MakeRefiner(graph.codes.refine_kind, graph.codes.refine.get(), graph.refine, rows, metric),
      RoundsQuery(graph.codes.codec->kind()), metric, request,
      static_cast<size_t>(std::ceil(static_cast<double>(breadth) * ratio)));
}

}  // namespace elanus::index
