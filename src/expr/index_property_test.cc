// Random filters over rows with real scalar indexes: whatever indexes the fields have, a filter
// passes the rows that a plain reading of the language gives.
#include <gtest/gtest.h>

#include "expr/json_path.h"
#include "expr/testing/random_filter.h"
#include "index/scalar_index.h"

namespace elanus::expr {
namespace {

using index::ScalarIndex;
using index::ScalarIndexType;
using testing::Dice;
using testing::DrawFilter;
using testing::Filter;
using testing::Truth;
using testing::World;

// A world whose fields each have one of the index types that they can have, or none, drawn by the
// seed. Its indexes are always asked.
class IndexedWorld final : public ColumnSource {
 public:
  IndexedWorld(const World& world, Dice& dice) : world_(world) {
    for (const model::FieldSchema& field : world.schema().fields) {
      const model::Column column = Whole(field.id);
      if (field.type != model::DataType::kJson) {
        Build(column.view(), field.id, "", dice);
        continue;
      }
      for (const char* place : {"[\"a\"]", "[\"b\"]", "[\"a\"][0]", "[\"a\"][\"0\"]"}) {
        const auto parsed = ParseJsonPlace(field.name + place, world.schema());
        EXPECT_TRUE(parsed.ok()) << parsed.status().ToString();
        const char* casts[] = {"BOOL",       "DOUBLE",       "VARCHAR",
                               "ARRAY_BOOL", "ARRAY_DOUBLE", "ARRAY_VARCHAR"};
        const auto values = ExtractJson(ctx_, column.view(), parsed->path, dice.Pick(casts));
        EXPECT_TRUE(values.ok()) << values.status().ToString();
        Build(values->view(), field.id, parsed->path, dice);
      }
    }
  }

  size_t rows() const override { return world_.rows(); }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    return world_.Read(field, begin, count);
  }
  model::IndexPromise Estimate(const model::Predicate& predicate) const override {
    const ScalarIndex* found = Find(predicate);
    if (found == nullptr) return {};
    model::IndexPromise promise = found->Estimate(predicate);
    promise.cost_ns = -1e12;
    return promise;
  }
  Result<model::Coverage> Answer(Context& ctx, const model::Predicate& predicate, Bitset& matches,
                                 Bitset* unknown) const override {
    const ScalarIndex& found = *Find(predicate);
    if (unknown != nullptr) found.SetNulls(*unknown);
    auto coverage = found.Answer(ctx, predicate, matches);
    EXPECT_TRUE(coverage.ok());
    EXPECT_EQ(*coverage, found.Estimate(predicate).coverage);
    ++answered_[static_cast<size_t>(*coverage)];
    return coverage;
  }
  size_t answered(model::Coverage coverage) const {
    return answered_[static_cast<size_t>(coverage)];
  }

 private:
  struct Built {
    FieldId field;
    std::string path;
    std::unique_ptr<ScalarIndex> index;
  };

  model::Column Whole(FieldId field) const {
    model::Column column;
    for (size_t begin = 0; begin < rows(); begin += kBatchRows) {
      const auto view = world_.Read(field, begin, std::min(kBatchRows, rows() - begin));
      if (begin == 0) {
        column = model::MakeColumn(field, "", view->type, view->element_type, view->dim);
      }
      column.AppendAll(*view);
    }
    return column;
  }

  void Build(const model::ColumnView& column, FieldId field, const std::string& path, Dice& dice) {
    std::vector<const ScalarIndexType*> types;
    for (const ScalarIndexType* type : index::AllScalarTypes()) {
      if (type->Supports({.type = column.type, .element_type = column.element_type})) {
        types.push_back(type);
      }
    }
    if (types.empty()) return;
    index::Params params;
    params.Set("min_gram", 1 + static_cast<double>(dice.Below(2)));
    params.Set("max_gram", 2 + static_cast<double>(dice.Below(2)));
    const ScalarIndexType& type = *dice.Pick(types);
    const auto file = type.Build(ctx_, column, params);
    ASSERT_TRUE(file.ok()) << type.name << ": " << file.status().ToString();
    const auto owner = std::make_shared<const std::string>(*file);
    auto opened = index::OpenScalarIndex(Blob(owner, *owner, owner->size()));
    ASSERT_TRUE(opened.ok()) << type.name << ": " << opened.status().ToString();
    indexes_.push_back({field, path, std::move(*opened)});
  }

  const ScalarIndex* Find(const model::Predicate& predicate) const {
    for (const Built& built : indexes_) {
      if (built.field == predicate.field && built.path == predicate.path) return built.index.get();
    }
    return nullptr;
  }

  const World& world_;
  SystemClock clock_;
  Context ctx_{clock_};
  std::vector<Built> indexes_;
  mutable size_t answered_[3] = {};
};

void ExpectAgreement(uint64_t seed, size_t rows, int worlds, int filters, int depth) {
  SystemClock clock;
  Context ctx(clock);
  Dice dice(seed);
  worlds = testing::ShareOf(worlds);
  size_t answered[3] = {};
  for (int w = 0; w < worlds; ++w) {
    const World world(seed + static_cast<uint64_t>(w), rows, /*answers=*/false);
    const IndexedWorld source(world, dice);
    for (int i = 0; i < filters; ++i) {
      const Filter filter = DrawFilter(dice, depth);
      const auto plan = Bind(filter.text, world.schema(), filter.templates);
      ASSERT_TRUE(plan.ok()) << plan.status().ToString();
      Bitset matches;
      ASSERT_TRUE(Evaluate(ctx, *plan, source, matches).ok());
      for (size_t row = 0; row < rows; ++row) {
        ASSERT_EQ(matches.Test(row), filter.truth(world.table()[row]) == Truth::kTrue)
            << "world " << w << ", filter " << i << ", row " << row << ": " << filter.text;
      }
    }
    for (size_t c = 0; c < 3; ++c) answered[c] += source.answered(model::Coverage(c));
  }
  EXPECT_EQ(answered[size_t(model::Coverage::kNone)], 0u);
  EXPECT_TRUE(worlds < 2 || answered[size_t(model::Coverage::kExact)] > 20);
  EXPECT_TRUE(worlds < 10 || answered[size_t(model::Coverage::kCandidates)] > 0);
}

TEST(IndexProperty, LeavesAgreeWithTheReferenceUnderEveryIndex) {
  ExpectAgreement(401, 150, /*worlds=*/40, /*filters=*/150, /*depth=*/0);
}
TEST(IndexProperty, NestedFiltersAgreeWithTheReferenceUnderEveryIndex) {
  ExpectAgreement(402, 90, /*worlds=*/20, /*filters=*/120, /*depth=*/3);
}
TEST(IndexProperty, FiltersAgreeUnderIndexesAcrossBatches) {
  ExpectAgreement(403, kBatchRows + 70, /*worlds=*/2, /*filters=*/40, /*depth=*/2);
}

}  // namespace
}  // namespace elanus::expr
