// Columns between the wire and the model: every type both ways, and what is refused with which
// code.
#include "wire/grpc/column_codec.h"

#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "model/sparse_row.h"
#include "schema.pb.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::schema;
using model::Column;
using model::DataType;

template <class T>
Column FixedColumn(DataType type, const std::vector<T>& values, uint32_t dim = 0) {
  Column column = model::MakeColumn(FieldId(101), "f", type, DataType::kNone, dim);
  const size_t step = dim == 0 ? 1 : dim;
  for (size_t i = 0; i < values.size(); i += step) column.AppendFixed(&values[i]);
  return column;
}

Column TextColumn(DataType type, const std::vector<std::string>& values,
                  DataType element_type = DataType::kNone) {
  Column column = model::MakeColumn(FieldId(101), "f", type, element_type, 0);
  for (const std::string& value : values) column.AppendBytes(value);
  return column;
}

template <class T>
std::string Packed(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string PackedTexts(const std::vector<std::string_view>& texts) {
  return model::PackTexts(texts);
}

pb::FieldData Encoded(const Column& column) {
  pb::FieldData field;
  EncodeColumn(column, &field);
  return field;
}

Column Decoded(const pb::FieldData& field) {
  const auto column = DecodeColumn(field);
  EXPECT_TRUE(column.ok()) << column.status().ToString();
  return column.ok() ? *column : Column();
}

ErrorCode CodeOf(const pb::FieldData& field) {
  const auto column = DecodeColumn(field);
  if (!column.ok()) {
    EXPECT_NE(column.status().message().find(field.field_name()), std::string::npos)
        << "the message names the field: " << column.status().message();
  }
  return column.status().code();
}

bool IsDenseVector(DataType type) {
  return model::IsVector(type) && type != DataType::kSparseFloatVector;
}

// A column is safe to read when its buffers are as long as its rows say. Null rows of dense vectors
// have no bytes.
void ExpectSound(const Column& column) {
  EXPECT_TRUE(column.valid.empty() || column.valid.size() == column.rows);
  if (IsDenseVector(column.type)) {
    const auto nulls = std::count(column.valid.begin(), column.valid.end(), 0);
    EXPECT_EQ(column.data.size(), (column.rows - static_cast<size_t>(nulls)) * column.width());
    return;
  }
  if (column.width() != 0) {
    EXPECT_EQ(column.data.size(), column.rows * column.width());
    return;
  }
  if (column.rows == 0) return;
  ASSERT_EQ(column.offsets.size(), column.rows + 1);
  EXPECT_EQ(column.offsets.front(), 0u);
  EXPECT_EQ(column.offsets.back(), column.data.size());
  EXPECT_TRUE(std::is_sorted(column.offsets.begin(), column.offsets.end()));
}

void ExpectSameRows(const Column& got, const Column& want) {
  EXPECT_EQ(got.type, want.type);
  EXPECT_EQ(got.dim, want.dim);
  EXPECT_EQ(got.rows, want.rows);
  EXPECT_EQ(got.data, want.data);
  EXPECT_EQ(got.offsets, want.offsets);
  EXPECT_EQ(got.valid, want.valid);
}

std::string Pairs(const std::vector<std::pair<uint32_t, float>>& items) {
  std::string bytes;
  for (const auto& [dim, value] : items) {
    bytes.append(reinterpret_cast<const char*>(&dim), 4);
    bytes.append(reinterpret_cast<const char*>(&value), 4);
  }
  return bytes;
}

Column SparseColumn(const std::vector<std::vector<std::pair<uint32_t, float>>>& rows) {
  Column column = model::MakeColumn(FieldId(101), "f", DataType::kSparseFloatVector, {}, 0);
  std::string row;
  for (const auto& items : rows) {
    model::PairsToSparseRow(Pairs(items), row);
    column.AppendBytes(row);
  }
  return column;
}

// Rows of two bytes.
Column BitColumn(const std::vector<std::string>& rows) {
  Column column = model::MakeColumn(FieldId(101), "f", DataType::kBinaryVector, {}, 16);
  for (const std::string& row : rows) column.AppendFixed(row.data());
  return column;
}

// One column with values of each type, and the type in which a request carries it.
struct TypeCase {
  Column column;
  Column carried;
};

std::vector<TypeCase> AllTypes() {
  const auto same = [](Column column) { return TypeCase{column, column}; };
  const std::vector<int32_t> narrow = {-128, 0, 127};
  const std::vector<int32_t> wide = {INT32_MIN, 0, INT32_MAX};
  const Column carried_narrow = FixedColumn<int32_t>(DataType::kInt32, narrow);
  return {
      same(FixedColumn<uint8_t>(DataType::kBool, {1, 0, 1})),
      {FixedColumn<int8_t>(DataType::kInt8, {-128, 0, 127}), carried_narrow},
      {FixedColumn<int16_t>(DataType::kInt16, {-128, 0, 127}), carried_narrow},
      same(FixedColumn<int32_t>(DataType::kInt32, wide)),
      same(FixedColumn<int64_t>(DataType::kInt64, {INT64_MIN, 0, INT64_MAX})),
      same(FixedColumn<float>(DataType::kFloat, {-0.0f, 1.5f, 3e38f})),
      same(FixedColumn<double>(DataType::kDouble, {-0.0, 1.5, 1e308})),
      same(TextColumn(DataType::kVarChar, {"", "a", "größer"})),
      same(TextColumn(DataType::kJson, {"{}", R"({"a":[1,null]})", "7"})),
      same(TextColumn(DataType::kArray,
                      {Packed<int64_t>({1, 2}), Packed<int64_t>({}), Packed<int64_t>({3})},
                      DataType::kInt64)),
      same(FixedColumn<float>(DataType::kFloatVector, {1, 2, 3, 4, 5, 6}, 2)),
      same(FixedColumn<uint16_t>(DataType::kFloat16Vector, {0x3C00, 0, 0x4000, 1, 2, 0x7C00}, 2)),
      same(FixedColumn<uint16_t>(DataType::kBFloat16Vector, {0x3F80, 0, 0x4000, 1, 2, 0x7F80}, 2)),
      same(FixedColumn<int8_t>(DataType::kInt8Vector, {-128, 127, 0, 1, 2, 3}, 2)),
      same(BitColumn({"ab", "cd", {"\0\xff", 2}})),
      same(SparseColumn({{{1, 0.5f}, {70000, 2}}, {}, {{0, 1}}})),
  };
}

TEST(ColumnCodec, ValuesOfEveryTypeComeBackAsTheyWere) {
  for (const TypeCase& one : AllTypes()) {
    SCOPED_TRACE(NameOf(one.column.type));
    const pb::FieldData field = Encoded(one.column);
    EXPECT_EQ(field.type(), static_cast<pb::DataType>(one.column.type));
    EXPECT_EQ(field.field_id(), 101);
    EXPECT_EQ(field.valid_data_size(), 0) << "a column without nulls has no mask";
    const Column back = Decoded(field);
    ExpectSound(back);
    EXPECT_EQ(back.name, "f");
    ExpectSameRows(back, one.carried);
  }
}

TEST(ColumnCodec, EmptyColumnsOfEveryTypeComeBackEmpty) {
  for (const TypeCase& one : AllTypes()) {
    SCOPED_TRACE(NameOf(one.column.type));
    const Column empty =
        model::MakeColumn(FieldId(101), "f", one.column.type, DataType::kInt64, one.column.dim);
    const Column back = Decoded(Encoded(empty));
    ExpectSound(back);
    EXPECT_EQ(back.rows, 0u);
    EXPECT_EQ(back.type, one.carried.type);
  }
}

TEST(ColumnCodec, AnswersWithNullsHaveAPlaceholderInEachNullRow) {
  for (const TypeCase& one : AllTypes()) {
    if (model::IsVector(one.column.type)) continue;
    SCOPED_TRACE(NameOf(one.column.type));
    Column column = one.column;
    column.AppendNull();
    column.AppendRow(one.column.view(), 0);
    const pb::FieldData field = Encoded(column);
    ASSERT_EQ(field.valid_data_size(), 5);
    EXPECT_FALSE(field.valid_data(3));
    EXPECT_TRUE(field.valid_data(4));
    // Read as if it had no mask, it has a value in each of the five rows.
    pb::FieldData dense = field;
    dense.clear_valid_data();
    EXPECT_EQ(Decoded(dense).rows, 5u);
    EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << "as a request it has values too many";
  }
}

TEST(ColumnCodec, RequestsWithNullsHaveValuesForValidRowsOnly) {
  for (const TypeCase& one : AllTypes()) {
    if (IsDenseVector(one.column.type)) continue;
    SCOPED_TRACE(NameOf(one.column.type));
    pb::FieldData field = Encoded(one.column);
    for (bool valid : {false, true, false, true, true, false}) field.add_valid_data(valid);
    const Column back = Decoded(field);
    ExpectSound(back);
    Column want = model::MakeColumn(FieldId(), "f", one.carried.type, DataType::kNone, 0);
    want.AppendNull();
    want.AppendRow(one.carried.view(), 0);
    want.AppendNull();
    want.AppendRow(one.carried.view(), 1);
    want.AppendRow(one.carried.view(), 2);
    want.AppendNull();
    ExpectSameRows(back, want);
  }
}

TEST(ColumnCodec, VectorsTravelForValidRowsOnlyBothWays) {
  for (const TypeCase& one : AllTypes()) {
    if (!model::IsVector(one.column.type)) continue;
    SCOPED_TRACE(NameOf(one.column.type));
    Column column = one.column;
    column.AppendNull();
    column.AppendRow(one.column.view(), 0);
    const pb::FieldData field = Encoded(column);
    ASSERT_EQ(field.valid_data_size(), 5);
    const Column back = Decoded(field);
    ExpectSound(back);
    EXPECT_EQ(back.type, column.type);
    EXPECT_EQ(back.dim, column.dim);
    EXPECT_EQ(back.rows, 5u);
    EXPECT_EQ(back.valid, std::vector<uint8_t>({1, 1, 1, 0, 1}));
    pb::FieldData dense = field;
    dense.clear_valid_data();
    const Column valid_only = Decoded(dense);
    EXPECT_EQ(valid_only.rows, 4u);
    EXPECT_EQ(valid_only.view().Bytes(3), one.column.view().Bytes(0));
  }
}

TEST(ColumnCodec, AnAnswerOfNullVectorsStillSaysWhatTheyAre) {
  for (const TypeCase& one : AllTypes()) {
    if (!model::IsVector(one.column.type)) continue;
    SCOPED_TRACE(NameOf(one.column.type));
    Column nulls =
        model::MakeColumn(FieldId(101), "f", one.column.type, DataType::kNone, one.column.dim);
    nulls.AppendNull();
    nulls.AppendNull();
    const pb::FieldData field = Encoded(nulls);
    EXPECT_EQ(field.valid_data_size(), 2);
    EXPECT_EQ(field.vectors().dim(), one.column.dim);
    EXPECT_NE(field.vectors().data_case(), pb::VectorField::DATA_NOT_SET);
    EXPECT_EQ(Decoded(field).rows, 2u);
  }
}

TEST(ColumnCodec, SparseVectorsTravelAsPairsWithTheirWidth) {
  const pb::FieldData field = Encoded(SparseColumn({{{1, 0.5f}, {9, 2}}, {}}));
  const pb::SparseFloatArray& sparse = field.vectors().sparse_float_vector();
  ASSERT_EQ(sparse.contents_size(), 2);
  EXPECT_EQ(sparse.contents(0), Pairs({{1, 0.5f}, {9, 2}}));
  EXPECT_EQ(sparse.contents(1), "");
  EXPECT_EQ(sparse.dim(), 10);
}

TEST(ColumnCodec, AMaskWithoutNullsStaysAMask) {
  for (const TypeCase& one : AllTypes()) {
    SCOPED_TRACE(NameOf(one.column.type));
    pb::FieldData field = Encoded(one.column);
    for (int i = 0; i < 3; ++i) field.add_valid_data(true);
    Column carried = one.carried;
    carried.valid = {1, 1, 1};
    ExpectSameRows(Decoded(field), carried);
  }
}

TEST(ColumnCodec, MomentsAndLongTextsTravelAsTextsOfTheirType) {
  Column moments = TextColumn(DataType::kVarChar, {"2025-01-01T00:00:00Z", ""});
  moments.element_type = DataType::kTimestamptz;
  moments.valid = {1, 0};
  const pb::FieldData field = Encoded(moments);
  EXPECT_EQ(field.type(), pb::DataType::Timestamptz);
  EXPECT_EQ(field.scalars().string_data().data(0), "2025-01-01T00:00:00Z");
  ASSERT_EQ(field.valid_data_size(), 2);
  EXPECT_FALSE(field.valid_data(1));
  const pb::FieldData text = Encoded(TextColumn(DataType::kText, {"a", "b", ""}));
  EXPECT_EQ(text.type(), pb::DataType::Text);
  EXPECT_EQ(text.scalars().string_data().data(1), "b");
}

TEST(ColumnCodec, AMaskThatDoesNotFitTheValuesIsRefused) {
  for (const TypeCase& one : AllTypes()) {
    SCOPED_TRACE(NameOf(one.column.type));
    for (int ones : {0, 2, 4, 100}) {
      pb::FieldData field = Encoded(one.column);
      field.add_valid_data(false);
      for (int i = 0; i < ones; ++i) field.add_valid_data(true);
      EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << ones << " valid rows, three values";
    }
  }
}

TEST(ColumnCodec, AColumnOfNullsNeedsNoValuesAndNoType) {
  const std::function<void(pb::FieldData*)> kPayloads[] = {
      [](pb::FieldData*) {},
      [](pb::FieldData* to) { to->set_type(pb::Int64); },
      [](pb::FieldData* to) { to->mutable_scalars(); },
      [](pb::FieldData* to) { to->mutable_vectors(); },
      [](pb::FieldData* to) { to->mutable_scalars()->mutable_string_data(); },
      [](pb::FieldData* to) { to->mutable_scalars()->mutable_array_data(); },
      [](pb::FieldData* to) { to->mutable_vectors()->mutable_float_vector(); },
      [](pb::FieldData* to) { to->mutable_vectors()->mutable_sparse_float_vector(); },
      [](pb::FieldData* to) { to->mutable_vectors()->mutable_vector_array(); }};
  for (const auto& fill : kPayloads) {
    pb::FieldData field;
    field.set_field_name("f");
    fill(&field);
    for (int i = 0; i < 3; ++i) field.add_valid_data(false);
    const Column back = Decoded(field);
    ExpectSound(back);
    EXPECT_EQ(back.name, "f");
    EXPECT_EQ(back.type, DataType::kNone) << "nulls of any field";
    EXPECT_EQ(back.rows, 3u);
    EXPECT_EQ(back.valid, std::vector<uint8_t>({0, 0, 0}));
  }
}

TEST(ColumnCodec, TheMaskMayBeBesideTheValuesOrInsideOfThem) {
  for (const TypeCase& one : AllTypes()) {
    SCOPED_TRACE(NameOf(one.column.type));
    const std::vector<bool> mask = {true, false, true, true};  // Of three values.
    pb::FieldData beside = Encoded(one.column);
    pb::FieldData inside = beside;
    auto* bits = inside.has_vectors() ? inside.mutable_vectors()->mutable_valid_data()
                                      : inside.mutable_scalars()->mutable_valid_data();
    for (bool valid : mask) {
      beside.add_valid_data(valid);
      bits->Add(valid);
    }
    pb::FieldData both = inside;
    for (bool valid : mask) both.add_valid_data(valid);
    for (const pb::FieldData& other : {inside, both}) {
      const Column back = Decoded(other);
      ExpectSound(back);
      EXPECT_EQ(back.type, Decoded(beside).type);
      EXPECT_EQ(back.data, Decoded(beside).data);
      EXPECT_EQ(back.offsets, Decoded(beside).offsets);
      EXPECT_EQ(back.valid, std::vector<uint8_t>({1, 0, 1, 1}));
    }
    both.set_valid_data(0, false);
    both.set_valid_data(1, true);
    EXPECT_EQ(CodeOf(both), ErrorCode::kInvalidParameter) << "two that differ";
    bits->Add(true);
    EXPECT_EQ(CodeOf(inside), ErrorCode::kInvalidParameter) << "four valid rows, three values";
  }
}

TEST(ColumnCodec, ElementsOfListsAreNotNull) {
  pb::FieldData field;
  field.set_field_name("f");
  pb::ScalarField* row = field.mutable_scalars()->mutable_array_data()->add_data();
  row->mutable_long_data()->add_data(1);
  row->add_valid_data(true);
  EXPECT_EQ(Decoded(field).rows, 1u);
  row->add_valid_data(false);
  EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter);
}

