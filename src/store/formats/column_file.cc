// Column files.
#include "store/formats/column_file.h"

#include "base/bytes.h"
#include "base/fields.h"

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

std::string_view AsBytes(const auto& vector) {
  return {reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(vector[0])};
}

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

std::string EncodeColumnFile(const model::Column& column) {
  ColumnFileHeader header;
  header.field = column.field_id;
  header.type = column.type;
  header.element_type = column.element_type;
  header.dim = column.dim;
  header.rows = column.rows;
  const std::string_view sections[] = {AsBytes(column.data), AsBytes(column.offsets),
                                       AsBytes(column.valid)};
  uint64_t at = 0;
  Section* described[] = {&header.data, &header.offsets, &header.valid};
  for (int i = 0; i < 3; ++i) {
    *described[i] = {.offset = at, .bytes = sections[i].size(), .checksum = Checksum(sections[i])};
    at = Align(at + sections[i].size());
  }
  const std::string encoded = Encode(header);
  std::string file;
  file.reserve(Align(kFixedBytes + encoded.size()) + at);
  ByteWriter fixed;
  fixed.Raw(kMagic.data(), 8);
  fixed.U32(kVersion);
  fixed.U32(static_cast<uint32_t>(encoded.size()));
  fixed.U64(Checksum(encoded));
  file.append(fixed.view());
  file.append(encoded);
  file.resize(Align(file.size()));
  for (std::string_view section : sections) {
    file.append(section);
    file.resize(Align(file.size()));
  }
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
  return OpenedColumn{.blob = std::move(blob), .field = header.field, .view = view};
}

}  // namespace elanus::store
