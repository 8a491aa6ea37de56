// Rows brought together: their values are those of the source, and what is evaluated over them is
// what is true of them among all others.
#include "expr/gathered_rows.h"

#include <gtest/gtest.h>

#include "expr/testing/random_filter.h"

namespace elanus::expr {
namespace {

using testing::Dice;
using testing::DrawFilter;
using testing::Filter;
using testing::Truth;
using testing::World;

constexpr size_t kRows = 5 * kBatchRows + 41;

std::vector<uint32_t> Draw(Dice& dice, size_t count) {
  Bitset drawn(kRows);
  for (size_t i = 0; i < count; ++i) drawn.Set(dice.Below(kRows));
  drawn.Set(0);
  drawn.Set(kRows - 1);
  return ListRows(drawn.view(), kRows).value();
}

TEST(GatheredRows, HaveTheValuesOfTheirSource) {
  const World world(1, kRows, /*answers=*/false);
  Dice dice(2);
  const std::vector<uint32_t> rows = Draw(dice, 2 * kBatchRows);
  ASSERT_GT(rows.size(), kBatchRows);
  const GatheredRows gathered(world, rows);
  ASSERT_EQ(gathered.rows(), rows.size());
  for (const model::FieldSchema& field : world.schema().fields) {
    for (size_t begin = 0; begin < rows.size(); begin += kBatchRows) {
      const size_t count = std::min(kBatchRows, rows.size() - begin);
      const auto part = gathered.Read(field.id, begin, count);
      ASSERT_TRUE(part.ok());
      ASSERT_EQ(part->rows, count);
      for (size_t i = 0; i < count; ++i) {
        const auto one = world.Read(field.id, rows[begin + i], 1);
        ASSERT_EQ(part->IsValid(i), one->IsValid(0)) << field.name;
        ASSERT_EQ(part->Bytes(i), one->Bytes(0)) << field.name << " of row " << rows[begin + i];
      }
    }
  }
}

TEST(GatheredRows, AreListedUpToALimit) {
  Bitset bits(200);
  for (size_t row : {0u, 63u, 64u, 199u}) bits.Set(row);
  EXPECT_EQ(ListRows(bits.view(), 4), (std::vector<uint32_t>{0, 63, 64, 199}));
  EXPECT_EQ(ListRows(bits.view(), 3), std::nullopt);
  EXPECT_EQ(ListRows(Bitset(200).view(), 0), std::vector<uint32_t>());
  const std::vector<uint32_t> rows = {5, 63, 199};
  EXPECT_EQ(ListRows(GatherBits(bits, rows).view(), 3), (std::vector<uint32_t>{1, 2}));
}

// Filters over few rows of many, which an index has left or somebody has chosen.
class FewRowsTest : public ::testing::TestWithParam<bool> {
 protected:
  static constexpr size_t kFew = 400;  // Of texts and the like in two parts.
  static constexpr int kFilters = 40;

  void ExpectRows(const Filter& filter, const std::vector<uint32_t>& among, const Bitset& found) {
    Bitset wanted(kRows);
    for (uint32_t row : among) {
      if (filter.truth(world_.table()[row]) == Truth::kTrue) wanted.Set(row);
    }
    ASSERT_EQ(ListRows(found.view(), kRows), ListRows(wanted.view(), kRows)) << filter.text;
  }

  ManualClock clock_;
  Context ctx_{clock_};
  const World world_{7, kRows, /*answers=*/GetParam()};
  Dice dice_{8};
};

TEST_P(FewRowsTest, AnswerAsTheReference) {
  for (int i = 0; i < kFilters; ++i) {
    const Filter filter = DrawFilter(dice_, /*depth=*/3);
    const std::vector<uint32_t> among = Draw(dice_, kFew);
    const auto plan = Bind(filter.text, world_.schema(), filter.templates);
    ASSERT_TRUE(plan.ok()) << plan.status().ToString();
    Bitset candidates(kRows);
    for (uint32_t row : among) candidates.Set(row);
    Bitset found;
    ASSERT_TRUE(EvaluateAmong(ctx_, *plan, world_, candidates, found).ok()) << filter.text;
    ExpectRows(filter, among, found);
  }
}

TEST_P(FewRowsTest, AnswerAsTheReferenceBesideAConjunctThatLeavesThem) {
  for (int i = 0; i < kFilters; ++i) {
    const Filter filter = DrawFilter(dice_, /*depth=*/3);
    const std::vector<uint32_t> among = Draw(dice_, kFew);
    std::string text = "id in [";
    for (uint32_t row : among) text += fmt::format("{}, ", row);
    text += fmt::format("] and ({})", filter.text);
    const auto plan = Bind(text, world_.schema(), filter.templates);
    ASSERT_TRUE(plan.ok()) << plan.status().ToString();
    Bitset found;
    ASSERT_TRUE(Evaluate(ctx_, *plan, world_, found).ok()) << filter.text;
    ExpectRows(filter, among, found);
  }
}

INSTANTIATE_TEST_SUITE_P(Indexes, FewRowsTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Answer" : "AreNone"; });

}  // namespace
}  // namespace elanus::expr