TEST(ColumnCodec, AColumnWithoutDataIsRefused) {
  for (int type : {0, 1, 5, 20, 21, 22, 23, 101, 104, 200, 4242, -1}) {
    pb::FieldData field;
    field.set_field_name("bare");
    field.set_type(static_cast<pb::DataType>(type));
    EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << type;
    field.mutable_scalars();
    EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << type;
    field.add_valid_data(true);
    EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << type;
    field.clear_valid_data();
    field.mutable_vectors()->set_dim(4);
    EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << type;
  }
}

TEST(ColumnCodec, ScalarsThatAreNotBuiltAreRefused) {
  const std::function<void(pb::ScalarField*)> kFill[] = {
      [](pb::ScalarField* to) { to->mutable_bytes_data()->add_data("x"); },
      [](pb::ScalarField* to) { to->mutable_geometry_data()->add_data("x"); },
      [](pb::ScalarField* to) { to->mutable_timestamptz_data()->add_data(1); },
  };
  for (const auto& fill : kFill) {
    pb::FieldData field;
    field.set_field_name("f");
    fill(field.mutable_scalars());
    EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << field.ShortDebugString();
  }
}

TEST(ColumnCodec, TheDynamicFieldKeepsItsMark) {
  Column column = TextColumn(DataType::kJson, {R"({"a":1})"});
  column.is_dynamic = true;
  const pb::FieldData field = Encoded(column);
  EXPECT_TRUE(field.is_dynamic());
  EXPECT_TRUE(Decoded(field).is_dynamic);
}

