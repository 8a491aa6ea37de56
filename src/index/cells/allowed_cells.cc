// Collecting allowed rows cell by cell.
#include "index/cells/allowed_cells.h"

#include <algorithm>
#include <cmath>

namespace elanus::index {
namespace {

// Of rows that a filter allows by chance, one in a hundred cells is passed over wrongly.
constexpr double kSampleOdds = 4.6;
// So many rows are looked at in any case, before samples tell where there are none: near the query
// a few allowed rows among many are the best ones.
constexpr size_t kLookedAtLeast = 8192;

}  // namespace

AllowedCells::AllowedCells(const Cells& cells, const uint32_t* rows, BitsetView allowed,
                           size_t count)
    : cells_(cells),
      rows_(rows),
      allowed_(allowed),
      sample_(static_cast<size_t>(std::ceil(kSampleOdds * static_cast<double>(allowed.size) /
                                            static_cast<double>(std::max<size_t>(count, 1))))),
      order_(cells.centroids(), 1) {}

void AllowedCells::Begin(const float* query) {
  order_.Score(query, 1);
  order_.ChooseRoughly(0);
  next_ = 0;
  looked_ = 0;
}

bool AllowedCells::Next(std::vector<uint32_t>& numbers) {
  while (next_ < order_.size()) {
    const uint32_t cell = order_.at(next_++);
    const uint32_t begin = cells_.begin(cell);
    const uint32_t end = cells_.end(cell);
    if (looked_ >= kLookedAtLeast && !MayHoldAllowed(cell)) continue;
    looked_ += end - begin;
    numbers.resize(end - begin);
    // Without branches, which chance would mispredict.
    size_t kept = 0;
    for (uint32_t number = begin; number < end; ++number) {
      numbers[kept] = number;
      kept += allowed_.Test(rows_[number]) ? 1 : 0;
    }
    numbers.resize(kept);
    if (kept > 0) return true;
  }
  return false;
}

// By rows from all parts of the cell.
bool AllowedCells::MayHoldAllowed(uint32_t cell) const {
  const uint32_t end = cells_.end(cell);
  const size_t step = std::max<size_t>((end - cells_.begin(cell)) / sample_, 1);
  for (size_t number = cells_.begin(cell); number < end; number += step) {
    if (allowed_.Test(rows_[number])) return true;
  }
  return false;
}

}  // namespace elanus::index
