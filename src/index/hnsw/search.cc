// A search walks the graph on the codes, takes the best candidates, scores them anew as exactly as
// the index can (by its refine codes, by the segment's vectors, or by the decoded codes) and
// answers the best k. With a filter it takes the cheaper of a filtered walk and a scan of what is
// allowed.
#include "index/hnsw/search.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/profile.h"
#include "index/cells/allowed_cells.h"
#include "index/codes/choices.h"
#include "index/codes/rescore.h"
#include "index/hnsw/allowed_walk.h"
#include "index/hnsw/filter_costs.h"
#include "index/hnsw/near_walk.h"
#include "index/hnsw/sketched_scan.h"
#include "index/hnsw/spread_seeds.h"
#include "index/hnsw/walk.h"
#include "index/top_k.h"

namespace elanus::index {
namespace {

// A scan by sketches is for where the candidates are few beside what is allowed.
constexpr size_t kSketchedPerCandidate = 16;
// With few rows allowed, or for many queries, it pays to know by node which are.
constexpr size_t kNodeBitsPerQuery = 8192;
// Nodes, allowed or not, around which a walk among allowed ones begins too.
constexpr size_t kNearEntries = 16;
// Nodes near the query that are allowed, as a share of what is expected, below which the best rows
// are looked for in cells.
constexpr double kNearDensity = 0.5;
// A walk is given up for a scan after so many times the scan's cost.
constexpr double kGiveUpAfter = 1.5;
constexpr size_t kScanTile = 1024;
// Nodes that a scan has on their way into the cache, and that it scores in one go.
constexpr size_t kNodesAhead = 16;
constexpr size_t kNodesAtOnce = 8;
constexpr size_t kRangeSlack = 4;
// Who asks for nothing gets a recall of .95 and more on real embeddings, at a cost that is still
// small; the reference's 16 and 1 give .85.
constexpr int64_t kDefaultEf = 64;

class GraphIndex final : public VectorIndex {
 public:
  GraphIndex(OpenedGraph graph, VectorBlock rows, model::Metric metric)
      : opened_(std::move(graph)), rows_(rows), metric_(metric) {}

  Status Search(Context& ctx, const SearchRequest& request, Hits hits) const override;
  Result<std::unique_ptr<HitStream>> Stream(Context& ctx,
                                            const StreamRequest& request) const override {
    TRY(ctx.CheckAlive());
    return MakeGraphStream(opened_, rows_, metric_, request);
  }
  size_t rows() const override { return rows_.rows; }
  size_t memory_bytes() const override { return opened_.memory_bytes + opened_.file.heap_bytes(); }

 private:
  friend class GraphSearch;
  OpenedGraph opened_;
  const VectorBlock rows_;
  const model::Metric metric_;
};

// How a call searches.
struct SearchShape {
  uint32_t k = 0;
  size_t beam = 0;
  size_t candidates = 0;  // That are scored anew; k at least.
  bool may_scan = true;   // For what the graph does not lead to.
};

// One call's state: scorers and scratch for its queries, one after the other.
class GraphSearch {
 public:
  GraphSearch(const GraphIndex& index, Context& ctx, const SearchShape& shape,
              const SearchRequest& request)
      : index_(index),
        graph_(index.opened_.view),
        ctx_(ctx),
        shape_(shape),
        allowed_(request.allowed),
        allowed_count_(allowed_.empty() ? graph_.nodes : allowed_.Count()),
        knows_nodes_(allowed_count_ <= kNodeBitsPerQuery * request.queries.rows),
        costs_({.code_bytes = graph_.code_bytes,
                .nodes = graph_.nodes,
                .allowed = allowed_count_,
                .beam = shape.beam,
                .candidates = shape.candidates,
                .cells = index.opened_.cells == nullptr ? 0 : index.opened_.cells->count(),
                .dim = index.rows_.dim}),
        range_(request.range, index.metric_),
        query_(index.rows_.dim, index.metric_),
        walk_(index.opened_.codes.codec->NewScorer(index.opened_.packed)),
        rescorer_(MakeRefiner(index.opened_.codes.refine_kind, index.opened_.codes.refine.get(),
                              index.opened_.refine, index.rows_, index.metric_),
                  *walk_, RoundsQuery(index.opened_.codes.codec->kind())),
        best_(shape.k),
        below_(static_cast<uint32_t>(shape.candidates)) {}

