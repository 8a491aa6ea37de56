// Terms of documents: an index of them misses no row that a predicate is true for.
#include "expr/json_terms.h"

#include <gtest/gtest.h>

#include <set>

#include "expr/expr.h"
#include "expr/json_path.h"
#include "expr/testing/random_filter.h"
#include "index/scalar_index.h"

namespace elanus::expr {
namespace {

using model::Predicate;
using model::Scalar;

const std::vector<std::string> kDocuments = {
    R"({"a": 1, "b": {"c": "x", "0": true}})",
    R"({"a": 1.5, "b": {"c": "yy"}, "l": [1, "z", [2]]})",
    R"({"a": "one", "l": [2.0, false]})",
    R"({"a": -3, "long": "0123456789012345678901234567890123456789012345678901234567890123456789"})",
    R"([5, 6])",
    R"("alone")",
    R"({"a": {"a": 1}, "0": 7, "~/": 2})",
    R"(not json)",
};

class Terms : public ::testing::Test {
 protected:
  void Build(const char* path) {
    path_ = path;
    model::Column json =
        model::MakeColumn(FieldId(1), "j", model::DataType::kJson, model::DataType::kNone, 0);
    for (const std::string& text : kDocuments) json.AppendBytes(text);
    json.AppendNull();
    const auto terms = ExtractJsonTerms(ctx_, json.view(), path);
    ASSERT_TRUE(terms.ok());
    const auto file = index::JsonTermsType().Build(ctx_, terms->view(), {});
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    const auto owner = std::make_shared<const std::string>(*file);
    auto opened = index::OpenScalarIndex(Blob(owner, *owner, owner->size()));
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    index_ = std::move(*opened);
  }
  // The rows that the index gives; none: it cannot be asked.
  std::optional<std::set<size_t>> Ask(const Predicate& predicate) {
    const auto asked = AskTerms(predicate, path_);
    if (!asked) return std::nullopt;
    Bitset matches(kDocuments.size() + 1);
    const auto coverage = index_->Answer(ctx_, *asked, matches);
    EXPECT_TRUE(coverage.ok());
    if (*coverage == model::Coverage::kNone) return std::nullopt;
    std::set<size_t> rows;
    for (size_t i = 0; i < matches.size(); ++i) {
      if (matches.Test(i)) rows.insert(i);
    }
    return rows;
  }
  static Predicate Compare(const char* path, model::Compare op, Scalar value) {
    const auto type = value.is_bool()     ? model::DataType::kBool
                      : value.is_string() ? model::DataType::kVarChar
                                          : model::DataType::kDouble;
    return {.kind = Predicate::Kind::kCompare,
            .field = FieldId(1),
            .type = type,
            .path = path,
            .op = op,
            .values = {std::move(value)}};
  }

