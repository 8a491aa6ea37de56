// What filters tell of the values of one field.
#include "expr/key_values.h"

#include <gtest/gtest.h>

#include "expr/testing/world.h"

namespace elanus::expr {
namespace {

using model::Scalar;
using Values = std::optional<std::vector<Scalar>>;

const testing::World& TheWorld() {
  static const testing::World kWorld(1, 10, /*answers=*/false);
  return kWorld;
}

FieldId Id(std::string_view name) { return TheWorld().schema().FindField(name)->id; }

Plan PlanOf(std::string_view text) {
  auto plan = Bind(text, TheWorld().schema(), {});
  EXPECT_TRUE(plan.ok()) << text << ": " << plan.status().ToString();
  return *plan;
}

std::vector<Scalar> Ints(std::vector<int64_t> values) { return {values.begin(), values.end()}; }

TEST(KeyValues, EqualitiesAndListsTellThem) {
  const FieldId key = Id("id");
  EXPECT_EQ(PossibleValues(PlanOf("id == 7"), key), Values(Ints({7})));
  EXPECT_EQ(PossibleValues(PlanOf("7 == id"), key), Values(Ints({7})));
  EXPECT_EQ(PossibleValues(PlanOf("id in [9, 3, 9]"), key), Values(Ints({3, 9})));
  EXPECT_EQ(PossibleValues(PlanOf("s == \"a\""), Id("s")), Values({Scalar(std::string("a"))}));
  EXPECT_EQ(PossibleValues(PlanOf("s in [\"b\", \"a\"]"), Id("s")),
            Values({Scalar(std::string("a")), Scalar(std::string("b"))}));
}

TEST(KeyValues, AndNarrowsAndOrWidens) {
  const FieldId key = Id("id");
  EXPECT_EQ(PossibleValues(PlanOf("id == 7 and n16 > 3"), key), Values(Ints({7})));
  EXPECT_EQ(PossibleValues(PlanOf("n16 > 3 and (id in [1, 2, 3] and id in [2, 3, 4])"), key),
            Values(Ints({2, 3})));
  EXPECT_EQ(PossibleValues(PlanOf("id == 7 or id == 5"), key), Values(Ints({5, 7})));
  EXPECT_EQ(PossibleValues(PlanOf("(id == 7 and n16 > 3) or (id == 5 and n16 < 3)"), key),
            Values(Ints({5, 7})));
  EXPECT_EQ(PossibleValues(PlanOf("id == 1 and id == 2"), key), Values(Ints({})));
}

TEST(KeyValues, AnythingElseTellsNothing) {
  const FieldId key = Id("id");
  for (const char* text :
       {"", "n16 == 3", "id > 3", "id != 3", "not (id == 3)", "id == 3 or n16 == 3",
        "id not in [1, 2]", "1 < id < 3", "id + 1 == 3", "id == n16"}) {
    EXPECT_EQ(PossibleValues(PlanOf(text), key), std::nullopt) << text;
  }
}

TEST(KeyValues, OneValueIsRequiredByOneEqualityAlone) {
  const FieldId key = Id("id");
  for (const char* text :
       {"id == 7", "id == 7 and n16 > 3", "n16 > 3 and (flag == true and id == 7)"}) {
    const auto value = RequiredValue(PlanOf(text), key);
    ASSERT_TRUE(value.has_value()) << text;
    EXPECT_EQ(value->as_int(), 7);
  }
  for (const char* text :
       {"", "n16 == 3", "id in [7]", "id in [7, 8]", "id == 7 or n16 == 3", "id == 7 and id == 8",
        "id == 7 and id > 3", "id == 7 and (id == 7 or n16 == 3)", "not (id == 7)", "id > 7",
        "id == 7 and id == n16"}) {
    EXPECT_EQ(RequiredValue(PlanOf(text), key), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace elanus::expr