  Status Run(const VectorBlock& queries, size_t q, Hits hits) {
    query_.Set(queries, q);
    walk_->SetQuery(walk_->takes_plain_query() ? query_.plain() : query_.unit());
    rescorer_.SetQuery(query_);
    const size_t wanted = std::min<size_t>(shape_.k, allowed_count_);
    found_.clear();
    if (wanted * 2 >= allowed_count_) {
      TRY(Scan());  // Half of all rows: a walk saves nothing.
    } else if (allowed_count_ == graph_.nodes && !range_.has_low()) {
      TRY(WalkBeam(ctx_, graph_, *walk_, Descend(graph_, *walk_, scratch_), shape_.beam, scratch_));
      TakeBeam();
    } else {
      TRY(SearchAllowed());
    }
    // Parts of the graph may not be reachable (many equal rows): what was asked for is still there.
    if (found_.size() < wanted && shape_.may_scan) TRY(Scan());
    Answer(hits, q);
    return {};
  }

  // To whom it is told that has asked for a profile: which way the queries went.
  void Say(size_t queries) const {
    if (ctx_.profile() == nullptr) return;
    ProfileSays(ctx_, "rows_allowed", static_cast<int64_t>(allowed_count_));
    ProfileSays(ctx_, "ef", static_cast<int64_t>(shape_.beam));
    SayMore("walks", queries - std::min(queries, scans_ + cell_scans_));
    if (scans_ > 0) SayMore("scans_of_allowed_rows", scans_);
    if (cell_scans_ > 0) SayMore("scans_of_near_cells", cell_scans_);
  }

 private:
  // Adds to what searches of the same step have said: of lists each vector is one.
  void SayMore(std::string_view key, size_t count) const {
    const ProfileFact::Value* known = ctx_.profile()->Find(key);
    const int64_t before = known == nullptr ? 0 : std::get<int64_t>(*known);
    ProfileSays(ctx_, key, before + static_cast<int64_t>(count));
  }

  // The cheapest of the ways there are. A walk that turns out dearer than a scan (the filter keeps
  // rows far from the query) is given up for it. Where there are cells, these are the way to rows
  // far from the query, and often to the near ones, too.
  Status SearchAllowed() {
    const double scan_cost = costs_.Scan(ScansSketches());
    const auto distances_max =
        static_cast<size_t>(kGiveUpAfter * scan_cost / costs_.distance()) + 1;
    if (range_.has_low()) {
      // The rows below it have to be met to be told apart.
      if (costs_.Past() >= scan_cost) return Scan();
      TRY_ASSIGN(const bool complete, WalkPastOthers(distances_max));
      return complete ? Status() : Scan();
    }
    const bool has_cells = index_.opened_.cells != nullptr;
    if (has_cells && costs_.Cells() < std::min(scan_cost, costs_.Near())) return ScanCells();
    if (costs_.Near() >= scan_cost) return Scan();
    TRY_ASSIGN(const bool near, WalkNearAllowed());
    if (near) return {};
    if (has_cells && costs_.Cells() < scan_cost) return ScanCells();
    if (costs_.Among() >= scan_cost) return Scan();
    TRY_ASSIGN(const bool complete, WalkAmongAllowed(distances_max));
    return complete ? Status() : Scan();
  }

  Result<bool> WalkPastOthers(size_t distances_max) {
    below_.Clear();
    const WalkGoal goal{
        .ef = shape_.beam, .allowed = allowed_, .low = range_.low, .distances_max = distances_max};
    return WalkFiltered(ctx_, graph_, *walk_, Descend(graph_, *walk_, scratch_), goal, scratch_,
                        found_, &below_);
  }

  // False: the allowed rows lie elsewhere; scratch_.beam has some nodes near the query.
  Result<bool> WalkNearAllowed() {
    const NearGoal goal{.allowed = allowed_,
                        .nodes = NodeBits(),
                        .share = costs_.share(),
                        .ef = std::min<size_t>(costs_.near_ef(), graph_.nodes),
                        .wanted = std::min(costs_.near_wanted(), allowed_count_),
                        .least_density = index_.opened_.cells != nullptr ? kNearDensity : 0};
    TRY_ASSIGN(const bool found,
               WalkNear(ctx_, graph_, *walk_, Descend(graph_, *walk_, scratch_), goal, scratch_));
    if (found) TakeBeam();
    return found;
  }

