// Postings of full blocks answer as a scan of all rows does; inverted lists nearly so.
#include "index/growing/blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "index/embedding_list.h"
#include "index/sparse/made_rows.h"

namespace elanus::index {
namespace {

using model::Metric;

constexpr size_t kRows = 20'000;  // Two blocks and a part of one.
constexpr size_t kIndexed = 2 * kGrowingBlockRows;
constexpr size_t kQueries = 6;

class BlockGrowingIndexTest : public testing::TestWithParam<Metric> {
 protected:
  static std::vector<VectorBlock> Cut(const Sparse& rows, size_t count) {
    std::vector<VectorBlock> blocks;
    for (size_t begin = 0; begin < count; begin += kGrowingBlockRows) {
      blocks.push_back(rows.block().Slice(begin, std::min(kGrowingBlockRows, count - begin)));
    }
    return blocks;
  }
  Status Extend(Context& ctx, GrowingIndex& index, size_t rows) const {
    const auto blocks = Cut(rows_, rows);
    const std::vector<std::shared_ptr<const void>> owners(blocks.size(), owner_);
    return index.Extend(ctx, blocks, owners);
  }
  SearchRequest Ask(uint32_t k) const {
    SearchRequest request{.queries = queries_.block(), .k = k, .params = {}};
    request.params.Set("bm25_avgdl", 20);
    return request;
  }
  // Searches `rows` of the rows; the answer is that of a scan of the first `answered`.
  void ExpectExact(const GrowingIndex& index, size_t rows, size_t answered,
                   SearchRequest request) const {
    Context ctx(clock_);
    Found got(kQueries, request.k);
    const auto found = index.Search(ctx, Cut(rows_, rows), {}, request, got.hits());
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    ASSERT_EQ(*found, answered);
    if (answered == 0) return;
    Found want(kQueries, request.k);
    if (!request.allowed.empty()) request.allowed = {request.allowed.words, answered};
    ASSERT_TRUE(
        SearchExact(ctx, rows_.block().Slice(0, answered), GetParam(), request, want.hits()).ok());
    EXPECT_EQ(got.rows, want.rows);
    EXPECT_EQ(got.scores, want.scores);
  }

