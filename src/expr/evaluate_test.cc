// Evaluation as a whole: what indexes are asked, samples, cancelling, deep filters.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "expr/expr.h"
#include "expr/testing/world.h"
#include "geometry/text.h"

namespace elanus::expr {
namespace {

using model::Predicate;
using testing::World;

size_t CountOf(const ColumnSource& source, const World& world, std::string_view text) {
  SystemClock clock;
  Context ctx(clock);
  const auto plan = Bind(text, world.schema(), {});
  EXPECT_TRUE(plan.ok()) << text << ": " << plan.status().ToString();
  Bitset matches;
  EXPECT_TRUE(Evaluate(ctx, *plan, source, matches).ok());
  return matches.Count();
}

// Notes what it is asked, and promises nothing.
class Listening final : public ColumnSource {
 public:
  explicit Listening(const World& world) : world_(world) {}
  size_t rows() const override { return world_.rows(); }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    return world_.Read(field, begin, count);
  }
  model::IndexPromise Estimate(const Predicate& predicate) const override {
    asked_.push_back(predicate);
    return {};
  }
  const std::vector<Predicate>& asked() const { return asked_; }

 private:
  const World& world_;
  mutable std::vector<Predicate> asked_;
};

TEST(Evaluate, OffersEveryLeafAnIndexMayKnow) {
  const World world(1, 10, false);
  for (const auto& [text, kind] : std::vector<std::pair<const char*, Predicate::Kind>>{
           {"n8 == 1", Predicate::Kind::kCompare},
           {"not (1 < n8)", Predicate::Kind::kCompare},
           {"n8 in [1, 2]", Predicate::Kind::kIn},
           {"1 < n8 <= 3", Predicate::Kind::kRange},
           {"s like \"a%\"", Predicate::Kind::kPrefix},
           {"starts_with(s, \"a\")", Predicate::Kind::kPrefix},
           {"n8 is null", Predicate::Kind::kIsNull},
           {"s is not null", Predicate::Kind::kIsNull},
           {"s like \"a\"", Predicate::Kind::kCompare},
           {"s like \"%a\"", Predicate::Kind::kText},
           {"s =~ \"a.*b\"", Predicate::Kind::kText},
           {"s =~ \"^ab\"", Predicate::Kind::kPrefix},
           {"array_contains(numbers, 1)", Predicate::Kind::kContains},
           {"json_contains_any(j[\"a\"], [1, 2.5])", Predicate::Kind::kContains},
           {"j[\"a\"][0] > 1", Predicate::Kind::kCompare},
           {"a in [\"x\", \"y\"]", Predicate::Kind::kIn}}) {
    const Listening source(world);
    CountOf(source, world, text);
    ASSERT_EQ(source.asked().size(), 1u) << text;
    EXPECT_EQ(source.asked()[0].kind, kind) << text;
  }
  for (const char* text : {"n8 + 1 == 2", "j is null", "numbers[0] == 1", "exists a", "n8 == n16",
                           "array_length(numbers) == 1", "j[0] in [1, \"a\"]", "j[0] == [1]",
                           "j[0] == 9007199254740993", "json_contains(j, [1])", "numbers == [1]"}) {
    const Listening source(world);
    CountOf(source, world, text);
    EXPECT_TRUE(source.asked().empty()) << text;
  }
}

// Knows two fields: n8 cheaply, n16 at the price given; counts the answers it gave.
class Priced final : public ColumnSource {
 public:
  Priced(const World& world, double n16_cost_ns) : world_(world), n16_cost_ns_(n16_cost_ns) {}
  size_t rows() const override { return world_.rows(); }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    return world_.Read(field, begin, count);
  }
  model::IndexPromise Estimate(const Predicate& predicate) const override {
    const std::string& name = world_.schema().FindField(predicate.field)->name;
    if (name == "n8") return {.coverage = model::Coverage::kExact, .rows = 3, .cost_ns = -1e9};
    if (name != "n16") return {};
    return {.coverage = model::Coverage::kExact, .rows = 100, .cost_ns = n16_cost_ns_};
  }
  Result<model::Coverage> Answer(Context& ctx, const Predicate& predicate, Bitset& matches,
                                 Bitset* unknown) const override {
    answered_.push_back(world_.schema().FindField(predicate.field)->name);
    return world_.Answer(ctx, predicate, matches, unknown);
  }
  const std::vector<std::string>& answered() const { return answered_; }

 private:
  const World& world_;
  double n16_cost_ns_;
  mutable std::vector<std::string> answered_;
};

TEST(Evaluate, AsksTheIndexesThatCostLessThanLookingAtTheRowsThatAreLeft) {
  const World world(1, 5000, true);
  const char* text = "n16 > 0 and n8 == 1 and f64 < 1";
  const Priced dear(world, 1e6);
  const size_t count = CountOf(dear, world, text);
  EXPECT_EQ(dear.answered(), (std::vector<std::string>{"n8"}))
      << "n16 is scanned: few rows are left";
  const Priced cheap(world, -1e9);
  EXPECT_EQ(CountOf(cheap, world, text), count);
  EXPECT_EQ(cheap.answered().size(), 2u);
  EXPECT_EQ(CountOf(world, world, text), count);
}

