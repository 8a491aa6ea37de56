// Searching a graph over rows of bits: keys are exact, so what a walk finds is answered as it is,
// each node with all its rows.
// With a filter the cheaper of a filtered walk and a scan; a range search widens its walk until it
// has left the range.
#include <algorithm>
#include <array>

#include "base/check.h"
#include "index/binary/exact.h"
#include "index/binary/graph.h"
#include "index/hnsw/walk.h"
#include "index/top_k.h"

namespace elanus::index {
namespace {

// As in hnsw/search.cc: what a row of a scan saves over one of a walk, and a walk's distances per
// unit of ef.
constexpr double kExactAdvantage = 1.5;
constexpr double kDistancesPerEf = 12;
constexpr size_t kTileRows = BinaryScorer::kTileRows;

// Lets walks, which know codes only through Scorer, meet bits.
class WalkScorer final : public Scorer {
 public:
  WalkScorer(BinaryBlock bits, const uint32_t* ones, model::Metric metric)
      : scorer_(bits, ones, metric) {}
  void SetBits(const uint8_t* query) { scorer_.SetQuery(query); }
  void SetQuery(const float*) override { CHECK(false); }  // A query of bits comes by SetBits.
  void Score(const uint32_t* rows, size_t count, float* keys) override {
    scorer_.Score(rows, count, keys);
  }
  void ScoreRange(size_t begin, size_t count, float* keys) override {
    scorer_.ScoreRange(begin, count, keys);
  }
  float ScoreExact(uint32_t row) override {
    float key;
    scorer_.Score(&row, 1, &key);
    return key;
  }

 private:
  BitScorer scorer_;
};

class BinaryGraph final : public VectorIndex {
 public:
  BinaryGraph(OpenedBinaryGraph graph, model::Metric metric)
      : opened_(std::move(graph)), metric_(metric) {}
  Status Search(Context& ctx, const SearchRequest& request, Hits hits) const override;
  size_t rows() const override { return opened_.rows; }
  size_t memory_bytes() const override { return opened_.file.heap_bytes(); }

 private:
  const OpenedBinaryGraph opened_;
  const model::Metric metric_;
};

// One call's state: scorer and scratch for its queries, one after the other.
class BinaryGraphSearch {
 public:
  BinaryGraphSearch(Context& ctx, const OpenedBinaryGraph& graph, model::Metric metric,
                    const SearchRequest& request, size_t ef)
      : ctx_(ctx),
        opened_(graph),
        graph_(graph.view),
        allowed_(request.allowed),
        allowed_count_(allowed_.empty() ? graph.rows : allowed_.Count()),
        k_(request.k),
        ef_(ef),
        range_(request.range, metric),
        is_range_(request.range.bounds()),
        scorer_(graph.bits, graph.ones, metric),
        best_(request.k) {
    if (!allowed_.empty()) AllowNodes();
  }

  Status Run(const uint8_t* query, Hits hits, size_t slot) {
    scorer_.SetBits(query);
    const size_t wanted = std::min<size_t>(k_, allowed_count_);
    bool is_done = false;
    for (size_t ef = ef_; !is_done; ef *= 2) {
      // Half of what a scan meets: a walk saves nothing.
      if (2 * std::max(wanted, ef) >= std::min<size_t>(allowed_count_, graph_.nodes)) break;
      TRY_ASSIGN(const bool complete, Walk(ef));
      if (!complete) break;
      Keep();
      // Parts of the graph may not be reachable (many equal rows): what was asked for is still
      // there.
      if (!is_range_ && best_.size() < wanted) break;
      is_done = !is_range_ || best_.full() || LeftRange(ef);
    }
    if (!is_done) TRY(Scan());
    best_.WriteTo(hits, slot, 1.0f);
    return {};
  }

 private:
  // nodes_allowed_: a node may be visited for its first row when any of its rows is allowed.
  void AllowNodes() {
    nodes_allowed_.assign(allowed_.words, allowed_.words + allowed_.word_count());
    if (opened_.rows == graph_.nodes) return;
    for (uint32_t node = 0; node < graph_.nodes; ++node) {
      const uint32_t* end = opened_.twins + opened_.twin_start[node + 1];
      const bool is_allowed = std::any_of(opened_.twins + opened_.twin_start[node], end,
                                          [&](uint32_t row) { return allowed_.Test(row); });
      const uint32_t first = graph_.rows[node];
      if (is_allowed) nodes_allowed_[first / 64] |= uint64_t{1} << (first % 64);
    }
  }

