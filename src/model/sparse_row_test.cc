// The form of sparse rows, and what a row may not hold.
#include "model/sparse_row.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

namespace elanus::model {
namespace {

std::string Pairs(const std::vector<std::pair<uint32_t, float>>& items) {
  std::string bytes;
  for (const auto& [dim, value] : items) {
    bytes.append(reinterpret_cast<const char*>(&dim), 4);
    bytes.append(reinterpret_cast<const char*>(&value), 4);
  }
  return bytes;
}

std::string Row(const std::vector<std::pair<uint32_t, float>>& items) {
  std::string row = "what stood here before goes";
  PairsToSparseRow(Pairs(items), row);
  return row;
}

TEST(SparseRow, HasItsDimensionsBeforeItsValues) {
  const std::string row = Row({{3, 0.5f}, {70000, 2.0f}});
  ASSERT_EQ(row.size(), 16u);
  uint32_t dims[2];
  float values[2];
  std::memcpy(dims, row.data(), 8);
  std::memcpy(values, row.data() + 8, 8);
  EXPECT_EQ(dims[0], 3u);
  EXPECT_EQ(dims[1], 70000u);
  EXPECT_EQ(values[0], 0.5f);
  EXPECT_EQ(values[1], 2.0f);
}

TEST(SparseRow, ComesBackAsTheSamePairs) {
  for (const auto& items : std::vector<std::vector<std::pair<uint32_t, float>>>{
           {}, {{0, 1.0f}}, {{1, 0.0f}, {2, 3.0f}, {kSparseDimMax, 4.0f}}}) {
    EXPECT_EQ(SparseRowToPairs(Row(items)), Pairs(items));
  }
}

TEST(SparseRow, IsAsWideAsItsLargestDimension) {
  EXPECT_EQ(SparseDim(Row({})), 0u);
  EXPECT_EQ(SparseDim(Row({{0, 1.0f}})), 1u);
  EXPECT_EQ(SparseDim(Row({{5, 1.0f}, {9, 1.0f}})), 10u);
  EXPECT_EQ(SparseDim(Row({{kSparseDimMax, 1.0f}})), UINT32_MAX);
}

TEST(SparseRow, MayBeEmptyAndHoldZerosAndTheLargestDimension) {
  EXPECT_TRUE(CheckSparseRow(Row({})).ok());
  EXPECT_TRUE(CheckSparseRow(Row({{0, 0.0f}})).ok());
  EXPECT_TRUE(CheckSparseRow(Row({{7, 1.5f}, {kSparseDimMax, 3e38f}})).ok());
}

TEST(SparseRow, OfDisorderRepeatsNegativesOrNoNumbersIsRefused) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<std::pair<std::string, const char*>> bad = {
      {Row({{2, 1.0f}, {1, 1.0f}}), "unsorted or same"},
      {Row({{2, 1.0f}, {2, 1.0f}}), "unsorted or same"},
      {Row({{UINT32_MAX, 1.0f}}), "larger than"},
      {Row({{1, 1.0f}, {UINT32_MAX, 1.0f}}), "larger than"},
      {Row({{1, NAN}}), "NaN or infinite"},
      {Row({{1, infinity}}), "NaN or infinite"},
      {Row({{1, -infinity}}), "NaN or infinite"},
      {Row({{1, -0.5f}}), "negative"},
  };
  for (const auto& [row, words] : bad) {
    const Status status = CheckSparseRow(row);
    EXPECT_EQ(status.code(), ErrorCode::kInvalidParameter) << words;
    EXPECT_NE(status.message().find(words), std::string::npos) << status.message();
  }
}

}  // namespace
}  // namespace elanus::model
