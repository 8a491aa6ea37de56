// Column files, delta logs, manifests, the log and the catalog's records, with fixed content.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "backend/local/file_wal.h"
#include "base/aligned_copy.h"
#include "base/fields.h"
#include "coord/catalog.h"
#include "coord/oracle.h"
#include "segment/sealed.h"
#include "store/formats/column_file.h"
#include "store/formats/delta_log.h"
#include "store/formats/key_filter.h"
#include "streaming/channel_owner.h"
#include "tests/golden/catalog_dump.h"
#include "tests/golden/golden_file.h"

namespace elanus::golden {
namespace {

using model::Column;
using model::DataType;

template <class T>
Column FixedColumn(int64_t field, DataType type, uint32_t dim, std::vector<T> values) {
  Column column = model::MakeColumn(FieldId(field), "", type, DataType::kNone, dim);
  const size_t a_row = column.width() / sizeof(T);
  for (size_t i = 0; i < values.size(); i += a_row) column.AppendFixed(&values[i]);
  return column;
}

Column BytesColumn(int64_t field, DataType type, DataType element,
                   const std::vector<std::string>& values) {
  Column column = model::MakeColumn(FieldId(field), "", type, element, 0);
  for (const std::string& value : values) column.AppendBytes(value);
  return column;
}

Column KeysColumn() {
  return FixedColumn<int64_t>(
      100, DataType::kInt64, 0,
      {1, -1, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min(), 42});
}
Column VectorsColumn() {
  return FixedColumn<float>(101, DataType::kFloatVector, 3,
                            {0, 1, -1, 0.5f, 1e-30f, 1e30f, -0.0f, 3, 4});
}
Column NullableTexts() {
  Column column = BytesColumn(102, DataType::kVarChar, DataType::kNone, {"one", "", "z\xc3\xa9"});
  column.AppendNull();
  column.AppendBytes("last");
  return column;
}
Column NullableDoubles() {
  Column column = FixedColumn<double>(103, DataType::kDouble, 0, {1.25, -2});
  column.AppendNull();
  return column;
}
Column JsonColumn() {
  return BytesColumn(104, DataType::kJson, DataType::kNone, {R"({"a":[1,2.5,null]})", "{}", "7"});
}
Column TextArrays() {
  const std::string_view texts[] = {"x", "", "longer"};
  return BytesColumn(105, DataType::kArray, DataType::kVarChar,
                     {model::PackTexts(texts), model::PackTexts({}), model::PackTexts(texts)});
}
Column EmptyColumn() {
  return model::MakeColumn(FieldId(106), "", DataType::kVarChar, DataType::kNone, 0);
}

std::string KeyColumnFile() {
  const Column keys = KeysColumn();
  std::string file;
  const auto written = store::WriteColumnFile(
      {.field = keys.field_id, .type = keys.type, .is_primary_key = true},
      [&](const store::TakeSlice& take) { return take(keys.view()); },
      [&](std::string_view bytes) -> Status {
        file.append(bytes);
        return {};
      });
  EXPECT_TRUE(written.ok()) << written.status().ToString();
  return file;
}

Status CheckKeyColumn(std::string_view bytes) {
  TRY_ASSIGN(const store::OpenedColumn opened, store::OpenColumnFile(AlignedCopy(bytes), "golden"));
  const store::KeyFilter filter(opened.key_filter);
  EXPECT_TRUE(filter.is_there());
  for (size_t row = 0; row < opened.view.rows; ++row) {
    EXPECT_TRUE(filter.MayHold(store::HashOfKey(opened.view.Bytes(row)))) << row;
  }
  EXPECT_FALSE(filter.MayHold(store::HashOfKey("a stranger")));
  return {};
}

GoldenFile ColumnFile(std::string name, Column (*make)()) {
  const auto check = [make](std::string_view bytes) -> Status {
    TRY_ASSIGN(const store::OpenedColumn opened,
               store::OpenColumnFile(AlignedCopy(bytes), "golden"));
    TRY_ASSIGN(const store::WrittenRanges ranges, store::ReadRanges(bytes, "golden"));
    const Column want = make();
    // The first version has none.
    if (!ranges.blocks.empty()) {
      EXPECT_EQ(Encode(ranges.blocks[0]),
                Encode(store::ColumnRange::Of(model::StatsOf(want.view()))));
    }
    EXPECT_EQ(opened.field, want.field_id);
    EXPECT_EQ(opened.view.type, want.type);
    EXPECT_EQ(opened.view.element_type, want.element_type);
    EXPECT_EQ(opened.view.dim, want.dim);
    EXPECT_EQ(opened.view.rows, want.rows);
    EXPECT_EQ(opened.view.valid == nullptr, want.valid.empty());
    for (size_t row = 0; row < std::min<size_t>(opened.view.rows, want.rows); ++row) {
      EXPECT_EQ(opened.view.IsValid(row), want.view().IsValid(row)) << row;
      EXPECT_EQ(opened.view.Bytes(row), want.view().Bytes(row)) << row;
    }
    return {};
  };
  return {.name = std::move(name),
          .write = [make] { return store::EncodeColumnFile(make()); },
          .check = check};
}

model::Deletes IntegerDeletes() {
  return {.keys = KeysColumn(),
          .timestamps = {1, 2, 3, 4, 5},
          .partitions = std::vector<PartitionId>(5)};
}
model::Deletes TextDeletes() {
  return {.keys = BytesColumn(100, DataType::kVarChar, DataType::kNone, {"a", "", "key"}),
          .timestamps = {446'000'000'000'000'001, 446'000'000'000'000'002, 1},
          .partitions = {PartitionId(4), PartitionId(), PartitionId(446'000'000'000'000'003)}};
}

GoldenFile DeltaFile(std::string name, model::Deletes (*make)()) {
  const auto check = [make](std::string_view bytes) -> Status {
    TRY_ASSIGN(const model::Deletes deletes, store::DecodeDeltaLog(bytes, "golden"));
    const model::Deletes want = make();
    EXPECT_EQ(deletes.timestamps, want.timestamps);
    EXPECT_EQ(deletes.partitions, want.partitions);
    EXPECT_EQ(deletes.keys.type, want.keys.type);
    EXPECT_EQ(deletes.keys.rows, want.keys.rows);
    EXPECT_EQ(deletes.keys.data, want.keys.data);
    EXPECT_EQ(deletes.keys.offsets, want.keys.offsets);
    return {};
  };
  return {.name = std::move(name),
          .write = [make] { return store::EncodeDeltaLog(make()); },
          .check = check};
}

segment::Manifest MakeManifest() {
  return {.segment = SegmentId(7),
          .collection = CollectionId(3),
          .partition = PartitionId(4),
          .rows = 5,
          .files = {{.field = FieldId(100), .key = "segments/3/7/100.col"},
                    {.field = segment::kTimestampField, .key = "segments/3/7/1.col"}},
          .newest_timestamp = 446'000'000'000'000'002};
}

Status CheckManifest(std::string_view bytes) {
  TRY_ASSIGN(const segment::Manifest got, segment::DecodeManifest(bytes, "golden"));
  const segment::Manifest want = MakeManifest();
  EXPECT_EQ(got.segment, want.segment);
  EXPECT_EQ(got.collection, want.collection);
  EXPECT_EQ(got.partition, want.partition);
  EXPECT_EQ(got.rows, want.rows);
  EXPECT_EQ(got.newest_timestamp, want.newest_timestamp);
  EXPECT_EQ(got.files.size(), want.files.size());
  for (size_t i = 0; i < std::min(got.files.size(), want.files.size()); ++i) {
    EXPECT_EQ(got.files[i].field, want.files[i].field);
    EXPECT_EQ(got.files[i].key, want.files[i].key);
  }
  return {};
}

// A folder with a log of one stream, "s".
class LogFolder {
 public:
  LogFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "elanus-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    std::filesystem::create_directory(path_ + "/s");
  }
  ~LogFolder() { std::filesystem::remove_all(path_); }
  std::unique_ptr<store::Wal> Open() {
    auto wal = backend::OpenFileWal(path_, {});
    EXPECT_TRUE(wal.ok()) << wal.status().ToString();
    return wal.ok() ? std::move(*wal) : nullptr;
  }
  void SetBytes(std::string_view bytes) {
    std::ofstream(File(), std::ios::binary).write(bytes.data(), std::ssize(bytes));
  }
  std::string Bytes() const {
    std::ifstream in(File(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

 private:
  std::string File() const { return path_ + "/s/00000000000000000001.log"; }
  std::string path_;
};

std::vector<std::pair<Timestamp, model::ShardWrite>> MakeWrites() {
  model::ShardWrite insert{.vchannel = "elanus-dml-0_3v0",
                           .collection = CollectionId(3),
                           .partition = PartitionId(4),
                           .columns = {KeysColumn(), NullableTexts(), JsonColumn()}};
  model::ShardWrite upsert = insert;
  upsert.delete_keys = KeysColumn();
  const model::ShardWrite erase{.vchannel = "elanus-dml-0_3v1",
                                .collection = CollectionId(3),
                                .delete_keys = TextDeletes().keys};
  return {
      {Timestamp(10), insert}, {Timestamp(11), upsert}, {MakeTimestamp(1'700'000'000'000), erase}};
}

// Two groups: one record, then two with one sync.
std::string WriteLog() {
  std::vector<std::string> records;
  for (const auto& [timestamp, write] : MakeWrites()) {
    records.push_back(streaming::EncodeRecord(write));
    streaming::StampRecord(records.back(), timestamp);
  }
  const std::string_view first[] = {records[0]};
  const std::string_view second[] = {records[1], records[2]};
  SystemClock clock;
  Context ctx(clock);
  LogFolder folder;
  const auto wal = folder.Open();
  EXPECT_TRUE(wal->Append(ctx, "s", first).ok());
  EXPECT_TRUE(wal->Append(ctx, "s", second).ok());
  return folder.Bytes();
}

Status CheckLog(std::string_view bytes) {
  SystemClock clock;
  Context ctx(clock);
  LogFolder folder;
  folder.SetBytes(bytes);
  const auto wal = folder.Open();
  const auto reader = wal->Read(ctx, "s", 0);
  // Whatever is in it: a log that is refused stays as it is.
  EXPECT_TRUE(folder.Bytes() == bytes);
  TRY(reader.status());
  const auto want = MakeWrites();
  store::WalRecord record;
  for (size_t i = 0; i < want.size(); ++i) {
    TRY_ASSIGN(const bool more, (*reader)->Next(ctx, record));
    EXPECT_TRUE(more) << i;
    if (!more) return {};
    EXPECT_EQ(record.position, i + 1);
    TRY_ASSIGN(const auto decoded, streaming::DecodeRecord(record.payload));
    EXPECT_EQ(decoded.first, want[i].first);
    // The encoding names every field, so equal bytes are equal writes.
    EXPECT_EQ(Encode(decoded.second), Encode(want[i].second)) << i;
  }
  TRY_ASSIGN(const bool more, (*reader)->Next(ctx, record));
  EXPECT_FALSE(more);
  return {};
}

}  // namespace

std::vector<GoldenFile> RecordFiles() {
  return {
      ColumnFile("column_int64.bin", KeysColumn),
      ColumnFile("column_float_vector.bin", VectorsColumn),
      ColumnFile("column_varchar_nullable.bin", NullableTexts),
      ColumnFile("column_double_nullable.bin", NullableDoubles),
      ColumnFile("column_json.bin", JsonColumn),
      ColumnFile("column_array_varchar.bin", TextArrays),
      ColumnFile("column_empty.bin", EmptyColumn),
      {.name = "column_keys.bin", .write = KeyColumnFile, .check = CheckKeyColumn},
      DeltaFile("delta_int64.bin", IntegerDeletes),
      DeltaFile("delta_varchar.bin", TextDeletes),
      {.name = "manifest.bin",
       .write = [] { return segment::EncodeManifest(MakeManifest()); },
       .check = CheckManifest},
      // The last letter of a record's magic is its version.
      {.name = "wal.bin", .write = WriteLog, .check = CheckLog, .version_at = 3},
      {.name = "catalog.txt",
       .write = WriteCatalog,
       .check = CheckCatalog,
       .version_at = std::nullopt},
  };
}

}  // namespace elanus::golden
