// The nearest of a sample of allowed rows.
#include "index/hnsw/spread_seeds.h"

#include <algorithm>
#include <bit>

#include "simd/select.h"

namespace elanus::index {
namespace {

// Rows sampled where sketches make them cheap, and how many of them a walk begins at; without
// sketches.
constexpr size_t kSampled = 2048;
constexpr size_t kNearest = 64;
constexpr size_t kUnscored = 128;

// An allowed row of each of `parts` parts of the segment that has one.
std::vector<uint32_t> Sample(BitsetView allowed, size_t parts) {
  std::vector<uint32_t> rows;
  rows.reserve(parts);
  const size_t words = allowed.word_count();
  const size_t stride = (words + parts - 1) / parts;
  for (size_t begin = 0; begin < words; begin += stride) {
    const size_t end = std::min(words, begin + stride);
    size_t at = begin;
    while (at < end && allowed.words[at] == 0) ++at;
    if (at == end) continue;
    rows.push_back(static_cast<uint32_t>(at * 64) +
                   static_cast<uint32_t>(std::countr_zero(allowed.words[at])));
  }
  return rows;
}

}  // namespace

SpreadSeeds::SpreadSeeds(const GraphView& graph, const Sketches* sketches, BitsetView allowed)
    : graph_(graph), rows_(Sample(allowed, sketches == nullptr ? kUnscored : kSampled)) {
  if (sketches == nullptr) return;
  sketch_ = sketches->NewScorer();
  least_.resize(rows_.size());
  nearest_.resize(rows_.size());
}

void SpreadSeeds::Choose(const float* query, std::vector<uint32_t>& nodes) {
  if (sketch_ == nullptr || rows_.size() <= kNearest) {
    for (uint32_t row : rows_) nodes.push_back(graph_.node_of[row]);
    return;
  }
  sketch_->SetQuery(query);
  sketch_->Score(rows_.data(), rows_.size(), least_.data());
  const simd::SelectKernels& select = simd::Select();
  const float bound = select.bound(least_.data(), least_.size(), kNearest);
  const size_t count = select.positions(least_.data(), least_.size(), bound, nearest_.data());
  for (size_t i = 0; i < std::min(count, 2 * kNearest); ++i) {
    nodes.push_back(graph_.node_of[rows_[nearest_[i]]]);
  }
}

}  // namespace elanus::index
