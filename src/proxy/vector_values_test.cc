// Vectors of requests: conversion to half precision, what they may hold, rows of nulls.
#include "proxy/vector_values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/sparse_row.h"

namespace elanus::proxy {
namespace {

using model::Column;
using model::DataType;
using model::FieldSchema;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

FieldSchema FieldOf(DataType type) {
  return {.id = FieldId(101), .name = "v", .type = type, .type_params = {{"dim", "2"}}};
}

template <class T>
Column ColumnOf(DataType type, const std::vector<T>& values) {
  Column column = model::MakeColumn(FieldId(), "v", type, DataType::kNone, 2);
  for (size_t i = 0; i < values.size(); i += 2) column.AppendFixed(&values[i]);
  return column;
}

TEST(VectorValues, OfFloatsBecomeHalvesWhereTheFieldHasThem) {
  Column half = ColumnOf<float>(DataType::kFloatVector, {1.0f, -2.0f, 65504.0f, 0.0f});
  ASSERT_TRUE(ConvertToField(FieldOf(DataType::kFloat16Vector), half).ok());
  EXPECT_EQ(half.type, DataType::kFloat16Vector);
  ASSERT_EQ(half.data.size(), 8u);
  EXPECT_EQ(half.view().values<uint16_t>()[0], 0x3C00);
  EXPECT_EQ(half.view().values<uint16_t>()[1], 0xC000);
  EXPECT_EQ(half.view().values<uint16_t>()[2], 0x7BFF);
  Column brain = ColumnOf<float>(DataType::kFloatVector, {1.0f, 1e38f});
  ASSERT_TRUE(ConvertToField(FieldOf(DataType::kBFloat16Vector), brain).ok());
  EXPECT_EQ(brain.type, DataType::kBFloat16Vector);
  EXPECT_EQ(brain.view().values<uint16_t>()[0], 0x3F80);
}

TEST(VectorValues, OfOtherTypesAndFieldsStayAsTheyAre) {
  Column floats = ColumnOf<float>(DataType::kFloatVector, {1, 2});
  for (const DataType type : {DataType::kFloatVector, DataType::kInt8Vector,
                              DataType::kSparseFloatVector, DataType::kInt64}) {
    ASSERT_TRUE(ConvertToField(FieldOf(type), floats).ok());
    EXPECT_EQ(floats.type, DataType::kFloatVector);
  }
  Column half = ColumnOf<uint16_t>(DataType::kFloat16Vector, {1, 2});
  ASSERT_TRUE(ConvertToField(FieldOf(DataType::kBFloat16Vector), half).ok());
  EXPECT_EQ(half.type, DataType::kFloat16Vector);
}

TEST(VectorValues, ThatHalvesCannotHoldAreRefused) {
  for (const float bad : {std::nanf(""), kInfinity, -kInfinity, 65520.0f, -1e10f}) {
    Column column = ColumnOf<float>(DataType::kFloatVector, {0, bad});
    const Status status = ConvertToField(FieldOf(DataType::kFloat16Vector), column);
    EXPECT_EQ(status.code(), ErrorCode::kInvalidParameter) << bad;
    EXPECT_NE(status.message().find("field v"), std::string::npos) << status.message();
  }
  Column column = ColumnOf<float>(DataType::kFloatVector, {0, 3.4e38f});
  EXPECT_EQ(ConvertToField(FieldOf(DataType::kBFloat16Vector), column).code(),
            ErrorCode::kInvalidParameter);
}

TEST(VectorValues, AreFiniteInEveryPrecision) {
  const auto check = [](DataType type, const Column& column) {
    return CheckVectorValues(FieldOf(type), column).ok();
  };
  EXPECT_TRUE(check(DataType::kFloatVector, ColumnOf<float>(DataType::kFloatVector, {1, -1})));
  for (const float bad : {std::nanf(""), kInfinity, -kInfinity})
    EXPECT_FALSE(check(DataType::kFloatVector, ColumnOf<float>(DataType::kFloatVector, {1, bad})));
  const auto half = [&](DataType type, uint16_t bits) {
    return check(type, ColumnOf<uint16_t>(type, {0, bits}));
  };
  for (const uint16_t good : {0x0000, 0x8000, 0x0001, 0x7BFF, 0xFBFF})
    EXPECT_TRUE(half(DataType::kFloat16Vector, good)) << good;
  for (const uint16_t bad : {0x7C00, 0xFC00, 0x7E00, 0xFFFF})
    EXPECT_FALSE(half(DataType::kFloat16Vector, bad)) << bad;
  for (const uint16_t good : {0x0000, 0x8000, 0x7C00, 0x7F7F, 0xFF7F})
    EXPECT_TRUE(half(DataType::kBFloat16Vector, good)) << good;
  for (const uint16_t bad : {0x7F80, 0xFF80, 0x7FC0, 0xFFFF})
    EXPECT_FALSE(half(DataType::kBFloat16Vector, bad)) << bad;
}

TEST(VectorValues, OfBitsAndInt8AreAllAllowed) {
  EXPECT_TRUE(CheckVectorValues(FieldOf(DataType::kInt8Vector),
                                ColumnOf<int8_t>(DataType::kInt8Vector, {-128, 127}))
                  .ok());
}

TEST(VectorValues, OfSparseRowsKeepTheirRulesAndTheMessageNamesTheRow) {
  Column column = model::MakeColumn(FieldId(), "v", DataType::kSparseFloatVector, {}, 0);
  const auto append = [&](const std::vector<uint32_t>& words) {
    std::string row;
    model::PairsToSparseRow({reinterpret_cast<const char*>(words.data()), words.size() * 4}, row);
    column.AppendBytes(row);
  };
  append({1, 0x3F800000, 5, 0x3F800000});
  append({});
  EXPECT_TRUE(CheckVectorValues(FieldOf(DataType::kSparseFloatVector), column).ok());
  append({5, 0x3F800000, 5, 0x3F800000});
  const Status status = CheckVectorValues(FieldOf(DataType::kSparseFloatVector), column);
  EXPECT_EQ(status.code(), ErrorCode::kInvalidParameter);
  EXPECT_NE(status.message().find("field v, row 2"), std::string::npos) << status.message();
}

TEST(VectorValues, OfNullRowsBecomeZeros) {
  Column column = ColumnOf<float>(DataType::kFloatVector, {1, 2, 3, 4});
  column.valid = {0, 1, 0, 1, 0};
  column.rows = 5;
  SpreadNulls(column);
  ASSERT_EQ(column.data.size(), 5u * 8);
  const std::vector<float> values(column.view().values<float>(),
                                  column.view().values<float>() + 10);
  EXPECT_EQ(values, std::vector<float>({0, 0, 1, 2, 0, 0, 3, 4, 0, 0}));
}

}  // namespace
}  // namespace elanus::proxy
