// Each kind of stored file with bytes altered or cut off, at places drawn from a seed: it is
// refused with its name, the offset and what to do, or it answers as before; never anything else.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>

#include "base/aligned_copy.h"
#include "base/executor.h"
#include "index/scalar_index.h"
#include "index/vector_index.h"
#include "model/requests/deletes.h"
#include "segment/sealed.h"
#include "store/formats/column_file.h"
#include "store/formats/delta_log.h"
#include "tests/golden/golden_file.h"

namespace elanus {
namespace {

using index::VectorKind;
using model::DataType;

constexpr size_t kRows = 96;
constexpr uint32_t kDim = 64;
constexpr int kFlips = 150;
constexpr int kCuts = 60;

/// A kind of file: its bytes, and how it is opened.
struct StoredFile {
  std::string name;
  std::string bytes;
  std::function<Status(std::string_view)> open;
  bool names_its_key = true;  // Else the caller that knows the key puts it in front.
};

model::Column MakeVectors(DataType type) {
  std::mt19937 rng(5);
  model::Column column = model::MakeColumn(FieldId(100), "vector", type, DataType::kNone,
                                           type == DataType::kSparseFloatVector ? 0 : kDim);
  for (size_t row = 0; row < kRows; ++row) {
    if (type == DataType::kFloatVector) {
      std::vector<float> values(kDim);
      for (float& value : values) value = static_cast<float>(rng() % 100);
      column.AppendFixed(values.data());
    } else if (type == DataType::kBinaryVector) {
      std::vector<uint8_t> bits(kDim / 8);
      for (uint8_t& byte : bits) byte = static_cast<uint8_t>(rng());
      column.AppendFixed(bits.data());
    } else {
      const uint32_t dims[] = {static_cast<uint32_t>(row), static_cast<uint32_t>(row + 3)};
      const float values[] = {1.0f, static_cast<float>(row % 7) + 0.5f};
      std::string bytes(reinterpret_cast<const char*>(dims), sizeof(dims));
      bytes.append(reinterpret_cast<const char*>(values), sizeof(values));
      column.AppendBytes(bytes);
    }
  }
  return column;
}

model::Column MakeTexts() {
  model::Column column =
      model::MakeColumn(FieldId(101), "text", DataType::kVarChar, DataType::kNone, 0);
  for (size_t row = 0; row < kRows; ++row) {
    if (row % 9 == 0) {
      column.AppendNull();
    } else {
      column.AppendBytes(fmt::format("word {}", row % 31));
    }
  }
  return column;
}

model::Column MakeNumbers() {
  model::Column column =
      model::MakeColumn(FieldId(102), "number", DataType::kInt64, DataType::kNone, 0);
  for (int64_t row = 0; row < static_cast<int64_t>(kRows); ++row) {
    const int64_t value = row * 7 % 40;
    column.AppendFixed(&value);
  }
  return column;
}

StoredFile ColumnFile(const std::string& name, const model::Column& column) {
  return {.name = "column " + name,
          .bytes = store::EncodeColumnFile(column),
          .open = [](std::string_view bytes) {
            return store::OpenColumnFile(AlignedCopy(bytes), "the/key").status();
          }};
}

// Of primary keys, with their filter.
StoredFile KeyColumnFile() {
  StoredFile file = ColumnFile("of keys", MakeNumbers());
  file.bytes.clear();
  const model::Column keys = MakeNumbers();
  const auto written = store::WriteColumnFile(
      {.field = keys.field_id, .type = keys.type, .is_primary_key = true},
      [&](const store::TakeSlice& take) { return take(keys.view()); },
      [&](std::string_view bytes) -> Status {
        file.bytes.append(bytes);
        return {};
      });
  EXPECT_TRUE(written.ok()) << written.status().ToString();
  return file;
}

StoredFile Deltas() {
  model::Deletes deletes;
  deletes.keys = MakeNumbers();
  for (size_t row = 0; row < kRows; ++row) {
    deletes.timestamps.push_back(1000 + row);
    deletes.partitions.push_back(PartitionId(4));
  }
  return {.name = "delta log",
          .bytes = store::EncodeDeltaLog(deletes),
          .open = [](std::string_view bytes) {
            return store::DecodeDeltaLog(bytes, "the/key").status();
          }};
}

StoredFile ManifestFile() {
  const segment::Manifest manifest{
      .segment = SegmentId(7),
      .collection = CollectionId(3),
      .partition = PartitionId(4),
      .rows = 96,
      .files = {{.field = FieldId(100), .key = "segments/3/7/100.col"}},
      .newest_timestamp = 446};
  return {.name = "manifest",
          .bytes = segment::EncodeManifest(manifest),
          .open = [](std::string_view bytes) {
            return segment::DecodeManifest(bytes, "the/key").status();
          }};
}

index::Params ParamsOf(const index::IndexType& type) {
  index::Params params;
  const std::map<std::string_view, double> wanted = {
      {"nlist", 4}, {"M", 4},   {"efConstruction", 24}, {"m", 8},
      {"nbits", 4}, {"nrq", 2}, {"sub_dim", 2}};
  for (const index::ParamSpec& spec : type.params) {
    if (const auto found = wanted.find(spec.name); found != wanted.end()) {
      params.Set(std::string(found->first), found->second);
    }
  }
  return params;
}

void AddVectorIndexes(Context& ctx, DataType data_type, VectorKind kind,
                      std::vector<StoredFile>& files) {
  const auto rows = std::make_shared<const model::Column>(MakeVectors(data_type));
  for (const index::IndexType* type : index::TypesOf(kind)) {
    if (type->twin != nullptr) continue;
    const model::Metric metric = type->metrics[0];
    auto bytes = type->Build(ctx, index::BlockOf(rows->view()), metric, ParamsOf(*type), {});
    ASSERT_TRUE(bytes.ok()) << type->name << " " << bytes.status().ToString();
    files.push_back(
        {.name = fmt::format("index {}", type->name),
         .bytes = *bytes,
         .open =
             [type, rows, metric](std::string_view file) {
               return type->Open(AlignedCopy(file), index::BlockOf(rows->view()), metric).status();
             },
         .names_its_key = false});
  }
}

void AddScalarIndexes(Context& ctx, std::vector<StoredFile>& files) {
  for (const index::ScalarIndexType* type : index::AllScalarTypes()) {
    for (const model::Column& column : {MakeTexts(), MakeNumbers()}) {
      if (!type->Supports({.type = column.type})) continue;
      index::Params params;
      params.Set("min_gram", 2);  // Of NGRAM.
      params.Set("max_gram", 3);
      auto bytes = type->Build(ctx, column.view(), params);
      ASSERT_TRUE(bytes.ok()) << type->name << " " << bytes.status().ToString();
      files.push_back({.name = fmt::format("index {} of {}", type->name, column.name),
                       .bytes = *bytes,
                       .open =
                           [](std::string_view file) {
                             return index::OpenScalarIndex(AlignedCopy(file)).status();
                           },
                       .names_its_key = false});
    }
  }
}

class Damage : public testing::Test {
 protected:
  std::vector<StoredFile> MakeFiles() {
    std::vector<StoredFile> files = {ColumnFile("of numbers", MakeNumbers()),
                                     KeyColumnFile(),
                                     ColumnFile("of texts with nulls", MakeTexts()),
                                     ColumnFile("of vectors", MakeVectors(DataType::kFloatVector)),
                                     Deltas(),
                                     ManifestFile()};
    AddVectorIndexes(ctx_, DataType::kFloatVector, VectorKind::kDense, files);
    AddVectorIndexes(ctx_, DataType::kBinaryVector, VectorKind::kBinary, files);
    AddVectorIndexes(ctx_, DataType::kSparseFloatVector, VectorKind::kSparse, files);
    AddScalarIndexes(ctx_, files);
    return files;
  }

