// Lists of rows that are still being appended: which rows they hold, and what searches of them find
// for every metric and element.
#include "index/growing/dense.h"

#include <gtest/gtest.h>

#include <cmath>

#include "index/codes/dense_rows.h"
#include "index/conformance.h"

namespace elanus::index {
namespace {

using model::Metric;

constexpr uint32_t kDim = 24;
constexpr size_t kQueries = 24;
constexpr GrowingIndexOptions kOptions{.lists = 16, .probes = 4};

std::string Convert(std::vector<float> values, ElementType element) {
  const VectorBlock shape{.dim = static_cast<uint32_t>(values.size()), .element = element};
  std::string bytes(shape.row_bytes(), '\0');
  if (element == ElementType::kInt8) {
    for (float& value : values) value *= 20;
  }
  EncodeElements(element, values.data(), values.size(), bytes.data());
  return bytes;
}

class GrowingIndexTest : public testing::TestWithParam<std::tuple<Metric, ElementType>> {
 protected:
  void SetUp() override {
    const Cloud cloud = MakeClusteredCloud(/*seed=*/5, /*rows=*/20'000, kDim, kQueries);
    rows_ = Convert(cloud.rows, element());
    queries_ = Convert(cloud.queries, element());
  }
  Metric metric() const { return std::get<0>(GetParam()); }
  ElementType element() const { return std::get<1>(GetParam()); }

  VectorBlock Block(const std::string& bytes, size_t begin, size_t count) const {
    const VectorBlock one{.data = bytes.data(), .rows = 1, .dim = kDim, .element = element()};
    return {.data = bytes.data() + begin * one.row_bytes(),
            .rows = count,
            .dim = kDim,
            .element = element()};
  }
  std::vector<VectorBlock> Blocks(size_t rows) const {
    std::vector<VectorBlock> blocks;
    for (size_t begin = 0; begin < rows; begin += kGrowingBlockRows) {
      blocks.push_back(Block(rows_, begin, std::min(kGrowingBlockRows, rows - begin)));
    }
    return blocks;
  }
  // The score that the wire answers, in double.
  double Score(VectorBlock query, VectorBlock row) const {
    std::vector<float> a_row(kDim);
    std::vector<float> b_row(kDim);
    FloatRows(query).Copy(0, a_row.data());
    FloatRows(row).Copy(0, b_row.data());
    double l2 = 0, ip = 0, a = 0, b = 0;
    for (size_t d = 0; d < kDim; ++d) {
      const double x = a_row[d], y = b_row[d];
      l2 += (x - y) * (x - y);
      ip += x * y;
      a += x * x;
      b += y * y;
    }
    if (metric() == Metric::kL2) return l2;
    return metric() == Metric::kIp ? ip : ip / std::sqrt(a * b);
  }

  SystemClock clock_;
  Context ctx_{clock_};
  std::string rows_;
  std::string queries_;
};

TEST_P(GrowingIndexTest, FindsTheBestRowsAndScoresThemExactly) {
  DenseGrowingIndex index(metric(), kOptions);
  const auto blocks = Blocks(20'000);
  ASSERT_TRUE(index.Extend(ctx_, blocks, {}).ok());
  EXPECT_EQ(index.rows(), 20'000u / 64 * 64);
  EXPECT_GT(index.memory_bytes(), 20'000u * 2);
  constexpr uint32_t kK = 10;
  Answer answer(kQueries, kK);
  const SearchRequest request{.queries = Block(queries_, 0, kQueries), .k = kK, .params = {}};
  const auto answered = index.Search(ctx_, blocks, {}, request, answer.hits());
  ASSERT_TRUE(answered.ok());
  ASSERT_EQ(*answered, index.rows());
  size_t found = 0;
  for (size_t q = 0; q < kQueries; ++q) {
    std::vector<std::pair<double, uint32_t>> exact;
    const double sign = metric() == Metric::kL2 ? 1 : -1;
    for (uint32_t r = 0; r < index.rows(); ++r) {
      exact.emplace_back(sign * Score(Block(queries_, q, 1), Block(rows_, r, 1)), r);
    }
    std::partial_sort(exact.begin(), exact.begin() + kK, exact.end());
    for (size_t i = 0; i < kK; ++i) {
      const uint32_t row = answer.rows[q * kK + i];
      ASSERT_LT(row, index.rows());
      const double score = Score(Block(queries_, q, 1), Block(rows_, row, 1));
      EXPECT_NEAR(answer.scores[q * kK + i], score, 1e-4 * (1 + std::abs(score)));
      // Ties of small integers count as found.
      found += sign * score <= exact[kK - 1].first + 1e-5 ? 1 : 0;
    }
  }
  EXPECT_GE(found, kQueries * kK * 95 / 100);
}

TEST_P(GrowingIndexTest, HoldsEveryRowOnceHoweverItIsExtended) {
  DenseGrowingIndex index(metric(), kOptions);
  // Trains at 624 rows and again at four and sixteen times as many, in the middle of blocks.
  for (const size_t rows : {300u, 700u, 1'500u, 3'000u, 8'192u, 9'000u, 13'777u, 20'000u}) {
    ASSERT_TRUE(index.Extend(ctx_, Blocks(rows), {}).ok());
    EXPECT_EQ(index.rows(), rows < 624 ? 0 : rows / 64 * 64);
  }
  const auto blocks = Blocks(20'000);
  // Each row finds itself in the list that is nearest to it.
  if (metric() == Metric::kIp) return;
  for (size_t row = 0; row < index.rows(); row += 17) {
    Answer answer(1, 1);
    const SearchRequest request{.queries = Block(rows_, row, 1), .k = 1, .params = {}};
    const auto answered = index.Search(ctx_, blocks, {}, request, answer.hits());
    ASSERT_TRUE(answered.ok() && *answered > 0);
    const double best = Score(Block(rows_, row, 1), Block(rows_, row, 1));
    EXPECT_NEAR(answer.scores[0], best, 1e-4 * (1 + std::abs(best))) << "row " << row;
  }
}

TEST_P(GrowingIndexTest, StopsWhereAnOlderViewEnds) {
  DenseGrowingIndex index(metric(), kOptions);
  ASSERT_TRUE(index.Extend(ctx_, Blocks(20'000), {}).ok());
  for (const size_t rows : {9'001u, 8'192u, 5'000u}) {
    constexpr uint32_t kK = 50;
    Answer answer(kQueries, kK);
    const SearchRequest request{.queries = Block(queries_, 0, kQueries), .k = kK, .params = {}};
    const auto answered = index.Search(ctx_, Blocks(rows), {}, request, answer.hits());
    ASSERT_TRUE(answered.ok());
    EXPECT_EQ(*answered, rows);
    for (const uint32_t row : answer.rows) EXPECT_LT(row, rows);
  }
}

std::string Name(const testing::TestParamInfo<std::tuple<Metric, ElementType>>& info) {
  static constexpr const char* kElements[] = {"Float32", "Float16", "BFloat16", "Int8"};
  return std::string(model::NameOf(std::get<0>(info.param))) +
         kElements[static_cast<int>(std::get<1>(info.param))];
}

INSTANTIATE_TEST_SUITE_P(
    AllMetricsAndElements, GrowingIndexTest,
    testing::Combine(testing::Values(Metric::kL2, Metric::kIp, Metric::kCosine),
                     testing::Values(ElementType::kFloat32, ElementType::kFloat16,
                                     ElementType::kBFloat16, ElementType::kInt8)),
    Name);

class GrowingFloatIndexTest : public testing::Test {
 protected:
  // Whether the lists answer, and not a scan.
  bool Answers(const std::map<std::string, std::string>& params, uint32_t k,
               const Bitset* allowed = nullptr) {
    Answer answer(1, k);
    SearchRequest request{.queries = cloud_.query_block().Slice(0, 1), .k = k, .params = {}};
    if (allowed != nullptr) request.allowed = allowed->view();
    const auto answered = index_.Search(ctx_, blocks_, params, request, answer.hits());
    EXPECT_TRUE(answered.ok());
    return answered.ok() && *answered > 0;
  }
  void SetUp() override { ASSERT_TRUE(index_.Extend(ctx_, blocks_, {}).ok()); }

  SystemClock clock_;
  Context ctx_{clock_};
  const Cloud cloud_ = MakeClusteredCloud(/*seed=*/6, /*rows=*/8'192, kDim, /*queries=*/64);
  const std::vector<VectorBlock> blocks_{cloud_.block()};
  DenseGrowingIndex index_{Metric::kL2, kOptions};
};

TEST_F(GrowingFloatIndexTest, LeavesToAScanWhatAScanDoesAsFast) {
  EXPECT_TRUE(Answers({}, 10));
  EXPECT_TRUE(Answers({{"nprobe", "8"}, {"nlist", "1024"}}, 10));
  EXPECT_TRUE(Answers({{"nprobe", "many"}, {"ef", "true"}}, 10));  // As a scan would.
  EXPECT_FALSE(Answers({{"nprobe", "1024"}, {"nlist", "1024"}}, 10));
  EXPECT_FALSE(Answers({}, 8'192));
  Bitset few(8'192);
  for (size_t i = 0; i < 8'192; i += 20) few.Set(i);
  EXPECT_FALSE(Answers({}, 10, &few));
  Bitset most(8'192, true);
  for (size_t i = 0; i < 8'192; i += 10) most.Clear(i);
  EXPECT_TRUE(Answers({}, 10, &most));
}

TEST_F(GrowingFloatIndexTest, FillsItsAnswerThroughAFilterThatTheNearestRowsFail) {
  // Only the half that is farthest from the query is allowed.
  std::vector<std::pair<float, uint32_t>> by_distance;
  for (uint32_t r = 0; r < 8'192; ++r) {
    float distance = 0;
    for (size_t d = 0; d < kDim; ++d) {
      const float difference = cloud_.block().row(r)[d] - cloud_.query_block().row(0)[d];
      distance += difference * difference;
    }
    by_distance.emplace_back(distance, r);
  }
  std::sort(by_distance.begin(), by_distance.end());
  Bitset allowed(8'192);
  for (size_t i = 3'000; i < by_distance.size(); ++i) allowed.Set(by_distance[i].second);
  constexpr uint32_t kK = 20;
  Answer answer(1, kK);
  const SearchRequest request{.queries = cloud_.query_block().Slice(0, 1),
                              .k = kK,
                              .params = {},
                              .allowed = allowed.view()};
  const auto answered = index_.Search(ctx_, blocks_, {}, request, answer.hits());
  ASSERT_TRUE(answered.ok() && *answered > 0);
  for (const uint32_t row : answer.rows) {
    ASSERT_NE(row, kNoRow);
    EXPECT_TRUE(allowed.Test(row));
  }
}

TEST_F(GrowingFloatIndexTest, KeepsRowsInTheRangeOnly) {
  Answer all(1, 100);
  SearchRequest request{.queries = cloud_.query_block().Slice(0, 1), .k = 100, .params = {}};
  ASSERT_TRUE(index_.Search(ctx_, blocks_, {}, request, all.hits()).ok());
  request.range.radius = all.scores[30];
  Answer ranged(1, 100);
  const auto answered = index_.Search(ctx_, blocks_, {}, request, ranged.hits());
  ASSERT_TRUE(answered.ok() && *answered > 0);
  for (size_t i = 0; i < 100; ++i) EXPECT_EQ(ranged.rows[i], i < 30 ? all.rows[i] : kNoRow);
}

TEST_F(GrowingFloatIndexTest, StopsWhenItIsCancelledAndStaysAsItWas) {
  DenseGrowingIndex index(Metric::kL2, kOptions);
  Context cancelled(clock_);
  cancelled.Cancel();
  EXPECT_EQ(index.Extend(cancelled, blocks_, {}).code(), ErrorCode::kCanceled);
  EXPECT_EQ(index.rows(), 0u);
  ASSERT_TRUE(index.Extend(ctx_, blocks_, {}).ok());
  EXPECT_EQ(index.rows(), 8'192u);
}

}  // namespace
}  // namespace elanus::index
