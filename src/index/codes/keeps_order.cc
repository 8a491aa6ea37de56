// Compares the nearest rows by codes with the nearest rows, on a sample.
#include "index/codes/keeps_order.h"

#include <algorithm>
#include <vector>

#include "index/top_k.h"

namespace elanus::index {
namespace {

constexpr size_t kSampleRows = 4096;
constexpr size_t kQueries = 64;
constexpr uint32_t kHits = 10;
constexpr uint32_t kCandidates = 12;  // Few: neighbours in all rows are closer than in a sample.
constexpr double kMissesMax = 0.005;  // Of the hits.

std::vector<uint32_t> Nearest(const std::vector<float>& keys, uint32_t count) {
  TopK best(count);
  for (size_t i = 0; i < keys.size(); ++i) best.Push(keys[i], static_cast<uint32_t>(i));
  std::vector<uint32_t> rows;
  best.ForEach([&](float, uint32_t row) { rows.push_back(row); });
  return rows;
}

}  // namespace

Result<bool> KeepsOrder(Context& ctx, const Codec& codec, const FloatRows& rows, bool is_l2) {
  const size_t count = std::min(rows.rows(), kSampleRows);
  if (count == 0) return true;
  std::vector<float> sample(count * rows.dim());
  for (size_t i = 0; i < count; ++i) {
    rows.Copy(i * rows.rows() / count, sample.data() + i * rows.dim());
  }
  const VectorBlock block{.data = sample.data(), .rows = count, .dim = rows.dim()};
  std::vector<char> codes(count * codec.row_bytes());
  std::vector<float> terms(count);
  TRY(PackRows(ctx, codec, block, nullptr, nullptr, codes.data(), terms.data()));
  const auto scorer =
      codec.NewScorer({.codes = codes.data(), .terms = terms.data(), .rows = count});
  const ElementDistance distance(ElementType::kFloat32, rows.dim(), is_l2);
  std::vector<float> exact(count);
  std::vector<float> coded(count);
  const size_t queries = std::min(count, kQueries);
  size_t misses = 0;
  size_t hits = 0;
  for (size_t q = 0; q < queries; ++q) {
    TRY(ctx.CheckAlive());
    const float* query = block.row(q * count / queries);
    for (size_t i = 0; i < count; ++i) exact[i] = distance.One(query, block.row(i));
    scorer->SetQuery(query);
    scorer->ScoreRange(0, count, coded.data());
    std::vector<uint32_t> candidates = Nearest(coded, kCandidates);
    std::sort(candidates.begin(), candidates.end());
    for (uint32_t row : Nearest(exact, kHits)) {
      ++hits;
      if (!std::binary_search(candidates.begin(), candidates.end(), row)) ++misses;
    }
  }
  return static_cast<double>(misses) <= kMissesMax * static_cast<double>(hits);
}

}  // namespace elanus::index