  BitsetView nodes_allowed() const {
    return allowed_.empty() ? BitsetView() : BitsetView{nodes_allowed_.data(), allowed_.size};
  }

  // Every allowed row of a node.
  void Push(float key, uint32_t node) {
    if (key > best_.bound() || !range_.Holds(key)) return;
    const auto push = [&](uint32_t row) {
      if (allowed_.empty() || allowed_.Test(row)) best_.Push(key, row);
    };
    push(graph_.rows[node]);
    std::for_each(opened_.twins + opened_.twin_start[node],
                  opened_.twins + opened_.twin_start[node + 1], push);
  }

  // Fills found_. False: a scan is cheaper.
  Result<bool> Walk(size_t ef) {
    found_.clear();
    if (allowed_count_ == opened_.rows) {
      TRY(WalkBeam(ctx_, graph_, scorer_, Descend(graph_, scorer_, scratch_), ef, scratch_));
      for (size_t i = 0; i < scratch_.beam.size(); ++i) found_.push_back(scratch_.beam.at(i));
      return true;
    }
    const double exact_cost = static_cast<double>(allowed_count_) / kExactAdvantage;
    const double walk_cost = static_cast<double>(ef) * kDistancesPerEf *
                             static_cast<double>(graph_.nodes) /
                             static_cast<double>(allowed_count_ + 1);
    if (walk_cost >= exact_cost) return false;
    const WalkGoal goal{
        .ef = ef, .allowed = nodes_allowed(), .distances_max = static_cast<size_t>(exact_cost) + 1};
    return WalkFiltered(ctx_, graph_, scorer_, Descend(graph_, scorer_, scratch_), goal, scratch_,
                        found_, nullptr);
  }

  void Keep() {
    best_.Clear();
    for (const Neighbour& found : found_) Push(found.key, found.node);
  }

  // True when nothing of the range can lie behind what the walk found.
  bool LeftRange(size_t ef) const {
    return found_.size() == ef && found_.back().key >= range_.high;
  }

  // Every allowed row.
  Status Scan() {
    best_.Clear();
    const BitsetView allowed = nodes_allowed();
    std::array<float, kTileRows> keys;
    std::array<uint32_t, kTileRows> nodes;
    for (size_t begin = 0; begin < graph_.nodes; begin += kTileRows) {
      TRY(ctx_.CheckAlive());
      const size_t end = std::min<size_t>(graph_.nodes, begin + kTileRows);
      size_t count = 0;
      for (size_t node = begin; node < end; ++node) {
        nodes[count] = static_cast<uint32_t>(node);
        count += allowed.empty() || allowed.Test(graph_.rows[node]) ? 1 : 0;
      }
      scorer_.Score(nodes.data(), count, keys.data());
      for (size_t i = 0; i < count; ++i) Push(keys[i], nodes[i]);
    }
    return {};
  }

  Context& ctx_;
  const OpenedBinaryGraph& opened_;
  const GraphView& graph_;
  const BitsetView allowed_;
  const size_t allowed_count_;
  const uint32_t k_;
  const size_t ef_;
  const KeyRange range_;
  const bool is_range_;
  WalkScorer scorer_;
  WalkScratch scratch_;
  std::vector<uint64_t> nodes_allowed_;
  std::vector<Neighbour> found_;  // The nearest first.
  TopK best_;
};

Status BinaryGraph::Search(Context& ctx, const SearchRequest& request, Hits hits) const {
  TRY(CheckBinaryRequest(request, metric_));
  TRY(ctx.CheckAlive());
  const int64_t ef = request.params.GetInt("ef", std::max<int64_t>(request.k, 16));
  if (ef < request.k) {
    return Error(ErrorCode::kSegcore,
                 "failed to search: out_of_range_in_json: ef({}) should be larger than k({})", ef,
                 request.k);
  }
  const size_t nodes = opened_.view.nodes;
  if (nodes == 0) {
    ClearHits(request.queries.rows * request.k, hits);
    return {};
  }
  BinaryGraphSearch search(ctx, opened_, metric_, request,
                           std::min(nodes, static_cast<size_t>(ef)));
  for (size_t q = 0; q < request.queries.rows; ++q) {
    TRY(search.Run(BinaryBlock(request.queries).row(q), hits, q));
  }
  return {};
}

}  // namespace

std::unique_ptr<VectorIndex> MakeBinaryGraph(OpenedBinaryGraph graph, model::Metric metric) {
  return std::make_unique<BinaryGraph>(std::move(graph), metric);
}

}  // namespace elanus::index
