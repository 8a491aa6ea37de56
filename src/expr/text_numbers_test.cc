// Texts that count as numbers where an index casts them: rows that the index does not know are
// judged as if they held the numbers, and as the index judges its own.
#include "model/text_numbers.h"

#include <gtest/gtest.h>

#include <set>

#include "expr/expr.h"
#include "expr/json_path.h"
#include "expr/testing/text_numbers.h"
#include "index/scalar_index.h"

namespace elanus::expr {
namespace {

using testing::Dice;
using testing::kNumbersOfTexts;
using testing::kTextsAndNumbers;
using testing::World;

class TextNumbersTest : public ::testing::Test {
 protected:
  std::set<size_t> Passing(const World& world, const model::CollectionSchema& schema,
                           const std::string& filter) {
    const auto plan = Bind(filter, schema, {});
    EXPECT_TRUE(plan.ok()) << filter << ": " << plan.status().ToString();
    if (!plan.ok()) return {};
    Bitset matches;
    EXPECT_TRUE(Evaluate(ctx_, *plan, world, matches).ok()) << filter;
    std::set<size_t> rows;
    for (size_t i = 0; i < world.rows(); ++i) {
      if (matches.Test(i)) rows.insert(i);
    }
    return rows;
  }

  ManualClock clock_;
  Context ctx_{clock_};
};

TEST_F(TextNumbersTest, NumericFiltersReadTextsAsIfTheyWereTheirNumbers) {
  World::Documents texts, numbers;
  for (const testing::TextOrNumber& value : kTextsAndNumbers) {
    texts.push_back(fmt::format(R"({{"p": {}}})", value.text));
    numbers.push_back(fmt::format(R"({{"p": {}}})", value.number));
  }
  texts.push_back("{}");
  numbers.push_back("{}");
  const World read(texts), plain(numbers);
  model::CollectionSchema casts = read.schema();
  casts.fields[1].type_params.push_back({model::TextNumberKey("/p"), ""});
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    Dice dice(seed);
    const std::string filter = testing::DrawNumberTest(dice, "p");
    EXPECT_EQ(Passing(read, casts, filter), Passing(plain, plain.schema(), filter)) << filter;
  }
}

TEST_F(TextNumbersTest, TheIndexSaysTheSame) {
  model::Column json =
      model::MakeColumn(FieldId(101), "$meta", model::DataType::kJson, model::DataType::kNone, 0);
  World::Documents documents;
  for (const testing::TextOrNumber& value : kTextsAndNumbers) {
    documents.push_back(fmt::format(R"({{"p": {}}})", value.text));
    json.AppendBytes(documents.back());
  }
  const auto cast = ExtractJson(ctx_, json.view(), "/p", kStringToDouble);
  ASSERT_TRUE(cast.ok());
  const World world(documents);
  model::CollectionSchema casts = world.schema();
  casts.fields[1].type_params.push_back({model::TextNumberKey("/p"), ""});
  for (const char* constant : kNumbersOfTexts) {
    std::set<size_t> expected;
    for (size_t row = 0; row < cast->rows; ++row) {
      if (cast->view().IsValid(row) && cast->view().Get<double>(row) >= std::stod(constant)) {
        expected.insert(row);
      }
    }
    EXPECT_EQ(Passing(world, casts, fmt::format("p >= {}", constant)), expected) << constant;
  }
}

TEST_F(TextNumbersTest, TextsStayTextsAmongTextsAndElsewhere) {
  const World world(World::Documents{R"({"p": "1", "q": "1"})"});
  model::CollectionSchema casts = world.schema();
  casts.fields[1].type_params.push_back({model::TextNumberKey("/p"), ""});
  const std::set<size_t> found = {0};
  for (const char* filter :
       {R"(p == "1")", R"(p like "1%")", R"(p in ["1", 5])", R"(p in ["x", 1])", "p == 1"}) {
    EXPECT_EQ(Passing(world, casts, filter), found) << filter;
  }
  for (const char* filter : {"q == 1", "p + 1 == 2", "p != 1"}) {
    EXPECT_EQ(Passing(world, casts, filter), std::set<size_t>()) << filter;
  }
}

}  // namespace
}  // namespace elanus::expr
