// Described structs survive encoding, versions that differ understand each other, damage is an
// error.
#include "base/fields.h"

#include <gtest/gtest.h>

#include <limits>

namespace elanus {
namespace {

enum class Colour : int32_t { kRed = 0, kBlue = 7 };

struct Inner {
  std::string name;
  int64_t number = 5;  // Not the type's zero: the default of an absent field is the struct's.
  bool operator==(const Inner&) const = default;
  template <class V>
  void Fields(V& v) {
    v(1, "name", name);
    v(2, "number", number);
  }
};

struct Outer {
  bool flag = false;
  int64_t i64 = 0;
  int32_t i32 = 0;
  uint64_t u64 = 0;
  double real = 0;
  float single = 0;
  std::string text;
  std::vector<uint8_t> bytes;
  Colour colour = Colour::kRed;
  SegmentId segment;
  Inner inner;
  std::vector<Inner> list;
  std::vector<std::string> texts;
  std::vector<int64_t> numbers;
  std::map<std::string, Inner> map;
  std::optional<int64_t> maybe;
  std::optional<Inner> maybe_inner;
  bool operator==(const Outer&) const = default;
  template <class V>
  void Fields(V& v) {
    v(1, "flag", flag);
    v(2, "i64", i64);
    v(3, "i32", i32);
    v(4, "u64", u64);
    v(5, "real", real);
    v(6, "single", single);
    v(7, "text", text);
    v(8, "bytes", bytes);
    v(9, "colour", colour);
    v(10, "segment", segment);
    v(11, "inner", inner);
    v(12, "list", list);
    v(13, "texts", texts);
    v(14, "numbers", numbers);
    v(15, "map", map);
    v(16, "maybe", maybe);
    v(200, "maybe_inner", maybe_inner);
  }
};

Outer Full() {
  Outer full;
  full.flag = true;
  full.i64 = std::numeric_limits<int64_t>::min();
  full.i32 = -1;
  full.u64 = std::numeric_limits<uint64_t>::max();
  full.real = -0.1;
  full.single = 3.4e38f;
  full.text = std::string("a\0b\xff", 4);
  full.bytes = {0, 255, 128};
  full.colour = Colour::kBlue;
  full.segment = SegmentId(-42);
  full.inner = {.name = "in", .number = 0};
  full.list = {{.name = "x", .number = 1}, {}, {.name = "", .number = -1}};
  full.texts = {"", "one", ""};
  full.numbers = {0, -1, std::numeric_limits<int64_t>::max()};
  full.map = {{"", {}}, {"key", {.name = "value", .number = 2}}};
  full.maybe = 0;
  full.maybe_inner = Inner{};
  return full;
}

TEST(Fields, EveryKindOfFieldSurvives) {
  const Outer full = Full();
  const auto decoded = Decode<Outer>(Encode(full));
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_EQ(*decoded, full);
}

TEST(Fields, AZeroIsWrittenWhereTheDefaultIsAnother) {
  const auto decoded = Decode<Inner>(Encode(Inner{.name = "n", .number = 0}));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->number, 0);
  EXPECT_EQ(Decode<Inner>("")->number, 5);
}

TEST(Fields, AnEmptyStructIsSmallAndComesBack) {
  EXPECT_EQ(Encode(Inner{.number = 0}), std::string("\x10\x00", 2));
  const auto decoded = Decode<Outer>("");
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, Outer{});
  EXPECT_EQ(*Decode<Outer>(Encode(Outer{})), Outer{});
}

TEST(Fields, EqualStructsHaveEqualBytesAndTheBytesStayAsTheyAre) {
  EXPECT_EQ(Encode(Full()), Encode(Full()));
  // tag 1, bytes, "ab"; tag 2, varint, zigzag of -3. These bytes are on disks.
  EXPECT_EQ(Encode(Inner{.name = "ab", .number = -3}), std::string("\x0a\x02"
                                                                   "ab"
                                                                   "\x10\x05",
                                                                   6));
}

struct NewerInner {
  std::string name;
  int64_t number = 0;
  double weight = 0;
  std::vector<std::string> labels;
  uint64_t stamp = 0;
  template <class V>
  void Fields(V& v) {
    v(9, "weight", weight);
    v(1, "name", name);
    v(10, "labels", labels);
    v(2, "number", number);
    v(11, "stamp", stamp);
  }
};

TEST(Fields, AnOlderReaderSkipsWhatItDoesNotKnowAndANewerOneKeepsDefaults) {
  NewerInner newer{.name = "n", .number = 3, .weight = 1.5, .labels = {"a", "b"}, .stamp = 300};
  const auto older = Decode<Inner>(Encode(newer));
  ASSERT_TRUE(older.ok());
  EXPECT_EQ(*older, (Inner{.name = "n", .number = 3}));
  const auto again = Decode<NewerInner>(Encode(*older));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->weight, 0);
  EXPECT_EQ(again->number, 3);
}

TEST(Fields, DamagedBytesAreErrorsOrOtherValuesButNeverWorse) {
  const std::string bytes = Encode(Full());
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    const auto decoded = Decode<Outer>(std::string_view(bytes).substr(0, cut));
    EXPECT_TRUE(decoded.ok() || decoded.status().code() == ErrorCode::kSerialization);
  }
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      const auto decoded = Decode<Outer>(damaged);
      EXPECT_TRUE(decoded.ok() || decoded.status().code() == ErrorCode::kSerialization);
    }
  }
}

TEST(Fields, AKnownTagOfAnotherKindIsAnError) {
  EXPECT_EQ(Decode<Inner>(std::string("\x08\x01", 2)).status().code(), ErrorCode::kSerialization);
  EXPECT_EQ(Decode<Inner>(std::string("\x7f\x01", 2)).status().code(), ErrorCode::kSerialization);
}

}  // namespace
}  // namespace elanus
