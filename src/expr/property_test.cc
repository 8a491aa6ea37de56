// Random filters over random rows: bulk evaluation gives what a plain reading of the language
// gives; and no text whatever crashes.
#include <gtest/gtest.h>

#include "expr/testing/random_filter.h"

namespace elanus::expr {
namespace {

using testing::Dice;
using testing::DrawFilter;
using testing::Filter;
using testing::Truth;
using testing::World;

// The first row on which the evaluator and the reference differ, as words; empty: none.
std::string Difference(const World& world, const Filter& filter) {
  SystemClock clock;
  Context ctx(clock);
  const auto plan = Bind(filter.text, world.schema(), filter.templates);
  if (!plan.ok()) return plan.status().ToString();
  Bitset matches;
  if (const Status status = Evaluate(ctx, *plan, world, matches); !status.ok()) {
    return status.ToString();
  }
  for (size_t i = 0; i < world.rows(); ++i) {
    const testing::Row& row = world.table()[i];
    const bool wanted = filter.truth(row) == Truth::kTrue;
    if (matches.Test(i) == wanted) continue;
    std::string text = fmt::format("row {} should {}match:", i, wanted ? "" : "not ");
    for (const auto& [name, value] : row) {
      if (filter.text.find(name) != std::string::npos || name == "$meta") {
        text += fmt::format(" {} = {};", name, value.has_value() ? JsonOf(value) : "null");
      }
    }
    return text;
  }
  return "";
}

void ExpectAgreement(const World& world, uint64_t seed, int filters, int depth) {
  Dice dice(seed);
  for (int i = 0; i < testing::ShareOf(filters); ++i) {
    const Filter filter = DrawFilter(dice, depth);
    ASSERT_EQ(Difference(world, filter), "") << "filter " << i << ": " << filter.text;
  }
}

TEST(Property, LeavesAgreeWithTheReference) {
  ExpectAgreement(World(1, 300, /*answers=*/false), 101, 6000, /*depth=*/0);
}
TEST(Property, NestedFiltersAgreeWithTheReference) {
  ExpectAgreement(World(2, 130, /*answers=*/false), 102, 1500, /*depth=*/3);
}
TEST(Property, FiltersAgreeWhenIndexesAnswer) {
  ExpectAgreement(World(3, 130, /*answers=*/true), 103, 2000, /*depth=*/2);
}
TEST(Property, FiltersAgreeAcrossBatches) {
  ExpectAgreement(World(4, kBatchRows + 70, /*answers=*/false), 104, 12, /*depth=*/2);
  ExpectAgreement(World(5, kBatchRows + 70, /*answers=*/true), 105, 12, /*depth=*/2);
}

// Binds and, if that works, evaluates: any status is fine, but an error names the text.
void ExpectClearOutcome(const World& world, const std::string& text, const Templates& templates) {
  SystemClock clock;
  Context ctx(clock);
  const auto plan = Bind(text, world.schema(), templates);
  if (!plan.ok()) {
    const ErrorCode code = plan.status().code();
    EXPECT_TRUE(code == ErrorCode::kInvalidParameter || code == ErrorCode::kUnimplemented ||
                code == ErrorCode::kSegcore)
        << text;
    const std::string_view words = plan.status().message();
    EXPECT_TRUE(words.starts_with("cannot parse expression: ")) << words;
    EXPECT_FALSE(words.ends_with("error: ")) << words;
    return;
  }
  Bitset matches;
  const Status status = Evaluate(ctx, *plan, world, matches);
  EXPECT_TRUE(status.ok()) << text << ": " << status.ToString();
  EXPECT_EQ(matches.size(), world.rows());
}

TEST(AnyText, OfRandomBytesIsRefusedInWords) {
  const World world(6, 20, false);
  Dice dice(201);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (size_t n = dice.Below(40); n > 0; --n) text += static_cast<char>(dice.Below(256));
    ExpectClearOutcome(world, text, {});
  }
}

TEST(AnyText, OfWordsOfTheLanguageIsTakenOrRefusedInWords) {
  const World world(7, 20, false);
  static const std::string kWords[] = {"and",
                                       "or",
                                       "not",
                                       "!",
                                       "in",
                                       "like",
                                       "=~",
                                       "!~",
                                       "exists",
                                       "is null",
                                       "IS NOT NULL",
                                       "<",
                                       "<=",
                                       ">",
                                       ">=",
                                       "==",
                                       "!=",
                                       "+",
                                       "-",
                                       "*",
                                       "/",
                                       "%",
                                       "**",
                                       "&",
                                       "|",
                                       "^",
                                       "~",
                                       "<<",
                                       "=",
                                       "(",
                                       ")",
                                       "[",
                                       "]",
                                       "{",
                                       "}",
                                       ",",
                                       "{x}",
                                       "n8",
                                       "n64",
                                       "f64",
                                       "s",
                                       "flag",
                                       "j",
                                       "j[\"a\"]",
                                       "j[0]",
                                       "numbers",
                                       "numbers[0]",
                                       "words",
                                       "v",
                                       "$meta",
                                       "$meta[\"a\"]",
                                       "$[a]",
                                       "a",
                                       "1",
                                       "0",
                                       "2.5",
                                       "true",
                                       "\"a\"",
                                       "'%'",
                                       "r\"\\\"",
                                       "\"\\d\"",
                                       "9223372036854775808",
                                       "0x",
                                       "1e",
                                       "array_length",
                                       "array_contains",
                                       "JSON_CONTAINS_ALL",
                                       "random_sample",
                                       "text_match",
                                       "starts_with",
                                       "empty",
                                       "threshold",
                                       "iso",
                                       "interval",
                                       "null",
                                       "\n"};
  Dice dice(202);
  for (int i = 0; i < 60'000; ++i) {
    std::string text;
    for (size_t n = dice.Below(12); n > 0; --n) text += dice.Pick(kWords) + " ";
    ExpectClearOutcome(world, text, {{"x", model::Scalar(int64_t{1})}});
  }
}

TEST(AnyText, NearAValidFilterIsTakenOrRefusedInWords) {
  const World world(8, 20, false);
  Dice dice(203);
  for (int i = 0; i < 4000; ++i) {
    const Filter filter = DrawFilter(dice, 2);
    const Filter other = DrawFilter(dice, 1);
    std::string text = filter.text;
    for (size_t n = 1 + dice.Below(3); n > 0 && !text.empty(); --n) {
      const size_t at = dice.Below(text.size());
      switch (dice.Below(4)) {
        case 0:
          text.erase(at, 1 + dice.Below(4));
          break;
        case 1:
          text[at] = static_cast<char>(text[at] ^ (1 << dice.Below(8)));
          break;
        case 2:
          text.insert(at, other.text.substr(dice.Below(other.text.size())));
          break;
        default:
          text.insert(at, 1, text[dice.Below(text.size())]);
      }
    }
    ExpectClearOutcome(world, text, filter.templates);
  }
}

}  // namespace
}  // namespace elanus::expr
