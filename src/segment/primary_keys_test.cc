// Looking rows up by key, in rows that lie in key order and in others.
#include "segment/primary_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace elanus::segment {
namespace {

using model::Column;
using model::DataType;

Column Ints(const std::vector<int64_t>& values) {
  Column column = model::MakeColumn(FieldId(100), "id", DataType::kInt64, DataType::kNone, 0);
  for (const int64_t& value : values) column.AppendFixed(&value);
  return column;
}
Column Texts(const std::vector<std::string>& values) {
  Column column = model::MakeColumn(FieldId(100), "id", DataType::kVarChar, DataType::kNone, 0);
  for (const std::string& value : values) column.AppendBytes(value);
  return column;
}
std::vector<uint32_t> RowsOf(const PrimaryKeys& keys, const Column& wanted) {
  std::vector<uint32_t> rows;
  KeyLookup(keys).ForEachEqual(wanted.view(), 0, [&](uint32_t row) { rows.push_back(row); });
  return rows;
}

TEST(PrimaryKeys, FindsRowsThatLieInKeyOrderWithoutAnyMemory) {
  const Column column = Ints({-5, 1, 1, 7, 9});
  const PrimaryKeys keys(column.view());
  EXPECT_EQ(keys.memory_bytes(), 0u);
  EXPECT_EQ(RowsOf(keys, Ints({1})), (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(RowsOf(keys, Ints({-5})), (std::vector<uint32_t>{0}));
  EXPECT_EQ(RowsOf(keys, Ints({9})), (std::vector<uint32_t>{4}));
  EXPECT_EQ(RowsOf(keys, Ints({8})), (std::vector<uint32_t>{}));
  EXPECT_EQ(RowsOf(keys, Ints({10})), (std::vector<uint32_t>{}));
}

TEST(PrimaryKeys, FindsRowsInAnyOrder) {
  const Column column = Texts({"pear", "apple", "fig", "apple", ""});
  const PrimaryKeys keys(column.view());
  EXPECT_EQ(keys.memory_bytes(), 5 * sizeof(uint32_t));
  EXPECT_EQ(RowsOf(keys, Texts({"apple"})), (std::vector<uint32_t>{1, 3}));
  EXPECT_EQ(RowsOf(keys, Texts({""})), (std::vector<uint32_t>{4}));
  EXPECT_EQ(RowsOf(keys, Texts({"plum"})), (std::vector<uint32_t>{}));
  const Column none = Texts({});
  EXPECT_EQ(RowsOf(PrimaryKeys(none.view()), Texts({"a"})), (std::vector<uint32_t>{}));
}

TEST(PrimaryKeys, AreFoundOneAfterTheOtherInWhateverOrderTheyAreAskedFor) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < 2000; ++i) values.push_back(i * 2 / 3);  // Some once, some twice.
  const Column column = Ints(values);
  const PrimaryKeys keys(column.view());
  std::mt19937 random(5);
  for (const bool ascends : {true, false}) {
    std::vector<int64_t> wanted;
    for (int64_t i = 0; i < 5000; ++i) {
      wanted.push_back(ascends ? i - 500 : static_cast<int64_t>(random() % 4000) - 500);
    }
    const Column asked = Ints(wanted);
    KeyLookup walk(keys);
    for (size_t i = 0; i < wanted.size(); ++i) {
      std::vector<uint32_t> rows;
      walk.ForEachEqual(asked.view(), i, [&](uint32_t row) { rows.push_back(row); });
      const auto [first, last] = std::equal_range(values.begin(), values.end(), wanted[i]);
      ASSERT_EQ(rows.size(), static_cast<size_t>(last - first)) << wanted[i];
      if (rows.empty()) continue;
      EXPECT_EQ(rows[0], first - values.begin());
    }
  }
}

TEST(PrimaryKeys, AskTheFilterBeforeTheySearch) {
  const Column column = Texts({"pear", "apple", "fig", "apple"});
  store::KeyFilterBuilder filter(column.rows);
  for (size_t row = 0; row < column.rows; ++row) filter.Add(column.view().Bytes(row));
  const PrimaryKeys keys(column.view(), store::KeyFilter(filter.bytes()));
  EXPECT_EQ(RowsOf(keys, Texts({"apple"})), (std::vector<uint32_t>{1, 3}));
  EXPECT_EQ(RowsOf(keys, Texts({"fig"})), (std::vector<uint32_t>{2}));
  const auto searches = [](const PrimaryKeys& in, const Column& wanted) {
    return KeyLookup(in).ForEachEqual(wanted.view(), 0, [](uint32_t) {});
  };
  EXPECT_TRUE(searches(keys, Texts({"fig"})));
  EXPECT_FALSE(searches(keys, Texts({"plum"})));
  EXPECT_TRUE(searches(PrimaryKeys(column.view()), Texts({"plum"}))) << "without a filter";
}

}  // namespace
}  // namespace elanus::segment