TEST(ColumnCodec, ArraysOfEveryElementTypeComeBackAsTheyWere) {
  struct Case {
    DataType element;
    DataType carried;
    std::string sent, want;
  };
  const Case kCases[] = {
      {DataType::kBool, DataType::kBool, Packed<uint8_t>({1, 0}), Packed<uint8_t>({1, 0})},
      {DataType::kInt8, DataType::kInt32, Packed<int8_t>({-1, 2}), Packed<int32_t>({-1, 2})},
      {DataType::kInt16, DataType::kInt32, Packed<int16_t>({-1, 2}), Packed<int32_t>({-1, 2})},
      {DataType::kInt32, DataType::kInt32, Packed<int32_t>({-1, 2}), Packed<int32_t>({-1, 2})},
      {DataType::kInt64, DataType::kInt64, Packed<int64_t>({-1, 2}), Packed<int64_t>({-1, 2})},
      {DataType::kFloat, DataType::kFloat, Packed<float>({-1, 2}), Packed<float>({-1, 2})},
      {DataType::kDouble, DataType::kDouble, Packed<double>({-1, 2}), Packed<double>({-1, 2})},
      {DataType::kVarChar, DataType::kVarChar, PackedTexts({"", "ab"}), PackedTexts({"", "ab"})},
  };
  for (const Case& one : kCases) {
    SCOPED_TRACE(NameOf(one.element));
    Column column = TextColumn(DataType::kArray, {one.sent, ""}, one.element);
    column.AppendNull();
    pb::FieldData field = Encoded(column);
    const auto& arrays = field.scalars().array_data();
    EXPECT_EQ(arrays.element_type(), static_cast<pb::DataType>(one.element));
    ASSERT_EQ(arrays.data_size(), 3);
    EXPECT_NE(arrays.data(2).data_case(), pb::ScalarField::DATA_NOT_SET)
        << "clients read the typed member of a null row";
    field.clear_valid_data();
    const Column back = Decoded(field);
    ExpectSound(back);
    EXPECT_EQ(back.element_type, one.carried);
    EXPECT_EQ(back.view().Bytes(0), one.want);
    EXPECT_EQ(model::ArraySize(back.element_type, back.view().Bytes(0)), 2u);
    EXPECT_EQ(model::ArraySize(back.element_type, back.view().Bytes(1)), 0u);
  }
}

