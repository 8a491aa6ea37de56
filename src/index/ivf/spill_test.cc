// Rows in two lists: which lists, and that searches and streams meet each row once.
#include "index/ivf/spill.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "index/codes/codecs.h"
#include "index/codes/fast_scan_codec.h"
#include "index/ivf/search.h"

namespace elanus::index {
namespace {

using model::Metric;

constexpr uint32_t kDim = 24;
constexpr size_t kRows = 5000;
constexpr size_t kLists = 64;

// Rows without clusters: the nearest ones of a query lie in many lists.
std::vector<float> DrawRows() {
  std::mt19937 rng(11);
  std::normal_distribution<float> normal;
  std::vector<float> rows(kRows * kDim);
  for (float& value : rows) value = normal(rng);
  return rows;
}

class SpillTest : public testing::TestWithParam<std::tuple<Metric, CodeKind>> {
 protected:
  Metric metric() const { return std::get<0>(GetParam()); }
  VectorBlock block() const { return {.data = rows_.data(), .rows = kRows, .dim = kDim}; }
  void Open() {
    const FloatRows rows(block(), metric() == Metric::kCosine);
    auto lists = TrainLists(ctx_, rows, kLists, {}, 1);
    ASSERT_TRUE(lists.ok());
    auto second = SecondLists(ctx_, rows, *lists, nullptr);
    ASSERT_TRUE(second.ok());
    lists->second = std::move(*second);
    IvfCodes codes{.codec = nullptr, .residual = false, .refine_kind = CodeKind::kFloat32};
    if (std::get<1>(GetParam()) == CodeKind::kFastScan) {
      auto codec = TrainFastScanCodec(ctx_, block(), 2, metric() == Metric::kL2, nullptr);
      ASSERT_TRUE(codec.ok());
      codes.codec = std::move(*codec);
      codes.residual = true;
    } else {
      codes.codec = MakeRowCodec(ElementType::kFloat32, kDim, metric());
    }
    auto bytes = WriteIvf(ctx_, block(), metric(), *lists, codes, nullptr);
    ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
    file_ = std::move(*bytes);
    auto opened = OpenIvf(Blob(nullptr, file_, 0), block(), metric());
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    index_ = MakeIvfIndex(std::move(*opened), block(), metric());
  }
  // The rows that searches return, which must be different ones.
  std::set<uint32_t> Found(size_t query, int64_t probes, bool fills, BitsetView allowed,
                           uint32_t k = kRows) {
    SearchRequest request{
        .queries = block().Slice(query, 1), .k = k, .params = {}, .allowed = allowed};
    request.params.Set("nprobe", static_cast<double>(probes));
    request.params.Set("reorder_k", k);
    request.params.Set("ensure_topk_full", fills ? 1 : 0);
    std::vector<uint32_t> rows(k);
    std::vector<float> scores(k);
    const Status status =
        index_->Search(ctx_, request, {.rows = rows.data(), .scores = scores.data()});
    EXPECT_TRUE(status.ok()) << status.ToString();
    const auto end = std::find(rows.begin(), rows.end(), kNoRow);
    const std::set<uint32_t> found(rows.begin(), end);
    EXPECT_EQ(found.size(), static_cast<size_t>(end - rows.begin())) << "a row came twice";
    return found;
  }

