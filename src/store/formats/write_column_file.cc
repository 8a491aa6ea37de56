// Writing column files.
#include <algorithm>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/extent.h"
#include "base/fields.h"
#include "base/stream_checksum.h"
#include "store/formats/column_file.h"
#include "store/formats/column_layout.h"
#include "store/formats/key_filter.h"

namespace elanus::store {
namespace {

std::string_view AsBytes(const void* data, uint64_t bytes) {
  return {static_cast<const char*>(data), static_cast<size_t>(bytes)};
}

std::string_view DataOf(const model::ColumnView& slice) {
  if (slice.width != 0) return AsBytes(slice.data, slice.rows * slice.width);
  const Extent extent = ExtentOf(slice.offsets, slice.offsets + slice.rows);
  return AsBytes(slice.data + extent.begin, extent.bytes);
}

// The sections that come from the rows, slice by slice. Called with each slice in order.
class SectionBytes {
 public:
  using Sink = std::function<Status(std::string_view)>;

  Status Data(const model::ColumnView& slice, const Sink& sink) { return sink(DataOf(slice)); }

  // Of the whole file, so each slice's own are moved.
  Status Offsets(const model::ColumnView& slice, const Sink& sink) {
    if (slice.width != 0) return {};
    values_.clear();
    if (end_ == 0 && !has_begun_) values_.push_back(0);
    has_begun_ = true;
    for (size_t i = 1; i <= slice.rows; ++i) {
      values_.push_back(end_ + slice.offsets[i] - slice.offsets[0]);
      if (values_.size() < kOffsetsAtOnce) continue;
      TRY(sink(AsBytes(values_.data(), 8 * values_.size())));
      values_.clear();
    }
    end_ += slice.offsets[slice.rows] - slice.offsets[0];
    return sink(AsBytes(values_.data(), 8 * values_.size()));
  }

  // For a file some of whose slices have nulls: one byte a row.
  Status Valid(const model::ColumnView& slice, const Sink& sink) {
    if (slice.valid != nullptr) return sink(AsBytes(slice.valid, slice.rows));
    static const std::string kAllValid(kOffsetsAtOnce, '\1');
    for (size_t at = 0; at < slice.rows; at += kOffsetsAtOnce) {
      TRY(sink(AsBytes(kAllValid.data(), std::min(kOffsetsAtOnce, slice.rows - at))));
    }
    return {};
  }

 private:
  static constexpr size_t kOffsetsAtOnce = 8192;
  std::vector<uint64_t> values_;
  uint64_t end_ = 0;
  bool has_begun_ = false;
};

// Gathers small pieces into larger ones, and counts.
class PieceWriter {
 public:
  explicit PieceWriter(const std::function<Status(std::string_view)>& write) : write_(write) {}

  Status Append(std::string_view bytes) {
    written_ += bytes.size();
    if (buffer_.size() + bytes.size() < kPieceBytes) {
      buffer_.append(bytes);
      return {};
    }
    TRY(Flush());
    if (bytes.size() >= kPieceBytes) return write_(bytes);
    buffer_.append(bytes);
    return {};
  }
  Status Pad() { return Append(std::string(AlignSection(written_) - written_, '\0')); }
  Status Flush() {
    if (buffer_.empty()) return {};
    TRY(write_(buffer_));
    buffer_.clear();
    return {};
  }
  uint64_t written() const { return written_; }

 private:
  static constexpr size_t kPieceBytes = 1 << 20;
  const std::function<Status(std::string_view)>& write_;
  std::string buffer_;
  uint64_t written_ = 0;
};

// The length of a section and the checksums of its blocks, from its bytes in pieces.
class SectionSums {
 public:
  Status Add(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::string_view part = bytes.substr(0, kColumnBlockBytes - filled_);
      if (filled_ == 0 && part.size() == kColumnBlockBytes) {
        blocks_.push_back(Checksum(part));
      } else {
        if (block_ == nullptr) block_ = std::make_unique<StreamChecksum>();
        block_->Add(part);
        filled_ += part.size();
        if (filled_ == kColumnBlockBytes) EndBlock();
      }
      bytes_ += part.size();
      bytes.remove_prefix(part.size());
    }
    return {};
  }
  /// The section behind what ends at `offset`; nothing is added any more.
  ColumnSection At(uint64_t offset) {
    if (filled_ > 0) EndBlock();
    return {.offset = AlignSection(offset), .bytes = bytes_, .blocks = std::move(blocks_)};
  }
  uint64_t bytes() const { return bytes_; }

 private:
  void EndBlock() {
    blocks_.push_back(block_->value());
    block_ = nullptr;
    filled_ = 0;
  }

