// Rows that hold a value.
#include "segment/valid_rows.h"

#include <algorithm>

namespace elanus::segment {

Visible CollectValid(const SegmentView& segment, FieldId field) {
  const size_t rows = segment.rows();
  std::shared_ptr<Bitset> bits;  // Made at the first null.
  for (size_t begin = 0; begin < rows; begin += kChunkRows) {
    const size_t count = std::min(kChunkRows, rows - begin);
    const auto view = segment.Read(field, begin, count);
    if (!view.ok()) return {.rows = nullptr, .none = true};
    const uint8_t* valid = view->valid;
    if (valid != nullptr && bits == nullptr &&
        std::find(valid, valid + count, 0) != valid + count) {
      bits = std::make_shared<Bitset>(rows);
      for (size_t row = 0; row < begin; ++row) bits->Set(row);
    }
    if (bits == nullptr) continue;
    for (size_t i = 0; i < count; ++i) {
      if (view->IsValid(i)) bits->Set(begin + i);
    }
  }
  if (bits != nullptr && !bits->Any()) return {.rows = nullptr, .none = true};
  return {.rows = std::move(bits), .none = false};
}

void KeepOnly(Allowed& allowed, const Visible& valid) {
  if (valid.none) {
    allowed.none = true;
    return;
  }
  if (valid.rows == nullptr) return;
  if (allowed.all) {
    allowed.all = false;
    allowed.shared = valid.rows;
    return;
  }
  if (allowed.shared != nullptr) allowed.bits = *allowed.shared;
  allowed.shared = nullptr;
  allowed.bits.And(*valid.rows);
  allowed.none = !allowed.bits.Any();
}

}  // namespace elanus::segment