  Result<bool> WalkAmongAllowed(size_t distances_max) {
    around_.clear();
    for (size_t i = 0; i < std::min(kNearEntries, scratch_.beam.size()); ++i) {
      around_.push_back(scratch_.beam.at(i).node);
    }
    if (spread_ == nullptr) {
      spread_ = std::make_unique<SpreadSeeds>(graph_, index_.opened_.sketches.get(), allowed_);
    }
    seeds_.clear();
    spread_->Choose(query_.unit(), seeds_);
    const AllowedGoal goal{.allowed = allowed_,
                           .nodes = NodeBits(),
                           .seeds = seeds_,
                           .around = around_,
                           .ef = std::min(costs_.among_ef(), allowed_count_),
                           .distances_max = distances_max};
    TRY_ASSIGN(const bool complete, WalkAllowed(ctx_, graph_, *walk_, goal, scratch_));
    // A filter may leave pieces that no links join: what lies in another one may be nearer.
    if (!complete || (scratch_.beam.size() < goal.ef && shape_.may_scan)) return false;
    TakeBeam();
    return true;
  }

  // Which nodes are allowed, where that is known by node: empty otherwise.
  BitsetView NodeBits() {
    if (!knows_nodes_) return {};
    if (node_bits_.size() == 0) SetNodeBits();
    return node_bits_.view();
  }

  void SetNodeBits() {
    node_bits_.Resize(graph_.nodes);
    ForEachSet(allowed_, [&](size_t row) { node_bits_.Set(graph_.node_of[row]); });
  }

  void TakeBeam() {
    const size_t count = std::min(shape_.candidates, scratch_.beam.size());
    for (size_t i = 0; i < count; ++i) found_.push_back(scratch_.beam.at(i));
  }

  // Rows below a range have the least keys of all, so that sketches rule out too little.
  bool ScansSketches() const {
    return index_.opened_.sketches != nullptr && !allowed_.empty() && !range_.has_low() &&
           allowed_count_ >= kSketchedPerCandidate * shape_.candidates;
  }

  // Every allowed row by its code, or by its sketch where that rules it out; the best candidates
  // stay in found_.
  Status Scan() {
    ++scans_;
    TopK best(static_cast<uint32_t>(shape_.candidates));
    below_.Clear();
    if (ScansSketches()) {
      if (allowed_rows_.empty()) {
        allowed_rows_.resize(allowed_count_ + kListBitsRoom);
        size_t next = 0;
        allowed_rows_.resize(ListBits(allowed_, next, allowed_rows_.data(), allowed_rows_.size()));
      }
      TRY(ScanBySketches(allowed_rows_, best));
    } else {
      TRY(allowed_.empty() ? ScanAll(best) : ScanAllowed(best));
    }
    Take(best);
    return {};
  }

  // The allowed rows of the nearest cells.
  Status ScanCells() {
    ++cell_scans_;
    if (allowed_cells_ == nullptr) {
      allowed_cells_ = std::make_unique<AllowedCells>(*index_.opened_.cells, graph_.rows, allowed_,
                                                      allowed_count_);
    }
    allowed_cells_->Begin(query_.unit());
    TopK best(static_cast<uint32_t>(shape_.candidates));
    CellRows rows(std::max(costs_.cell_rows_least(), shape_.candidates), costs_.cell_rows());
    while (!rows.IsEnough() && allowed_cells_->Next(cell_nodes_)) {
      const float bound = best.bound();
      for (size_t begin = 0; begin < cell_nodes_.size(); begin += kScanTile) {
        TRY(ScoreNodes(cell_nodes_.data() + begin, std::min(kScanTile, cell_nodes_.size() - begin),
                       best));
      }
      rows.Add(cell_nodes_.size(), best.bound() < bound);
    }
    Take(best);
    return {};
  }

  Status ScanBySketches(std::span<const uint32_t> rows, TopK& best) {
    if (sketched_ == nullptr) {
      sketched_ = std::make_unique<SketchedScan>(graph_, *index_.opened_.sketches);
    }
    return sketched_->Run(ctx_, query_.unit(), *walk_, rows, best, shape_.candidates);
  }

  void Take(TopK& best) {
    found_.clear();
    best.ForEach([&](float key, uint32_t node) { found_.push_back({key, node}); });
    std::sort(found_.begin(), found_.end());
  }

  Status ScanAll(TopK& best) {
    for (size_t begin = 0; begin < graph_.nodes; begin += kScanTile) {
      TRY(ctx_.CheckAlive());
      const size_t count = std::min<size_t>(graph_.nodes - begin, kScanTile);
      walk_->ScoreRange(begin, count, keys_.data());
      for (size_t i = 0; i < count; ++i) Meet(keys_[i], static_cast<uint32_t>(begin + i), best);
    }
    return {};
  }

