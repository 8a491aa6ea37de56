// Reading column files.
#include "store/formats/column_file.h"

#include <vector>

#include "base/bytes.h"
#include "base/fields.h"
#include "base/mapped_faults.h"
#include "store/formats/column_layout.h"

namespace elanus::store {
namespace {

Status Damaged(std::string_view key, uint64_t offset, std::string_view words) {
  return Error(ErrorCode::kIntegrity, "{}: offset {}: {}. Restore it from a copy", key, offset,
               words);
}

// A header, and where its sections are counted from.
struct OpenedHeader {
  ColumnHeader header;
  uint64_t base = 0;
};

Result<OpenedHeader> OpenHeader(std::string_view file, std::string_view key) {
  ByteReader in(file);
  std::string_view magic;
  std::string_view encoded;
  uint32_t version;
  uint32_t header_bytes;
  uint64_t checksum;
  if (!in.View(8, magic) || magic != kColumnMagic || !in.U32(version)) {
    return Damaged(key, 0, "not a column file");
  }
  if (version == 0 || version > kColumnVersion) {
    return Damaged(key, 8,
                   fmt::format("version {} of a column file, this program reads versions up to {}",
                               version, kColumnVersion));
  }
  if (!in.U32(header_bytes) || !in.U64(checksum) || !in.View(header_bytes, encoded) ||
      Checksum(encoded) != checksum) {
    return Damaged(key, 12, "the header is damaged");
  }
  OpenedHeader opened{.header = {}, .base = AlignSection(kColumnFixedBytes + header_bytes)};
  TRY_ASSIGN(opened.header, Decode<ColumnHeader>(encoded));
  if (version > 1 && opened.header.block_bytes == 0) {
    return Damaged(key, 12, "the header names no blocks");
  }
  for (const auto& [section, name] : opened.header.sections()) {
    const uint64_t begin = opened.base + section->offset;
    if (begin > file.size() || section->bytes > file.size() - begin) {
      return Damaged(key, begin, fmt::format("the file ends inside {}", name));
    }
  }
  return opened;
}

std::string_view BytesOf(std::string_view file, const OpenedHeader& opened,
                         const ColumnSection& section) {
  return file.substr(opened.base + section.offset, section.bytes);
}

// Looks at one block after the other, so that damage is told with its place.
Status CheckSection(std::string_view file, std::string_view key, const OpenedHeader& opened,
                    const ColumnHeader::Named& named) {
  const auto& [section, name] = named;
  const uint64_t begin = opened.base + section->offset;
  const std::string_view bytes = BytesOf(file, opened, *section);
  const auto mismatch = [&](uint64_t at, uint64_t count) {
    return Damaged(key, begin + at,
                   fmt::format("{}: the checksum of {} bytes from here on does not match, the file "
                               "is damaged",
                               name, count));
  };
  const uint64_t block_bytes = opened.header.block_bytes;
  if (block_bytes == 0) {  // Version 1 has one checksum, and fewer sections.
    const bool is_empty = section->bytes == 0 && section->checksum == 0;
    return is_empty || Checksum(bytes) == section->checksum ? Status() : mismatch(0, bytes.size());
  }
  if (section->blocks.size() != (bytes.size() + block_bytes - 1) / block_bytes) {
    return Damaged(key, 12,
                   fmt::format("the header has not a checksum for each block of {}", name));
  }
  for (size_t i = 0; i < section->blocks.size(); ++i) {
    const std::string_view block = bytes.substr(i * block_bytes, block_bytes);
    if (Checksum(block) != section->blocks[i]) return mismatch(i * block_bytes, block.size());
  }
  return {};
}

// Offsets must rise and stay inside the values: a view trusts them.
bool OffsetsAreGood(const uint64_t* offsets, uint64_t rows, uint64_t data_bytes) {
  if (offsets[0] != 0) return false;
  for (uint64_t i = 0; i < rows; ++i) {
    if (offsets[i + 1] < offsets[i]) return false;
  }
  return offsets[rows] == data_bytes;
}

// Who searches lists goes from a list to its vectors and back: the bounds must not change
// meanwhile, as those in a mapped page that fails do. 8 bytes a list are little beside its vectors.
Status KeepBounds(OpenedColumn& column) {
  column.bounds = std::make_shared<const std::vector<uint64_t>>(
      column.view.offsets, column.view.offsets + column.view.rows + 1);
  column.view.offsets = column.bounds->data();
  return CheckMapped(column.blob.bytes());
}

// The column as it lies in the file, which holds what the header says.
Result<model::ColumnView> ViewOf(std::string_view file, std::string_view key,
                                 const OpenedHeader& opened, ColumnCheck check) {
  const ColumnHeader& header = opened.header;
  const auto* bytes = reinterpret_cast<const uint8_t*>(file.data()) + opened.base;
  model::ColumnView view{.type = header.type,
                         .element_type = header.element_type,
                         .dim = header.dim,
                         .width = model::WidthOf(header.type, header.dim),
                         .rows = header.rows,
                         .data = bytes + header.data.offset};
  bool good = true;
  if (view.width != 0) {
    good = header.data.bytes == header.rows * view.width;
  } else if (header.rows > 0) {
    view.offsets = reinterpret_cast<const uint64_t*>(bytes + header.offsets.offset);
    good = header.offsets.bytes == 8 * (header.rows + 1) &&
           (check == ColumnCheck::kHeader ||
            OffsetsAreGood(view.offsets, header.rows, header.data.bytes));
  }
  if (header.valid.bytes != 0) {
    view.valid = bytes + header.valid.offset;
    good = good && header.valid.bytes == header.rows;
  }
  if (!good) return Damaged(key, opened.base, "the sections do not fit the row count");
  return view;
}

}  // namespace

Result<OpenedColumn> OpenColumnFile(Blob blob, std::string_view key, ColumnCheck check) {
  const std::string_view file = blob.bytes();
  TRY_ASSIGN(const OpenedHeader opened, OpenHeader(file, key));
  if (check == ColumnCheck::kWhole) {
    for (const ColumnHeader::Named& section : opened.header.sections()) {
      TRY(CheckSection(file, key, opened, section));
    }
  }
  TRY_ASSIGN(const model::ColumnView view, ViewOf(file, key, opened, check));
  OpenedColumn column{.blob = std::move(blob),
                      .field = opened.header.field,
                      .view = view,
                      .bounds = {},
                      .key_filter = BytesOf(file, opened, opened.header.key_filter)};
  if (view.type == model::DataType::kArrayOfVector && view.rows > 0) TRY(KeepBounds(column));
  return column;
}

Result<WrittenRanges> ReadRanges(std::string_view file, std::string_view key) {
  TRY_ASSIGN(const OpenedHeader opened, OpenHeader(file, key));
  const ColumnHeader& header = opened.header;
  WrittenRanges found{.field = header.field, .rows = header.rows, .blocks = {}};
  if (header.range_rows != kRangeRows) return found;
  TRY(CheckSection(file, key, opened, {&header.ranges, "the ranges"}));
  TRY_ASSIGN(found.blocks, DecodeRanges(BytesOf(file, opened, header.ranges)));
  if (found.blocks.size() != (header.rows + kRangeRows - 1) / kRangeRows) {
    return Damaged(key, opened.base + header.ranges.offset, "the ranges do not fit the row count");
  }
  return found;
}

}  // namespace elanus::store