  std::vector<uint64_t> blocks_;
  std::unique_ptr<StreamChecksum> block_;  // Of what lies in several pieces.
  uint64_t filled_ = 0;
  uint64_t bytes_ = 0;
};

// What one pass over the slices finds out.
struct Measured {
  ColumnHeader header;
  bool has_nulls = false;
  ColumnRange range;
  std::string ranges;
  std::string key_filter;
};

Result<uint64_t> CountRows(const ColumnSlices& slices) {
  uint64_t rows = 0;
  TRY(slices([&](const model::ColumnView& slice) -> Status {
    rows += slice.rows;
    return {};
  }));
  return rows;
}

void AddKeys(const model::ColumnView& slice, KeyFilterBuilder& filter) {
  for (size_t row = 0; row < slice.rows; ++row) filter.Add(slice.Bytes(row));
}

Result<Measured> Measure(const ColumnShape& shape, const ColumnSlices& slices) {
  Measured found{.header = {.field = shape.field,
                            .type = shape.type,
                            .element_type = shape.element_type,
                            .dim = shape.dim,
                            .block_bytes = kColumnBlockBytes,
                            .range_rows = kRangeRows}};
  std::optional<KeyFilterBuilder> keys;
  if (shape.is_primary_key) {
    TRY_ASSIGN(const uint64_t rows, CountRows(slices));
    keys.emplace(rows);
  }
  SectionBytes sections;
  SectionSums data;
  SectionSums offsets;
  SectionSums valid;
  RangesOfBlocks ranges;
  TRY(slices([&](const model::ColumnView& slice) -> Status {
    if (slice.rows == 0) return {};
    found.has_nulls = found.has_nulls || slice.valid != nullptr;
    found.header.rows += slice.rows;
    ranges.Add(slice);
    if (keys) AddKeys(slice, *keys);
    TRY(sections.Data(slice, [&](std::string_view bytes) { return data.Add(bytes); }));
    TRY(sections.Offsets(slice, [&](std::string_view bytes) { return offsets.Add(bytes); }));
    return sections.Valid(slice, [&](std::string_view bytes) { return valid.Add(bytes); });
  }));
  found.ranges = EncodeRanges(ranges.Finish());
  found.range = ranges.whole();
  if (keys && found.header.rows > 0) found.key_filter = keys->bytes();
  SectionSums range_sums;
  TRY(range_sums.Add(found.ranges));
  SectionSums filter_sums;
  TRY(filter_sums.Add(found.key_filter));
  if (!found.has_nulls) valid = {};
  ColumnHeader& header = found.header;
  const auto end = [](const ColumnSection& section) { return section.offset + section.bytes; };
  header.data = data.At(0);
  header.offsets = offsets.At(end(header.data));
  header.valid = valid.At(end(header.offsets));
  header.ranges = range_sums.At(end(header.valid));
  header.key_filter = filter_sums.At(end(header.ranges));
  return found;
}

}  // namespace

Result<WrittenColumn> WriteColumnFile(const ColumnShape& shape, const ColumnSlices& slices,
                                      const std::function<Status(std::string_view)>& write) {
  TRY_ASSIGN(const Measured found, Measure(shape, slices));
  const ColumnHeader& header = found.header;
  const std::string encoded = Encode(header);
  ByteWriter fixed;
  fixed.Raw(kColumnMagic.data(), kColumnMagic.size());
  fixed.U32(kColumnVersion);
  fixed.U32(static_cast<uint32_t>(encoded.size()));
  fixed.U64(Checksum(encoded));
  PieceWriter out(write);
  TRY(out.Append(fixed.view()));
  TRY(out.Append(encoded));
  TRY(out.Pad());
  const SectionBytes::Sink sink = [&](std::string_view bytes) { return out.Append(bytes); };
  const auto put = [&](Status (SectionBytes::*section)(const model::ColumnView&,
                                                       const SectionBytes::Sink&)) -> Status {
    SectionBytes bytes;
    TRY(slices([&](const model::ColumnView& slice) -> Status {
      return slice.rows == 0 ? Status() : (bytes.*section)(slice, sink);
    }));
    return out.Pad();
  };
  TRY(put(&SectionBytes::Data));
  if (header.offsets.bytes > 0) TRY(put(&SectionBytes::Offsets));
  if (found.has_nulls) TRY(put(&SectionBytes::Valid));
  for (const std::string* section : {&found.ranges, &found.key_filter}) {
    TRY(out.Append(*section));
    TRY(out.Pad());
  }
  TRY(out.Flush());
  return WrittenColumn{.bytes = out.written(), .range = found.range};
}

std::string EncodeColumnFile(const model::Column& column) {
  std::string file;
  file.reserve(column.data.size() + 8 * column.offsets.size() + column.valid.size() + 1024);
  const auto written = WriteColumnFile(
      {.field = column.field_id,
       .type = column.type,
       .element_type = column.element_type,
       .dim = column.dim},
      [&](const TakeSlice& take) { return take(column.view()); },
      [&](std::string_view bytes) -> Status {
        file.append(bytes);
        return {};
      });
  CHECK(written.ok());  // Memory takes it all.
  return file;
}

}  // namespace elanus::store
