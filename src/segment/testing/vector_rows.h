// For tests of searches: a growing segment of keys, numbers and vectors, and the same rows with an
// index.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned_copy.h"
#include "segment/growing.h"
#include "segment/search.h"
#include "segment/testing/indexed_view.h"

namespace elanus::segment {

inline constexpr uint32_t kDim = 8;
inline constexpr size_t kRows = 20'000;  // Three blocks.
inline constexpr FieldId kKey{100};
inline constexpr FieldId kNumber{101};
inline constexpr FieldId kVector{102};

inline std::shared_ptr<const model::CollectionSchema> VectorRowsSchema() {
  using model::DataType;
  auto schema = std::make_shared<model::CollectionSchema>();
  schema->name = "c";
  schema->fields.push_back(
      {.id = kKey, .name = "id", .type = DataType::kInt64, .is_primary_key = true});
  schema->fields.push_back({.id = kNumber, .name = "number", .type = DataType::kInt64});
  schema->fields.push_back({.id = kVector,
                            .name = "vector",
                            .type = DataType::kFloatVector,
                            .type_params = {{"dim", std::to_string(kDim)}}});
  return schema;
}

/// Columns of that schema without rows.
inline std::vector<model::Column> NoVectorRows() {
  const auto schema = VectorRowsSchema();
  std::vector<model::Column> columns;
  for (const model::FieldSchema& field : schema->fields) {
    columns.push_back(model::MakeColumn(field.id, field.name, field.type, model::DataType::kNone,
                                        field.id == kVector ? kDim : 0));
  }
  return columns;
}

/// Row i has the key i, the number i % `numbers` and a random vector; it was inserted at 10.
class VectorRowsTest : public testing::Test {
 protected:
  explicit VectorRowsTest(int64_t numbers) : vectors_(kRows * kDim) {
    std::mt19937 rng(4);
    std::normal_distribution<float> normal;
    for (float& value : vectors_) value = normal(rng);
    std::vector<model::Column> columns = NoVectorRows();
    for (size_t row = 0; row < kRows; ++row) {
      const auto key = static_cast<int64_t>(row);
      const int64_t number = key % numbers;
      columns[0].AppendFixed(&key);
      columns[1].AppendFixed(&number);
      columns[2].AppendFixed(vectors_.data() + row * kDim);
    }
    growing_.Append(columns, Timestamp(10));
    search_.queries = model::MakeColumn(kVector, "vector", model::DataType::kFloatVector,
                                        model::DataType::kNone, kDim);
  }
  /// A query with the same number everywhere.
  void AddQuery(float number) {
    const std::vector<float> query(kDim, number);
    search_.queries.AppendFixed(query.data());
  }
  /// The rows with an index built with these parameters, those of other types among them.
  std::shared_ptr<const SegmentView> WithIndex(const char* type_name, const index::Params& build) {
    const index::IndexType* type = FindType(index::VectorKind::kDense, type_name);
    const index::VectorBlock block{.data = vectors_.data(), .rows = kRows, .dim = kDim};
    const auto bytes = type->Build(ctx_, block, model::Metric::kL2, build, {});
    EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
    auto opened = type->Open(AlignedCopy(*bytes), block, model::Metric::kL2);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return std::make_shared<IndexedView>(
        growing_.Snapshot(), block,
        FieldIndex{.index = std::move(*opened), .type = type, .metric = model::Metric::kL2});
  }

  SystemClock clock_;
  Context ctx_{clock_};
  std::vector<float> vectors_;
  Growing growing_{SegmentId(1), PartitionId(2), VectorRowsSchema()};
  model::ShardSearch search_{.vector_field = kVector, .metric = model::Metric::kL2, .k = 10};
};

}  // namespace elanus::segment