// Tells of every block its statistics, and counts the blocks read.
class WithStats final : public ColumnSource {
 public:
  explicit WithStats(const World& world) : world_(world) {}
  size_t rows() const override { return world_.rows(); }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    ++reads_;
    return world_.Read(field, begin, count);
  }
  const model::BlockStats* Stats(FieldId field, size_t begin) const override {
    auto view = world_.Read(field, begin, std::min(kBatchRows, rows() - begin));
    EXPECT_TRUE(view.ok());
    stats_ = model::StatsOf(*view);
    return &stats_;
  }
  size_t TakeReads() const { return std::exchange(reads_, 0); }

 private:
  const World& world_;
  mutable model::BlockStats stats_;
  mutable size_t reads_ = 0;
};

TEST(Evaluate, ReadsNoBlockThatStatisticsDecide) {
  const World world(1, 3 * kBatchRows + 5, false);
  const WithStats source(world);
  for (const auto& [text, matches, reads] : std::vector<std::tuple<const char*, size_t, size_t>>{
           {"id < 0", 0, 0},
           {"id >= 0", world.rows(), 0},
           {"id < 8192", 8192, 0},
           {"id == 9000", 1, 1},
           {"not (id <= 9000)", world.rows() - 9001, 1},
           {"8192 <= id < 16384", 8192, 0},
           {"id in [5, 8191]", 2, 1},
           {"id != 30000", world.rows(), 0},
           {"id == 9000 and n8 > 1000", 0, 2}}) {
    EXPECT_EQ(CountOf(source, world, text), matches) << text;
    EXPECT_EQ(source.TakeReads(), reads) << text;
  }
}

