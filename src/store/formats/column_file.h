// The file of one field of one sealed segment (a binlog), laid out so that a mapping of it is the
// column.
//
// Bytes: 8 "ELCOLUMN"; u32 version 1; u32 header length H; u64 checksum of the header; H bytes of
// header (field encoding of ColumnFileHeader); zeros to a multiple of 64; the values; zeros to 64;
// the offsets (u64 each); zeros to 64; the valid bytes. Section lengths and checksums stand in the
// header.
#pragma once

#include <string>
#include <string_view>

#include "base/blob.h"
#include "base/status.h"
#include "model/column.h"

namespace elanus::store {

/// A column that keeps the file it lies in.
struct OpenedColumn {
  Blob blob;
  FieldId field;
  model::ColumnView view;
};

/// The file's bytes. `column` must be whole (offsets[0] is 0).
std::string EncodeColumnFile(const model::Column& column);

/// What is looked at before a file is trusted.
enum class ColumnCheck {
  kWhole,
  kHeader,  // Of a file that was checked before: its values are not read.
};

/// Checks every checksum, then refers into the blob. Errors: kIntegrity, naming `key` and the
/// section.
Result<OpenedColumn> OpenColumnFile(Blob blob, std::string_view key,
                                    ColumnCheck check = ColumnCheck::kWhole);

}  // namespace elanus::store
