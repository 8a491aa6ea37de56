// The scan by sketches.
#include "index/hnsw/sketched_scan.h"

#include <algorithm>
#include <limits>

#include "simd/select.h"

namespace elanus::index {
namespace {

constexpr size_t kTile = 1024;  // Between looks at the deadline: some 10 us of work.
// Sketches, and codes, on their way into the cache, and how many are scored in one go.
constexpr size_t kAhead = 32;
constexpr size_t kAtOnce = 16;
// Rows with the least keys that are scored first, as a multiple of the candidates: their codes give
// the bound that rules out the others.
constexpr size_t kFirst = 3;

}  // namespace

SketchedScan::SketchedScan(const GraphView& graph, const Sketches& sketches)
    : graph_(graph), sketches_(sketches), sketch_(sketches.NewScorer()) {}

Status SketchedScan::Run(Context& ctx, const float* query, Scorer& scorer,
                         std::span<const uint32_t> rows, TopK& best, size_t candidates) {
  if (rows.empty()) return {};
  least_.resize(rows.size());
  left_.resize(rows.size());
  sketch_->SetQuery(query);
  TRY(ScoreSketches(ctx, rows));
  const simd::SelectKernels& select = simd::Select();
  const size_t count = rows.size();
  const float first = select.bound(least_.data(), count, std::min(count, kFirst * candidates));
  size_t left = select.positions(least_.data(), count, first, left_.data());
  TRY(ScoreCodes(ctx, scorer, rows, left_.data(), left, best));
  for (size_t i = 0; i < left; ++i) least_[left_[i]] = std::numeric_limits<float>::max();
  left = select.positions(least_.data(), count, best.bound(), left_.data());
  return ScoreCodes(ctx, scorer, rows, left_.data(), left, best);
}

Status SketchedScan::ScoreSketches(Context& ctx, std::span<const uint32_t> rows) {
  const size_t count = rows.size();
  for (size_t i = 0; i < std::min(count, kAhead); ++i) sketches_.Prefetch(rows[i]);
  for (size_t begin = 0; begin < count; begin += kAtOnce) {
    if (begin % kTile == 0) TRY(ctx.CheckAlive());
    const size_t end = std::min(count, begin + kAtOnce);
    for (size_t i = begin + kAhead; i < std::min(count, end + kAhead); ++i) {
      sketches_.Prefetch(rows[i]);
    }
    sketch_->Score(rows.data() + begin, end - begin, least_.data() + begin);
  }
  return {};
}

Status SketchedScan::ScoreCodes(Context& ctx, Scorer& scorer, std::span<const uint32_t> rows,
                                const uint32_t* positions, size_t count, TopK& best) {
  nodes_.resize(count);
  keys_.resize(count);
  for (size_t i = 0; i < count; ++i) nodes_[i] = graph_.node_of[rows[positions[i]]];
  for (size_t i = 0; i < std::min(count, kAhead); ++i) graph_.Prefetch(nodes_[i]);
  for (size_t begin = 0; begin < count; begin += kAtOnce) {
    if (begin % kTile == 0) TRY(ctx.CheckAlive());
    const size_t end = std::min(count, begin + kAtOnce);
    for (size_t i = begin + kAhead; i < std::min(count, end + kAhead); ++i) {
      graph_.Prefetch(nodes_[i]);
    }
    scorer.Score(nodes_.data() + begin, end - begin, keys_.data() + begin);
    for (size_t i = begin; i < end; ++i) {
      if (keys_[i] <= best.bound()) best.Push(keys_[i], nodes_[i]);
    }
  }
  return {};
}

}  // namespace elanus::index