TEST(Evaluate, ReadsNoFewRowsOfABlockThatStatisticsRuleOut) {
  const World world(1, 3 * kBatchRows + 5, false);
  const WithStats source(world);
  const auto plan = Bind("id < 8192 and n8 < 1000", world.schema(), {});
  ASSERT_TRUE(plan.ok());
  SystemClock clock;
  Context ctx(clock);
  Bitset candidates(world.rows());
  for (size_t row : {5u, 8191u, 9000u, 20'000u}) candidates.Set(row);
  Bitset matches;
  ASSERT_TRUE(EvaluateAmong(ctx, *plan, source, candidates, matches).ok());
  ForEachSet(matches.view(), [](size_t row) { EXPECT_TRUE(row == 5 || row == 8191) << row; });
  EXPECT_LE(source.TakeReads(), 2u) << "one block of each field";
}

// Two blocks of points on a line, from x = 0 on; every eighth of the second is null.
class Points final : public ColumnSource {
 public:
  Points() {
    schema_.fields.push_back(
        {.id = FieldId(100), .name = "g", .type = model::DataType::kGeometry, .nullable = true});
    column_ =
        model::MakeColumn(FieldId(100), "g", model::DataType::kGeometry, model::DataType::kNone, 0);
    for (size_t i = 0; i < rows(); ++i) {
      if (i >= kBatchRows && i % 8 == 0)
        column_.AppendNull();
      else
        column_.AppendBytes(geometry::ReadWkt(fmt::format("POINT({} 0)", i)).value());
    }
  }
  size_t rows() const override { return 2 * kBatchRows; }
  Result<model::ColumnView> Read(FieldId, size_t begin, size_t count) const override {
    ++reads;
    return column_.view().Slice(begin, count);
  }
  const model::BlockStats* Stats(FieldId, size_t begin) const override {
    stats_ = model::StatsOf(column_.view().Slice(begin, kBatchRows));
    return &stats_;
  }
  size_t CountOf(const char* text) const {
    SystemClock clock;
    Context ctx(clock);
    const auto plan = Bind(text, schema_, {});
    EXPECT_TRUE(plan.ok()) << plan.status().ToString();
    Bitset matches;
    EXPECT_TRUE(Evaluate(ctx, *plan, *this, matches).ok());
    return matches.Count();
  }
  mutable size_t reads = 0;

 private:
  model::CollectionSchema schema_;
  model::Column column_;
  mutable model::BlockStats stats_;
};

TEST(Evaluate, ReadsNoBlockWhoseBoxIsElsewhere) {
  const Points source;
  EXPECT_EQ(source.CountOf("st_intersects(g, 'LINESTRING(8001 0,8003 0)')"), 3u);
  EXPECT_EQ(source.reads, 2u) << "of the second block, which has nulls, it is asked where";
  source.reads = 0;
  EXPECT_EQ(source.CountOf("st_intersects(g, 'LINESTRING(9000 0,9002 0)')"), 2u);
  EXPECT_EQ(source.reads, 1u);
  EXPECT_EQ(source.CountOf("not st_intersects(g, 'LINESTRING(8001 0,8003 0)')"),
            2 * kBatchRows - kBatchRows / 8 - 3);
  EXPECT_EQ(source.CountOf("st_dwithin(g, 'POINT(20 0)', 120000)"), 3u * 46)
      << "and again every 360 degrees";
}

TEST(Evaluate, KeepsTheShareOfASample) {
  const World world(2, 101, false);
  EXPECT_EQ(CountOf(world, world, "random_sample(0.25)"), 25u);
  EXPECT_EQ(CountOf(world, world, "random_sample(0.5)"), 50u);
  EXPECT_EQ(CountOf(world, world, "random_sample(0.001)"), 1u) << "one row at least";
  EXPECT_EQ(CountOf(world, world, "random_sample(0.75)"), 101u - 25u) << "drops a rounded quarter";
  EXPECT_EQ(CountOf(world, world, "random_sample(0.999)"), 100u) << "drops one row at least";
  EXPECT_EQ(CountOf(world, world, "id < 10 and random_sample(0.75)"), 7u);
  EXPECT_EQ(CountOf(world, world, "id < 10 and random_sample(0.01)"), 1u);
  EXPECT_EQ(CountOf(world, world, "id < 0 and random_sample(0.5)"), 0u);
  EXPECT_EQ(CountOf(world, world, "id < 50 and (id >= 40 and random_sample(0.5))"), 5u);
}

TEST(Evaluate, DrawsASampleFromTheRowsThatPassTheRest) {
  const World world(2, 100, false);
  SystemClock clock;
  Context ctx(clock);
  const auto plan = Bind("id >= 90 and random_sample(0.5)", world.schema(), {});
  for (int i = 0; i < 20; ++i) {
    Bitset matches;
    ASSERT_TRUE(Evaluate(ctx, *plan, world, matches).ok());
    EXPECT_EQ(matches.Count(), 5u);
    ForEachSet(matches.view(), [](size_t row) { EXPECT_GE(row, 90u); });
  }
}

TEST(Evaluate, StopsWhenCancelled) {
  const World world(3, 10, false);
  SystemClock clock;
  Context ctx(clock);
  ctx.Cancel();
  Bitset matches;
  const auto plan = Bind("n8 == 1", world.schema(), {});
  EXPECT_EQ(Evaluate(ctx, *plan, world, matches).code(), ErrorCode::kCanceled);
}

// Its reader's caller goes while the first column is read.
class Leaving final : public ColumnSource {
 public:
  Leaving(const World& world, Context& ctx) : world_(world), ctx_(ctx) {}
  size_t rows() const override { return world_.rows(); }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    ++reads_;
    ctx_.Cancel();
    return world_.Read(field, begin, count);
  }
  int reads() const { return reads_; }

 private:
  const World& world_;
  Context& ctx_;
  mutable int reads_ = 0;
};

TEST(Evaluate, StopsBetweenTheConditionsOfOneBatch) {
  const World world(1, 100, false);
  std::string text = "n8 == 1";
  for (int i = 0; i < 200; ++i) text += " or s =~ \"(a|b)*c" + std::to_string(i) + "$\"";
  SystemClock clock;
  Context ctx(clock);
  const auto plan = Bind(text, world.schema(), {});
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  const Leaving source(world, ctx);
  Bitset matches;
  EXPECT_EQ(Evaluate(ctx, *plan, source, matches).code(), ErrorCode::kCanceled);
  EXPECT_EQ(source.reads(), 1);
}

TEST(Evaluate, AnswersForNoRows) {
  const World world(3, 0, true);
  EXPECT_EQ(CountOf(world, world, "n8 == 1 or not (s is null)"), 0u);
}

TEST(Evaluate, GoesAsDeepAsTheParserLetsItOnTheStackItHas) {
  const World world(4, 70, false);
  const auto nested = [](std::string_view open, std::string_view inner, std::string_view close,
                         size_t depth) {
    std::string text;
    for (size_t i = 0; i < depth; ++i) text += open;
    text += inner;
    for (size_t i = 0; i < depth; ++i) text += close;
    return text;
  };
  for (size_t depth : {2000u, 2095u}) {
    EXPECT_EQ(CountOf(world, world, nested("not (id >= 0 and ", "id < 10", ")", depth)),
              depth % 2 == 0 ? 10u : 60u);
    EXPECT_EQ(CountOf(world, world, nested("(id >= 5 and (id < 3 or ", "id < 10", "))", depth)),
              5u);
    EXPECT_EQ(CountOf(world, world, nested("not (", "id < 10", ")", 2 * (depth / 2))), 10u);
  }
  EXPECT_EQ(CountOf(world, world, "j == " + nested("[", "1", "]", 4000)), 0u);
  EXPECT_EQ(CountOf(world, world, "json_contains_any(j, " + nested("[", "1", "]", 4000) + ")"), 0u);
}

}  // namespace
}  // namespace elanus::expr
