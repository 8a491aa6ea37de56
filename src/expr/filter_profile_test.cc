// What a filter says of itself in a profile, and filters asked of some rows only.
#include "expr/filter_profile.h"

#include <gtest/gtest.h>

#include "expr/describe.h"

namespace elanus::expr {
namespace {

using model::DataType;

constexpr size_t kRows = 20'000;
constexpr FieldId kKey{100};
constexpr FieldId kNumber{101};
constexpr FieldId kName{102};

class Source final : public ColumnSource {
 public:
  Source()
      : keys_(model::MakeColumn(kKey, "id", DataType::kInt64, DataType::kNone, 0)),
        numbers_(model::MakeColumn(kNumber, "number", DataType::kInt64, DataType::kNone, 0)),
        names_(model::MakeColumn(kName, "name", DataType::kVarChar, DataType::kNone, 0)) {
    for (size_t row = 0; row < kRows; ++row) {
      const auto key = static_cast<int64_t>(row);
      const int64_t number = key % 100;
      keys_.AppendFixed(&key);
      numbers_.AppendFixed(&number);
      names_.AppendBytes("name " + std::to_string(number));
    }
  }
  size_t rows() const override { return kRows; }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    rows_read_ += count;
    const model::Column& column = field == kKey ? keys_ : field == kNumber ? numbers_ : names_;
    return column.view().Slice(begin, count);
  }
  std::string_view NameOf(FieldId field) const override {
    return field == kKey ? "id" : field == kNumber ? "number" : "name";
  }
  // An index on numbers that knows single values.
  model::IndexPromise Estimate(const model::Predicate& predicate) const override {
    if (predicate.field != kNumber || predicate.op != model::Compare::kEq) return {};
    return {.coverage = model::Coverage::kExact, .rows = 200, .cost_ns = 10, .index = "INVERTED"};
  }
  Result<model::Coverage> Answer(Context&, const model::Predicate& predicate, Bitset& matches,
                                 Bitset*) const override {
    for (size_t row = 0; row < kRows; ++row) {
      if (static_cast<int64_t>(row % 100) == predicate.values[0].as_int()) matches.Set(row);
    }
    return model::Coverage::kExact;
  }
  size_t rows_read() const { return rows_read_; }

 private:
  model::Column keys_;
  model::Column numbers_;
  model::Column names_;
  mutable size_t rows_read_ = 0;
};

class FilterProfileTest : public testing::Test {
 protected:
  FilterProfileTest() {
    schema_.fields.push_back(
        {.id = kKey, .name = "id", .type = DataType::kInt64, .is_primary_key = true});
    schema_.fields.push_back({.id = kNumber, .name = "number", .type = DataType::kInt64});
    schema_.fields.push_back({.id = kName, .name = "name", .type = DataType::kVarChar});
  }
  Plan Bound(const std::string& text) {
    auto plan = Bind(text, schema_, {});
    EXPECT_TRUE(plan.ok()) << plan.status().ToString();
    return *plan;
  }
  static std::string Text(const ProfileNode& node, const char* key) {
    return node.Find(key) == nullptr ? "" : std::get<std::string>(*node.Find(key));
  }
  static int64_t Number(const ProfileNode& node, const char* key) {
    return node.Find(key) == nullptr ? -1 : std::get<int64_t>(*node.Find(key));
  }

  SystemClock clock_;
  Context ctx_{clock_};
  model::CollectionSchema schema_;
  Source source_;
};

TEST_F(FilterProfileTest, TellsWhoAnsweredEachConditionAndHowManyRowsWereLeft) {
  ProfileStep step(ctx_, "filter", true, 100);
  Bitset matches;
  ASSERT_TRUE(
      Evaluate(step.ctx(), Bound("name like \"%7%\" and number == 7"), source_, matches).ok());
  step.End();
  ASSERT_EQ(step.tree()->children.size(), 2u);
  const ProfileNode* by_index = step.tree()->children[0].get();
  const ProfileNode* by_rows = step.tree()->children[1].get();
  if (Text(*by_index, "text").starts_with("name")) std::swap(by_index, by_rows);
  EXPECT_EQ(Text(*by_index, "text"), "number == 7");
  EXPECT_EQ(Text(*by_index, "by"), "INVERTED");
  EXPECT_EQ(Number(*by_index, "rows_before"), 20'000);
  EXPECT_EQ(Number(*by_index, "rows_after"), 200);
  EXPECT_EQ(Text(*by_rows, "text"), "name like \"%7%\"");
  EXPECT_EQ(Text(*by_rows, "by"), "rows");
  EXPECT_EQ(Text(*by_rows, "why"), "no index answers it");
  EXPECT_EQ(Number(*by_rows, "rows_before"), 200);
  EXPECT_EQ(Number(*by_rows, "rows_after"), 200);
}

TEST_F(FilterProfileTest, SaysNothingUnlessAsked) {
  Bitset matches;
  ASSERT_TRUE(Evaluate(ctx_, Bound("number == 7"), source_, matches).ok());
  EXPECT_EQ(FilterProfile::Make(ctx_, *Bound("number == 7").root(), source_), nullptr);
}

TEST_F(FilterProfileTest, WritesConditionsAsPeopleDo) {
  const auto text = [&](const std::string& filter) {
    return Describe(*Bound(filter).root(), source_);
  };
  EXPECT_EQ(text("number != 3"), "number != 3");
  EXPECT_EQ(text("3 < number <= 2 + 5"), "3 < number <= 7");
  EXPECT_EQ(text("number in [3, 1, 2]"), "number in [1, 2, 3]");
  EXPECT_EQ(text("number in [1, 2, 3, 4, 5, 6, 7]"),
            "number in [1, 2, 3, 4, 5, ... 7 values in all]");
  EXPECT_EQ(text("name == \"a\""), "name == \"a\"");
  EXPECT_EQ(text("name like \"ab%\""), "name like \"ab%\"");
  EXPECT_EQ(text("number % 7 == 2"), "number % 7 == 2");
  EXPECT_EQ(text("number < id"), "number < id");
  EXPECT_EQ(text("name is null").substr(0, 4), "fals");  // It is not nullable.
  EXPECT_EQ(text("name == \"" + std::string(100, 'x') + "\""),
            "name == \"" + std::string(60, 'x') + "...\"");
}

TEST_F(FilterProfileTest, CandidatesAloneAreLookedAt) {
  Bitset candidates(kRows);
  for (size_t row : {5u, 107u, 207u, 19'907u}) candidates.Set(row);
  Bitset matches;
  ASSERT_TRUE(
      EvaluateAmong(ctx_, Bound("number == 7 or name == \"name 5\""), source_, candidates, matches)
          .ok());
  EXPECT_EQ(matches.Count(), 4u);
  ASSERT_TRUE(EvaluateAmong(ctx_, Bound("not (number == 7)"), source_, candidates, matches).ok());
  EXPECT_EQ(matches.Count(), 1u);
  EXPECT_TRUE(matches.Test(5));
  const size_t before = source_.rows_read();
  Bitset few(kRows);
  few.Set(5);
  ASSERT_TRUE(EvaluateAmong(ctx_, Bound("number == 5"), source_, few, matches).ok());
  EXPECT_EQ(source_.rows_read() - before, kBatchRows);  // One batch of three.
}

TEST_F(FilterProfileTest, KnowsWhetherTheFilterDrawsRows) {
  EXPECT_TRUE(HasSample(Bound("number == 3 and random_sample(0.1)")));
  EXPECT_FALSE(HasSample(Bound("number == 3 and id > 41")));
}

}  // namespace
}  // namespace elanus::expr
