// What stays open within a budget, and what is closed for it.
#include "segment/piece_cache.h"

#include <gtest/gtest.h>

namespace elanus::segment {
namespace {

constexpr int64_t kMb = 1 << 20;

class PieceCacheTest : public testing::Test {
 protected:
  // 100 MB, of which 80 may be open; beyond them down to 50.
  static PieceCacheOptions Options() {
    return {.budget_mb = 100, .high_ratio = 0.8, .low_ratio = 0.5};
  }
  std::shared_ptr<Piece> Make(int64_t mb, std::shared_ptr<Piece> base = nullptr) {
    return std::make_shared<Piece>(
        cache_, mb * kMb,
        [this, mb, base](Context& ctx) -> Result<Piece::Opened> {
          ++opened_;
          auto content = std::make_shared<std::shared_ptr<const void>>();
          if (base != nullptr) {
            TRY_ASSIGN(*content, base->Pin(ctx));
          }
          return Piece::Opened{.content = std::move(content),
                               .bytes = static_cast<size_t>(mb * kMb)};
        },
        base);
  }
  void Touch(const std::shared_ptr<Piece>& piece) { ASSERT_TRUE(piece->Pin(ctx_).ok()); }

  ManualClock clock_;
  Context ctx_{clock_};
  std::shared_ptr<PieceCache> cache_ = std::make_shared<PieceCache>(Options(), 0);
  int opened_ = 0;
};

TEST_F(PieceCacheTest, OpensOnceAndGivesTheSameUntilItIsClosed) {
  const auto piece = Make(10);
  const auto first = piece->Pin(ctx_);
  const auto second = piece->Pin(ctx_);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(opened_, 1);
  EXPECT_EQ(cache_->stats().hits, 1);
  EXPECT_EQ(cache_->stats().bytes, 10 * kMb);
}

TEST_F(PieceCacheTest, ClosesWhatWasNotUsedForLongestDownToTheLowMark) {
  const auto a = Make(30);
  const auto b = Make(30);
  const auto c = Make(30);
  Touch(a);
  Touch(b);
  Touch(a);
  Touch(c);  // 90 MB: b goes, 60 are left, then a, 30 are left.
  EXPECT_FALSE(b->is_open());
  EXPECT_FALSE(a->is_open());
  EXPECT_TRUE(c->is_open());
  Touch(a);
  EXPECT_TRUE(c->is_open());
  EXPECT_EQ(opened_, 4);
  EXPECT_EQ(cache_->stats().closings, 2);
}

TEST_F(PieceCacheTest, NeverClosesWhatSomebodyHasPinnedAndOpensAboveTheBudgetThen) {
  const auto a = Make(70);
  const auto b = Make(70);
  auto pinned_a = a->Pin(ctx_);
  auto pinned_b = b->Pin(ctx_);
  ASSERT_TRUE(pinned_a.ok() && pinned_b.ok());
  EXPECT_TRUE(a->is_open() && b->is_open());
  EXPECT_EQ(cache_->stats().bytes, 140 * kMb);
  pinned_a = std::shared_ptr<const void>();
  const auto c = Make(1);
  Touch(c);
  EXPECT_FALSE(a->is_open());
  EXPECT_TRUE(b->is_open());
}

TEST_F(PieceCacheTest, ClosesTheColumnUnderAnIndexAlongWithIt) {
  const auto column = Make(40);
  const auto index = Make(20, column);
  Touch(index);
  EXPECT_TRUE(column->is_open());
  const auto other = Make(45);
  Touch(other);  // 105 MB.
  EXPECT_FALSE(index->is_open());
  EXPECT_FALSE(column->is_open());
  EXPECT_EQ(cache_->stats().bytes, 45 * kMb);
}

TEST_F(PieceCacheTest, KeepsTheColumnUnderAnIndexWhenARowOfItIsBeingRead) {
  const auto column = Make(40);
  const auto index = Make(20, column);
  Touch(index);
  const auto reading = column->Pin(ctx_);
  const auto other = Make(45);
  Touch(other);
  EXPECT_FALSE(index->is_open());
  EXPECT_TRUE(column->is_open());
}

TEST_F(PieceCacheTest, CountsWhatSegmentsHoldAndForgetsPiecesThatGo) {
  cache_->Hold(60 * kMb);
  EXPECT_TRUE(cache_->HasRoom(20 * kMb));
  EXPECT_FALSE(cache_->HasRoom(21 * kMb));
  {
    const auto piece = Make(10);
    Touch(piece);
    EXPECT_EQ(cache_->stats().bytes, 70 * kMb);
  }
  EXPECT_EQ(cache_->stats().bytes, 60 * kMb);
  EXPECT_EQ(cache_->stats().pieces, 0);
  cache_->Hold(-60 * kMb);
  EXPECT_EQ(cache_->stats().bytes, 0);
}

TEST_F(PieceCacheTest, KnowsWhetherItCouldHoldAllThereIs) {
  const auto a = Make(50);
  cache_->Hold(10 * kMb);
  EXPECT_TRUE(cache_->HoldsAll());
  auto b = Make(30);
  EXPECT_FALSE(cache_->HoldsAll()) << "90 of 80 MB, though none is open";
  b.reset();
  EXPECT_TRUE(cache_->HoldsAll());
}

TEST_F(PieceCacheTest, OpensAgainAfterAnErrorAndKeepsAllOpenWhenToldTo) {
  int attempts = 0;
  const auto piece = std::make_shared<Piece>(cache_, 0, [&](Context&) -> Result<Piece::Opened> {
    if (++attempts == 1) return Status(ErrorCode::kIoFailed, "not now");
    return Piece::Opened{.content = std::make_shared<int>(1), .bytes = 1};
  });
  EXPECT_EQ(piece->Pin(ctx_).status().code(), ErrorCode::kIoFailed);
  EXPECT_TRUE(piece->Pin(ctx_).ok());

  PieceCacheOptions options = Options();
  options.evicts = false;
  cache_ = std::make_shared<PieceCache>(options, 0);
  const auto a = Make(90);
  const auto b = Make(90);
  Touch(a);
  Touch(b);
  EXPECT_TRUE(a->is_open() && b->is_open());
  EXPECT_TRUE(cache_->HasRoom(1000 * kMb));
}

}  // namespace
}  // namespace elanus::segment
