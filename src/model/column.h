// Values of one field for a number of rows: the owning Column and the ColumnView that everything
// reads.
//
// Fixed-width types keep `width` bytes a row in `data` (bool and int8 one byte, little-endian
// numbers, dense vectors dim elements). Variable-width types keep rows + 1 offsets into `data`:
// VarChar and JSON the text, Geometry what wkb.h says, sparse vectors what sparse_row.h says, Array
// its elements: fixed-width elements packed; VarChar elements as u32 count, count u32 lengths,
// bytes; ArrayOfVector its vectors one after the other, so that all of a column's lie as one
// matrix. `valid` has one byte a row (0 null, 1 valid) or is empty when every row is valid; null
// rows hold zeros or nothing.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/extent.h"
#include "base/ids.h"
#include "model/data_type.h"

namespace elanus::model {

/// Borrowed column; valid as long as its owner. Cheap to copy.
struct ColumnView {
  DataType type = DataType::kNone;
  DataType element_type = DataType::kNone;
  uint32_t dim = 0;
  uint32_t width = 0;  // 0: variable.
  size_t rows = 0;
  const uint8_t* data = nullptr;
  const uint64_t* offsets =
      nullptr;                     // rows + 1 of them when width is 0. offsets[0] may be above 0.
  const uint8_t* valid = nullptr;  // Null: every row is valid.

  bool IsValid(size_t row) const { return valid == nullptr || valid[row] != 0; }
  /// Fixed-width values as an array; T must be the type's C++ type (bool as uint8_t).
  template <class T>
  const T* values() const {
    DCHECK(width % sizeof(T) == 0);
    return reinterpret_cast<const T*>(data);
  }
  template <class T>
  T Get(size_t row) const {
    T v;
    std::memcpy(&v, data + row * sizeof(T), sizeof(T));
    return v;
  }
  /// The bytes of one row, fixed or variable.
  std::string_view Bytes(size_t row) const {
    if (width != 0) return {reinterpret_cast<const char*>(data) + row * width, width};
    const Extent extent = ExtentOf(offsets + row, offsets + row + 1);
    return {reinterpret_cast<const char*>(data) + extent.begin, static_cast<size_t>(extent.bytes)};
  }
  /// Rows [begin, begin + count).
  ColumnView Slice(size_t begin, size_t count) const {
    ColumnView v = *this;
    v.rows = count;
    if (width != 0)
      v.data += begin * width;
    else
      v.offsets += begin;
    if (valid != nullptr) v.valid += begin;
    return v;
  }
};

/// Owning column. Thread-compatible.
struct Column {
  FieldId field_id;
  std::string name;
  DataType type = DataType::kNone;
  DataType element_type = DataType::kNone;
  uint32_t dim = 0;
  bool is_dynamic = false;
  uint64_t rows = 0;
  std::vector<uint8_t> data;
  std::vector<uint64_t>
      offsets;  // Variable width: rows + 1 once rows > 0; empty for an empty column.
  std::vector<uint8_t> valid;

  uint32_t width() const { return WidthOf(type, dim); }
  ColumnView view() const;

  /// Appends one value of a fixed-width type; `bytes` holds width() bytes.
  void AppendFixed(const void* bytes);
  /// Appends one value of a variable-width type.
  void AppendBytes(std::string_view bytes);
  void AppendNull();
  /// Appends row `row` of `from`, a column of the same type.
  void AppendRow(const ColumnView& from, size_t row);
  /// Appends all rows of `from`, a column of the same type.
  void AppendAll(const ColumnView& from);

  template <class V>
  void Fields(V& v) {
    v(1, "field_id", field_id);
    v(2, "name", name);
    v(3, "type", type);
    v(4, "element_type", element_type);
    v(5, "dim", dim);
    v(6, "is_dynamic", is_dynamic);
    v(7, "rows", rows);
    v(8, "data", data);
    v(9, "offsets", offsets);
    v(10, "valid", valid);
  }

 private:
  void MarkValid(bool is_valid);
};

/// An empty column for `field_type`.
Column MakeColumn(FieldId id, std::string name, DataType type, DataType element_type, uint32_t dim);

/// Number of elements in a row of an Array or ArrayOfVector column; 0 of a null row.
size_t ElementCount(const ColumnView& column, size_t row);
/// Number of elements in one Array row of `element_type`.
size_t ArraySize(DataType element_type, std::string_view row);
/// The texts in one Array row of VarChar; views into `row`.
std::vector<std::string_view> ArrayTexts(std::string_view row);
/// The row bytes of an Array of VarChar.
std::string PackTexts(std::span<const std::string_view> texts);

}  // namespace elanus::model
