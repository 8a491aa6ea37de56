// A column file written from slices is the file of the whole column.
#include "store/formats/column_file.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <random>
#include <set>

#include "base/aligned_copy.h"
#include "base/testing/cut_file.h"

namespace elanus::store {
namespace {

using model::DataType;

model::Column MakeColumn(DataType type, size_t rows, bool has_nulls) {
  std::mt19937 rng(static_cast<unsigned>(rows));
  model::Column column = model::MakeColumn(FieldId(7), "c", type, DataType::kNone,
                                           type == DataType::kFloatVector ? 3 : 0);
  for (size_t row = 0; row < rows; ++row) {
    if (has_nulls && row % 5 == 2) {
      column.AppendNull();
    } else if (column.width() != 0) {
      const double values[2] = {static_cast<double>(rng()), static_cast<double>(rng())};
      column.AppendFixed(values);
    } else {
      column.AppendBytes(std::string(rng() % 9, static_cast<char>('a' + row % 26)));
    }
  }
  return column;
}

std::string Write(const model::Column& column, size_t slice_rows) {
  std::string file;
  const auto written = WriteColumnFile(
      {.field = column.field_id,
       .type = column.type,
       .element_type = column.element_type,
       .dim = column.dim},
      [&](const TakeSlice& take) -> Status {
        for (size_t at = 0; at < column.rows; at += slice_rows) {
          TRY(take(column.view().Slice(at, std::min<size_t>(slice_rows, column.rows - at))));
        }
        return {};
      },
      [&](std::string_view bytes) -> Status {
        file.append(bytes);
        return {};
      });
  EXPECT_TRUE(written.ok()) << written.status().ToString();
  EXPECT_EQ(written->bytes, file.size());
  return file;
}

TEST(ColumnFile, IsTheSameWrittenInSlicesOfAnySize) {
  for (DataType type : {DataType::kInt64, DataType::kBool, DataType::kVarChar, DataType::kJson,
                        DataType::kFloatVector}) {
    for (bool has_nulls : {false, true}) {
      const model::Column column = MakeColumn(type, 20'000, has_nulls);
      const std::string whole = EncodeColumnFile(column);
      for (size_t slice : {1, 7, 8192, 20'000}) {
        EXPECT_TRUE(Write(column, slice) == whole) << model::NameOf(type) << " by " << slice;
      }
    }
  }
}

TEST(ColumnFile, OpensAsTheColumnItWasWrittenFrom) {
  const model::Column column = MakeColumn(DataType::kVarChar, 1000, true);
  const std::string bytes = Write(column, 13);
  auto memory = std::make_shared<std::vector<uint64_t>>(bytes.size() / 8 + 1);
  std::memcpy(memory->data(), bytes.data(), bytes.size());
  const auto opened = OpenColumnFile(
      Blob(memory, {reinterpret_cast<const char*>(memory->data()), bytes.size()}, bytes.size()),
      "key");
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  ASSERT_EQ(opened->view.rows, column.rows);
  for (size_t row = 0; row < column.rows; ++row) {
    EXPECT_EQ(opened->view.IsValid(row), column.view().IsValid(row));
    EXPECT_EQ(opened->view.Bytes(row), column.view().Bytes(row));
  }
}

// A block of checksums is 256 KiB.
TEST(ColumnFile, TellsWhichBlockOfWhichSectionIsDamaged) {
  const model::Column column = MakeColumn(DataType::kVarChar, 200'000, true);
  const std::string file = EncodeColumnFile(column);
  const size_t base =
      file.find(std::string(3, static_cast<char>('a')));  // Somewhere in the values.
  ASSERT_NE(base, std::string::npos);
  std::set<std::string> named;
  for (size_t at = base; at < file.size(); at += 50'000) {
    std::string bytes = file;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    const auto opened = OpenColumnFile(AlignedCopy(bytes), "the/key");
    if (opened.ok()) continue;  // Between two sections.
    const std::string words(opened.status().message());
    size_t offset = 0;
    size_t count = 0;
    char section[32] = {};
    ASSERT_EQ(std::sscanf(words.c_str(),
                          "the/key: offset %zu: %31[^:]: the checksum of %zu bytes from here on",
                          &offset, section, &count),
              3)
        << words;
    EXPECT_LE(offset, at) << words;
    EXPECT_GT(offset + count, at) << words;
    EXPECT_LE(count, size_t{256} << 10) << words;
    named.insert(fmt::format("{} {}", section, offset));
  }
  EXPECT_GE(named.size(), 8u) << "four blocks of values, seven of offsets, one of valid bytes";
}

TEST(ColumnFile, SaysWhatItsBlocksHoldWithoutBeingReadWhole) {
  const model::Column column = MakeColumn(DataType::kInt64, 20'000, true);
  std::string file = EncodeColumnFile(column);
  file[2000] = static_cast<char>(file[2000] ^ 1);  // A value.
  EXPECT_EQ(OpenColumnFile(AlignedCopy(file), "key").status().code(), ErrorCode::kIntegrity);
  const auto ranges = ReadRanges(file, "key");
  ASSERT_TRUE(ranges.ok()) << ranges.status().ToString();
  EXPECT_EQ(ranges->field, FieldId(7));
  EXPECT_EQ(ranges->rows, 20'000u);
  ASSERT_EQ(ranges->blocks.size(), 3u);
  EXPECT_EQ(ranges->blocks[0].nulls, 1638u);  // Every fifth, from the third on.
  const std::string end = file.substr(0, file.size() - 64);
  EXPECT_EQ(ReadRanges(end, "key").status().code(), ErrorCode::kIntegrity);
  std::string damaged = file;
  damaged[file.size() - 100] = static_cast<char>(damaged[file.size() - 100] ^ 1);
  EXPECT_EQ(ReadRanges(damaged, "key").status().code(), ErrorCode::kIntegrity);
}

TEST(ColumnFile, OfNoRowsIsTheSameFromNoSlices) {
  const model::Column column = MakeColumn(DataType::kVarChar, 0, false);
  EXPECT_TRUE(Write(column, 1) == EncodeColumnFile(column));
}

TEST(ColumnFile, EndsAtTheFirstErrorOfItsSink) {
  const model::Column column = MakeColumn(DataType::kInt64, 1'000'000, false);
  int pieces = 0;
  const auto written = WriteColumnFile(
      {.field = column.field_id, .type = column.type},
      [&](const TakeSlice& take) { return take(column.view()); },
      [&](std::string_view) -> Status {
        return ++pieces == 2 ? Status(ErrorCode::kDiskLimitExceeded, "full") : Status();
      });
  EXPECT_EQ(written.status().code(), ErrorCode::kDiskLimitExceeded);
  EXPECT_EQ(pieces, 2);
}

// Between any two pages of the file, so also between the two offsets of a row.
TEST(ColumnFile, OfWhichAMappedPageFailsGivesRowsWithinItsBytesAndIsTold) {
  for (DataType type : {DataType::kVarChar, DataType::kJson, DataType::kGeometry}) {
    const model::Column column = MakeColumn(type, 4000, false);
    const std::string bytes = EncodeColumnFile(column);
    size_t cut_rows = 0;
    for (size_t left = 0; left <= bytes.size() / CutFile::PageBytes(); ++left) {
      CutFile file(bytes);
      const auto opened = OpenColumnFile(Blob({}, file.bytes(), 0), "key");
      ASSERT_TRUE(opened.ok()) << opened.status().ToString();
      const model::ColumnView& view = opened->view;
      file.CutBehind(left);
      const char* data = reinterpret_cast<const char*>(view.data);
      for (size_t row = 0; row < view.rows; ++row) {
        const std::string_view value = view.Bytes(row);
        ASSERT_LE(value.data() + value.size(), data + column.data.size()) << row << " " << left;
        cut_rows += view.offsets[row + 1] < view.offsets[row] ? 1 : 0;
      }
      EXPECT_EQ(CheckMapped(file.bytes()).code(), ErrorCode::kIntegrity) << left;
    }
    EXPECT_GT(cut_rows, 3u) << "no file was cut between the offsets of a row";
  }
}

TEST(ColumnFile, OfListsOfVectorsKeepsTheirBoundsWhateverBecomesOfItsPages) {
  model::Column column =
      model::MakeColumn(FieldId(7), "c", DataType::kArrayOfVector, DataType::kFloatVector, 2);
  for (size_t row = 0; row < 4000; ++row) column.AppendBytes(std::string(row % 4 * 8, 'v'));
  const std::string bytes = EncodeColumnFile(column);
  CutFile file(bytes);
  const auto opened = OpenColumnFile(Blob({}, file.bytes(), 0), "key");
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  file.CutBehind(0);
  for (size_t row = 0; row < 4000; ++row) EXPECT_EQ(opened->view.Bytes(row).size(), row % 4 * 8);
  EXPECT_EQ(opened->view.data[0], 0) << "the vectors are read from the file";
  EXPECT_EQ(OpenColumnFile(Blob({}, file.bytes(), 0), "key", ColumnCheck::kHeader).status().code(),
            ErrorCode::kIntegrity);
}

}  // namespace
}  // namespace elanus::store
