// Bitsets agree with a vector of bools at every size around a word's end.
#include "base/bitset.h"

#include <gtest/gtest.h>

#include <random>

namespace elanus {
namespace {

const std::vector<size_t> kSizes = {0, 1, 63, 64, 65, 127, 128, 129, 1000};

std::vector<bool> Draw(size_t size, std::mt19937& rng) {
  std::vector<bool> bits(size);
  for (size_t i = 0; i < size; ++i) bits[i] = rng() % 3 == 0;
  return bits;
}
Bitset Make(const std::vector<bool>& bits) {
  Bitset set(bits.size());
  for (size_t i = 0; i < bits.size(); ++i) {
    if (bits[i]) set.Set(i);
  }
  return set;
}
void ExpectSame(const Bitset& set, const std::vector<bool>& bits) {
  ASSERT_EQ(set.size(), bits.size());
  size_t count = 0;
  for (size_t i = 0; i < bits.size(); ++i) {
    EXPECT_EQ(set.Test(i), bits[i]) << i << " of " << bits.size();
    count += bits[i];
  }
  EXPECT_EQ(set.Count(), count) << "bits past the end must be zero";
  EXPECT_EQ(set.Any(), count > 0);
}

TEST(Bitset, ListsAreOfTheBitsThatAreSet) {
  std::mt19937 rng(8);
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{64}, size_t{255}, size_t{256}, size_t{5000}}) {
    for (const size_t one_in : {size_t{1}, size_t{2}, size_t{20}, size_t{100}, size_t{1000}}) {
      Bitset set(size);
      std::vector<uint32_t> expected;
      for (size_t i = 0; i < size; ++i) {
        if (rng() % one_in != 0) continue;
        set.Set(i);
        expected.push_back(static_cast<uint32_t>(i));
      }
      for (const size_t room : {kListBitsRoom, size_t{200}, size + kListBitsRoom}) {
        std::vector<uint32_t> places(room);
        std::vector<uint32_t> listed;
        size_t next = 0;
        while (const size_t count = ListBits(set.view(), next, places.data(), room)) {
          ASSERT_LE(count, room);
          listed.insert(listed.end(), places.begin(), places.begin() + static_cast<int64_t>(count));
        }
        EXPECT_EQ(listed, expected) << size << " bits, one in " << one_in << ", room " << room;
        EXPECT_EQ(next, set.word_count());
      }
    }
  }
}

TEST(Bitset, OperationsAgreeWithBools) {
  std::mt19937 rng(7);
  for (size_t size : kSizes) {
    const std::vector<bool> a = Draw(size, rng);
    const std::vector<bool> b = Draw(size, rng);
    std::vector<bool> expected(size);
    Bitset set = Make(a);
    ExpectSame(set, a);
    set.And(Make(b));
    for (size_t i = 0; i < size; ++i) expected[i] = a[i] && b[i];
    ExpectSame(set, expected);
    set = Make(a);
    set.Or(Make(b));
    for (size_t i = 0; i < size; ++i) expected[i] = a[i] || b[i];
    ExpectSame(set, expected);
    set = Make(a);
    set.AndNot(Make(b));
    for (size_t i = 0; i < size; ++i) expected[i] = a[i] && !b[i];
    ExpectSame(set, expected);
    set = Make(a);
    set.Flip();
    for (size_t i = 0; i < size; ++i) expected[i] = !a[i];
    ExpectSame(set, expected);
  }
}

TEST(Bitset, ResizingForgetsAndFillsOnlyWhatIsInside) {
  for (size_t size : kSizes) {
    Bitset set(size, true);
    ExpectSame(set, std::vector<bool>(size, true));
    set.Resize(size / 2, false);
    ExpectSame(set, std::vector<bool>(size / 2, false));
    set.Resize(size + 3, true);
    ExpectSame(set, std::vector<bool>(size + 3, true));
  }
}

TEST(Bitset, WholeWordsNeedATidyTail) {
  Bitset set(70);
  for (size_t w = 0; w < set.word_count(); ++w) set.words()[w] = ~uint64_t{0};
  set.ClearTail();
  EXPECT_EQ(set.Count(), 70u);
  set.Clear(69);
  EXPECT_EQ(set.Count(), 69u);
}

TEST(Bitset, ForEachSetVisitsAscending) {
  std::mt19937 rng(8);
  for (size_t size : kSizes) {
    const std::vector<bool> bits = Draw(size, rng);
    const Bitset set = Make(bits);
    std::vector<size_t> visited;
    ForEachSet(set.view(), [&](size_t i) { visited.push_back(i); });
    std::vector<size_t> expected;
    for (size_t i = 0; i < size; ++i) {
      if (bits[i]) expected.push_back(i);
    }
    EXPECT_EQ(visited, expected);
  }
}

TEST(BitsetView, AnEmptyViewIsTold) {
  EXPECT_TRUE(BitsetView().empty());
  const Bitset set(1);
  EXPECT_FALSE(set.view().empty());
}

}  // namespace
}  // namespace elanus