  mutable SystemClock clock_;
  Context ctx_{clock_};
  const Sparse rows_ = MakeRows(1, kRows, 12, GetParam() == Metric::kBm25);
  const Sparse queries_ = MakeRows(2, kQueries, 16, GetParam() == Metric::kBm25);
  const std::shared_ptr<const int> owner_ = std::make_shared<const int>(0);
};

TEST_P(BlockGrowingIndexTest, AnswersAsAScanOfItsRowsDoes) {
  BlockGrowingIndex index(GetParam());
  ASSERT_TRUE(Extend(ctx_, index, kRows).ok());
  EXPECT_EQ(index.rows(), kIndexed);
  for (uint32_t k : {1u, 10u, 300u, 9'000u}) {
    SCOPED_TRACE(k);
    ExpectExact(index, kRows, kIndexed, Ask(k));
    for (size_t keep_one_in : {2u, 40u, 9'000u}) {
      Bitset allowed(kRows);
      for (size_t i = 1; i < kRows; i += keep_one_in) allowed.Set(i);
      SearchRequest request = Ask(k);
      request.allowed = allowed.view();
      ExpectExact(index, kRows, kIndexed, request);
    }
  }
}

TEST_P(BlockGrowingIndexTest, AnswersWithinARange) {
  BlockGrowingIndex index(GetParam());
  ASSERT_TRUE(Extend(ctx_, index, kRows).ok());
  SearchRequest request = Ask(100);
  Found all(kQueries, 100);
  ASSERT_TRUE(index.Search(ctx_, Cut(rows_, kRows), {}, request, all.hits()).ok());
  request.range.radius = all.scores[60];
  ExpectExact(index, kRows, kIndexed, request);
  request.range.range_filter = all.scores[20];
  ExpectExact(index, kRows, kIndexed, request);
}

TEST_P(BlockGrowingIndexTest, TakesInFullBlocksOnlyAndEachOnce) {
  BlockGrowingIndex index(GetParam());
  EXPECT_FALSE(index.IsBehind(kGrowingBlockRows - 1));
  EXPECT_TRUE(index.IsBehind(kGrowingBlockRows));
  ASSERT_TRUE(Extend(ctx_, index, kGrowingBlockRows - 1).ok());
  EXPECT_EQ(index.rows(), 0u);
  ExpectExact(index, kGrowingBlockRows - 1, 0, Ask(10));
  ASSERT_TRUE(Extend(ctx_, index, kGrowingBlockRows + 5).ok());
  EXPECT_EQ(index.rows(), kGrowingBlockRows);
  const size_t bytes = index.memory_bytes();
  EXPECT_GT(bytes, kGrowingBlockRows * 12);
  EXPECT_EQ(owner_.use_count(), 2);
  ASSERT_TRUE(Extend(ctx_, index, kRows).ok());
  EXPECT_FALSE(index.IsBehind(kRows));
  EXPECT_GT(index.memory_bytes(), bytes);
  EXPECT_EQ(owner_.use_count(), 3);
  ExpectExact(index, kRows, kIndexed, Ask(10));
}

TEST_P(BlockGrowingIndexTest, LeavesABlockToTheScanOfAViewThatDoesNotHoldAllOfIt) {
  BlockGrowingIndex index(GetParam());
  ASSERT_TRUE(Extend(ctx_, index, kRows).ok());
  ExpectExact(index, kIndexed - 1, kGrowingBlockRows, Ask(10));
  ExpectExact(index, 500, 0, Ask(10));
  ExpectExact(index, 0, 0, Ask(10));
}

TEST_P(BlockGrowingIndexTest, StopsWhenItIsCancelledAndStaysAsItWas) {
  BlockGrowingIndex index(GetParam());
  Context cancelled(clock_);
  cancelled.Cancel();
  EXPECT_EQ(Extend(cancelled, index, kRows).code(), ErrorCode::kCanceled);
  EXPECT_EQ(index.rows(), 0u);
  ASSERT_TRUE(Extend(ctx_, index, kRows).ok());
  Found got(kQueries, 10);
  EXPECT_EQ(index.Search(cancelled, Cut(rows_, kRows), {}, Ask(10), got.hits()).status().code(),
            ErrorCode::kCanceled);
}

INSTANTIATE_TEST_SUITE_P(Metrics, BlockGrowingIndexTest,
                         testing::Values(Metric::kIp, Metric::kBm25),
                         [](const auto& info) { return std::string(NameOf(info.param)); });

// Rows of one to four vectors that are near each other.
class GrowingListBlocksTest : public testing::TestWithParam<std::tuple<Metric, ElementType>> {
 protected:
  static constexpr uint32_t kDim = 24;
  static constexpr uint32_t kK = 10;

  void SetUp() override {
    for (size_t r = 0; r < kRows + kQueries; ++r) {
      AppendRow(1 + r % 4);
      bounds_.push_back(bytes_.size());
    }
  }
  Metric metric() const { return std::get<0>(GetParam()); }
  VectorBlock block() const {
    return {.data = bytes_.data(),
            .rows = bounds_.size() - 1,
            .dim = kDim,
            .element = std::get<1>(GetParam()),
            .bounds = bounds_.data()};
  }
  std::vector<VectorBlock> Cut(size_t count) const {
    std::vector<VectorBlock> blocks;
    for (size_t begin = 0; begin < count; begin += kGrowingBlockRows) {
      blocks.push_back(block().Slice(begin, std::min(kGrowingBlockRows, count - begin)));
    }
    return blocks;
  }
  SearchRequest Ask() const {
    return {.queries = block().Slice(kRows, kQueries), .k = kK, .params = {}};
  }
  Status Extend(BlockGrowingIndex& index) {
    const auto blocks = Cut(kRows);
    const std::vector<std::shared_ptr<const void>> owners(blocks.size());
    return index.Extend(ctx_, blocks, owners);
  }
  // The share of the exact hits among the first kIndexed rows that are found, with their scores.
  double Recall(const BlockGrowingIndex& index, const std::map<std::string, std::string>& params,
                SearchRequest request) {
    Found got(kQueries, kK), want(kQueries, kK);
    const auto answered = index.Search(ctx_, Cut(kRows), params, request, got.hits());
    EXPECT_TRUE(answered.ok()) << answered.status().ToString();
    EXPECT_EQ(*answered, kIndexed);
    if (!request.allowed.empty()) request.allowed = {request.allowed.words, kIndexed};
    EXPECT_TRUE(
        SearchExactLists(ctx_, block().Slice(0, kIndexed), metric(), request, want.hits()).ok());
    size_t found = 0;
    for (size_t q = 0; q < kQueries; ++q) {
      for (size_t i = q * kK; i < (q + 1) * kK; ++i) {
        const auto end = got.rows.begin() + static_cast<ptrdiff_t>((q + 1) * kK);
        const auto at =
            std::find(got.rows.begin() + static_cast<ptrdiff_t>(q * kK), end, want.rows[i]);
        if (at == end) continue;
        ++found;
        const float score = got.scores[static_cast<size_t>(at - got.rows.begin())];
        EXPECT_NEAR(score, want.scores[i], 1e-4 * (1 + std::abs(want.scores[i])));
      }
    }
    return static_cast<double>(found) / static_cast<double>(want.rows.size());
  }

  SystemClock clock_;
  Context ctx_{clock_};

 private:
  void AppendRow(size_t vectors) {
    std::normal_distribution<float> normal;
    if (centres_.empty()) {
      for (size_t i = 0; i < 64 * kDim; ++i) centres_.push_back(30 * normal(rng_));
    }
    const float* centre = centres_.data() + rng_() % 64 * kDim;
    std::vector<float> row(centre, centre + kDim);
    for (float& value : row) value += 8 * normal(rng_);
    for (size_t v = 0; v < vectors; ++v) {
      for (const float middle : row) AppendNumber(middle + normal(rng_));
    }
  }
  void AppendNumber(float value) {
    if (std::get<1>(GetParam()) == ElementType::kInt8) {
      bytes_.push_back(static_cast<char>(std::clamp(std::lround(value), -127l, 127l)));
    } else {
      bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
  }

  std::mt19937 rng_{5};
  std::vector<float> centres_;
  std::string bytes_;
  std::vector<uint64_t> bounds_{0};
};

TEST_P(GrowingListBlocksTest, FindsNearlyAllThatAScanFindsWithTheSameScores) {
  BlockGrowingIndex index(metric());
  EXPECT_TRUE(index.IsBehind(kRows));
  ASSERT_TRUE(Extend(index).ok());
  EXPECT_EQ(index.rows(), kIndexed);
  EXPECT_GE(Recall(index, {}, Ask()), 0.95);
  // More lists than there are: every one; what is malformed does no harm.
  EXPECT_GE(Recall(index, {{"nprobe", "65536"}, {"refine_k", "10"}}, Ask()), 0.99);
  EXPECT_GE(Recall(index, {{"nprobe", "many"}}, Ask()), 0.95);
}

TEST_P(GrowingListBlocksTest, FindsAsMuchAmongAllowedRows) {
  BlockGrowingIndex index(metric());
  ASSERT_TRUE(Extend(index).ok());
  for (const size_t keep_one_in : {2u, 50u}) {
    Bitset allowed(kRows);
    for (size_t i = 1; i < kRows; i += keep_one_in) allowed.Set(i);
    SearchRequest request = Ask();
    request.allowed = allowed.view();
    EXPECT_GE(Recall(index, {}, request), 0.95) << keep_one_in;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Metrics, GrowingListBlocksTest,
    testing::Combine(testing::Values(Metric::kMaxSimL2, Metric::kMaxSimIp, Metric::kMaxSimCosine),
                     testing::Values(ElementType::kFloat32, ElementType::kInt8)),
    [](const auto& info) {
      return std::string(NameOf(std::get<0>(info.param))) +
             (std::get<1>(info.param) == ElementType::kInt8 ? "Int8" : "Float32");
    });

}  // namespace
}  // namespace elanus::index