  SystemClock clock_;
  Context ctx_{clock_};
  std::string path_;
  std::unique_ptr<index::ScalarIndex> index_;
};

using Rows = std::set<size_t>;
Scalar Text(const char* text) { return Scalar(std::string(text)); }

TEST_F(Terms, TellValuesByPlaceAndClass) {
  Build("");
  EXPECT_EQ(Ask(Compare("/a", model::Compare::kEq, 1.0)), Rows({0}));
  EXPECT_EQ(Ask(Compare("/a", model::Compare::kEq, Text("one"))), Rows({2}));
  EXPECT_EQ(Ask(Compare("/a", model::Compare::kEq, true)), Rows({}));
  EXPECT_EQ(Ask(Compare("/b/c", model::Compare::kGe, Text("y"))), Rows({1}));
  EXPECT_EQ(Ask(Compare("/a/a", model::Compare::kEq, 1.0)), Rows({6}));
  EXPECT_EQ(Ask(Compare("/~0~1", model::Compare::kEq, 2.0)), Rows({6}));
  EXPECT_EQ(Ask(Compare("", model::Compare::kEq, Text("alone"))), Rows({5}));
}

TEST_F(Terms, OrderNumbersAcrossTheSign) {
  Build("");
  EXPECT_EQ(Ask(Compare("/a", model::Compare::kLt, 1.0)), Rows({0, 3})) << "bounds are in";
  EXPECT_EQ(Ask(Compare("/a", model::Compare::kGt, 1.0)), Rows({0, 1}));
  EXPECT_EQ(Ask(Compare("/a", model::Compare::kLe, -3.0)), Rows({3}));
  EXPECT_EQ(Ask(Compare("/a", model::Compare::kGt, -10.0)), Rows({0, 1, 3}));
  EXPECT_EQ(Ask(Compare("/a", model::Compare::kEq, -0.0)), Rows({}));
}

TEST_F(Terms, TellIndexesFromKeysWhereTheFilterDoes) {
  Build("");
  EXPECT_EQ(Ask(Compare("/b/0", model::Compare::kEq, true)), Rows({0}));
  EXPECT_EQ(Ask(Compare("/b/~20", model::Compare::kEq, true)), Rows({0}));
  EXPECT_EQ(Ask(Compare("/0", model::Compare::kGt, 4.0)), Rows({4, 6}));
  EXPECT_EQ(Ask(Compare("/~20", model::Compare::kGt, 4.0)), Rows({6}));
  EXPECT_EQ(Ask(Compare("/l/2/0", model::Compare::kEq, 2.0)), Rows({1}));
}

TEST_F(Terms, TellElementsOfArrays) {
  Build("");
  Predicate contains{.kind = Predicate::Kind::kContains,
                     .field = FieldId(1),
                     .type = model::DataType::kDouble,
                     .path = "/l",
                     .values = {Scalar(2.0)}};
  EXPECT_EQ(Ask(contains), Rows({2}));
  contains.values = {Scalar(1.0), Scalar(2.0)};
  EXPECT_EQ(Ask(contains), Rows({1, 2}));
  contains.all = true;
  EXPECT_EQ(Ask(contains), Rows({}));
}

TEST_F(Terms, CutLongTextsAndStillFindThem) {
  Build("");
  const std::string whole =
      "0123456789012345678901234567890123456789012345678901234567890123456789";
  EXPECT_EQ(Ask(Compare("/long", model::Compare::kEq, Scalar(whole))), Rows({3}));
  EXPECT_EQ(Ask(Compare("/long", model::Compare::kLt, Scalar(whole + "0"))), Rows({3}));
}

TEST_F(Terms, KnowOnlyWhatIsBelowTheirPlace) {
  Build("/b");
  EXPECT_EQ(Ask(Compare("/b/c", model::Compare::kEq, Text("x"))), Rows({0}));
  EXPECT_EQ(Ask(Compare("/a", model::Compare::kEq, 1.0)), std::nullopt);
  EXPECT_EQ(Ask(Compare("/bc", model::Compare::kEq, 1.0)), std::nullopt);
  EXPECT_EQ(Ask(Compare("/b/c", model::Compare::kNe, Text("x"))), std::nullopt);
  const std::string far = "/b/" + std::string(300, 'x');
  EXPECT_EQ(Ask(Compare(far.c_str(), model::Compare::kEq, 1.0)), std::nullopt);
}

// A world whose documents have an index of their terms.
class TermsOfWorld final : public ColumnSource {
 public:
  explicit TermsOfWorld(const testing::World& world) : world_(world) {
    for (const model::FieldSchema& field : world.schema().fields) {
      if (field.type != model::DataType::kJson) continue;
      const auto column = world.Read(field.id, 0, world.rows());
      const auto terms = ExtractJsonTerms(ctx_, *column, "");
      const auto file = index::JsonTermsType().Build(ctx_, terms->view(), {});
      const auto owner = std::make_shared<const std::string>(*file);
      indexes_[field.id.value()] = *index::OpenScalarIndex(Blob(owner, *owner, owner->size()));
    }
  }
  size_t rows() const override { return world_.rows(); }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    return world_.Read(field, begin, count);
  }
  model::IndexPromise Estimate(const Predicate& predicate) const override {
    const auto found = indexes_.find(predicate.field.value());
    const auto asked = AskTerms(predicate, "");
    if (found == indexes_.end() || !asked) return {};
    model::IndexPromise promise = found->second->Estimate(*asked);
    if (promise.coverage != model::Coverage::kNone) promise.coverage = model::Coverage::kCandidates;
    promise.cost_ns = -1e12;
    return promise;
  }
  Result<model::Coverage> Answer(Context& ctx, const Predicate& predicate, Bitset& matches,
                                 Bitset* unknown) const override {
    // Terms do not tell which rows have no value of a class.
    if (unknown != nullptr) return model::Coverage::kNone;
    ++answered;
    TRY(indexes_.at(predicate.field.value())
            ->Answer(ctx, *AskTerms(predicate, ""), matches)
            .status());
    return model::Coverage::kCandidates;
  }
  mutable size_t answered = 0;

 private:
  const testing::World& world_;
  SystemClock clock_;
  Context ctx_{clock_};
  std::map<int64_t, std::unique_ptr<index::ScalarIndex>> indexes_;
};

TEST(TermsOfRandomDocuments, LoseNoRowOfRandomFilters) {
  SystemClock clock;
  Context ctx(clock);
  testing::Dice dice(501);
  size_t answered = 0;
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const testing::World world(seed, 150, /*answers=*/false);
    const TermsOfWorld source(world);
    for (int i = 0; i < testing::ShareOf(400); ++i) {
      const testing::Filter filter = testing::DrawFilter(dice, 2);
      const auto plan = Bind(filter.text, world.schema(), filter.templates);
      ASSERT_TRUE(plan.ok()) << plan.status().ToString();
      Bitset matches;
      ASSERT_TRUE(Evaluate(ctx, *plan, source, matches).ok());
      for (size_t row = 0; row < world.rows(); ++row) {
        ASSERT_EQ(matches.Test(row), filter.truth(world.table()[row]) == testing::Truth::kTrue)
            << "row " << row << ": " << filter.text;
      }
    }
    answered += source.answered;
  }
  EXPECT_GT(answered, 100u);
}

}  // namespace
}  // namespace elanus::expr
