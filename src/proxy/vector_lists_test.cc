// Lists of vectors in rows and queries: what is taken, what is refused with which code.
#include "proxy/vector_lists.h"

#include <gtest/gtest.h>

#include <limits>

namespace elanus::proxy {
namespace {

using model::Column;
using model::DataType;
using model::FieldSchema;
using model::Metric;

FieldSchema VectorsOf(DataType element) {
  return {.name = "s[v]",
          .type = DataType::kArrayOfVector,
          .element_type = element,
          .type_params = {{"dim", "2"}, {"max_capacity", "3"}},
          .struct_name = "s"};
}

// A row of each list of float32 numbers.
Column Lists(const std::vector<std::vector<float>>& rows, uint32_t dim = 2) {
  Column column =
      model::MakeColumn(FieldId(), "s[v]", DataType::kArrayOfVector, DataType::kFloatVector, dim);
  for (const auto& row : rows) {
    column.AppendBytes({reinterpret_cast<const char*>(row.data()), row.size() * sizeof(float)});
  }
  return column;
}

Column Numbers(const std::vector<size_t>& counts) {
  Column column = model::MakeColumn(FieldId(), "s[n]", DataType::kArray, DataType::kInt64, 0);
  for (size_t count : counts) column.AppendBytes(std::string(count * 8, '\0'));
  return column;
}

TEST(VectorLists, OfTheFieldAreTakenAsTheyAre) {
  Column column = Lists({{1, 2, 3, 4}, {}, {5, 6}});
  const std::vector<uint8_t> bytes = column.data;
  ASSERT_TRUE(AcceptVectorLists(VectorsOf(DataType::kFloatVector), column).ok());
  EXPECT_EQ(column.data, bytes);
}

TEST(VectorLists, OfFloatsBecomeHalves) {
  Column column = Lists({{1, 2, 3, 4}, {}, {5, 6}});
  ASSERT_TRUE(AcceptVectorLists(VectorsOf(DataType::kFloat16Vector), column).ok());
  EXPECT_EQ(column.element_type, DataType::kFloat16Vector);
  EXPECT_EQ(column.data.size(), 12u);
  EXPECT_EQ(column.offsets, (std::vector<uint64_t>{0, 8, 8, 12}));
}

TEST(VectorLists, WithoutAVectorNeedNoType) {
  Column column = Lists({{}, {}}, 0);
  column.element_type = DataType::kNone;
  ASSERT_TRUE(AcceptVectorLists(VectorsOf(DataType::kInt8Vector), column).ok());
  EXPECT_EQ(column.element_type, DataType::kInt8Vector);
  EXPECT_EQ(column.dim, 2u);
}

TEST(VectorLists, ThatDoNotFitAreRefused) {
  const FieldSchema field = VectorsOf(DataType::kFloatVector);
  const auto refused = [&](Column column, const FieldSchema& of) {
    return AcceptVectorLists(of, column).code() == ErrorCode::kInvalidParameter;
  };
  EXPECT_TRUE(refused(Lists({{1, 2, 3}}), field)) << "one and a half vectors";
  EXPECT_TRUE(refused(Lists({{1, 2, 3, 4}}, 4), field)) << "another dim";
  EXPECT_TRUE(refused(Lists({{1, 2, 3, 4, 5, 6, 7, 8}}), field)) << "above the capacity";
  EXPECT_TRUE(refused(Lists({{1, std::numeric_limits<float>::quiet_NaN()}}), field));
  EXPECT_TRUE(refused(Lists({{1, 2}}), VectorsOf(DataType::kInt8Vector))) << "another element";
  EXPECT_TRUE(refused(Lists({{1, 1e30f}}), VectorsOf(DataType::kFloat16Vector))) << "too large";
  EXPECT_TRUE(refused(Numbers({1}), field)) << "numbers";
}

TEST(VectorLists, AsQueriesTakeTheDimOfTheField) {
  Column queries = Lists({{1, 2, 3, 4}, {5, 6}}, 0);
  ASSERT_TRUE(
      FitListQueries(VectorsOf(DataType::kFloatVector), Metric::kMaxSimCosine, queries).ok());
  EXPECT_EQ(queries.dim, 2u);
  ASSERT_TRUE(
      FitListQueries(VectorsOf(DataType::kBFloat16Vector), Metric::kMaxSimL2, queries).ok());
  EXPECT_EQ(queries.element_type, DataType::kBFloat16Vector);
  EXPECT_EQ(queries.offsets, (std::vector<uint64_t>{0, 8, 12}));
}

TEST(VectorLists, AsQueriesMustBeWhatTheMetricCompares) {
  const FieldSchema field = VectorsOf(DataType::kFloatVector);
  const auto code = [&](Column queries, Metric metric) {
    return FitListQueries(field, metric, queries).code();
  };
  EXPECT_EQ(code(Lists({{1, 2}, {}}, 0), Metric::kMaxSim), ErrorCode::kInvalidParameter);
  EXPECT_EQ(code(Lists({{1, 2, 3}}, 0), Metric::kMaxSim), ErrorCode::kInvalidParameter);
  EXPECT_EQ(code(Lists({{1, 2}}, 0), Metric::kCosine), ErrorCode::kSegcore);
  Column plain = model::MakeColumn(FieldId(), "", DataType::kFloatVector, DataType::kNone, 2);
  const float vector[2] = {1, 2};
  plain.AppendFixed(vector);
  EXPECT_EQ(code(plain, Metric::kMaxSimIp), ErrorCode::kSegcore);
  Column bytes = Lists({}, 0);
  bytes.element_type = DataType::kInt8Vector;
  bytes.AppendBytes("ab");
  EXPECT_EQ(code(bytes, Metric::kMaxSimIp), ErrorCode::kSegcore);
}

TEST(VectorLists, AreNotSearchedInRangesPagesOrGroups) {
  EXPECT_TRUE(CheckListSearch(Metric::kL2, {.has_range = true, .is_iterator = true}).ok());
  EXPECT_TRUE(CheckListSearch(Metric::kMaxSim, {}).ok());
  for (const ListSearchForm& form :
       {ListSearchForm{.has_range = true}, ListSearchForm{.is_iterator = true},
        ListSearchForm{.is_grouped = true}}) {
    EXPECT_EQ(CheckListSearch(Metric::kMaxSimL2, form).code(), ErrorCode::kInvalidParameter);
  }
}

TEST(Structs, HaveAsManyElementsInEverySubField) {
  model::CollectionSchema schema;
  schema.structs.push_back({.name = "s", .nullable = true});
  schema.fields.push_back({.name = "s[n]", .type = DataType::kArray, .struct_name = "s"});
  schema.fields.push_back(VectorsOf(DataType::kFloatVector));
  EXPECT_TRUE(CheckStructs(schema, {Numbers({2, 0}), Lists({{1, 2, 3, 4}, {}})}).ok());
  EXPECT_EQ(CheckStructs(schema, {Numbers({2, 1}), Lists({{1, 2, 3, 4}, {}})}).code(),
            ErrorCode::kInvalidParameter);
  Column half_null = Numbers({2});
  half_null.AppendNull();
  EXPECT_EQ(CheckStructs(schema, {half_null, Lists({{1, 2, 3, 4}, {}})}).code(),
            ErrorCode::kInvalidParameter);
  Column null = Lists({{1, 2, 3, 4}});
  null.AppendNull();
  EXPECT_TRUE(CheckStructs(schema, {half_null, null}).ok());
}

}  // namespace
}  // namespace elanus::proxy
