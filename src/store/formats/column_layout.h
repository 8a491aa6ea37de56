// The header of a column file, as its writer and its reader share it. Private to the two.
#pragma once

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "model/data_type.h"

namespace elanus::store {

inline constexpr std::string_view kColumnMagic = "ELCOLUMN";
inline constexpr size_t kColumnFixedBytes = 24;  // Before the header.
inline constexpr uint64_t kColumnBlockBytes = 256 << 10;

constexpr uint64_t AlignSection(uint64_t n) { return (n + 63) / 64 * 64; }

struct ColumnSection {
  uint64_t offset = 0;  // From the end of the padded header.
  uint64_t bytes = 0;
  uint64_t checksum = 0;         // Of all of it; in files of version 1, which have no blocks.
  std::vector<uint64_t> blocks;  // The checksum of each block.
  template <class V>
  void Fields(V& v) {
    v(1, "offset", offset);
    v(2, "bytes", bytes);
    v(3, "checksum", checksum);
    v(4, "blocks", blocks);
  }
};

struct ColumnHeader {
  FieldId field;
  model::DataType type = model::DataType::kNone;
  model::DataType element_type = model::DataType::kNone;
  uint32_t dim = 0;
  uint64_t rows = 0;
  ColumnSection data;
  ColumnSection offsets;
  ColumnSection valid;
  uint64_t block_bytes = 0;  // Of a checksum; 0: version 1.
  uint64_t range_rows = 0;   // Of a range; 0: version 1.
  ColumnSection ranges;      // See column_ranges.h.
  ColumnSection key_filter;  // See key_filter.h; of primary keys.
  template <class V>
  void Fields(V& v) {
    v(1, "field", field);
    v(2, "type", type);
    v(3, "element_type", element_type);
    v(4, "dim", dim);
    v(5, "rows", rows);
    v(6, "data", data);
    v(7, "offsets", offsets);
    v(8, "valid", valid);
    v(9, "block_bytes", block_bytes);
    v(10, "range_rows", range_rows);
    v(11, "ranges", ranges);
    v(12, "key_filter", key_filter);
  }

  /// In the order of the file, with the names that errors give them.
  using Named = std::pair<const ColumnSection*, std::string_view>;
  std::array<Named, 5> sections() const {
    return {{{&data, "the values"},
             {&offsets, "the offsets"},
             {&valid, "the valid bytes"},
             {&ranges, "the ranges"},
             {&key_filter, "the filter of keys"}}};
  }
};

}  // namespace elanus::store
