// Filters go on, and stay within the bytes there are, when the mapped file of a column of texts,
// arrays, JSON or geometries fails between the two offsets of a row. What they find is not used
// then: the reader asks CheckMapped.
#include <gtest/gtest.h>

#include <cstring>

#include "base/testing/cut_file.h"
#include "expr/testing/random_filter.h"

namespace elanus::expr {
namespace {

using testing::Dice;
using testing::DrawFilter;
using testing::Filter;
using testing::World;

constexpr size_t kRows = 3000;  // Their offsets take several pages.

size_t Aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

// Values and offsets of a column as they lie in its file.
std::string BytesOf(const model::ColumnView& column) {
  const size_t data_bytes = column.offsets[column.rows];
  std::string bytes(Aligned(data_bytes) + 8 * (column.rows + 1), '\0');
  std::memcpy(bytes.data(), column.data, data_bytes);
  std::memcpy(bytes.data() + Aligned(data_bytes), column.offsets, 8 * (column.rows + 1));
  return bytes;
}

// A world one of whose columns lies in a mapped file.
class Mapped final : public ColumnSource {
 public:
  Mapped(const World& world, FieldId field, const model::ColumnView& column, std::string_view bytes)
      : world_(world), field_(field), column_(column) {
    column_.data = reinterpret_cast<const uint8_t*>(bytes.data());
    column_.offsets =
        reinterpret_cast<const uint64_t*>(bytes.data() + Aligned(column.offsets[column.rows]));
  }
  size_t rows() const override { return world_.rows(); }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    return field == field_ ? column_.Slice(begin, count) : world_.Read(field, begin, count);
  }
  model::IndexPromise Estimate(const model::Predicate&) const override { return {}; }
  const model::ColumnView& column() const { return column_; }

 private:
  const World& world_;
  const FieldId field_;
  model::ColumnView column_;
};

TEST(MappedFault, OfTheOffsetsOfAColumnEndsNoFilter) {
  const World world(6, kRows, /*answers=*/false);
  SystemClock clock;
  Context ctx(clock);
  Dice dice(106);
  std::vector<Plan> plans;
  for (int i = 0; i < 60; ++i) {
    const Filter filter = DrawFilter(dice, /*depth=*/1);
    auto plan = Bind(filter.text, world.schema(), filter.templates);
    ASSERT_TRUE(plan.ok()) << filter.text;
    plans.push_back(std::move(*plan));
  }
  for (const char* text : {"s like \"%a%\"", "s like \"%a\"", "s =~ \"a.*b\"", "s > \"a\"",
                           "s != \"b\"", "words[0] == \"a\"", "array_contains(words, \"a\")",
                           "j[\"a\"] > 1", "a like \"%x%\"", "st_isvalid(g)"}) {
    auto plan = Bind(text, world.schema(), {});
    ASSERT_TRUE(plan.ok()) << text << ": " << plan.status().ToString();
    plans.push_back(std::move(*plan));
  }
  size_t between = 0;
  for (const char* name : {"s", "words", "numbers", "j", "g", "$meta"}) {
    const model::FieldSchema* field = world.schema().FindField(name);
    ASSERT_NE(field, nullptr) << name;
    const model::ColumnView column = *world.Read(field->id, 0, kRows);
    const std::string bytes = BytesOf(column);
    for (size_t left = 0; left <= bytes.size() / CutFile::PageBytes(); ++left) {
      CutFile file(bytes);
      const Mapped source(world, field->id, column, file.bytes());
      file.CutBehind(left);
      for (const Plan& plan : plans) {
        Bitset matches;
        (void)Evaluate(ctx, plan, source, matches);
      }
      EXPECT_EQ(CheckMapped(file.bytes()).code(), ErrorCode::kIntegrity) << name << " " << left;
      const uint64_t* offsets = source.column().offsets;
      for (size_t row = 0; row < kRows; ++row) between += offsets[row + 1] < offsets[row] ? 1 : 0;
    }
  }
  EXPECT_GT(between, 6u) << "no file was cut between the offsets of a row";
}

}  // namespace
}  // namespace elanus::expr
