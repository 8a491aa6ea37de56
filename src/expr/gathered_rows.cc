// Copying rows together.
#include "expr/gathered_rows.h"
#include "base/prefetch.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>

namespace elanus::expr {
namespace {

// Each row is a cache line of its own in memory: loops that wait for none of them let many be
// fetched at once.
constexpr size_t kTogether = 64;

template <class T>
void AppendValues(const model::ColumnView& from, size_t first, std::span<const uint32_t> rows,
                  std::vector<uint8_t>& data) {
  const size_t end = data.size();
  data.resize(end + rows.size() * sizeof(T));
  uint8_t* to = data.data() + end;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(to + i * sizeof(T), from.data + (rows[i] - first) * sizeof(T), sizeof(T));
  }
}

void AppendTexts(const model::ColumnView& from, size_t first, std::span<const uint32_t> rows,
                 model::Column& column) {
  std::array<std::string_view, kTogether> texts;
  for (size_t begin = 0; begin < rows.size(); begin += kTogether) {
    const size_t count = std::min(kTogether, rows.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      texts[i] = from.Bytes(rows[begin + i] - first);
      Prefetch(texts[i].data());
    }
    for (size_t i = 0; i < count; ++i) {
      column.data.insert(column.data.end(), texts[i].begin(), texts[i].end());
      column.offsets.push_back(column.data.size());
    }
  }
}

// Appends rows of `from`, which begins at row `first`. Null rows keep what they hold.
void Append(const model::ColumnView& from, size_t first, std::span<const uint32_t> rows,
            model::Column& column) {
  switch (from.width) {
    case 0:
      AppendTexts(from, first, rows, column);
      break;
    case 1:
      AppendValues<uint8_t>(from, first, rows, column.data);
      break;
    case 2:
      AppendValues<uint16_t>(from, first, rows, column.data);
      break;
    case 4:
      AppendValues<uint32_t>(from, first, rows, column.data);
      break;
    case 8:
      AppendValues<uint64_t>(from, first, rows, column.data);
      break;
    default:
      for (uint32_t row : rows) {
        const std::string_view bytes = from.Bytes(row - first);
        column.data.insert(column.data.end(), bytes.begin(), bytes.end());
      }
  }
  if (from.valid != nullptr) column.valid.resize(column.rows, 1);
  column.rows += rows.size();
  if (from.valid != nullptr) {
    for (uint32_t row : rows) column.valid.push_back(from.valid[row - first]);
  } else if (!column.valid.empty()) {
    column.valid.resize(column.rows, 1);
  }
}

}  // namespace

Result<model::ColumnView> GatheredRows::Read(FieldId field, size_t begin, size_t count) const {
  const auto known = batches_.find(field.value());
  if (known != batches_.end() && known->second.begin == begin) {
    return known->second.column.view().Slice(0, count);
  }
  model::Column column;
  column.offsets = {0};
  std::span<const uint32_t> rest = rows_.subspan(begin, count);
  while (!rest.empty()) {
    const size_t first = rest[0] - rest[0] % kBatchRows;
    const size_t block_rows = std::min(kBatchRows, source_.rows() - first);
    TRY_ASSIGN(const model::ColumnView block, source_.Read(field, first, block_rows));
    column.type = block.type;
    column.element_type = block.element_type;
    column.dim = block.dim;
    const auto end = std::lower_bound(rest.begin(), rest.end(), first + block_rows);
    const auto here = static_cast<size_t>(end - rest.begin());
    Append(block, first, rest.first(here), column);
    rest = rest.subspan(here);
  }
  Batch& batch = batches_[field.value()];
  batch = {.begin = begin, .column = std::move(column)};
  return batch.column.view();
}

std::optional<std::vector<uint32_t>> ListRows(BitsetView bits, size_t most) {
  std::vector<uint32_t> rows;
  for (size_t w = 0; w < bits.word_count(); ++w) {
    for (uint64_t word = bits.words[w]; word != 0; word &= word - 1) {
      rows.push_back(static_cast<uint32_t>(w * 64) + static_cast<uint32_t>(std::countr_zero(word)));
    }
    if (rows.size() > most) return std::nullopt;
  }
  return rows;
}

Bitset GatherBits(const Bitset& bits, std::span<const uint32_t> rows) {
  Bitset gathered(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (bits.Test(rows[i])) gathered.Set(i);
  }
  return gathered;
}

}  // namespace elanus::expr
