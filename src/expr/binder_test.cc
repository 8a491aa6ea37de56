// What binding accepts, refuses and with which code; and what a plan tells of itself.
#include <gtest/gtest.h>

#include <cmath>

#include "expr/expr.h"
#include "expr/testing/world.h"

namespace elanus::expr {
namespace {

using model::Scalar;
using testing::World;

const World& TheWorld() {
  static const World kWorld(1, 40, /*answers=*/false);
  return kWorld;
}

Status StatusOf(std::string_view text, const Templates& templates = {}) {
  return Bind(text, TheWorld().schema(), templates).status();
}
ErrorCode CodeOf(std::string_view text, const Templates& templates = {}) {
  return StatusOf(text, templates).code();
}
void ExpectWords(std::string_view text, std::string_view words) {
  const Status status = StatusOf(text);
  EXPECT_EQ(status.code(), ErrorCode::kInvalidParameter) << text;
  EXPECT_NE(status.message().find(words), std::string_view::npos)
      << text << ": " << status.message();
}

size_t CountOf(std::string_view text, const Templates& templates = {}) {
  SystemClock clock;
  Context ctx(clock);
  const auto plan = Bind(text, TheWorld().schema(), templates);
  EXPECT_TRUE(plan.ok()) << text << ": " << plan.status().ToString();
  Bitset matches;
  EXPECT_TRUE(Evaluate(ctx, *plan, TheWorld(), matches).ok());
  return matches.Count();
}

TEST(Binder, TakesAnEmptyTextForEveryRow) {
  for (const char* text : {"", " \t\r\n", "true", "1 == 1", "n8 == 1 or true", "not (1 > 2)"}) {
    EXPECT_TRUE(Bind(text, TheWorld().schema(), {})->always_true()) << text;
  }
}

TEST(Binder, SaysWhatIsWrong) {
  ExpectWords("1 + 1", "not a boolean expression");
  ExpectWords("n8", "not a boolean expression");
  ExpectWords("n8 == null", "NULL literal is not supported");
  ExpectWords("n8[0] == 1", "data type not supported accessed with []");
  ExpectWords("numbers[\"a\"] == 1", "can only access array field with integer index");
  ExpectWords("n8 == 1.5", "casted to Int8");
  ExpectWords("s in [\"a\", 1]", "casted to VarChar");
  ExpectWords("n8 in 1", "value is not array");
  ExpectWords("numbers in [1]", "'in' on a whole array");
  ExpectWords("(n8 + 1) in [1]", "'term' can only be used on single field");
  ExpectWords("2 < n8 < 1", "lowerbound is greater than upperbound");
  ExpectWords("true < flag < false", "range operations are not supported on flag");
  ExpectWords("n8 like \"a\"", "like operation on non-string");
  ExpectWords("s =~ \"(\"", "invalid regular expression");
  ExpectWords("exists n8", "only supported on a JSON path");
  ExpectWords("exists j", "only supported on a JSON path");
  ExpectWords("numbers[0] is null", "not supported on array element access");
  ExpectWords("v is null", "not supported on vector fields");
  ExpectWords("v == 1", "cannot be used in a comparison");
  ExpectWords("j[\"a\"] == j[\"b\"]", "two column comparison with JSON type");
  ExpectWords("n8 + n16 == 1", "between one field and a constant");
  ExpectWords("n8 / 0 == 1", "divide by zero");
  ExpectWords("n8 << 1 == 2", "shift operators are not supported");
  ExpectWords("~1 == 2", "'~' is not supported");
  ExpectWords("array_contains_all(numbers, 1)", "operation element must be an array");
  ExpectWords("array_length(s) == 1", "only supported on JSON or array fields");
  ExpectWords("array_length(numbers) == 1.5", "compared with an integer");
  ExpectWords("st_isvalid(s)", "st_isvalid operation on non-geometry field is unsupported");
  ExpectWords("st_within(g, 1)", "st_within needs a geometry as well-known text");
  ExpectWords("st_within(g, \"POINT(1)\")", "st_within: not a geometry: expected a finite number");
  ExpectWords("ST_DWITHIN(g, \"POINT EMPTY\", 1)",
              "st_dwithin: not a geometry: the geometry must be");
  ExpectWords("g in []", "'in' on field g of type Geometry is not supported");
  ExpectWords("v in []", "'in' on field v of type FloatVector is not supported");
  ExpectWords("not n8 > 1", "between boolean expressions");
  ExpectWords("s == \"\\d\"", "invalid escape");
}

TEST(Binder, AllowsAnUnknownEscapeInTheTextOfARegexOnly) {
  EXPECT_EQ(CodeOf(R"(s =~ "\d")"), ErrorCode::kOk);
  EXPECT_EQ(CodeOf(R"(s !~ '\w+\.')"), ErrorCode::kOk);
  for (const char* text :
       {R"(s like "\d")", R"("\d" < s < "z")", R"(s in ["\d"])", R"(array_contains(words, "\d"))",
        R"(starts_with(s, "\d"))", R"("\d" =~ s)", R"(j["a"] == ["\d"])"}) {
    EXPECT_EQ(CodeOf(text), ErrorCode::kInvalidParameter) << text;
  }
}

TEST(Binder, HandsARawPatternToTheRegexAsWritten) {
  // One backslash as text: twice in a raw pattern, four times in an ordinary one.
  EXPECT_GT(CountOf(R"(s =~ r"\\")"), 0u);
  EXPECT_EQ(CountOf(R"(s =~ r"\\")"), CountOf(R"(s =~ "\\\\")"));
  EXPECT_EQ(CountOf(R"(s =~ r"\\")"), CountOf("s =~ {p}", {{"p", Scalar(std::string("\\\\"))}}));
}

TEST(Binder, GivesTheCodeOfTheStageThatRefuses) {
  EXPECT_EQ(CodeOf("nosuch(s)"), ErrorCode::kSegcore);
  EXPECT_EQ(CodeOf("starts_with(n8, \"a\")"), ErrorCode::kSegcore);
  EXPECT_EQ(CodeOf("starts_with(s)"), ErrorCode::kSegcore);
  EXPECT_EQ(CodeOf("empty(words)"), ErrorCode::kSegcore);
  EXPECT_EQ(CodeOf("numbers[0] == numbers[1]"), ErrorCode::kSegcore);
  EXPECT_EQ(CodeOf("s like \"a\\\\\""), ErrorCode::kSegcore);
  EXPECT_EQ(CodeOf("n8 > ISO \"2025-01-01T00:00:00Z\""), ErrorCode::kInvalidParameter);
}

TEST(Binder, KnowsKeywordsOfFunctionsInTwoCasesAndOthersInAny) {
  EXPECT_EQ(CodeOf("ARRAY_LENGTH(numbers) == 1"), ErrorCode::kOk);
  EXPECT_EQ(CodeOf("Array_Length(numbers) == 1"), ErrorCode::kSegcore);
  EXPECT_EQ(CodeOf("Json_Contains(j, 1)"), ErrorCode::kSegcore);
  EXPECT_EQ(CodeOf("sTaRtS_wItH(s, \"a\")"), ErrorCode::kOk);
}

TEST(Binder, TakesPlaceholdersWhereConstantsStandAlone) {
  const Templates t = {{"x", Scalar(int64_t{1})},
                       {"xs", Scalar(model::ScalarList{Scalar(int64_t{1})})},
                       {"yes", Scalar(true)},
                       {"p", Scalar(std::string("a%"))}};
  for (const char* text : {"n8 == {x}", "{x} <= n8", "{x} <= n8 < 5", "n8 in {xs}",
                           "n8 not in {xs}", "n8 + {x} == {x}", "s like {p}",
                           "array_contains(numbers, {x})", "array_contains_any(numbers, {xs})",
                           "array_length(numbers) == {x}", "f64 > {x}", "flag == {yes}"}) {
    EXPECT_EQ(CodeOf(text, t), ErrorCode::kOk) << text;
  }
  for (const char* text : {"{x} == 1", "n8 == {x} + 1", "n8 in [{x}]", "random_sample({x})",
                           "n8 == -{x}", "{yes}", "not {yes}", "{yes} and n8 == 1", "n8 == {none}",
                           "s like {x}", "n8 == {p}", "j[{x}] == 1", "n8 in {x}"}) {
    EXPECT_EQ(CodeOf(text, t), ErrorCode::kInvalidParameter) << text;
  }
}

TEST(Binder, RefusesARandomSampleThatIsNotTheLastOfAnAnd) {
  for (const char* text :
       {"random_sample(0.5)", "n8 > 0 and random_sample(0.5)", "(n8 > 0 and random_sample(0.5))",
        "n8 > 0 and (n16 > 0 and random_sample(0.5))", "true and random_sample(0.5)"}) {
    EXPECT_EQ(CodeOf(text), ErrorCode::kOk) << text;
  }
  for (const char* text :
       {"random_sample(1)", "random_sample(0.0)", "random_sample(1.0)", "random_sample(1.5)",
        "random_sample()", "random_sample(0.5, 0.5)", "random_sample(n8)",
        "random_sample(0.5) and n8 > 0", "n8 > 0 or random_sample(0.5)", "not random_sample(0.5)",
        "not (n8 > 0 and random_sample(0.5))", "n8 > 0 or (n8 < 5 and random_sample(0.5))",
        "(n8 > 0 and random_sample(0.5)) and n8 < 5",
        "random_sample(0.5) and random_sample(0.5)"}) {
    EXPECT_EQ(CodeOf(text), ErrorCode::kInvalidParameter) << text;
  }
}

TEST(Binder, ComparesAFloatColumnAsItWasStored) {
  EXPECT_GT(CountOf("f32 == 0.1"), 0u);
  EXPECT_EQ(CountOf("f32 == 0.1"), CountOf("f32 in [0.1]"));
  EXPECT_EQ(CountOf("f32 <= 0.1") - CountOf("f32 < 0.1"), CountOf("f32 == 0.1"));
}

TEST(Binder, HoldsNanFromATemplateUnequalToEverything) {
  const Templates t = {{"x", Scalar(NAN)}, {"xs", Scalar(model::ScalarList{Scalar(NAN)})}};
  for (const char* text :
       {"f64 == {x}", "f64 < {x}", "f64 >= {x}", "f64 in {xs}", "reals[0] == {x}",
        "reals[0] <= {x}", "j[\"a\"] == {x}", "j[\"a\"] >= {x}", "array_contains(reals, {x})",
        "json_contains(j[\"a\"], {x})", "f64 * {x} == 1"}) {
    EXPECT_EQ(CountOf(text, t), 0u) << text;
  }
  EXPECT_EQ(CountOf("f64 != {x}", t), CountOf("f64 is not null"));
  EXPECT_EQ(CodeOf("{x} < f64 < 1", t), ErrorCode::kInvalidParameter);
}

TEST(Binder, ReadsAMixedListOfNumbersOverJsonAsFloats) {
  const World world({R"({"a": 9007199254740993})", R"({"a": 9007199254740992})"});
  const auto count = [&](std::string_view text) {
    SystemClock clock;
    Context ctx(clock);
    Bitset matches;
    const auto plan = Bind(text, world.schema(), {});
    EXPECT_TRUE(plan.ok() && Evaluate(ctx, *plan, world, matches).ok());
    return matches.Count();
  };
  EXPECT_EQ(count("a in [9007199254740993]"), 1u);
  EXPECT_EQ(count("a in [9007199254740993, 0.5]"), 2u);
  EXPECT_EQ(count("9007199254740992 < a < 9007199254740994"), 1u);
  EXPECT_EQ(count("0.5 < a <= 9007199254740992"), 2u);
}

TEST(Binder, FindsTheFieldsOfAPlan) {
  const auto fields = [](std::string_view text) {
    return Bind(text, TheWorld().schema(), {})->fields().size();
  };
  EXPECT_EQ(fields("true"), 0u);
  EXPECT_EQ(fields("n8 == 1 and n8 == 2"), 1u);
  EXPECT_EQ(fields("n8 == n16 or exists a or not (j[\"b\"] == 1)"), 4u);
}

TEST(Binder, FindsALookupByKeyWithItsKeysAsWritten) {
  const auto keys = [](std::string_view text) {
    return Bind(text, TheWorld().schema(), {})->primary_keys();
  };
  const Scalar one = int64_t{1}, two = int64_t{2};
  EXPECT_EQ(*keys("id == 1"), (model::ScalarList{one}));
  EXPECT_EQ(*keys("1 == id"), (model::ScalarList{one}));
  EXPECT_EQ(*keys("id in [2, 1, 2]"), (model::ScalarList{two, one, two}));
  EXPECT_EQ(*keys("true and (id in [1])"), (model::ScalarList{one}));
  EXPECT_EQ(keys("id in []")->size(), 0u);
  for (const char* text : {"id != 1", "id > 1", "id not in [1]", "not (id == 1)", "id + 1 == 2",
                           "id == 1 or id == 2", "id == 1 and n8 == 1", "n64 == 1"}) {
    EXPECT_FALSE(keys(text).has_value()) << text;
  }
}

TEST(Binder, KnowsNoDynamicNamesWithoutADynamicField) {
  model::CollectionSchema schema = TheWorld().schema();
  schema.fields.pop_back();
  const Status status = Bind("nosuch == 1", schema, {}).status();
  EXPECT_NE(status.message().find("field nosuch not exist"), std::string_view::npos);
  EXPECT_EQ(Bind("$meta[\"a\"] == 1", schema, {}).status().code(), ErrorCode::kInvalidParameter);
}

}  // namespace
}  // namespace elanus::expr