TEST(ColumnCodec, AnArrayMayLeaveItsElementTypeOutAndHaveEmptyRowsOfAnyType) {
  pb::FieldData field;
  field.set_field_name("f");
  auto* rows = field.mutable_scalars()->mutable_array_data()->mutable_data();
  rows->Add()->mutable_bool_data();
  rows->Add()->mutable_string_data();
  rows->Add()->mutable_int_data();
  rows->Add()->mutable_double_data()->add_data(2.5);
  const Column back = Decoded(field);
  ExpectSound(back);
  ASSERT_EQ(back.rows, 4u);
  EXPECT_EQ(back.view().Bytes(3), Packed<double>({2.5}));
}

TEST(ColumnCodec, ARowOfAnArrayThatIsNothingIsRefused) {
  pb::FieldData field;
  field.set_field_name("f");
  auto* rows = field.mutable_scalars()->mutable_array_data()->mutable_data();
  rows->Add()->mutable_long_data()->add_data(1);
  rows->Add();
  EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter);
}

TEST(ColumnCodec, RowsOfOneArrayWithDifferentElementTypesAreRefused) {
  pb::FieldData field;
  field.set_field_name("f");
  auto* rows = field.mutable_scalars()->mutable_array_data()->mutable_data();
  rows->Add()->mutable_long_data()->add_data(1);
  rows->Add()->mutable_string_data()->add_data("x");
  EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter);
}

