// Extending and publishing the lists of dense rows.
#include <algorithm>

#include "index/growing/lists.h"

namespace elanus::index {
namespace {

constexpr size_t kRowsPerList = 39;  // Fewer train poor centroids.
constexpr size_t kRetrainGrowth = 4;
constexpr size_t kExtendRows = 1024;  // What a search may scan beside the lists for nothing.

size_t RowsOf(std::span<const VectorBlock> blocks) {
  return blocks.empty() ? 0 : (blocks.size() - 1) * kGrowingBlockRows + blocks.back().rows;
}

}  // namespace

size_t DenseLists::memory_bytes() const {
  size_t bytes = centroids->memory_bytes();
  for (const auto& run : runs) bytes += run->memory_bytes();
  return bytes;
}

bool DenseGrowingIndex::IsBehind(size_t rows) const {
  const size_t trained = trained_rows_.load(std::memory_order_relaxed);
  if (trained == 0) return rows >= static_cast<size_t>(options_.lists) * kRowsPerList;
  return rows >= this->rows() + kExtendRows || rows >= trained * kRetrainGrowth;
}

Status DenseGrowingIndex::Extend(Context& ctx, std::span<const VectorBlock> blocks,
                                 std::span<const std::shared_ptr<const void>>) {
  const size_t rows = RowsOf(blocks) / 64 * 64;
  const std::shared_ptr<const DenseLists> old = Current();
  if (old == nullptr && !IsBehind(RowsOf(blocks))) return {};
  DenseLists lists;
  if (old != nullptr) lists = *old;
  const bool trains = old == nullptr || rows >= old->centroids->trained_rows * kRetrainGrowth;
  if (trains) {
    // So many that both what a search scores of centroids and what it scores of rows grow as the
    // square root of the rows.
    auto count = static_cast<size_t>(options_.lists);
    for (size_t at = count * kRowsPerList * kRetrainGrowth; at <= rows; at *= kRetrainGrowth) {
      count = std::min<size_t>(count * 2, UINT16_MAX);
    }
    lists = {};
    TRY_ASSIGN(lists.centroids, Train(ctx, blocks, rows, count, metric()));
  }
  while (lists.rows < rows) {
    const size_t block = lists.rows / kGrowingBlockRows;
    const size_t begin = lists.rows % kGrowingBlockRows;
    const size_t end = std::min(kGrowingBlockRows, rows - block * kGrowingBlockRows);
    const size_t r = lists.rows / kRunRows;
    const Run* run = r < lists.runs.size() ? lists.runs[r].get() : nullptr;
    TRY_ASSIGN(auto longer, Longer(ctx, run, blocks[block].Slice(begin, end - begin),
                                   *lists.centroids, metric()));
    lists.runs.resize(r + 1);
    lists.runs[r] = std::move(longer);
    lists.rows = block * kGrowingBlockRows + end;
    // New lists take the place of old ones once they hold as much.
    if (old != nullptr && lists.rows < old->rows) continue;
    Publish(lists);
    trained_rows_.store(lists.centroids->trained_rows, std::memory_order_relaxed);
  }
  return {};
}

}  // namespace elanus::index