  SystemClock clock_;
  Context ctx_{clock_};
  const std::vector<float> rows_ = DrawRows();
  std::string file_;
  std::unique_ptr<VectorIndex> index_;
};

TEST_P(SpillTest, PutsEachRowIntoAnotherListThatIsNear) {
  const FloatRows rows(block(), metric() == Metric::kCosine);
  const auto lists = TrainLists(ctx_, rows, kLists, {}, 1);
  ASSERT_TRUE(lists.ok());
  const auto second = SecondLists(ctx_, rows, *lists, nullptr);
  ASSERT_TRUE(second.ok());
  double to_second = 0, to_any = 0;
  std::vector<float> row(kDim);
  for (size_t r = 0; r < kRows; ++r) {
    ASSERT_LT((*second)[r], kLists);
    ASSERT_NE((*second)[r], lists->nearest[r]);
    rows.Copy(r, row.data());
    to_second += simd::Best().l2(row.data(), &lists->centroids[(*second)[r] * kDim], kDim);
    to_any += simd::Best().l2(row.data(), &lists->centroids[r % kLists * kDim], kDim);
  }
  EXPECT_LT(to_second, 0.9 * to_any);
}

TEST_P(SpillTest, FindsEachRowOnceHoweverManyListsAreAskedFor) {
  Open();
  for (const int64_t probes : {1, 5, 30, 63, 64, 1000}) {
    SCOPED_TRACE(probes);
    const std::set<uint32_t> asked = Found(7, probes, false, {});
    if (probes <= 5) {
      EXPECT_LT(asked.size(), kRows);
    } else if (probes >= static_cast<int64_t>(kLists)) {
      EXPECT_EQ(asked.size(), kRows);
    }
    EXPECT_EQ(Found(7, probes, true, {}).size(), kRows);
  }
}

TEST_P(SpillTest, FindsEachAllowedRowOnce) {
  Open();
  Bitset allowed(kRows);
  for (size_t r = 0; r < kRows; r += 3) allowed.Set(r);
  for (const int64_t probes : {1, 9, 64}) {
    SCOPED_TRACE(probes);
    const std::set<uint32_t> found = Found(4, probes, true, allowed.view());
    EXPECT_EQ(found.size(), (kRows + 2) / 3);
    EXPECT_TRUE(std::all_of(found.begin(), found.end(), [](uint32_t r) { return r % 3 == 0; }));
  }
}

TEST_P(SpillTest, StreamsEachRowOnce) {
  Open();
  for (const int64_t probes : {1, 8, 64}) {
    StreamRequest request{.query = block().Slice(3, 1), .params = {}};
    request.params.Set("nprobe", static_cast<double>(probes));
    auto stream = index_->Stream(ctx_, request);
    ASSERT_TRUE(stream.ok());
    std::vector<uint32_t> rows(kRows + 600);
    std::vector<float> scores(rows.size());
    size_t given = 0;
    for (size_t count = 300; count == 300;) {
      const auto next = (*stream)->Next(
          ctx_, 300, {.rows = rows.data() + given, .scores = scores.data() + given});
      ASSERT_TRUE(next.ok());
      count = *next;
      given += count;
      ASSERT_LE(given, kRows);
    }
    EXPECT_EQ(given, kRows);
    EXPECT_EQ(std::set<uint32_t>(rows.begin(), rows.begin() + kRows).size(), kRows);
  }
}

TEST_P(SpillTest, StopsWhenItIsCancelled) {
  Context cancelled(clock_);
  cancelled.Cancel();
  const FloatRows rows(block(), false);
  const auto lists = TrainLists(ctx_, rows, kLists, {}, 1);
  ASSERT_TRUE(lists.ok());
  EXPECT_EQ(SecondLists(cancelled, rows, *lists, nullptr).status().code(), ErrorCode::kCanceled);
}

INSTANTIATE_TEST_SUITE_P(Metrics, SpillTest,
                         testing::Combine(testing::Values(Metric::kL2, Metric::kIp,
                                                          Metric::kCosine),
                                          testing::Values(CodeKind::kFloat32, CodeKind::kFastScan)),
                         [](const auto& info) {
                           return std::string(NameOf(std::get<0>(info.param))) +
                                  (std::get<1>(info.param) == CodeKind::kFastScan ? "FastScan"
                                                                                  : "Float32");
                         });

// Rows in tight clusters, each a list: second lists would only double what is read.
TEST(SecondLists, DoNotPayWhereTheNearestRowsShareAList) {
  SystemClock clock;
  Context ctx(clock);
  std::mt19937 rng(3);
  std::normal_distribution<float> normal;
  std::vector<float> centres(kLists * kDim), values;
  for (float& value : centres) value = 20 * normal(rng);
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t d = 0; d < kDim; ++d) {
      values.push_back(centres[r % kLists * kDim + d] + 0.1f * normal(rng));
    }
  }
  const FloatRows rows(VectorBlock{.data = values.data(), .rows = kRows, .dim = kDim});
  auto lists = TrainLists(ctx, rows, kLists, {}, 1);
  ASSERT_TRUE(lists.ok());
  auto second = SecondLists(ctx, rows, *lists, nullptr);
  ASSERT_TRUE(second.ok());
  lists->second = std::move(*second);
  const auto pays = SecondListsPay(ctx, rows, *lists, /*is_l2=*/true, nullptr);
  ASSERT_TRUE(pays.ok());
  EXPECT_FALSE(*pays);
}

}  // namespace
}  // namespace elanus::index
