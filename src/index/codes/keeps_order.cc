// Compares the nearest rows by codes with the nearest rows, on a sample.
#include "index/codes/keeps_order.h"

#include <algorithm>
#include <vector>

#include "index/codes/spread_rows.h"
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

// `score(i, keys)` writes the keys by codes of row i to all rows of the sample.
Result<bool> Compare(Context& ctx, VectorBlock sample, bool is_l2,
                     const std::function<void(size_t, float*)>& score) {
  const ElementDistance distance(ElementType::kFloat32, sample.dim, is_l2);
  const size_t count = sample.rows;
  std::vector<float> exact(count);
  std::vector<float> coded(count);
  const size_t queries = std::min(count, kQueries);
  size_t misses = 0;
  size_t hits = 0;
  for (size_t q = 0; q < queries; ++q) {
    TRY(ctx.CheckAlive());
    const size_t row = q * count / queries;
    for (size_t i = 0; i < count; ++i) exact[i] = distance.One(sample.row(row), sample.row(i));
    score(row, coded.data());
    std::vector<uint32_t> candidates = Nearest(coded, kCandidates);
    std::sort(candidates.begin(), candidates.end());
    for (uint32_t hit : Nearest(exact, kHits)) {
      ++hits;
      if (!std::binary_search(candidates.begin(), candidates.end(), hit)) ++misses;
    }
  }
  return static_cast<double>(misses) <= kMissesMax * static_cast<double>(hits);
}

}  // namespace

Result<bool> KeepsOrder(Context& ctx, const Codec& codec, const FloatRows& rows, bool is_l2) {
  const FloatSample sample = SpreadRows(rows, kSampleRows);
  const size_t count = sample.block.rows;
  std::vector<char> codes(count * codec.row_bytes());
  std::vector<float> terms(count);
  TRY(PackRows(ctx, codec, sample.block, nullptr, nullptr, codes.data(), terms.data()));
  const auto scorer =
      codec.NewScorer({.codes = codes.data(), .terms = terms.data(), .rows = count});
  return Compare(ctx, sample.block, is_l2, [&](size_t row, float* keys) {
    scorer->SetQuery(sample.block.row(row));
    scorer->ScoreRange(0, count, keys);
  });
}

Result<bool> BytesKeepOrder(Context& ctx, const FloatRows& rows, bool is_l2,
                            const std::function<void(const float* row, int8_t* bytes)>& encode) {
  const FloatSample sample = SpreadRows(rows, kSampleRows);
  const size_t count = sample.block.rows;
  const size_t dim = rows.dim();
  std::vector<int8_t> bytes(count * dim);
  for (size_t i = 0; i < count; ++i) encode(sample.block.row(i), bytes.data() + i * dim);
  const ElementDistance distance(ElementType::kInt8, rows.dim(), is_l2);
  return Compare(ctx, sample.block, is_l2, [&](size_t row, float* keys) {
    for (size_t i = 0; i < count; ++i) {
      keys[i] = distance.One(bytes.data() + row * dim, bytes.data() + i * dim);
    }
  });
}

}  // namespace elanus::index