  // Row by row, since few are allowed: their nodes lie anywhere.
  Status ScanAllowed(TopK& best) {
    size_t next = 0;
    while (const size_t count = ListBits(allowed_, next, nodes_.data(), kScanTile)) {
      for (size_t i = 0; i < count; ++i) nodes_[i] = graph_.node_of[nodes_[i]];
      TRY(ScoreNodes(nodes_.data(), count, best));
    }
    return {};
  }

  // A tile of nodes at most, some on their way into the cache while others are scored.
  Status ScoreNodes(const uint32_t* nodes, size_t count, TopK& best) {
    TRY(ctx_.CheckAlive());
    for (size_t i = 0; i < std::min(count, kNodesAhead); ++i) graph_.Prefetch(nodes[i]);
    for (size_t begin = 0; begin < count; begin += kNodesAtOnce) {
      const size_t end = std::min(count, begin + kNodesAtOnce);
      for (size_t i = begin + kNodesAhead; i < std::min(count, end + kNodesAhead); ++i) {
        graph_.Prefetch(nodes[i]);
      }
      walk_->Score(nodes + begin, end - begin, keys_.data());
      for (size_t i = begin; i < end; ++i) Meet(keys_[i - begin], nodes[i], best);
    }
    return {};
  }

  void Meet(float key, uint32_t node, TopK& best) {
    if (key < range_.low) {
      below_.Push(-key, node);
    } else if (key <= best.bound()) {
      best.Push(key, node);
    }
  }

  // Codes may put a row a little outside of the range: so some from below its lower end are scored
  // anew too. Past its upper end the walk has gone anyway.
  void Answer(Hits hits, size_t slot) {
    candidates_.Clear();
    const size_t count = std::min(shape_.candidates, found_.size());
    for (size_t i = 0; i < count; ++i) {
      candidates_.Add(found_[i].node, graph_.rows[found_[i].node], found_[i].key);
    }
    if (range_.has_low()) {
      below_.ForEach([&](float negated, uint32_t node) {
        candidates_.Add(node, graph_.rows[node], -negated);
      });
    }
    rescorer_.Run(shape_.k, range_, candidates_, best_);
    best_.WriteTo(hits, slot, index_.metric_ == model::Metric::kL2 ? 1.0f : -1.0f);
  }

  const GraphIndex& index_;
  const GraphView& graph_;
  Context& ctx_;
  const SearchShape shape_;
  const BitsetView allowed_;
  const size_t allowed_count_;
  const bool knows_nodes_;
  const GraphFilterCosts costs_;
  const KeyRange range_;
  QueryVector query_;
  std::unique_ptr<Scorer> walk_;
  Rescorer rescorer_;
  TopK best_;
  TopK below_;  // The largest keys below the range, negated.
  WalkScratch scratch_;
  std::array<uint32_t, kScanTile> nodes_;
  std::array<float, kScanTile> keys_;
  Bitset node_bits_;
  std::unique_ptr<SpreadSeeds> spread_;  // Made by the first query that needs it.
  std::vector<uint32_t> seeds_;
  std::vector<uint32_t> around_;
  std::unique_ptr<SketchedScan> sketched_;  // Made by the first query that scans by sketches.
  std::vector<uint32_t> allowed_rows_;      // For scans of all of them; ascending.
  std::unique_ptr<AllowedCells> allowed_cells_;
  std::vector<uint32_t> cell_nodes_;
  std::vector<Neighbour> found_;
  Candidates candidates_;
  size_t scans_ = 0;  // Of all queries so far.
  size_t cell_scans_ = 0;
};

Status GraphIndex::Search(Context& ctx, const SearchRequest& request, Hits hits) const {
  const VectorBlock& queries = request.queries;
  const uint32_t k = request.k;
  const Params& params = request.params;
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
  // Far from the query rows lie dense, and codes put many of them on the wrong side of a range's
  // lower end.
  const bool is_far = request.range.range_filter.has_value() && refines;
  const size_t scored = std::min(nodes, is_far ? kRangeSlack * candidates : candidates);
  const SearchShape shape{.k = k,
                          .beam = std::min(nodes, std::max(static_cast<size_t>(ef), scored)),
                          .candidates = std::max<size_t>(scored, 1),
                          .may_scan = !params.GetBool("disable_fallback_brute_force", false)};
  GraphSearch search(*this, ctx, shape, request);
  for (size_t q = 0; q < queries.rows; ++q) TRY(search.Run(queries, q, hits));
  search.Say(queries.rows);
  return {};
}

}  // namespace

std::unique_ptr<VectorIndex> MakeGraphIndex(OpenedGraph graph, VectorBlock rows,
                                            model::Metric metric) {
  return std::make_unique<GraphIndex>(std::move(graph), rows, metric);
}

}  // namespace elanus::index
