// Where a filter's rows lie among inverted lists.
#include "index/ivf/allowed_lists.h"

#include <bit>

namespace elanus::index {
namespace {

// So many rows, or so many a list, tell where a filter's rows lie: looking at more costs more than
// that saves.
constexpr size_t kSampledRows = 2048;
constexpr size_t kSampledPerList = 8;
// A list that a sample would have fewer of, were its rows allowed as often as others, may have
// allowed rows of which the sample has none.
constexpr double kSureCount = 3;
// As many are put in order by their lists: a search that looks for them there would cost more.
constexpr size_t kGroupedRows = 4096;

uint32_t HomeOf(const OpenedIvf& lists, size_t row) {
  return lists.homes != nullptr ? lists.homes[row] : lists.ListOf(lists.place_of[row]);
}

}  // namespace

AllowedLists::AllowedLists(const OpenedIvf& lists, BitsetView allowed, size_t count, bool groups)
    : shares_(lists.header.lists, 0) {
  const size_t enough = std::max<size_t>(kSampledRows, kSampledPerList * lists.header.lists);
  if (groups && count <= std::max(kGroupedRows, enough)) Group(lists, allowed, count);
  // One word of the filter in so many is looked at.
  const size_t stride = count <= kGroupedRows ? 1 : std::max<size_t>(1, count / enough);
  std::vector<uint32_t> counts(lists.header.lists, 0);
  for (size_t w = 0; w < allowed.word_count(); w += stride) {
    for (uint64_t word = allowed.words[w]; word != 0; word &= word - 1) {
      ++counts[HomeOf(lists, w * 64 + static_cast<size_t>(std::countr_zero(word)))];
      ++held_;
    }
  }
  const double usual = static_cast<double>(count) / static_cast<double>(lists.header.rows);
  double sum = 0;
  for (size_t l = 0; l < shares_.size(); ++l) {
    const auto rows = static_cast<float>(std::max(lists.own_rows[l], 1u));
    const auto share = static_cast<float>(counts[l] * stride) / rows;
    shares_[l] = std::min(1.0f, share);
    if (stride > 1 && counts[l] == 0 && rows * usual < kSureCount * static_cast<double>(stride)) {
      shares_[l] = static_cast<float>(usual);
    }
    // One less: of a sample the lists that happen to have more of it would count for more.
    if (counts[l] > 0) sum += static_cast<double>(share) * (stride > 1 ? counts[l] - 1 : counts[l]);
  }
  mean_share_ = held_ == 0 ? 0 : std::min(1.0, sum / static_cast<double>(held_));
}

void AllowedLists::Group(const OpenedIvf& lists, BitsetView allowed, size_t count) {
  starts_.assign(lists.header.lists + 1, 0);
  std::vector<uint32_t> rows(count + kListBitsRoom);
  size_t word = 0;
  rows.resize(ListBits(allowed, word, rows.data(), rows.size()));
  const auto each = [&](auto fn) {
    for (const uint32_t row : rows) {
      fn(HomeOf(lists, row), row);
      if (lists.seconds != nullptr) fn(lists.seconds[row], row);
    }
  };
  each([&](uint32_t list, uint32_t) { ++starts_[list + 1]; });
  for (size_t l = 1; l < starts_.size(); ++l) starts_[l] += starts_[l - 1];
  rows_.resize(starts_.back());
  std::vector<uint32_t> next(starts_.begin(), starts_.end() - 1);
  // What is mapped reads as zeros once its file fails: then another list may be named than before.
  each([&](uint32_t list, uint32_t row) {
    if (next[list] < starts_[list + 1]) rows_[next[list]++] = row;
  });
}

}  // namespace elanus::index
