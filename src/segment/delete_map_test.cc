// Maps of deleted rows: what a change publishes, and what it leaves as it was.
#include "segment/delete_map.h"

#include <gtest/gtest.h>

namespace elanus::segment {
namespace {

constexpr size_t kRows = 3 * kChunkRows + 17;

std::shared_ptr<const DeleteMap> With(const DeleteMap* old, size_t row, uint64_t timestamp) {
  DeleteMapChange change(old, kRows);
  change.Delete(row, timestamp);
  return std::move(change).Finish();
}

TEST(DeleteMap, KnowsSinceWhenARowIsDeleted) {
  const auto map = With(nullptr, kChunkRows + 5, 70);
  ASSERT_NE(map, nullptr);
  EXPECT_EQ(map->DeletedAt(kChunkRows + 5), 70u);
  EXPECT_EQ(map->DeletedAt(kChunkRows + 6), 0u);
  EXPECT_EQ(map->DeletedAt(kRows - 1), 0u) << "of a chunk that has no deleted row";
  EXPECT_EQ(map->newest(), Timestamp(70));
  EXPECT_FALSE(map->alive()->Test(kChunkRows + 5));
  EXPECT_EQ(map->alive()->Count(), kRows - 1);
}

TEST(DeleteMap, ThatReadersHaveStaysAsItIs) {
  const auto first = With(nullptr, 3, 70);
  const auto second = With(first.get(), 4, 80);
  const auto third = With(second.get(), 2 * kChunkRows, 90);
  EXPECT_EQ(first->DeletedAt(4), 0u);
  EXPECT_EQ(first->alive()->Count(), kRows - 1);
  EXPECT_EQ(first->newest(), Timestamp(70));
  EXPECT_EQ(second->DeletedAt(2 * kChunkRows), 0u);
  EXPECT_EQ(third->DeletedAt(3), 70u);
  EXPECT_EQ(third->DeletedAt(4), 80u);
  EXPECT_EQ(third->DeletedAt(2 * kChunkRows), 90u);
  EXPECT_EQ(third->alive()->Count(), kRows - 3);
}

TEST(DeleteMap, KeepsTheEarliestDeleteOfARow) {
  const auto map = With(nullptr, 3, 70);
  EXPECT_EQ(With(map.get(), 3, 80), nullptr) << "nothing changes";
  EXPECT_EQ(With(map.get(), 3, 70), nullptr);
  const auto earlier = With(map.get(), 3, 60);
  ASSERT_NE(earlier, nullptr);
  EXPECT_EQ(earlier->DeletedAt(3), 60u);
  EXPECT_EQ(earlier->newest(), Timestamp(70));
}

TEST(DeleteMap, TellsWhatIsDeletedLater) {
  const auto first = With(nullptr, 3, 70);
  const auto map = With(first.get(), 2 * kChunkRows + 1, 90);
  const auto later = [&](uint64_t moment) {
    std::vector<size_t> rows;
    map->ForEachDeletedAfter(moment, [&](size_t row) { rows.push_back(row); });
    return rows;
  };
  EXPECT_EQ(later(69), (std::vector<size_t>{3, 2 * kChunkRows + 1}));
  EXPECT_EQ(later(70), (std::vector<size_t>{2 * kChunkRows + 1}));
  EXPECT_EQ(later(90), (std::vector<size_t>{}));
}

TEST(DeleteMap, OfAChangeWithoutADeleteIsNone) {
  EXPECT_EQ(DeleteMapChange(nullptr, kRows).Finish(), nullptr);
}

}  // namespace
}  // namespace elanus::segment
