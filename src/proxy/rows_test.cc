// What is refused of the rows of a write, with its code, and how rows are completed.
#include "proxy/rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "proxy/testing/key_collection.h"

namespace elanus::proxy {
namespace {

using model::Column;
using model::DataType;
using model::FieldSchema;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Column Empty(std::string name, DataType type, DataType element = DataType::kNone,
             uint32_t dim = 0) {
  return model::MakeColumn(FieldId(), std::move(name), type, element, dim);
}

template <class T>
Column Numbers(std::string name, DataType type, const std::vector<T>& values) {
  Column column = Empty(std::move(name), type);
  for (T value : values) column.AppendFixed(&value);
  return column;
}

Column Texts(std::string name, DataType type, const std::vector<std::string>& values) {
  Column column = Empty(std::move(name), type);
  for (const std::string& value : values) column.AppendBytes(value);
  return column;
}

Column Vectors(const std::vector<std::vector<float>>& rows, uint32_t dim = 2) {
  Column column = Empty("v", DataType::kFloatVector, DataType::kNone, dim);
  for (const std::vector<float>& row : rows) column.AppendFixed(row.data());
  return column;
}

template <class T>
std::string Packed(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

Column Array(std::string name, DataType element, const std::vector<std::string>& rows) {
  Column column = Empty(std::move(name), DataType::kArray, element);
  for (const std::string& row : rows) column.AppendBytes(row);
  return column;
}

Column Dynamic(const std::vector<std::string>& rows) {
  Column column = Texts("", DataType::kJson, rows);
  column.is_dynamic = true;
  return column;
}

std::string Nested(size_t depth) {
  std::string text = "{\"k\":";
  text.append(depth, '[').append(depth, ']').push_back('}');
  return text;
}

// A collection of key `id`, vector `v` and one field `x` of the test's own.
class Rows : public KeyCollectionTest {
 protected:
  Rows() { AddField({.name = "v", .type = DataType::kFloatVector, .type_params = {{"dim", "2"}}}); }

  void AddField(FieldSchema field) {
    if (field.name.empty()) field.name = "x";
    KeyCollectionTest::AddField(std::move(field));
  }
  void AddDynamicField() {
    info_.schema.enable_dynamic_field = true;
    AddField({.name = std::string(model::kDynamicFieldName),
              .type = DataType::kJson,
              .is_dynamic = true,
              .nullable = true});
  }

  Result<std::vector<Column>> Complete(std::vector<Column> columns, uint64_t rows,
                                       bool upsert = false) {
    Context ctx(clock_);
    TRY_ASSIGN(GivenRows given,
               AcceptRows(cluster_->services(), info_,
                          {.columns = std::move(columns), .num_rows = rows, .upsert = upsert}));
    return FinishRows(ctx, cluster_->services(), info_, std::move(given), upsert);
  }

  // With keys and vectors for one row beside `x`.
  Result<std::vector<Column>> WithX(Column x) {
    return Complete(
        {Numbers<int64_t>("id", DataType::kInt64, {1}), Vectors({{0, 0}}), std::move(x)}, 1);
  }

  static void ExpectRefused(const Result<std::vector<Column>>& result, std::string_view words) {
    ASSERT_FALSE(result.ok()) << words;
    EXPECT_EQ(result.status().code(), ErrorCode::kInvalidParameter);
    EXPECT_NE(result.status().message().find(words), std::string_view::npos)
        << result.status().message();
  }

  static const Column& Find(const std::vector<Column>& columns, std::string_view name) {
    for (const Column& column : columns) {
      if (column.name == name) return column;
    }
    CHECK(false && "the column is there");
  }
};

// -- Shape ----------------------------------------------------------------------------------------

TEST_F(Rows, ComeBackInTheOrderOfTheSchemaWithItsFieldIds) {
  const auto columns =
      Complete({Vectors({{1, 2}, {3, 4}}), Numbers<int64_t>("id", DataType::kInt64, {7, 8})}, 2);
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  ASSERT_EQ(columns->size(), 2u);
  EXPECT_EQ((*columns)[0].name, "id");
  EXPECT_EQ((*columns)[0].field_id, FieldId(100));
  EXPECT_EQ((*columns)[0].view().Get<int64_t>(1), 8);
  EXPECT_EQ((*columns)[1].field_id, FieldId(101));
  EXPECT_EQ((*columns)[1].rows, 2u);
}

TEST_F(Rows, AreAtLeastOne) { ExpectRefused(Complete({}, 0), "num_rows"); }

TEST_F(Rows, AreAsManyInEveryColumnAsTheRequestSays) {
  ExpectRefused(Complete({Numbers<int64_t>("id", DataType::kInt64, {1, 2}), Vectors({{0, 0}})}, 2),
                "v");
  ExpectRefused(
      Complete({Numbers<int64_t>("id", DataType::kInt64, {1, 2}), Vectors({{0, 0}, {0, 0}})}, 3),
      "num_rows");
}

TEST_F(Rows, AreCountedBeforeAnyIsMade) {
  info_.schema.fields[0].auto_id = true;
  AddField({.name = "first", .type = DataType::kInt64, .nullable = true});
  std::rotate(info_.schema.fields.begin(), info_.schema.fields.end() - 1,
              info_.schema.fields.end());
  // As many nulls or keys would not fit in any memory.
  constexpr uint64_t kTooMany = uint64_t{1} << 62;
  ExpectRefused(Complete({Vectors({{0, 0}})}, kTooMany), "num_rows (1) of field (v)");
  ExpectRefused(Complete({Numbers<int64_t>("first", DataType::kInt64, {1}), Vectors({{0, 0}})},
                         kTooMany, /*upsert=*/true),
                "num_rows");
  ExpectRefused(Complete({}, kTooMany), "fieldSchema(v)");
}

TEST_F(Rows, HaveEveryFieldThatIsNeitherNullableNorDefaulted) {
  AddField({.type = DataType::kInt64});
  ExpectRefused(Complete({Numbers<int64_t>("id", DataType::kInt64, {1}), Vectors({{0, 0}})}, 1),
                "x");
  ExpectRefused(Complete({Vectors({{0, 0}}), Numbers<int64_t>("x", DataType::kInt64, {1})}, 1),
                "id");
  ExpectRefused(Complete({Numbers<int64_t>("id", DataType::kInt64, {1}),
                          Numbers<int64_t>("x", DataType::kInt64, {1})},
                         1),
                "v");
}

TEST_F(Rows, HaveNoColumnThatTheSchemaDoesNotHave) {
  ExpectRefused(WithX(Numbers<int64_t>("x", DataType::kInt64, {1})), "x");
}

TEST_F(Rows, HaveEachColumnOnce) {
  ExpectRefused(WithX(Numbers<int64_t>("id", DataType::kInt64, {1})), "duplicated");
}

TEST_F(Rows, OfAnotherTypeThanTheFieldAreRefused) {
  AddField({.type = DataType::kInt64});
  ExpectRefused(WithX(Numbers<double>("x", DataType::kDouble, {1})), "got Double, want Int64");
  ExpectRefused(WithX(Numbers<int32_t>("x", DataType::kInt32, {1})), "got Int32, want Int64");
  ExpectRefused(WithX(Texts("x", DataType::kVarChar, {"1"})), "got VarChar, want Int64");
  ExpectRefused(WithX(Texts("x", DataType::kJson, {"1"})), "got JSON, want Int64");
}

TEST_F(Rows, OfAVectorInAScalarFieldAreRefusedAndTheOtherWayRound) {
  AddField({.type = DataType::kFloat});
  Column vectors = Vectors({{0, 0}});
  vectors.name = "x";
  ExpectRefused(WithX(std::move(vectors)), "want Float");
  ExpectRefused(Complete({Numbers<int64_t>("id", DataType::kInt64, {1}),
                          Numbers<float>("v", DataType::kFloat, {1}),
                          Numbers<float>("x", DataType::kFloat, {1})},
                         1),
                "want FloatVector");
}

// -- Vectors and floating numbers -----------------------------------------------------------------

TEST_F(Rows, WithAnotherDimThanTheFieldAreRefused) {
  ExpectRefused(
      Complete({Numbers<int64_t>("id", DataType::kInt64, {1}), Vectors({{0, 0, 0}}, 3)}, 1), "dim");
}

TEST_F(Rows, WithVectorsThatAreNotFiniteAreRefused) {
  for (float bad : {std::nanf(""), kInfinity, -kInfinity}) {
    ExpectRefused(
        Complete({Numbers<int64_t>("id", DataType::kInt64, {1, 2}), Vectors({{0, 0}, {0, bad}})},
                 2),
        "v");
  }
  EXPECT_TRUE(Complete({Numbers<int64_t>("id", DataType::kInt64, {1}),
                        Vectors({{std::numeric_limits<float>::max(), -0.0f}})},
                       1)
                  .ok());
}

TEST_F(Rows, WithFloatsThatAreNotFiniteAreRefused) {
  AddField({.type = DataType::kFloat});
  for (float bad : {std::nanf(""), kInfinity, -kInfinity}) {
    ExpectRefused(WithX(Numbers<float>("x", DataType::kFloat, {bad})), "x");
  }
  EXPECT_TRUE(WithX(Numbers<float>("x", DataType::kFloat, {-1.5f})).ok());
}

TEST_F(Rows, WithDoublesThatAreNotFiniteAreRefused) {
  AddField({.type = DataType::kDouble});
  for (double bad : {std::nan(""), double{kInfinity}, -double{kInfinity}}) {
    ExpectRefused(WithX(Numbers<double>("x", DataType::kDouble, {bad})), "x");
  }
  EXPECT_TRUE(WithX(Numbers<double>("x", DataType::kDouble, {1e308})).ok());
}

TEST_F(Rows, OfHalfPrecisionComeAsHalvesOrAsFloats) {
  AddField({.type = DataType::kFloat16Vector, .type_params = {{"dim", "2"}}});
  Column floats = Vectors({{1, -2}});
  floats.name = "x";
  const auto converted = WithX(floats);
  ASSERT_TRUE(converted.ok()) << converted.status().ToString();
  EXPECT_EQ(Find(*converted, "x").type, DataType::kFloat16Vector);
  Column halves = Empty("x", DataType::kFloat16Vector, DataType::kNone, 2);
  const uint16_t bits[2] = {0x3C00, 0xC000};
  halves.AppendFixed(bits);
  const auto columns = WithX(halves);
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  EXPECT_EQ(Find(*columns, "x").data, Find(*converted, "x").data);
  ExpectRefused(WithX(Empty("x", DataType::kBFloat16Vector, DataType::kNone, 2)), "x");
}

TEST_F(Rows, OfAnotherKindOfVectorAreRefused) {
  AddField({.type = DataType::kBinaryVector, .type_params = {{"dim", "16"}}});
  Column bits = Empty("x", DataType::kBinaryVector, DataType::kNone, 16);
  bits.AppendFixed("ab");
  EXPECT_TRUE(WithX(bits).ok());
  Column floats = Vectors({{1, -2}});
  floats.name = "x";
  ExpectRefused(WithX(floats), "got FloatVector, want BinaryVector");
  Column narrow = Empty("x", DataType::kBinaryVector, DataType::kNone, 8);
  narrow.AppendFixed("a");
  ExpectRefused(WithX(narrow), "dim");
  Column sparse = Empty("x", DataType::kSparseFloatVector);
  sparse.AppendBytes("");
  ExpectRefused(WithX(sparse), "got SparseFloatVector, want BinaryVector");
}

TEST_F(Rows, MayHaveNullVectorsWhereTheFieldIsNullable) {
  AddField({.type = DataType::kInt8Vector, .nullable = true, .type_params = {{"dim", "2"}}});
  Column keys = Numbers<int64_t>("id", DataType::kInt64, {1, 2, 3});
  const Column vectors = Vectors({{0, 0}, {0, 0}, {0, 0}});
  // As they arrive: null rows have no bytes.
  Column x = Empty("x", DataType::kInt8Vector, DataType::kNone, 2);
  x.AppendFixed("ab");
  x.valid = {0, 1, 0};
  x.rows = 3;
  const auto columns = Complete({keys, vectors, x}, 3);
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  EXPECT_EQ(Find(*columns, "x").data, std::vector<uint8_t>({0, 0, 'a', 'b', 0, 0}));
  EXPECT_EQ(Find(*columns, "x").valid, std::vector<uint8_t>({0, 1, 0}));
  Column none = Empty("x", DataType::kNone);  // Nulls alone have no type.
  none.valid = {0, 0, 0};
  none.rows = 3;
  for (const auto& only_nulls :
       {Complete({keys, vectors, none}, 3), Complete({keys, vectors}, 3)}) {
    ASSERT_TRUE(only_nulls.ok()) << only_nulls.status().ToString();
    EXPECT_EQ(Find(*only_nulls, "x").data, std::vector<uint8_t>(6, 0));
    EXPECT_EQ(Find(*only_nulls, "x").valid, std::vector<uint8_t>({0, 0, 0}));
  }
  info_.schema.fields.back().nullable = false;
  ExpectRefused(Complete({keys, vectors, none}, 3), "not nullable");
}

TEST_F(Rows, OfNullsDoNotFillMoreThanIsAllowed) {
  AddField({.type = DataType::kFloatVector, .nullable = true, .type_params = {{"dim", "32768"}}});
  const uint64_t rows = 3000;  // Of 128 KiB.
  Column keys = Empty("id", DataType::kInt64);
  Column vectors = Vectors({});
  for (uint64_t i = 0; i < rows; ++i) {
    keys.AppendFixed(&i);
    vectors.AppendNull();
  }
  vectors.valid.clear();
  const auto columns = Complete({keys, vectors}, rows);
  ASSERT_FALSE(columns.ok());
  EXPECT_EQ(columns.status().code(), ErrorCode::kParameterTooLarge);
}

// -- Narrow integers ------------------------------------------------------------------------------

TEST_F(Rows, OfInt8AreNarrowedAndNamedWhenTheyDoNotFit) {
  AddField({.type = DataType::kInt8});
  const auto columns = WithX(Numbers<int32_t>("x", DataType::kInt32, {-128}));
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  EXPECT_EQ(Find(*columns, "x").type, DataType::kInt8);
  EXPECT_EQ(Find(*columns, "x").view().Get<int8_t>(0), -128);
  ExpectRefused(WithX(Numbers<int32_t>("x", DataType::kInt32, {128})), "128");
  ExpectRefused(WithX(Numbers<int32_t>("x", DataType::kInt32, {-129})), "-129");
}

TEST_F(Rows, OfInt16AreNarrowedAndNamedWhenTheyDoNotFit) {
  AddField({.type = DataType::kInt16});
  const auto columns = WithX(Numbers<int32_t>("x", DataType::kInt32, {32767}));
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  EXPECT_EQ(Find(*columns, "x").view().Get<int16_t>(0), 32767);
  ExpectRefused(WithX(Numbers<int32_t>("x", DataType::kInt32, {32768})), "32768");
  ExpectRefused(WithX(Numbers<int32_t>("x", DataType::kInt32, {-2147483647})), "-2147483647");
}

// -- Texts ----------------------------------------------------------------------------------------

TEST_F(Rows, OfTextAreMeasuredInBytes) {
  AddField({.type = DataType::kVarChar, .type_params = {{"max_length", "4"}}});
  EXPECT_TRUE(WithX(Texts("x", DataType::kVarChar, {"abcd"})).ok());
  EXPECT_TRUE(WithX(Texts("x", DataType::kVarChar, {""})).ok());
  ExpectRefused(WithX(Texts("x", DataType::kVarChar, {"abcde"})), "length: 5");
  ExpectRefused(WithX(Texts("x", DataType::kVarChar, {"\u4e2d\u6587"})), "length: 6");
}

TEST_F(Rows, OfTextAreUtf8) {
  AddField({.type = DataType::kVarChar, .type_params = {{"max_length", "16"}}});
  for (const char* good : {"\u00e4", "\u4e2d", "\U0001F600", "\U0010FFFF"}) {
    EXPECT_TRUE(WithX(Texts("x", DataType::kVarChar, {good})).ok()) << good;
  }
  // A lone lead, a lone follower, cut short, overlong, a surrogate, beyond the last code point.
  for (const char* bad : {"\xff", "\x80", "a\xe4\xb8", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80"}) {
    ExpectRefused(WithX(Texts("x", DataType::kVarChar, {bad})), "UTF-8");
  }
}

// -- Nulls and defaults ---------------------------------------------------------------------------

TEST_F(Rows, WithNullsInAFieldThatTakesNoneAreRefused) {
  AddField({.type = DataType::kInt64});
  Column nulls = Empty("x", DataType::kInt64);
  nulls.AppendNull();
  ExpectRefused(WithX(std::move(nulls)), "not nullable");
}

TEST_F(Rows, WithANullKeyAreRefused) {
  Column keys = Empty("id", DataType::kInt64);
  keys.AppendNull();
  ExpectRefused(Complete({std::move(keys), Vectors({{0, 0}})}, 1), "id");
}

TEST_F(Rows, KeepTheNullsOfANullableField) {
  AddField({.type = DataType::kInt8, .nullable = true});
  Column some = Numbers<int32_t>("x", DataType::kInt32, {5});
  some.AppendNull();
  const auto columns = Complete({Numbers<int64_t>("id", DataType::kInt64, {1, 2}),
                                 Vectors({{0, 0}, {0, 0}}), std::move(some)},
                                2);
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  const Column& x = Find(*columns, "x");
  EXPECT_EQ(x.valid, (std::vector<uint8_t>{1, 0}));
  EXPECT_EQ(x.view().Get<int8_t>(0), 5);
}

TEST_F(Rows, AreNullWhereANullableFieldIsLeftOut) {
  AddField({.type = DataType::kVarChar, .nullable = true, .type_params = {{"max_length", "4"}}});
  const auto columns =
      Complete({Numbers<int64_t>("id", DataType::kInt64, {1, 2}), Vectors({{0, 0}, {0, 0}})}, 2);
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  EXPECT_EQ(Find(*columns, "x").valid, (std::vector<uint8_t>{0, 0}));
}

TEST_F(Rows, TakeTheDefaultWhereAFieldIsLeftOutOrNull) {
  for (bool nullable : {false, true}) {
    SCOPED_TRACE(nullable);
    info_.schema.fields.resize(2);
    AddField({.type = DataType::kInt16, .nullable = nullable, .default_value = int64_t{-7}});
    const auto left_out =
        Complete({Numbers<int64_t>("id", DataType::kInt64, {1}), Vectors({{0, 0}})}, 1);
    ASSERT_TRUE(left_out.ok()) << left_out.status().ToString();
    EXPECT_EQ(Find(*left_out, "x").view().Get<int16_t>(0), -7);
    EXPECT_TRUE(Find(*left_out, "x").valid.empty());

    Column some = Numbers<int32_t>("x", DataType::kInt32, {5});
    some.AppendNull();
    const auto filled = Complete({Numbers<int64_t>("id", DataType::kInt64, {1, 2}),
                                  Vectors({{0, 0}, {0, 0}}), std::move(some)},
                                 2);
    ASSERT_TRUE(filled.ok()) << filled.status().ToString();
    EXPECT_EQ(Find(*filled, "x").view().Get<int16_t>(0), 5);
    EXPECT_EQ(Find(*filled, "x").view().Get<int16_t>(1), -7);
    EXPECT_TRUE(Find(*filled, "x").view().IsValid(1));
  }
}

TEST_F(Rows, TakeDefaultsOfEveryTypeThatHasThem) {
  AddField({.name = "b", .type = DataType::kBool, .default_value = true});
  AddField({.name = "i", .type = DataType::kInt64, .default_value = int64_t{1} << 40});
  AddField({.name = "f", .type = DataType::kFloat, .default_value = 0.5});
  AddField({.name = "d", .type = DataType::kDouble, .default_value = 0.25});
  AddField({.name = "s",
            .type = DataType::kVarChar,
            .type_params = {{"max_length", "4"}},
            .default_value = std::string("none")});
  const auto columns =
      Complete({Numbers<int64_t>("id", DataType::kInt64, {1}), Vectors({{0, 0}})}, 1);
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  EXPECT_EQ(Find(*columns, "b").view().Get<uint8_t>(0), 1);
  EXPECT_EQ(Find(*columns, "i").view().Get<int64_t>(0), int64_t{1} << 40);
  EXPECT_EQ(Find(*columns, "f").view().Get<float>(0), 0.5f);
  EXPECT_EQ(Find(*columns, "d").view().Get<double>(0), 0.25);
  EXPECT_EQ(Find(*columns, "s").view().Bytes(0), "none");
}

// -- JSON and the dynamic field -------------------------------------------------------------------

TEST_F(Rows, OfJsonAreStoredAsTheyAreWhenTheyAreNotTooLong) {
  AddField({.type = DataType::kJson});
  // The last are no JSON, which only the dynamic field has to be.
  for (const char* text : {"{}", "[1, null]", "5", "null", "", "{", "text", "{'a': 1}", "[1,]"}) {
    const auto columns = WithX(Texts("x", DataType::kJson, {text}));
    ASSERT_TRUE(columns.ok()) << text << ": " << columns.status().ToString();
    EXPECT_EQ(Find(*columns, "x").view().Bytes(0), text);
  }
  std::string most(65536, 'a');
  most.front() = most.back() = '"';
  EXPECT_TRUE(WithX(Texts("x", DataType::kJson, {most})).ok());
  most.push_back(' ');
  ExpectRefused(WithX(Texts("x", DataType::kJson, {most})), "65537");
}

TEST_F(Rows, OfDynamicKeysAreObjects) {
  AddDynamicField();
  const auto columns = WithX(Dynamic({"{\"color\": \"red\"}"}));
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  EXPECT_EQ(Find(*columns, "$meta").view().Bytes(0), "{\"color\": \"red\"}");
  EXPECT_TRUE(Find(*columns, "$meta").is_dynamic);
  for (const char* bad : {"[1]", "5", "\"text\"", "null", "{", ""}) {
    ExpectRefused(WithX(Dynamic({bad})), "dynamic field");
  }
}

TEST_F(Rows, OfDynamicKeysDoNotHideAField) {
  AddDynamicField();
  ExpectRefused(WithX(Dynamic({"{\"id\": 1}"})), "id");
  ExpectRefused(WithX(Dynamic({"{\"a\": 1, \"v\": 1}"})), "v");
  ExpectRefused(WithX(Dynamic({"{\"$meta\": 1}"})), "$meta");
  EXPECT_TRUE(WithX(Dynamic({"{\"nested\": {\"id\": 1}}"})).ok());
}

TEST_F(Rows, OfDynamicKeysDoNotNestWithoutEnd) {
  AddDynamicField();
  EXPECT_TRUE(WithX(Dynamic({Nested(900)})).ok());
  ExpectRefused(WithX(Dynamic({Nested(30000)})), "dynamic field");
}

TEST_F(Rows, WithoutDynamicKeysHaveAnEmptyObject) {
  AddDynamicField();
  const auto columns =
      Complete({Numbers<int64_t>("id", DataType::kInt64, {1}), Vectors({{0, 0}})}, 1);
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  EXPECT_EQ(Find(*columns, "$meta").view().Bytes(0), "{}");
}

TEST_F(Rows, WhoseDynamicKeysAreNullHaveAnEmptyObject) {
  AddDynamicField();
  Column some = Dynamic({"{\"a\":1}"});
  some.AppendNull();
  Column none = Dynamic({});
  none.type = DataType::kNone;
  none.AppendNull();
  none.AppendNull();
  for (const Column& keys : {some, none}) {
    const auto columns = Complete(
        {Numbers<int64_t>("id", DataType::kInt64, {1, 2}), Vectors({{0, 0}, {0, 0}}), keys}, 2);
    ASSERT_TRUE(columns.ok()) << columns.status().ToString();
    EXPECT_EQ(Find(*columns, "$meta").view().Bytes(1), "{}");
    EXPECT_TRUE(Find(*columns, "$meta").view().IsValid(1));
  }
}

TEST_F(Rows, WithDynamicKeysNeedADynamicField) {
  ExpectRefused(WithX(Dynamic({"{\"a\": 1}"})), "dynamic");
  ExpectRefused(WithX(Texts("$meta", DataType::kJson, {"{}"})), "$meta");
}

// -- Arrays ---------------------------------------------------------------------------------------

TEST_F(Rows, OfArraysAreNoLongerThanTheirCapacity) {
  AddField({.type = DataType::kArray,
            .element_type = DataType::kInt64,
            .type_params = {{"max_capacity", "2"}}});
  const auto columns =
      WithX(Array("x", DataType::kInt64, {Packed<int64_t>({1, int64_t{1} << 50})}));
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  EXPECT_EQ(Find(*columns, "x").view().Bytes(0), Packed<int64_t>({1, int64_t{1} << 50}));
  EXPECT_TRUE(WithX(Array("x", DataType::kInt64, {""})).ok());
  ExpectRefused(WithX(Array("x", DataType::kInt64, {Packed<int64_t>({1, 2, 3})})), "capacity");
}

TEST_F(Rows, OfArraysHaveTheElementsOfTheField) {
  AddField({.type = DataType::kArray,
            .element_type = DataType::kFloat,
            .type_params = {{"max_capacity", "4"}}});
  EXPECT_TRUE(WithX(Array("x", DataType::kFloat, {Packed<float>({0.5f})})).ok());
  ExpectRefused(WithX(Array("x", DataType::kDouble, {Packed<double>({0.5})})), "element type");
  ExpectRefused(WithX(Numbers<float>("x", DataType::kFloat, {0.5f})), "want Array");
}

TEST_F(Rows, OfArraysOfNarrowIntegersAreNarrowed) {
  AddField({.type = DataType::kArray,
            .element_type = DataType::kInt8,
            .type_params = {{"max_capacity", "4"}}});
  const auto columns = WithX(Array("x", DataType::kInt32, {Packed<int32_t>({-128, 127})}));
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  EXPECT_EQ(Find(*columns, "x").element_type, DataType::kInt8);
  EXPECT_EQ(Find(*columns, "x").view().Bytes(0), Packed<int8_t>({-128, 127}));
  ExpectRefused(WithX(Array("x", DataType::kInt32, {Packed<int32_t>({0, 128})})), "128");
}

TEST_F(Rows, OfArraysOfTextsAreMeasuredElementByElement) {
  AddField({.type = DataType::kArray,
            .element_type = DataType::kVarChar,
            .type_params = {{"max_capacity", "2"}, {"max_length", "3"}}});
  const auto texts = [](std::vector<std::string_view> list) { return model::PackTexts(list); };
  EXPECT_TRUE(WithX(Array("x", DataType::kVarChar, {texts({"abc", ""})})).ok());
  ExpectRefused(WithX(Array("x", DataType::kVarChar, {texts({"a", "abcd"})})), "x");
  ExpectRefused(WithX(Array("x", DataType::kVarChar, {texts({"\xff"})})), "UTF-8");
  ExpectRefused(WithX(Array("x", DataType::kVarChar, {texts({"a", "b", "c"})})), "capacity");
}

TEST_F(Rows, OfArraysMayBeNullWhereTheFieldIsNullable) {
  AddField({.type = DataType::kArray,
            .element_type = DataType::kInt16,
            .nullable = true,
            .type_params = {{"max_capacity", "4"}}});
  Column some = Array("x", DataType::kInt32, {Packed<int32_t>({7})});
  some.AppendNull();
  const auto columns = Complete({Numbers<int64_t>("id", DataType::kInt64, {1, 2}),
                                 Vectors({{0, 0}, {0, 0}}), std::move(some)},
                                2);
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  EXPECT_EQ(Find(*columns, "x").valid, (std::vector<uint8_t>{1, 0}));
  EXPECT_EQ(Find(*columns, "x").view().Bytes(0), Packed<int16_t>({7}));
}

// -- Keys that the server gives -------------------------------------------------------------------

TEST_F(Rows, OfAnAutoIdCollectionGetKeysOfTheirOwn) {
  info_.schema.fields[0].auto_id = true;
  std::set<int64_t> keys;
  for (int i = 0; i < 3; ++i) {
    const auto columns = Complete({Vectors({{0, 0}, {0, 0}})}, 2);
    ASSERT_TRUE(columns.ok()) << columns.status().ToString();
    for (size_t row = 0; row < 2; ++row) keys.insert(Find(*columns, "id").view().Get<int64_t>(row));
  }
  EXPECT_EQ(keys.size(), 6u);
}

TEST_F(Rows, OfAnAutoIdCollectionMayNotBringKeys) {
  info_.schema.fields[0].auto_id = true;
  ExpectRefused(Complete({Numbers<int64_t>("id", DataType::kInt64, {1}), Vectors({{0, 0}})}, 1),
                "autoID");
}

TEST_F(Rows, OfAnAutoIdCollectionMayBringKeysWhenItsPropertySaysSo) {
  info_.schema.fields[0].auto_id = true;
  for (const char* yes : {"true", "True", "TRUE", "t", "T", "1"}) {
    info_.properties = {{"allow_insert_auto_id", yes}};
    const auto columns =
        Complete({Numbers<int64_t>("id", DataType::kInt64, {77}), Vectors({{0, 0}})}, 1);
    ASSERT_TRUE(columns.ok()) << yes << ": " << columns.status().ToString();
    EXPECT_EQ(Find(*columns, "id").view().Get<int64_t>(0), 77);
  }
}

TEST_F(Rows, OfAnUpsertIntoAnAutoIdCollectionGetNewKeys) {
  info_.schema.fields[0].auto_id = true;
  const auto columns = Complete({Numbers<int64_t>("id", DataType::kInt64, {77}), Vectors({{0, 0}})},
                                1, /*upsert=*/true);
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  EXPECT_NE(Find(*columns, "id").view().Get<int64_t>(0), 77);
}

TEST_F(Rows, OfAnAutoIdTextKeyAreNumbersWhateverTheLengthLimit) {
  info_.schema.fields[0].type = DataType::kVarChar;
  info_.schema.fields[0].type_params = {{"max_length", "2"}};
  info_.schema.fields[0].auto_id = true;
  const auto columns = Complete({Vectors({{0, 0}})}, 1);
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  const std::string_view key = Find(*columns, "id").view().Bytes(0);
  EXPECT_GT(key.size(), 2u);
  EXPECT_EQ(key.find_first_not_of("0123456789"), std::string_view::npos);
}

}  // namespace
}  // namespace elanus::proxy