TEST(ColumnCodec, ArraysOfArraysAndOfUnknownElementsAreRefused) {
  pb::FieldData nested;
  nested.set_field_name("an array");
  nested.mutable_scalars()->mutable_array_data()->add_data()->mutable_array_data()->add_data();
  EXPECT_EQ(CodeOf(nested), ErrorCode::kInvalidParameter);
  pb::FieldData json;
  json.set_field_name("an array");
  json.mutable_scalars()->mutable_array_data()->add_data()->mutable_json_data()->add_data("1");
  EXPECT_EQ(CodeOf(json), ErrorCode::kInvalidParameter);
}

pb::FieldData Vectors(int64_t dim, int values) {
  pb::FieldData field;
  field.set_field_name("v");
  field.set_type(pb::FloatVector);
  field.mutable_vectors()->set_dim(dim);
  auto* data = field.mutable_vectors()->mutable_float_vector();
  for (int i = 0; i < values; ++i) data->add_data(static_cast<float>(i));
  return field;
}

TEST(ColumnCodec, VectorsThatAreNotWholeRowsAreRefused) {
  EXPECT_EQ(Decoded(Vectors(4, 8)).rows, 2u);
  for (int64_t dim : {int64_t{0}, int64_t{-1}, int64_t{3}, int64_t{16}, INT64_MIN, INT64_MAX}) {
    EXPECT_EQ(CodeOf(Vectors(dim, 8)), ErrorCode::kInvalidParameter) << dim;
  }
  // Cut to 32 bits this would be a dim of 4.
  EXPECT_EQ(CodeOf(Vectors((int64_t{1} << 32) + 4, 0)), ErrorCode::kInvalidParameter);
}

