// Rows without a vector leave what a search may return, however that is written down.
#include "segment/valid_rows.h"

#include <gtest/gtest.h>

namespace elanus::segment {
namespace {

std::shared_ptr<const Bitset> Bits(const std::vector<size_t>& set) {
  auto bits = std::make_shared<Bitset>(4);
  for (const size_t i : set) bits->Set(i);
  return bits;
}

std::vector<size_t> RowsOf(const Allowed& allowed) {
  std::vector<size_t> rows;
  ForEachSet(allowed.view(), [&](size_t i) { rows.push_back(i); });
  return rows;
}

TEST(ValidRows, AreAllThatIsLeftOfEveryRow) {
  Allowed allowed{.bits = {}, .shared = nullptr, .all = true};
  KeepOnly(allowed, {.rows = Bits({1, 3})});
  EXPECT_FALSE(allowed.all);
  EXPECT_EQ(RowsOf(allowed), std::vector<size_t>({1, 3}));
}

TEST(ValidRows, LeaveTheRowsThatOthersShareAsTheyAre) {
  const auto shared = Bits({0, 1});
  Allowed allowed{.bits = {}, .shared = shared};
  KeepOnly(allowed, {.rows = Bits({1, 3})});
  EXPECT_EQ(RowsOf(allowed), std::vector<size_t>({1}));
  EXPECT_TRUE(shared->Test(0));
}

TEST(ValidRows, MayLeaveNothing) {
  Allowed filtered{.bits = *Bits({0, 2})};
  KeepOnly(filtered, {.rows = Bits({1, 3})});
  EXPECT_TRUE(filtered.none);
  Allowed every{.bits = {}, .shared = nullptr, .all = true};
  KeepOnly(every, {.rows = nullptr, .none = true});
  EXPECT_TRUE(every.none);
}

TEST(ValidRows, ThatAreAllChangeNothing) {
  Allowed allowed{.bits = *Bits({0, 2})};
  KeepOnly(allowed, Visible());
  EXPECT_EQ(RowsOf(allowed), std::vector<size_t>({0, 2}));
  EXPECT_FALSE(allowed.none);
}

}  // namespace
}  // namespace elanus::segment
