// What waits is there until it is taken, too old, or too much.
#include "base/idle_map.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace elanus {
namespace {

using Map = IdleMap<std::string, std::shared_ptr<int>>;

TEST(IdleMap, TakesOnceAndFindsOften) {
  Map map(2, 1000);
  map.Put("a", std::make_shared<int>(1), 0);
  EXPECT_EQ(*map.Find("a", 1), 1);
  EXPECT_EQ(*map.Find("a", 2), 1);
  map.Put("a", std::make_shared<int>(2), 3);
  EXPECT_EQ(*map.Take("a"), 2);
  EXPECT_EQ(map.Take("a"), nullptr);
  EXPECT_EQ(map.Find("a", 4), nullptr);
}

TEST(IdleMap, LetsGoOfWhatWasUsedLongestAgo) {
  Map map(2, 1000);
  map.Put("a", std::make_shared<int>(1), 0);
  map.Put("b", std::make_shared<int>(2), 1);
  EXPECT_NE(map.Find("a", 2), nullptr);
  map.Put("c", std::make_shared<int>(3), 3);
  EXPECT_NE(map.Find("a", 4), nullptr);
  EXPECT_EQ(map.Find("b", 4), nullptr);
  // A new value in an old place pushes nobody out.
  map.Put("a", std::make_shared<int>(4), 5);
  EXPECT_NE(map.Find("c", 6), nullptr);
}

TEST(IdleMap, IdleOnesGo) {
  Map map(8, 1000);
  auto watched = std::make_shared<int>(1);
  const std::weak_ptr<int> alive = watched;
  map.Put("a", std::move(watched), 0);
  map.Put("b", std::make_shared<int>(2), 500);
  map.DropIdle(1000);
  EXPECT_FALSE(alive.expired());
  map.DropIdle(1001);
  EXPECT_TRUE(alive.expired());
  EXPECT_NE(map.Find("b", 1400), nullptr);
  map.DropIdle(2000);
  EXPECT_NE(map.Find("b", 2000), nullptr);
}

TEST(IdleMap, NothingIsKeptWithoutRoom) {
  Map map(0, 1000);
  map.Put("a", std::make_shared<int>(1), 0);
  EXPECT_EQ(map.Find("a", 0), nullptr);
}

}  // namespace
}  // namespace elanus
