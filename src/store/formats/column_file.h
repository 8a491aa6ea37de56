// The file of one field of one sealed segment (a binlog), laid out so that a mapping of it is the
// column.
//
// Bytes: 8 "ELCOLUMN"; u32 version 2; u32 header length H; u64 checksum of the header; H bytes of
// header (field encoding of ColumnHeader in column_layout.h); then the sections, each from a
// multiple of 64 on: the values; the offsets (u64 each); the valid bytes; the ranges of blocks of
// rows; the filter of primary keys. Where they are and the checksum of each of their blocks stands
// in the header. Files of version 1 are read: one checksum a section, no ranges, no filter.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob.h"
#include "base/status.h"
#include "model/column.h"
#include "store/formats/column_ranges.h"

namespace elanus::store {

inline constexpr uint32_t kColumnVersion = 2;

/// A column that keeps the file it lies in.
struct OpenedColumn {
  Blob blob;
  FieldId field;
  model::ColumnView view;
  std::shared_ptr<const std::vector<uint64_t>> bounds;  // Of lists of vectors: the view's offsets.
  std::string_view key_filter;                          // As KeyFilter takes it; empty: none.
};

/// The file's bytes.
std::string EncodeColumnFile(const model::Column& column);

/// Hands the rows of a column over in order, as slices of columns of one type; may be called again,
/// and gives the same then. An error of `take` ends it and is returned.
using TakeSlice = std::function<Status(const model::ColumnView&)>;
using ColumnSlices = std::function<Status(const TakeSlice& take)>;

/// What a column file says of itself; `type`, `element_type` and `dim` are those of the slices.
struct ColumnShape {
  FieldId field;
  model::DataType type = model::DataType::kNone;
  model::DataType element_type = model::DataType::kNone;
  uint32_t dim = 0;
  bool is_primary_key = false;  // The file gets a filter of the keys.
};

struct WrittenColumn {
  uint64_t bytes = 0;
  ColumnRange range;  // Of all rows.
};

/// Writes the file from its first byte to its last, in pieces of a megabyte: the same bytes as
/// EncodeColumnFile's of all rows put together, without having them together. Goes over the slices
/// once for the checksums and ranges, which come first in the file, and once for each section; of
/// primary keys once more, to count them. Errors: those of `slices` and `write`.
Result<WrittenColumn> WriteColumnFile(const ColumnShape& shape, const ColumnSlices& slices,
                                      const std::function<Status(std::string_view)>& write);

/// What is looked at before a file is trusted.
enum class ColumnCheck {
  kWhole,
  kHeader,  // Of a file that was checked before: its values are not read.
};

/// Checks every checksum, then refers into the blob; only the offsets of lists of vectors are
/// copied. Errors: kIntegrity, naming `key`, the section and the offset of the block.
Result<OpenedColumn> OpenColumnFile(Blob blob, std::string_view key,
                                    ColumnCheck check = ColumnCheck::kWhole);

/// What a file says of its rows.
struct WrittenRanges {
  FieldId field;
  uint64_t rows = 0;
  std::vector<ColumnRange> blocks;  // Of each kRangeRows of them; none: it is of version 1.
};

/// Reads that without a look at the rows. Errors: kIntegrity, as above, of the header and the
/// ranges.
Result<WrittenRanges> ReadRanges(std::string_view file, std::string_view key);

}  // namespace elanus::store
