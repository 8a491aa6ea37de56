// The file of one field of one sealed segment (a binlog), laid out so that a mapping of it is the
// column.
//
// Bytes: 8 "ELCOLUMN"; u32 version 1; u32 header length H; u64 checksum of the header; H bytes of
// header (field encoding of ColumnFileHeader); zeros to a multiple of 64; the values; zeros to 64;
// the offsets (u64 each); zeros to 64; the valid bytes. Section lengths and checksums stand in the
// header.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob.h"
#include "base/status.h"
#include "model/column.h"

namespace elanus::store {

/// A column that keeps the file it lies in.
struct OpenedColumn {
  Blob blob;
  FieldId field;
  model::ColumnView view;
  std::shared_ptr<const std::vector<uint64_t>> bounds;  // Of lists of vectors: the view's offsets.
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
};

/// Writes the file from its first byte to its last, in pieces of a megabyte: the same bytes as
/// EncodeColumnFile's of all rows put together, without having them together. Goes over the slices
/// once for the checksums, which come first in the file, and once for each section. Returns how
/// many bytes it were. Errors: those of `slices` and `write`.
Result<uint64_t> WriteColumnFile(const ColumnShape& shape, const ColumnSlices& slices,
                                 const std::function<Status(std::string_view)>& write);

/// What is looked at before a file is trusted.
enum class ColumnCheck {
  kWhole,
  kHeader,  // Of a file that was checked before: its values are not read.
};

/// Checks every checksum, then refers into the blob; only the offsets of lists of vectors are
/// copied. Errors: kIntegrity, naming `key` and the section.
Result<OpenedColumn> OpenColumnFile(Blob blob, std::string_view key,
                                    ColumnCheck check = ColumnCheck::kWhole);

}  // namespace elanus::store
