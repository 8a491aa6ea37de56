// Column files.
#include "store/formats/column_file.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "base/extent.h"
#include "base/fields.h"
#include "base/mapped_faults.h"
#include "base/stream_checksum.h"

namespace elanus::store {
namespace {

constexpr std::string_view kMagic = "ELCOLUMN";
constexpr uint32_t kVersion = 1;
constexpr size_t kFixedBytes = 24;

struct Section {
  uint64_t offset = 0;  // From the end of the padded header.
  uint64_t bytes = 0;
  uint64_t checksum = 0;
  template <class V>
  void Fields(V& v) {
    v(1, "offset", offset);
    v(2, "bytes", bytes);
    v(3, "checksum", checksum);
  }
};

struct ColumnFileHeader {
  FieldId field;
  model::DataType type = model::DataType::kNone;
  model::DataType element_type = model::DataType::kNone;
  uint32_t dim = 0;
  uint64_t rows = 0;
  Section data;
  Section offsets;
  Section valid;
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
  }
};

constexpr uint64_t Align(uint64_t n) { return (n + 63) / 64 * 64; }

std::string_view AsBytes(const void* data, uint64_t bytes) {
  return {static_cast<const char*>(data), static_cast<size_t>(bytes)};
}

std::string_view DataOf(const model::ColumnView& slice) {
  if (slice.width != 0) return AsBytes(slice.data, slice.rows * slice.width);
  const Extent extent = ExtentOf(slice.offsets, slice.offsets + slice.rows);
  return AsBytes(slice.data + extent.begin, extent.bytes);
}

// The three sections of a file, slice by slice. Called with each slice in order.
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
  Status Pad() { return Append(std::string(Align(written_) - written_, '\0')); }
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

Status Damaged(std::string_view key, uint64_t offset, std::string_view words) {
  return Error(ErrorCode::kIntegrity, "{}: offset {}: {}. Restore it from a copy", key, offset,
               words);
}

// Offsets must rise and stay inside the values: a view trusts them.
bool OffsetsAreGood(const uint64_t* offsets, uint64_t rows, uint64_t data_bytes) {
  if (offsets[0] != 0) return false;
  for (uint64_t i = 0; i < rows; ++i) {
    if (offsets[i + 1] < offsets[i]) return false;
  }
  return offsets[rows] == data_bytes;
}

}  // namespace

namespace {

// One pass over the slices for everything that stands in the header.
Status Measure(const ColumnSlices& slices, ColumnFileHeader& header, bool& has_nulls) {
  SectionBytes sections;
  StreamChecksum data;
  StreamChecksum offsets;
  StreamChecksum valid;
  has_nulls = false;
  TRY(slices([&](const model::ColumnView& slice) -> Status {
    if (slice.rows == 0) return {};
    TRY(sections.Data(slice, [&](std::string_view bytes) -> Status {
      data.Add(bytes);
      header.data.bytes += bytes.size();
      return {};
    }));
    TRY(sections.Offsets(slice, [&](std::string_view bytes) -> Status {
      offsets.Add(bytes);
      header.offsets.bytes += bytes.size();
      return {};
    }));
    has_nulls = has_nulls || slice.valid != nullptr;
    header.rows += slice.rows;
    return sections.Valid(slice, [&](std::string_view bytes) -> Status {
      valid.Add(bytes);
      return {};
    });
  }));
  header.data.checksum = data.value();
  header.offsets.offset = Align(header.data.bytes);
  header.offsets.checksum = offsets.value();
  header.valid.offset = Align(header.offsets.offset + header.offsets.bytes);
  header.valid.bytes = has_nulls ? header.rows : 0;
  header.valid.checksum = has_nulls ? valid.value() : Checksum("");
  return {};
}

// Who searches lists goes from a list to its vectors and back: the bounds must not change
// meanwhile, as those in a mapped page that fails do. 8 bytes a list are little beside its vectors.
Status KeepBounds(OpenedColumn& column) {
  column.bounds = std::make_shared<const std::vector<uint64_t>>(
      column.view.offsets, column.view.offsets + column.view.rows + 1);
  column.view.offsets = column.bounds->data();
  return CheckMapped(column.blob.bytes());
}

}  // namespace

Result<uint64_t> WriteColumnFile(const ColumnShape& shape, const ColumnSlices& slices,
                                 const std::function<Status(std::string_view)>& write) {
  ColumnFileHeader header{.field = shape.field,
                          .type = shape.type,
                          .element_type = shape.element_type,
                          .dim = shape.dim};
  bool has_nulls = false;
  TRY(Measure(slices, header, has_nulls));
  const std::string encoded = Encode(header);
  ByteWriter fixed;
  fixed.Raw(kMagic.data(), 8);
  fixed.U32(kVersion);
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
  if (has_nulls) TRY(put(&SectionBytes::Valid));
  TRY(out.Flush());
  return out.written();
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

Result<OpenedColumn> OpenColumnFile(Blob blob, std::string_view key, ColumnCheck check) {
  const std::string_view file = blob.bytes();
  ByteReader in(file);
  std::string_view magic;
  std::string_view encoded;
  uint32_t version;
  uint32_t header_bytes;
  uint64_t checksum;
  if (!in.View(8, magic) || magic != kMagic || !in.U32(version)) {
    return Damaged(key, 0, "not a column file");
  }
  if (version != kVersion) {
    return Damaged(key, 8,
                   fmt::format("version {} of a column file, this program reads version {}",
                               version, kVersion));
  }
  if (!in.U32(header_bytes) || !in.U64(checksum) || !in.View(header_bytes, encoded) ||
      Checksum(encoded) != checksum) {
    return Damaged(key, 12, "the header is damaged");
  }
  TRY_ASSIGN(const ColumnFileHeader header, Decode<ColumnFileHeader>(encoded));
  const uint64_t base = Align(kFixedBytes + header_bytes);
  for (const Section* section : {&header.data, &header.offsets, &header.valid}) {
    const uint64_t begin = base + section->offset;
    if (begin > file.size() || section->bytes > file.size() - begin) {
      return Damaged(key, begin, "the file ends inside a section");
    }
    if (check == ColumnCheck::kWhole &&
        Checksum(file.substr(begin, section->bytes)) != section->checksum) {
      return Damaged(key, begin, "checksum does not match, the file is damaged");
    }
  }
  const auto* bytes = reinterpret_cast<const uint8_t*>(file.data()) + base;
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
  if (!good) return Damaged(key, base, "the sections do not fit the row count");
  OpenedColumn opened{.blob = std::move(blob), .field = header.field, .view = view, .bounds = {}};
  if (view.type == model::DataType::kArrayOfVector && view.rows > 0) TRY(KeepBounds(opened));
  return opened;
}

}  // namespace elanus::store
