// Codes are trusted where they keep the order of neighbours, and only there.
#include "index/codes/keeps_order.h"

#include <gtest/gtest.h>

#include "index/codes/build_bytes.h"
#include "index/conformance.h"

namespace elanus::index {
namespace {

constexpr uint32_t kDim = 48;

Result<bool> Keeps(const Cloud& cloud, CodeKind kind, bool is_l2) {
  SystemClock clock;
  Context ctx(clock);
  const auto codec = TrainCodec(kind, cloud.block(), is_l2);
  return KeepsOrder(ctx, *codec, cloud.block(), is_l2);
}

// One row far away stretches the codes' range, so that all others share a few codes.
Cloud WithARowFarAway() {
  Cloud cloud = MakeClusteredCloud(5, 3000, kDim, 50);
  for (uint32_t d = 0; d < kDim; ++d) cloud.rows[d] = d % 2 == 0 ? 1e5f : -1e5f;
  return cloud;
}

TEST(KeepsOrder, TrustsBytesOfEvenRows) {
  const Cloud cloud = MakeClusteredCloud(5, 3000, kDim, 1);
  EXPECT_TRUE(*Keeps(cloud, CodeKind::kSq8, true));
  EXPECT_TRUE(*Keeps(cloud, CodeKind::kSq8, false));
}

TEST(KeepsOrder, DoesNotTrustFourBitsNorBytesStretchedByARowFarAway) {
  EXPECT_FALSE(*Keeps(MakeClusteredCloud(5, 3000, kDim, 1), CodeKind::kSq4, true));
  EXPECT_FALSE(*Keeps(WithARowFarAway(), CodeKind::kSq8, true));
}

TEST(KeepsOrder, BuildsOnBytesOnlyWhereTheyKeepTheOrder) {
  SystemClock clock;
  Context ctx(clock);
  const Cloud even = MakeClusteredCloud(5, 3000, kDim, 1);
  for (const bool is_l2 : {false, true}) {
    const auto bytes = BytesToBuildOn(ctx, even.block(), is_l2);
    ASSERT_TRUE(bytes.ok());
    EXPECT_EQ(bytes->size(), even.rows.size());
    const auto none = BytesToBuildOn(ctx, WithARowFarAway().block(), is_l2);
    ASSERT_TRUE(none.ok());
    EXPECT_TRUE(none->empty());
  }
}

TEST(KeepsOrder, StopsWhenCancelled) {
  const Cloud cloud = MakeClusteredCloud(5, 100, kDim, 1);
  SystemClock clock;
  Context ctx(clock);
  ctx.Cancel();
  const auto codec = TrainCodec(CodeKind::kSq8, cloud.block(), true);
  EXPECT_EQ(KeepsOrder(ctx, *codec, cloud.block(), true).status().code(), ErrorCode::kCanceled);
  EXPECT_EQ(BytesToBuildOn(ctx, cloud.block(), true).status().code(), ErrorCode::kCanceled);
}

TEST(Hnsw, FindsNeighboursWhereBytesWouldNot) {
  const Cloud cloud = WithARowFarAway();
  SystemClock clock;
  Context ctx(clock);
  Params build;
  build.Set("M", 16);
  build.Set("efConstruction", 100);
  const IndexType& type = *FindType(VectorKind::kDense, "HNSW");
  auto bytes = type.Build(ctx, cloud.block(), Metric::kL2, build, {});
  ASSERT_TRUE(bytes.ok());
  const auto owner = std::make_shared<const std::string>(std::move(*bytes));
  const auto index = type.Open(Blob(owner, *owner, owner->size()), cloud.block(), Metric::kL2);
  ASSERT_TRUE(index.ok()) << index.status().ToString();
  constexpr uint32_t kK = 10;
  const size_t nq = cloud.query_block().rows;
  const SearchRequest request{.queries = cloud.query_block(), .k = kK, .params = {}};
  Answer got(nq, kK);
  Answer want(nq, kK);
  ASSERT_TRUE((*index)->Search(ctx, request, got.hits()).ok());
  ASSERT_TRUE(SearchExact(ctx, cloud.block(), Metric::kL2, request, want.hits()).ok());
  size_t found = 0;
  for (size_t q = 0; q < nq; ++q) {
    const std::set<uint32_t> truth(want.rows.begin() + q * kK, want.rows.begin() + (q + 1) * kK);
    for (uint32_t i = 0; i < kK; ++i) found += truth.count(got.rows[q * kK + i]);
  }
  EXPECT_GE(static_cast<double>(found), 0.95 * static_cast<double>(nq * kK));
}

}  // namespace
}  // namespace elanus::index
