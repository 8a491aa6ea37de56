// Ranges of blocks.
#include "store/formats/column_ranges.h"

#include <algorithm>

#include "base/fields.h"

namespace elanus::store {
namespace {

constexpr size_t kTextBytesMax = 1024;  // A longer least or greatest text: no range is kept.

struct RangeList {
  std::vector<ColumnRange> ranges;
  template <class V>
  void Fields(V& v) {
    v(1, "ranges", ranges);
  }
};

}  // namespace

ColumnRange ColumnRange::Of(const model::BlockStats& stats) {
  const bool is_short =
      stats.text_min.size() <= kTextBytesMax && stats.text_max.size() <= kTextBytesMax;
  return {.nulls = stats.nulls,
          .has_range = stats.has_range && is_short,
          .has_nan = stats.has_nan,
          .int_min = stats.int_min,
          .int_max = stats.int_max,
          .real_min = stats.real_min,
          .real_max = stats.real_max,
          .text_min = is_short ? std::string(stats.text_min) : std::string(),
          .text_max = is_short ? std::string(stats.text_max) : std::string(),
          .box = stats.box};
}

model::BlockStats ColumnRange::stats() const {
  return {.nulls = nulls,
          .has_range = has_range,
          .has_nan = has_nan,
          .int_min = int_min,
          .int_max = int_max,
          .real_min = real_min,
          .real_max = real_max,
          .text_min = text_min,
          .text_max = text_max,
          .box = box};
}

void RangeOfParts::Add(const model::BlockStats& part) {
  stats_.nulls += part.nulls;
  stats_.has_nan = stats_.has_nan || part.has_nan;
  if (part.box && stats_.box) stats_.box->Add(*part.box);
  if (!part.box || is_empty_) stats_.box = part.box;
  is_empty_ = false;
  if (!part.has_range) return;
  const bool is_first = !stats_.has_range;
  stats_.has_range = true;
  stats_.int_min = is_first ? part.int_min : std::min(stats_.int_min, part.int_min);
  stats_.int_max = is_first ? part.int_max : std::max(stats_.int_max, part.int_max);
  stats_.real_min = is_first ? part.real_min : std::min(stats_.real_min, part.real_min);
  stats_.real_max = is_first ? part.real_max : std::max(stats_.real_max, part.real_max);
  if (is_first || part.text_min < text_min_) text_min_ = part.text_min;
  if (is_first || part.text_max > text_max_) text_max_ = part.text_max;
}

model::BlockStats RangeOfParts::stats() const {
  model::BlockStats stats = stats_;
  stats.text_min = text_min_;
  stats.text_max = text_max_;
  return stats;
}

void RangesOfBlocks::Add(const model::ColumnView& slice) {
  for (size_t at = 0; at < slice.rows;) {
    const size_t count = std::min<size_t>(slice.rows - at, kRangeRows - rows_);
    block_.Add(model::StatsOf(slice.Slice(at, count)));
    rows_ += count;
    at += count;
    if (rows_ == kRangeRows) EndBlock();
  }
}

void RangesOfBlocks::EndBlock() {
  blocks_.push_back(ColumnRange::Of(block_.stats()));
  whole_.Add(block_.stats());
  block_ = {};
  rows_ = 0;
}

const std::vector<ColumnRange>& RangesOfBlocks::Finish() {
  if (rows_ > 0) EndBlock();
  return blocks_;
}

std::string EncodeRanges(const std::vector<ColumnRange>& ranges) {
  return Encode(RangeList{.ranges = ranges});
}

Result<std::vector<ColumnRange>> DecodeRanges(std::string_view bytes) {
  TRY_ASSIGN(RangeList list, Decode<RangeList>(bytes));
  return std::move(list.ranges);
}

}  // namespace elanus::store
