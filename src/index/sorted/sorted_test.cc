// The sorted index against a plain scan, and against damaged files.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <random>

#include "base/framed.h"
#include "index/scalar_index.h"

namespace elanus::index {
namespace {

using model::Column;
using model::Compare;
using model::DataType;
using model::Predicate;
using model::Scalar;

using Value = std::optional<Scalar>;  // None: null.

constexpr DataType kTypes[] = {DataType::kBool,   DataType::kInt8,   DataType::kInt16,
                               DataType::kInt32,  DataType::kInt64,  DataType::kFloat,
                               DataType::kDouble, DataType::kVarChar};
constexpr Compare kCompares[] = {Compare::kEq, Compare::kNe, Compare::kLt,
                                 Compare::kLe, Compare::kGt, Compare::kGe};

Column ColumnOf(DataType type, const std::vector<Value>& rows) {
  Column column = model::MakeColumn(FieldId(100), "f", type, DataType::kNone, 0);
  for (const Value& value : rows) {
    if (!value) {
      column.AppendNull();
    } else if (value->is_string()) {
      column.AppendBytes(value->as_string());
    } else if (type == DataType::kFloat) {
      const auto number = static_cast<float>(value->as_double());
      column.AppendFixed(&number);
    } else if (value->is_double()) {
      const double number = value->as_double();
      column.AppendFixed(&number);
    } else {
      // Little-endian: the first bytes are the narrow value.
      const int64_t number = value->is_bool() ? value->as_bool() : value->as_int();
      column.AppendFixed(&number);
    }
  }
  return column;
}

Blob BlobOf(std::string_view bytes, size_t shift = 0) {
  auto owner = std::make_shared<const std::string>(std::string(shift, 'x') + std::string(bytes));
  return Blob(owner, std::string_view(*owner).substr(shift), owner->size());
}

std::string FileOf(DataType type, const std::vector<Value>& rows) {
  SystemClock clock;
  Context ctx(clock);
  auto file = BuildSortedIndex(ctx, ColumnOf(type, rows).view());
  EXPECT_TRUE(file.ok()) << file.status().ToString();
  return std::move(file).value();
}

std::unique_ptr<ScalarIndex> IndexOf(DataType type, const std::vector<Value>& rows) {
  auto index = OpenSortedIndex(BlobOf(FileOf(type, rows)));
  EXPECT_TRUE(index.ok()) << index.status().ToString();
  return std::move(index).value();
}

// What the language says of one value, written down once more and as plainly as can be.
bool Holds(const Scalar& a, Compare op, const Scalar& b) {
  switch (op) {
    case Compare::kEq:
      return a.is_double() ? a.as_double() == b.as_double() : a == b;
    case Compare::kNe:
      return !Holds(a, Compare::kEq, b);
    case Compare::kLt:
      if (a.is_string()) return a.as_string() < b.as_string();
      if (a.is_double()) return a.as_double() < b.as_double();
      return a.is_bool() ? a.as_bool() < b.as_bool() : a.as_int() < b.as_int();
    case Compare::kLe:
      return Holds(a, Compare::kLt, b) || Holds(a, Compare::kEq, b);
    case Compare::kGt:
      return Holds(b, Compare::kLt, a);
    case Compare::kGe:
      return Holds(b, Compare::kLe, a);
  }
  return false;
}

bool Passes(const Value& value, const Predicate& p) {
  if (p.kind == Predicate::Kind::kIsNull) return !value;
  if (!value) return false;
  switch (p.kind) {
    case Predicate::Kind::kCompare:
      return Holds(*value, p.op, p.values[0]);
    case Predicate::Kind::kIn:
      return std::any_of(p.values.begin(), p.values.end(),
                         [&](const Scalar& one) { return Holds(*value, Compare::kEq, one); });
    case Predicate::Kind::kRange:
      return Holds(*value, p.lower_inclusive ? Compare::kGe : Compare::kGt, p.values[0]) &&
             Holds(*value, p.upper_inclusive ? Compare::kLe : Compare::kLt, p.values[1]);
    case Predicate::Kind::kPrefix:
      return value->as_string().starts_with(p.values[0].as_string());
    default:
      return false;
  }
}

std::string RowsOf(const ScalarIndex& index, size_t rows, const Predicate& predicate) {
  SystemClock clock;
  Context ctx(clock);
  Bitset matches(rows);
  const auto answered = index.Answer(ctx, predicate, matches);
  if (!answered.ok()) return answered.status().ToString();
  if (!*answered) return "scan";
  std::string text;
  for (size_t i = 0; i < rows; ++i) text += matches.Test(i) ? '1' : '0';
  return text;
}

std::string ScanOf(const std::vector<Value>& rows, const Predicate& predicate) {
  std::string text;
  for (const Value& value : rows) text += Passes(value, predicate) ? '1' : '0';
  return text;
}

class Dice {
 public:
  explicit Dice(uint64_t seed) : rng_(seed) {}
  size_t Below(size_t n) { return rng_() % n; }

