// Which moments are kept, and for how long.
#include "streaming/open_reads.h"

#include <gtest/gtest.h>

namespace elanus::streaming {
namespace {

constexpr CollectionId kOne{1};
constexpr CollectionId kOther{2};

TEST(OpenReads, NothingIsKeptWithoutAnOpenRead) {
  OpenReads reads(10);
  EXPECT_EQ(reads.Oldest(kOne, 5'000), kTimestampMax);
}

TEST(OpenReads, TheEarliestMomentOfACollectionCounts) {
  OpenReads reads(10);
  reads.Note(kOne, Timestamp(70), 5'000);
  reads.Note(kOne, Timestamp(50), 5'100);
  reads.Note(kOne, Timestamp(90), 6'100);
  reads.Note(kOther, Timestamp(20), 6'100);
  EXPECT_EQ(reads.Oldest(kOne, 7'000), Timestamp(50));
  EXPECT_EQ(reads.Oldest(kOther, 7'000), Timestamp(20));
}

TEST(OpenReads, AReadIsOpenWhileItsRequestsComeInTime) {
  OpenReads reads(10);
  for (int64_t now_ms = 0; now_ms <= 60'000; now_ms += 9'900) {
    reads.Note(kOne, Timestamp(50), now_ms);
    EXPECT_EQ(reads.Oldest(kOne, now_ms + 9'900), Timestamp(50));
  }
}

TEST(OpenReads, AReadThatNobodyGoesOnWithIsForgotten) {
  OpenReads reads(10);
  reads.Note(kOne, Timestamp(50), 5'900);
  reads.Note(kOne, Timestamp(80), 9'000);
  EXPECT_EQ(reads.Oldest(kOne, 15'900), Timestamp(50));
  EXPECT_EQ(reads.Oldest(kOne, 16'000), Timestamp(80));
  EXPECT_EQ(reads.Oldest(kOne, 20'000), kTimestampMax);
}

}  // namespace
}  // namespace elanus::streaming
