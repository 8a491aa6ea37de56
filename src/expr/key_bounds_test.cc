// What filters say of the order of keys.
#include "expr/key_bounds.h"

#include <gtest/gtest.h>

#include "expr/node.h"

namespace elanus::expr {
namespace {

using model::DataType;

class KeyBoundsTest : public testing::Test {
 protected:
  KeyBounds Split(const std::string& text, DataType key = DataType::kInt64) {
    model::CollectionSchema schema;
    schema.fields.push_back(
        {.id = FieldId(100), .name = "id", .type = key, .is_primary_key = true});
    schema.fields.push_back({.id = FieldId(101), .name = "number", .type = DataType::kInt64});
    const auto plan = Bind(text, schema, {});
    EXPECT_TRUE(plan.ok()) << plan.status().ToString();
    return SplitKeyBounds(*plan);
  }
  // As "(3, 9]"; an open end is "-" or "+".
  static std::string Text(const KeyBounds& bounds) {
    const auto key = [](const KeyBound& bound) {
      return bound.key.is_int() ? std::to_string(bound.key.as_int()) : bound.key.as_string();
    };
    std::string text = !bounds.least             ? "-"
                       : bounds.least->is_inside ? "[" + key(*bounds.least)
                                                 : "(" + key(*bounds.least);
    text += ", ";
    if (!bounds.greatest) return text + "+";
    return text + key(*bounds.greatest) + (bounds.greatest->is_inside ? "]" : ")");
  }
};

TEST_F(KeyBoundsTest, EachComparisonIsABound) {
  EXPECT_EQ(Text(Split("id > 3")), "(3, +");
  EXPECT_EQ(Text(Split("id >= 3")), "[3, +");
  EXPECT_EQ(Text(Split("id < 3")), "-, 3)");
  EXPECT_EQ(Text(Split("id <= 3")), "-, 3]");
  EXPECT_EQ(Text(Split("id == 3")), "[3, 3]");
  EXPECT_EQ(Text(Split("3 <= id < 9")), "[3, 9)");
  EXPECT_EQ(Text(Split("id > \"b\"", DataType::kVarChar)), "(b, +");
  for (const char* text : {"id > 3", "id == 3", "3 < id <= 9", "id > 3 and id < 9"})
    EXPECT_TRUE(Split(text).rest.always_true()) << text;
}

TEST_F(KeyBoundsTest, TheStrictestOfSeveralHolds) {
  EXPECT_EQ(Text(Split("id >= 0 and id > 41 and id > 7")), "(41, +");
  EXPECT_EQ(Text(Split("id >= 41 and id > 41")), "(41, +");
  EXPECT_EQ(Text(Split("id > 41 and id >= 41")), "(41, +");
  EXPECT_EQ(Text(Split("id <= 9 and id < 9 and id < 100")), "-, 9)");
  EXPECT_EQ(Text(Split("id > \"a\" and id > \"ab\"", DataType::kVarChar)), "(ab, +");
}

TEST_F(KeyBoundsTest, WhatElseIsAskedIsTheRest) {
  const KeyBounds one = Split("number == 3 and id > 41");
  EXPECT_EQ(Text(one), "(41, +");
  ASSERT_FALSE(one.rest.always_true());
  EXPECT_EQ(one.rest.root()->kind, Node::Kind::kTest);
  const KeyBounds two = Split("number > 3 and id > 41 and number < 9");
  ASSERT_FALSE(two.rest.always_true());
  EXPECT_EQ(two.rest.root()->children.size(), 2u);
  for (const char* text : {"id > 41 or number == 3", "not (id > 41)", "number == 3", "id in [1, 2]",
                           "id != 3", "id % 2 == 1"}) {
    const KeyBounds none = Split(text);
    EXPECT_EQ(Text(none), "-, +") << text;
    EXPECT_FALSE(none.rest.always_true()) << text;
  }
  EXPECT_EQ(Text(Split("")), "-, +");
  EXPECT_TRUE(Split("").rest.always_true());
}

}  // namespace
}  // namespace elanus::expr
