// HAMMING and JACCARD out of one count: the bits that differ. Sets with x and y members, of which d
// are in one alone, have a union of (x + y + d) / 2, so their Jaccard distance is 2d / (x + y + d).
#include "index/binary/scorer.h"
#include "base/prefetch.h"

namespace elanus::index {
namespace {

constexpr size_t kAhead = 8;  // Rows on their way into the cache while one is scored.
constexpr size_t kRowsPerTask = 4096;

}  // namespace

float BitScorer::KeyOf(uint32_t differ, size_t row) const {
  if (!is_jaccard_) return static_cast<float>(differ);
  if (differ == 0) return 0.0f;  // Two empty rows, too.
  const uint32_t ones =
      ones_ != nullptr ? ones_[row] : kernels_.ones(rows_.row(row), rows_.row_bytes());
  return 2 * static_cast<float>(differ) / static_cast<float>(query_ones_ + ones + differ);
}

void BitScorer::SetQuery(const uint8_t* query) {
  query_ = query;
  if (is_jaccard_) query_ones_ = kernels_.ones(query, rows_.row_bytes());
}

void BitScorer::Score(const uint32_t* rows, size_t count, float* keys) {
  uint32_t differ[4];
  for (size_t i = 0; i < count; i += 4) {
    for (size_t j = i + kAhead; j < std::min(i + kAhead + 4, count); ++j) {
      Prefetch(rows_.row(rows[j]));
    }
    const size_t group = std::min<size_t>(4, count - i);
    const uint8_t* pointers[4];
    for (size_t j = 0; j < 4; ++j) pointers[j] = rows_.row(rows[i + (j < group ? j : 0)]);
    kernels_.differ_x4(query_, pointers, rows_.row_bytes(), differ);
    for (size_t j = 0; j < group; ++j) keys[i + j] = KeyOf(differ[j], rows[i + j]);
  }
}

void BitScorer::ScoreRange(size_t begin, size_t count, float* keys) {
  uint32_t differ[kTileRows];
  kernels_.differ_rows(query_, rows_.row(begin), count, rows_.row_bytes(), differ);
  for (size_t i = 0; i < count; ++i) keys[i] = KeyOf(differ[i], begin + i);
}

Status ForParts(Context& ctx, Pool* pool, size_t count, size_t part,
                const std::function<void(size_t, size_t)>& fn) {
  const size_t parts = (count + part - 1) / part;
  const auto run = [&](size_t i) -> Status {
    TRY(ctx.CheckAlive());
    fn(i * part, std::min(count, (i + 1) * part));
    return {};
  };
  if (pool != nullptr) return pool->ParallelFor(ctx, parts, run);
  for (size_t i = 0; i < parts; ++i) TRY(run(i));
  return {};
}

Result<std::vector<uint32_t>> CountOnes(Context& ctx, BinaryBlock rows, Pool* pool) {
  std::vector<uint32_t> ones(rows.rows);
  const simd::BinaryKernels& kernels = simd::BestBinary();
  TRY(ForParts(ctx, pool, rows.rows, kRowsPerTask, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) ones[r] = kernels.ones(rows.row(r), rows.row_bytes());
  }));
  return ones;
}

}  // namespace elanus::index
