// Block-Max WAND inside a window.
#include "index/sparse/wand.h"

#include <algorithm>
#include <bit>

namespace elanus::index {

namespace {

// Bit r of the result stands for row r: bytes 0 2 4 6 1 3 5 7 of the word, see BitOfRow.
uint64_t InRowOrder(uint64_t word) {
  uint64_t ordered = 0;
  for (uint32_t i = 0; i < 8; ++i) {
    ordered |= (word >> BitOfRow(8 * i) & 0xff) << (8 * i);
  }
  return ordered;
}

}  // namespace

void ChunkCursor::Seek(uint32_t offset) {
  if (chunk_->is_bitmap == 0) {
    const uint16_t* offsets = chunk_->offsets();
    const uint32_t count = chunk_->count();
    // Doubling steps, then halving ones: most seeks are short.
    uint32_t step = 1;
    uint32_t low = place_;
    while (low + step < count && offsets[low + step] < offset) {
      low += step;
      step *= 2;
    }
    const uint16_t* end = offsets + std::min(count, low + step + 1);
    place_ = static_cast<uint32_t>(std::lower_bound(offsets + low, end, offset) - offsets);
    offset_ = place_ < count ? offsets[place_] : kWindowRows;
    return;
  }
  const uint64_t* bits = chunk_->bits();
  const uint32_t target = std::min(offset / 64, kWindowWords);
  for (; word_ < target; ++word_) before_ += static_cast<uint32_t>(std::popcount(bits[word_]));
  if (word_ == kWindowWords) {
    offset_ = kWindowRows;
    return;
  }
  uint64_t word = InRowOrder(bits[word_]) & (~uint64_t{0} << (offset % 64));
  while (word == 0) {
    before_ += static_cast<uint32_t>(std::popcount(bits[word_]));
    if (++word_ == kWindowWords) {
      offset_ = kWindowRows;
      return;
    }
    word = InRowOrder(bits[word_]);
  }
  const auto row = static_cast<uint32_t>(std::countr_zero(word));
  offset_ = word_ * 64 + row;
  const uint64_t earlier = (uint64_t{1} << BitOfRow(row)) - 1;
  place_ = before_ + static_cast<uint32_t>(std::popcount(bits[word_] & earlier));
}

void WandWindow(std::vector<ChunkCursor>& cursors, uint32_t needed,
                const std::function<uint32_t(uint32_t)>& score) {
  const auto earlier = [](const ChunkCursor& a, const ChunkCursor& b) {
    return a.offset() < b.offset();
  };
  std::sort(cursors.begin(), cursors.end(), earlier);
  while (true) {
    // The pivot: before its row no row can reach the needed sum.
    uint32_t bound = 0;
    size_t pivot = 0;
    while (pivot < cursors.size() && (bound += cursors[pivot].bound()) < needed) ++pivot;
    if (pivot == cursors.size() || cursors[pivot].offset() == kWindowRows) return;
    const uint32_t row = cursors[pivot].offset();
    size_t moved = 0;
    if (cursors[0].offset() == row) {
      uint32_t sum = 0;
      for (; moved < cursors.size() && cursors[moved].offset() == row; ++moved) {
        sum += cursors[moved].part();
        cursors[moved].Seek(row + 1);
      }
      if (sum >= needed) needed = score(row);
    } else {
      for (; cursors[moved].offset() < row; ++moved) cursors[moved].Seek(row);
    }
    // The moved ones are few: put each where it belongs, the last first.
    while (moved-- > 0) {
      for (size_t i = moved; i + 1 < cursors.size() && earlier(cursors[i + 1], cursors[i]); ++i) {
        std::swap(cursors[i], cursors[i + 1]);
      }
    }
  }
}

}  // namespace elanus::index