TEST(ColumnCodec, NotANumberTravelsAndIsJudgedLater) {
  pb::FieldData field = Vectors(2, 2);
  field.mutable_vectors()->mutable_float_vector()->set_data(1, NAN);
  EXPECT_TRUE(std::isnan(Decoded(field).view().values<float>()[1]));
}

TEST(ColumnCodec, VectorsOfBytesThatAreNotWholeRowsAreRefused) {
  struct Bad {
    const char* what;
    int64_t dim;
    std::function<void(pb::VectorField*)> fill;
  };
  const Bad kBad[] = {
      {"bits of no whole byte", 12, [](auto* to) { to->set_binary_vector("ab"); }},
      {"bits of half a row", 16, [](auto* to) { to->set_binary_vector("abc"); }},
      {"bits without a dim", 0, [](auto* to) { to->set_binary_vector("ab"); }},
      {"half of a float16", 1, [](auto* to) { to->set_float16_vector("abc"); }},
      {"half a row of bfloat16", 2, [](auto* to) { to->set_bfloat16_vector("ab"); }},
      {"int8 without a dim", 0, [](auto* to) { to->set_int8_vector("ab"); }},
      {"int8 of a dim below 0", -2, [](auto* to) { to->set_int8_vector("ab"); }},
      {"a dim that four bytes an element do not hold", int64_t{1} << 30,
       [](auto* to) { to->set_int8_vector(""); }},
      {"half a pair", 0, [](auto* to) { to->mutable_sparse_float_vector()->add_contents("1234"); }},
      {"a pair and a half", 0,
       [](auto* to) { to->mutable_sparse_float_vector()->add_contents("123456781234"); }},
  };
  for (const Bad& bad : kBad) {
    pb::FieldData field;
    field.set_field_name("v");
    field.mutable_vectors()->set_dim(bad.dim);
    bad.fill(field.mutable_vectors());
    EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << bad.what;
  }
}

