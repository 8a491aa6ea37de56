// Postings of full blocks answer as a scan of all rows does.
#include "index/growing/sparse.h"

#include <gtest/gtest.h>

#include "index/sparse/made_rows.h"

namespace elanus::index {
namespace {

using model::Metric;

constexpr size_t kRows = 20'000;  // Two blocks and a part of one.
constexpr size_t kIndexed = 2 * kGrowingBlockRows;
constexpr size_t kQueries = 6;

class SparseGrowingIndexTest : public testing::TestWithParam<Metric> {
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

TEST_P(SparseGrowingIndexTest, AnswersAsAScanOfItsRowsDoes) {
  SparseGrowingIndex index(GetParam());
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

TEST_P(SparseGrowingIndexTest, AnswersWithinARange) {
  SparseGrowingIndex index(GetParam());
  ASSERT_TRUE(Extend(ctx_, index, kRows).ok());
  SearchRequest request = Ask(100);
  Found all(kQueries, 100);
  ASSERT_TRUE(index.Search(ctx_, Cut(rows_, kRows), {}, request, all.hits()).ok());
  request.range.radius = all.scores[60];
  ExpectExact(index, kRows, kIndexed, request);
  request.range.range_filter = all.scores[20];
  ExpectExact(index, kRows, kIndexed, request);
}

TEST_P(SparseGrowingIndexTest, TakesInFullBlocksOnlyAndEachOnce) {
  SparseGrowingIndex index(GetParam());
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

TEST_P(SparseGrowingIndexTest, LeavesABlockToTheScanOfAViewThatDoesNotHoldAllOfIt) {
  SparseGrowingIndex index(GetParam());
  ASSERT_TRUE(Extend(ctx_, index, kRows).ok());
  ExpectExact(index, kIndexed - 1, kGrowingBlockRows, Ask(10));
  ExpectExact(index, 500, 0, Ask(10));
  ExpectExact(index, 0, 0, Ask(10));
}

TEST_P(SparseGrowingIndexTest, StopsWhenItIsCancelledAndStaysAsItWas) {
  SparseGrowingIndex index(GetParam());
  Context cancelled(clock_);
  cancelled.Cancel();
  EXPECT_EQ(Extend(cancelled, index, kRows).code(), ErrorCode::kCanceled);
  EXPECT_EQ(index.rows(), 0u);
  ASSERT_TRUE(Extend(ctx_, index, kRows).ok());
  Found got(kQueries, 10);
  EXPECT_EQ(index.Search(cancelled, Cut(rows_, kRows), {}, Ask(10), got.hits()).status().code(),
            ErrorCode::kCanceled);
}

INSTANTIATE_TEST_SUITE_P(Metrics, SparseGrowingIndexTest,
                         testing::Values(Metric::kIp, Metric::kBm25),
                         [](const auto& info) { return std::string(NameOf(info.param)); });

}  // namespace
}  // namespace elanus::index
