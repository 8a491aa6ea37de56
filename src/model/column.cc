// Appending to columns; array rows.
#include "model/column.h"

namespace elanus::model {

ColumnView Column::view() const {
  return {.type = type,
          .element_type = element_type,
          .dim = dim,
          .width = width(),
          .rows = rows,
          .data = data.data(),
          .offsets = offsets.empty() ? nullptr : offsets.data(),
          .valid = valid.empty() ? nullptr : valid.data()};
}

void Column::MarkValid(bool is_valid) {
  if (!is_valid && valid.empty()) valid.assign(rows, 1);
  if (!is_valid || !valid.empty()) valid.push_back(is_valid ? 1 : 0);
}

void Column::AppendFixed(const void* bytes) {
  MarkValid(true);
  const auto* begin = static_cast<const uint8_t*>(bytes);
  data.insert(data.end(), begin, begin + width());
  ++rows;
}

void Column::AppendBytes(std::string_view bytes) {
  MarkValid(true);
  if (offsets.empty()) offsets.push_back(0);
  data.insert(data.end(), bytes.begin(), bytes.end());
  offsets.push_back(data.size());
  ++rows;
}

void Column::AppendNull() {
  MarkValid(false);
  const uint32_t w = width();
  if (w != 0) {
    data.resize(data.size() + w);
  } else {
    if (offsets.empty()) offsets.push_back(0);
    offsets.push_back(data.size());
  }
  ++rows;
}

void Column::AppendRow(const ColumnView& from, size_t row) {
  if (!from.IsValid(row)) return AppendNull();
  if (from.width != 0) return AppendFixed(from.data + row * from.width);
  AppendBytes(from.Bytes(row));
}

void Column::AppendAll(const ColumnView& from) {
  if (from.rows == 0) return;
  if (from.valid != nullptr && valid.empty()) valid.assign(rows, 1);
  if (from.valid != nullptr) {
    valid.insert(valid.end(), from.valid, from.valid + from.rows);
  } else if (!valid.empty()) {
    valid.resize(valid.size() + from.rows, 1);
  }
  if (from.width != 0) {
    data.insert(data.end(), from.data, from.data + from.rows * from.width);
  } else {
    if (offsets.empty()) offsets.push_back(0);
    const uint64_t shift = data.size() - from.offsets[0];
    data.insert(data.end(), from.data + from.offsets[0], from.data + from.offsets[from.rows]);
    for (size_t i = 1; i <= from.rows; ++i) offsets.push_back(from.offsets[i] + shift);
  }
  rows += from.rows;
}

Column MakeColumn(FieldId id, std::string name, DataType type, DataType element_type,
                  uint32_t dim) {
  Column column;
  column.field_id = id;
  column.name = std::move(name);
  column.type = type;
  column.element_type = element_type;
  column.dim = dim;
  return column;
}

size_t ElementCount(const ColumnView& column, size_t row) {
  const std::string_view bytes = column.Bytes(row);
  if (column.type == DataType::kArray) return ArraySize(column.element_type, bytes);
  const uint32_t width = WidthOf(column.element_type, column.dim);
  return width == 0 ? 0 : bytes.size() / width;
}

size_t ArraySize(DataType element_type, std::string_view row) {
  const uint32_t width = WidthOf(element_type);
  if (width != 0) return row.size() / width;
  if (row.size() < 4) return 0;
  uint32_t count;
  std::memcpy(&count, row.data(), 4);
  return count;
}

std::vector<std::string_view> ArrayTexts(std::string_view row) {
  const size_t count = ArraySize(DataType::kVarChar, row);
  std::vector<std::string_view> texts;
  texts.reserve(count);
  size_t at = 4 + 4 * count;
  for (size_t i = 0; i < count; ++i) {
    uint32_t length;
    std::memcpy(&length, row.data() + 4 + 4 * i, 4);
    texts.push_back(row.substr(at, length));
    at += length;
  }
  return texts;
}

std::string PackTexts(std::span<const std::string_view> texts) {
  std::string row;
  const uint32_t count = static_cast<uint32_t>(texts.size());
  row.append(reinterpret_cast<const char*>(&count), 4);
  for (std::string_view text : texts) {
    const uint32_t length = static_cast<uint32_t>(text.size());
    row.append(reinterpret_cast<const char*>(&length), 4);
  }
  for (std::string_view text : texts) row.append(text);
  return row;
}

}  // namespace elanus::model