TEST(ColumnCodec, StructsAreNoColumns) {
  pb::FieldData structs;
  structs.set_field_name("s");
  structs.mutable_struct_arrays();
  EXPECT_EQ(CodeOf(structs), ErrorCode::kInvalidParameter);
}

TEST(ColumnCodec, IdsKeepTheTypeOfTheKey) {
  pb::IDs numbers;
  EncodeIds(FixedColumn<int64_t>(DataType::kInt64, {INT64_MIN, 7}), &numbers);
  ASSERT_EQ(numbers.int_id().data_size(), 2);
  EXPECT_EQ(numbers.int_id().data(0), INT64_MIN);
  EXPECT_EQ(numbers.int_id().data(1), 7);
  pb::IDs texts;
  EncodeIds(TextColumn(DataType::kVarChar, {"", "ä"}), &texts);
  ASSERT_EQ(texts.str_id().data_size(), 2);
  EXPECT_EQ(texts.str_id().data(1), "ä");
}

// Messages with nulls and without, of every type.
std::vector<std::string> GoodMessages() {
  std::vector<std::string> messages;
  for (const TypeCase& one : AllTypes()) {
    pb::FieldData field = Encoded(one.column);
    messages.push_back(field.SerializeAsString());
    for (bool valid : {true, false, true, true}) field.add_valid_data(valid);
    messages.push_back(field.SerializeAsString());
  }
  return messages;
}

// Whatever still is a message becomes a sound column or an error of the request.
void ExpectSoundOrRefused(const std::string& bytes, int& sound, int& refused) {
  pb::FieldData field;
  if (!field.ParseFromString(bytes)) return;
  const auto column = DecodeColumn(field);
  if (column.ok()) {
    ++sound;
    ExpectSound(*column);
    if (!IsDenseVector(column->type) || column->valid.empty()) Encoded(*column);
  } else {
    ++refused;
    const ErrorCode code = column.status().code();
    EXPECT_TRUE(code == ErrorCode::kInvalidParameter || code == ErrorCode::kUnimplemented)
        << column.status().ToString();
  }
}

TEST(ColumnCodec, TruncatedMessagesAreSoundOrRefused) {
  const google::protobuf::LogSilencer silence;
  int sound = 0, refused = 0;
  for (const std::string& whole : GoodMessages()) {
    for (size_t end = 0; end < whole.size(); ++end)
      ExpectSoundOrRefused(whole.substr(0, end), sound, refused);
  }
  EXPECT_GT(sound, 0);
  EXPECT_GT(refused, 0);
}

TEST(ColumnCodec, DamagedMessagesAreSoundOrRefused) {
  const google::protobuf::LogSilencer silence;
  std::mt19937 random(7);
  int sound = 0, refused = 0;
  for (const std::string& whole : GoodMessages()) {
    for (int round = 0; round < 2000; ++round) {
      std::string bytes = whole;
      for (uint32_t i = 0; i <= random() % 3; ++i)
        bytes[random() % bytes.size()] = static_cast<char>(random());
      ExpectSoundOrRefused(bytes, sound, refused);
    }
  }
  EXPECT_GT(sound, 1000);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace elanus::wire
