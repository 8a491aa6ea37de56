// The sorted index beyond what every scalar index keeps: narrow types, NaN, files that lie.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <optional>

#include "base/aligned_copy.h"
#include "base/framed.h"
#include "index/scalar_index.h"

namespace elanus::index {
namespace {

using model::Compare;
using model::DataType;
using model::Predicate;

std::string FileOf(const model::Column& column) {
  SystemClock clock;
  Context ctx(clock);
  auto file = FindScalarType("STL_SORT")->Build(ctx, column.view(), {});
  EXPECT_TRUE(file.ok()) << file.status().ToString();
  return std::move(file).value();
}

template <class T>
model::Column Numbers(DataType type, const std::vector<std::optional<T>>& values) {
  model::Column column = model::MakeColumn(FieldId(100), "f", type, DataType::kNone, 0);
  for (const auto& value : values) {
    if (value)
      column.AppendFixed(&*value);
    else
      column.AppendNull();
  }
  return column;
}

std::string RowsOf(std::string_view file, size_t rows, const Predicate& predicate) {
  SystemClock clock;
  Context ctx(clock);
  const auto index = OpenScalarIndex(AlignedCopy(file));
  EXPECT_TRUE(index.ok()) << index.status().ToString();
  Bitset matches(rows);
  const auto coverage = (*index)->Answer(ctx, predicate, matches);
  EXPECT_TRUE(coverage.ok() && *coverage == model::Coverage::kExact);
  std::string text;
  for (size_t i = 0; i < rows; ++i) text += matches.Test(i) ? '1' : '0';
  return text;
}

TEST(SortedIndex, TakesConstantsOutsideANarrowType) {
  const std::string file = FileOf(Numbers<int8_t>(DataType::kInt8, {127, -128, 44}));
  Predicate p{.type = DataType::kInt8, .op = Compare::kLt, .values = {int64_t{300}}};
  EXPECT_EQ(RowsOf(file, 3, p), "111");
  p.op = Compare::kEq;  // 300 is 44 in eight bits.
  EXPECT_EQ(RowsOf(file, 3, p), "000");
}

TEST(SortedIndex, HoldsNanUnequalToEverything) {
  const std::string file =
      FileOf(Numbers<double>(DataType::kDouble, {NAN, 1.0, std::nullopt, -0.0}));
  const auto ask = [&](Compare op, double constant) {
    return RowsOf(file, 4, {.type = DataType::kDouble, .op = op, .values = {constant}});
  };
  for (Compare op : {Compare::kEq, Compare::kLt, Compare::kLe, Compare::kGt, Compare::kGe}) {
    EXPECT_EQ(ask(op, NAN), "0000");
  }
  EXPECT_EQ(ask(Compare::kNe, NAN), "1101");
  EXPECT_EQ(ask(Compare::kNe, 1.0), "1001");
  EXPECT_EQ(ask(Compare::kEq, 0.0), "0001");
  Predicate in{.kind = Predicate::Kind::kIn, .type = DataType::kDouble, .values = {NAN, 1.0}};
  EXPECT_EQ(RowsOf(file, 4, in), "0100");
}

TEST(SortedIndex, RefusesNumbersThatLeadElsewhere) {
  constexpr std::string_view kMagic = "ELSORTED";
  constexpr size_t kHeader = 32;
  constexpr size_t kOrder = kHeader + 48;
  model::Column column =
      model::MakeColumn(FieldId(100), "f", DataType::kVarChar, DataType::kNone, 0);
  column.AppendBytes("a");
  column.AppendBytes("b");
  column.AppendNull();
  const std::string good = FileOf(column);
  const std::string payload(*Unframe(kMagic, 1, good, "test"));
  const auto refused = [&](size_t at, uint64_t value, size_t width) {
    std::string bad = payload;
    std::memcpy(bad.data() + at, &value, width);
    return OpenScalarIndex(AlignedCopy(Frame(kMagic, 1, bad))).status().code() ==
           ErrorCode::kIntegrity;
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