  // From few values, so that equal ones are frequent, with the ends of the type among them.
  Scalar ValueOf(DataType type) {
    const int64_t small = static_cast<int64_t>(Below(7)) - 3;
    const bool is_edge = Below(10) == 0;
    switch (type) {
      case DataType::kBool:
        return small > 0;
      case DataType::kInt8:
        return is_edge ? int64_t{-128} : small;
      case DataType::kInt16:
        return is_edge ? int64_t{32767} : small;
      case DataType::kInt32:
        return is_edge ? int64_t{INT32_MIN} : small;
      case DataType::kInt64:
        return is_edge ? INT64_MIN + small + 3 : small;
      case DataType::kVarChar:
        return is_edge ? std::string("\xff\x00\xff", 3)
                       : std::string("aababab").substr(0, static_cast<size_t>(small + 3));
      default: {
        const double edges[] = {NAN, INFINITY, -INFINITY, -0.0};
        return is_edge ? edges[Below(4)] : static_cast<double>(small) / 2;
      }
    }
  }

  Predicate PredicateOf(DataType type) {
    Predicate p{.field = FieldId(100), .type = type};
    const size_t kinds = type == DataType::kVarChar ? 5 : 4;
    constexpr Predicate::Kind kKinds[] = {Predicate::Kind::kCompare, Predicate::Kind::kIn,
                                          Predicate::Kind::kRange, Predicate::Kind::kIsNull,
                                          Predicate::Kind::kPrefix};
    p.kind = kKinds[Below(kinds)];
    p.op = kCompares[Below(6)];
    p.lower_inclusive = Below(2) == 0;
    p.upper_inclusive = Below(2) == 0;
    const size_t values = p.kind == Predicate::Kind::kRange ? 2
                          : p.kind == Predicate::Kind::kIn  ? Below(5)
                                                            : 1;
    for (size_t i = 0; i < values; ++i) p.values.push_back(ValueOf(type));
    return p;
  }

  std::vector<Value> RowsOf(DataType type, size_t count) {
    std::vector<Value> rows;
    for (size_t i = 0; i < count; ++i) {
      rows.push_back(Below(6) == 0 ? Value() : Value(ValueOf(type)));
    }
    return rows;
  }