  // False: the file was opened.
  bool ExpectRefused(const StoredFile& file, std::string_view bytes, const std::string& how) {
    const Status status = file.open(bytes);
    if (status.ok()) return false;
    EXPECT_EQ(status.code(), ErrorCode::kIntegrity)
        << file.name << " " << how << ": " << status.ToString();
    const std::string words(status.message());
    EXPECT_NE(words.find("offset"), std::string::npos) << file.name << " " << how << ": " << words;
    EXPECT_NE(words.find("from a copy"), std::string::npos)
        << file.name << " " << how << " does not say what to do: " << words;
    if (file.names_its_key) {
      EXPECT_NE(words.find("the/key"), std::string::npos) << words;
    }
    return true;
  }

  SystemClock clock_;
  Context ctx_{clock_};
};

TEST_F(Damage, OfAnyByteOfAnyFileIsRefusedWithWords) {
  int altered = 0;
  for (const StoredFile& file : MakeFiles()) {
    ASSERT_TRUE(file.open(file.bytes).ok()) << file.name << file.open(file.bytes).ToString();
    std::mt19937_64 rng(11);
    for (int i = 0; i < kFlips; ++i) {
      // The first bytes, where the lengths are, are tried one by one.
      const size_t at =
          i < 64 ? static_cast<size_t>(i) % file.bytes.size() : rng() % file.bytes.size();
      std::string bytes = file.bytes;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << rng() % 8));
      const bool refused = ExpectRefused(file, bytes, fmt::format("with byte {} altered", at));
      if (refused && file.name.starts_with("column")) {
        // Of the block, or of the header.
        const std::string words(file.open(bytes).message());
        EXPECT_LE(std::stoull(words.substr(words.find("offset ") + 7)), at) << words;
      }
      // Between the parts of a column file there are zeros that nobody reads.
      const bool is_padding = file.name.starts_with("column") && file.bytes[at] == 0;
      EXPECT_TRUE(refused || is_padding) << file.name << " with byte " << at << " altered";
      ++altered;
    }
  }
  EXPECT_GT(altered, 3000);
}

TEST_F(Damage, OfAFileThatIsCutIsRefusedWithWords) {
  for (const StoredFile& file : MakeFiles()) {
    std::mt19937_64 rng(13);
    for (int i = 0; i < kCuts; ++i) {
      const size_t size = i < 40 ? static_cast<size_t>(i) : rng() % file.bytes.size();
      if (size >= file.bytes.size()) continue;
      const bool refused = ExpectRefused(file, std::string_view(file.bytes).substr(0, size),
                                         fmt::format("cut to {} bytes", size));
      EXPECT_TRUE(refused) << file.name << " cut to " << size << " of " << file.bytes.size();
    }
  }
}

TEST_F(Damage, OfAFileThatGoesOnIsSeen) {
  for (const StoredFile& file : MakeFiles()) {
    if (file.name.starts_with("column")) continue;  // What follows its parts is not looked at.
    EXPECT_TRUE(ExpectRefused(file, file.bytes + std::string(40, 'x'), "with more behind it"))
        << file.name;
  }
}

}  // namespace
}  // namespace elanus
