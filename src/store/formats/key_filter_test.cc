// The filter of keys: never wrong about a key that is there, seldom about one that is not.
#include "store/formats/key_filter.h"

#include <gtest/gtest.h>

#include <cstring>

namespace elanus::store {
namespace {

std::string_view BytesOf(const int64_t& key) {
  return {reinterpret_cast<const char*>(&key), sizeof(key)};
}

KeyFilterBuilder FilterOf(int64_t first, int64_t count) {
  KeyFilterBuilder builder(static_cast<uint64_t>(count));
  for (int64_t key = first; key < first + count; ++key) builder.Add(BytesOf(key));
  return builder;
}

double ShareThatPasses(const KeyFilter& filter, int64_t first, int64_t count) {
  int64_t passed = 0;
  for (int64_t key = first; key < first + count; ++key) {
    passed += filter.MayHold(HashOfKey(BytesOf(key))) ? 1 : 0;
  }
  return static_cast<double>(passed) / static_cast<double>(count);
}

TEST(KeyFilter, LetsEveryKeyPassThatIsThere) {
  for (int64_t count : {1, 2, 23, 24, 1000, 200'000}) {
    const KeyFilterBuilder built = FilterOf(-5, count);
    EXPECT_EQ(ShareThatPasses(KeyFilter(built.bytes()), -5, count), 1.0) << count;
  }
}

TEST(KeyFilter, LetsFewerThanOneInAHundredOthersPassForElevenBitsAKey) {
  for (int64_t count : {1000, 30'000, 1'000'000}) {
    const KeyFilterBuilder built = FilterOf(0, count);
    EXPECT_LE(8 * built.bytes().size(), static_cast<size_t>(11 * count + 256)) << count;
    EXPECT_LT(ShareThatPasses(KeyFilter(built.bytes()), count, 300'000), 0.01) << count;
  }
}

TEST(KeyFilter, KnowsTexts) {
  KeyFilterBuilder builder(2);
  builder.Add("");
  builder.Add("a key that is longer than a number");
  const KeyFilter filter(builder.bytes());
  EXPECT_TRUE(filter.MayHold(HashOfKey("")));
  EXPECT_TRUE(filter.MayHold(HashOfKey("a key that is longer than a number")));
  EXPECT_FALSE(filter.MayHold(HashOfKey("another")));
}

TEST(KeyFilter, ThatIsNotThereLetsEveryKeyPass) {
  EXPECT_FALSE(KeyFilter().is_there());
  EXPECT_TRUE(KeyFilter().MayHold(HashOfKey("x")));
  EXPECT_FALSE(KeyFilter(std::string_view("seventeen bytes..")).is_there());
}

}  // namespace
}  // namespace elanus::store