 private:
  std::mt19937_64 rng_;
};

TEST(SortedIndex, AnswersAsAPlainScanForEveryType) {
  for (DataType type : kTypes) {
    Dice dice(static_cast<uint64_t>(type));
    for (size_t count : {0u, 1u, 2u, 63u, 64u, 200u}) {
      const std::vector<Value> rows = dice.RowsOf(type, count);
      const auto index = IndexOf(type, rows);
      for (int i = 0; i < 200; ++i) {
        const Predicate p = dice.PredicateOf(type);
        ASSERT_EQ(RowsOf(*index, count, p), ScanOf(rows, p))
            << NameOf(type) << ", kind " << static_cast<int>(p.kind) << ", op "
            << static_cast<int>(p.op);
      }
    }
  }
}

TEST(SortedIndex, FindsEqualValuesRangesAndLists) {
  const std::vector<Value> rows = {int64_t{5}, std::nullopt, int64_t{-2}, int64_t{5}, int64_t{9}};
  const auto index = IndexOf(DataType::kInt32, rows);
  Predicate p{.type = DataType::kInt32, .values = {int64_t{5}}};
  EXPECT_EQ(RowsOf(*index, 5, p), "10010");
  p.op = Compare::kNe;
  EXPECT_EQ(RowsOf(*index, 5, p), "00101");
  p = {.kind = Predicate::Kind::kRange,
       .type = DataType::kInt32,
       .values = {int64_t{-2}, int64_t{9}},
       .lower_inclusive = false,
       .upper_inclusive = true};
  EXPECT_EQ(RowsOf(*index, 5, p), "10011");
  p = {.kind = Predicate::Kind::kIn, .type = DataType::kInt32, .values = {int64_t{-2}, int64_t{9}}};
  EXPECT_EQ(RowsOf(*index, 5, p), "00101");
  p = {.kind = Predicate::Kind::kIn, .type = DataType::kInt32, .values = {}};
  EXPECT_EQ(RowsOf(*index, 5, p), "00000");
  p = {.kind = Predicate::Kind::kIsNull, .type = DataType::kInt32};
  EXPECT_EQ(RowsOf(*index, 5, p), "01000");
}

TEST(SortedIndex, TakesConstantsOutsideANarrowType) {
  const auto index = IndexOf(DataType::kInt8, {int64_t{127}, int64_t{-128}, int64_t{44}});
  Predicate p{.type = DataType::kInt8, .op = Compare::kLt, .values = {int64_t{300}}};
  EXPECT_EQ(RowsOf(*index, 3, p), "111");
  p.op = Compare::kEq;  // 300 is 44 in eight bits.
  EXPECT_EQ(RowsOf(*index, 3, p), "000");
}

TEST(SortedIndex, HoldsNanUnequalToEverything) {
  const auto index = IndexOf(DataType::kDouble, {NAN, 1.0, std::nullopt, -0.0});
  const auto ask = [&](Compare op, double constant) {
    return RowsOf(*index, 4, {.type = DataType::kDouble, .op = op, .values = {constant}});
  };
  for (Compare op : {Compare::kEq, Compare::kLt, Compare::kLe, Compare::kGt, Compare::kGe}) {
    EXPECT_EQ(ask(op, NAN), "0000");
  }
  EXPECT_EQ(ask(Compare::kNe, NAN), "1101");
  EXPECT_EQ(ask(Compare::kNe, 1.0), "1001");
  EXPECT_EQ(ask(Compare::kEq, 0.0), "0001");
  Predicate in{.kind = Predicate::Kind::kIn, .type = DataType::kDouble, .values = {NAN, 1.0}};
  EXPECT_EQ(RowsOf(*index, 4, in), "0100");
}

TEST(SortedIndex, LeavesOtherTypesToTheScan) {
  const auto index = IndexOf(DataType::kInt64, {int64_t{1}});
  Predicate p{.type = DataType::kVarChar, .values = {std::string("1")}};
  EXPECT_EQ(RowsOf(*index, 1, p), "scan");
  p = {.kind = Predicate::Kind::kPrefix, .type = DataType::kInt64, .values = {std::string("1")}};
  EXPECT_EQ(RowsOf(*index, 1, p), "scan");
}

TEST(SortedIndex, IsNotForEveryTypeOfField) {
  SystemClock clock;
  Context ctx(clock);
  for (DataType type : {DataType::kJson, DataType::kArray, DataType::kFloatVector}) {
    const Column column = model::MakeColumn(FieldId(1), "f", type, DataType::kInt64, 4);
    EXPECT_EQ(BuildSortedIndex(ctx, column.view()).status().code(), ErrorCode::kIndexNotSupported);
  }
}

TEST(SortedIndex, RefusesASegmentOfAnotherSize) {
  SystemClock clock;
  Context ctx(clock);
  const auto index = IndexOf(DataType::kInt64, {int64_t{1}, int64_t{2}});
  Bitset matches(1);
  const Predicate p{.type = DataType::kInt64, .values = {int64_t{2}}};
  EXPECT_EQ(index->Answer(ctx, p, matches).status().code(), ErrorCode::kIntegrity);
}

TEST(SortedIndex, OpensAtAnyAddress) {
  const std::vector<Value> rows = {std::string("b"), std::string("a")};
  const auto index = OpenSortedIndex(BlobOf(FileOf(DataType::kVarChar, rows), /*shift=*/1));
  ASSERT_TRUE(index.ok());
  const Predicate p{.type = DataType::kVarChar, .values = {std::string("a")}};
  EXPECT_EQ(RowsOf(**index, 2, p), "01");
}

// Opens a damaged file; when it opens, asks it everything: the answers may be wrong, but nothing
// outside the index may be touched. Gives whether it was refused.
bool IsRefused(std::string_view file, DataType type, Dice& dice) {
  const auto index = OpenSortedIndex(BlobOf(file));
  if (!index.ok()) {
    EXPECT_EQ(index.status().code(), ErrorCode::kIntegrity) << index.status().ToString();
    return true;
  }
  for (int i = 0; i < 20; ++i) (void)RowsOf(**index, 12, dice.PredicateOf(type));
  return false;
}

TEST(SortedIndex, RefusesAFileCutOrChangedAnywhere) {
  for (DataType type : kTypes) {
    Dice dice(7);
    const std::string good = FileOf(type, dice.RowsOf(type, 12));
    ASSERT_FALSE(IsRefused(good, type, dice));
    for (size_t size = 0; size < good.size(); ++size) {
      EXPECT_TRUE(IsRefused(std::string_view(good).substr(0, size), type, dice)) << size;
    }
    for (size_t at = 0; at < good.size(); ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << dice.Below(8)));
      EXPECT_TRUE(IsRefused(bad, type, dice)) << at;
    }
  }
}

TEST(SortedIndex, IsHarmlessWhenTheFrameIsRightAndTheContentWrong) {
  constexpr std::string_view kMagic = "ELSORTED";
  for (DataType type : kTypes) {
    Dice dice(8);
    const std::string good = FileOf(type, dice.RowsOf(type, 12));
    const std::string payload(*Unframe(kMagic, 1, good, "test"));
    for (size_t size = 0; size < payload.size(); ++size) {
      EXPECT_TRUE(IsRefused(Frame(kMagic, 1, payload.substr(0, size)), type, dice)) << size;
    }
    for (size_t at = 0; at < payload.size(); ++at) {
      for (int flip : {0x01, 0x80, 0xff}) {
        std::string bad = payload;
        bad[at] = static_cast<char>(bad[at] ^ flip);
        (void)IsRefused(Frame(kMagic, 1, bad), type, dice);
      }
    }
  }
}

TEST(SortedIndex, RefusesNumbersThatLeadElsewhere) {
  constexpr std::string_view kMagic = "ELSORTED";
  constexpr size_t kHeader = 32;
  constexpr size_t kOrder = kHeader + 48;
  const std::string good =
      FileOf(DataType::kVarChar, {std::string("a"), std::string("b"), std::nullopt});
  const std::string payload(*Unframe(kMagic, 1, good, "test"));
  const auto refused = [&](size_t at, uint64_t value, size_t width) {
    std::string bad = payload;
    std::memcpy(bad.data() + at, &value, width);
    return OpenSortedIndex(BlobOf(Frame(kMagic, 1, bad))).status().code() == ErrorCode::kIntegrity;
  };
  EXPECT_FALSE(refused(kOrder, 0, 4));  // As it was.
  EXPECT_TRUE(refused(kOrder, 1, 4)) << "a row twice";
  EXPECT_TRUE(refused(kOrder, 3, 4)) << "a row past the end";
  EXPECT_TRUE(refused(kOrder + 8, 0, 4)) << "a null row that has a value";
  EXPECT_TRUE(refused(kHeader, 5, 8)) << "another type";
  EXPECT_TRUE(refused(kHeader, 101, 8)) << "a type without order";
  EXPECT_TRUE(refused(kHeader, (uint64_t{1} << 32) + 21, 8)) << "a type in too many bits";
  for (size_t field = 1; field < 6; ++field) {
    for (uint64_t value : {uint64_t{0}, uint64_t{7}, uint64_t{1} << 62, ~uint64_t{0}}) {
      if (field == 3 && value == 0) continue;  // No NaN, as it was.
      EXPECT_TRUE(refused(kHeader + 8 * field, value, 8)) << field << ": " << value;
    }
  }
  constexpr size_t kOffsets = kOrder + 16;
  EXPECT_FALSE(refused(kOffsets + 8, 1, 8));  // As it was.
  EXPECT_TRUE(refused(kOffsets, 1, 8)) << "texts begin after the start";
  EXPECT_TRUE(refused(kOffsets + 8, 3, 8)) << "texts run backwards";
  EXPECT_TRUE(refused(kOffsets + 16, 9, 8)) << "texts end past the end";
}

}  // namespace
}  // namespace elanus::index
