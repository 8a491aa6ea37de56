// The hint iterative_filter: the same hits as the usual way, by looking at fewer rows.
#include "segment/iterative_filter.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <random>

#include "base/profile.h"
#include "segment/growing.h"
#include "segment/search_tasks.h"
#include "segment/testing/indexed_view.h"

namespace elanus::segment {
namespace {

using model::DataType;
using model::Metric;

constexpr uint32_t kDim = 8;
constexpr size_t kRows = 20'000;
constexpr FieldId kKey{100};
constexpr FieldId kNumber{101};
constexpr FieldId kVector{102};

class IterativeFilterTest : public testing::Test {
 protected:
  void SetUp() override {
    auto schema = std::make_shared<model::CollectionSchema>();
    schema->fields.push_back(
        {.id = kKey, .name = "id", .type = DataType::kInt64, .is_primary_key = true});
    schema->fields.push_back({.id = kNumber, .name = "number", .type = DataType::kInt64});
    schema->fields.push_back({.id = kVector,
                              .name = "vector",
                              .type = DataType::kFloatVector,
                              .type_params = {{"dim", std::to_string(kDim)}}});
    Growing growing(SegmentId(1), PartitionId(1), schema);
    std::vector<model::Column> columns{
        model::MakeColumn(kKey, "id", DataType::kInt64, DataType::kNone, 0),
        model::MakeColumn(kNumber, "number", DataType::kInt64, DataType::kNone, 0),
        model::MakeColumn(kVector, "vector", DataType::kFloatVector, DataType::kNone, kDim)};
    std::mt19937 rng(4);
    std::normal_distribution<float> normal;
    vectors_.resize(kRows * kDim);
    for (float& value : vectors_) value = normal(rng);
    for (size_t row = 0; row < kRows; ++row) {
      const auto key = static_cast<int64_t>(row);
      const int64_t number = key % 100;
      columns[0].AppendFixed(&key);
      columns[1].AppendFixed(&number);
      columns[2].AppendFixed(vectors_.data() + row * kDim);
    }
    growing.Append(columns, Timestamp(10));
    rows_ = growing.Snapshot();
    search_.vector_field = kVector;
    search_.metric = Metric::kL2;
    search_.k = 10;
    search_.params = {{"nprobe", "24"}};
    search_.queries =
        model::MakeColumn(kVector, "vector", DataType::kFloatVector, DataType::kNone, kDim);
    for (float place : {0.0f, 0.5f, -1.0f}) {
      const std::vector<float> query(kDim, place);
      search_.queries.AppendFixed(query.data());
    }
  }
  std::shared_ptr<const SegmentView> Indexed(const char* type_name) {
    const index::IndexType* type = FindType(index::VectorKind::kDense, type_name);
    const index::VectorBlock block{.data = vectors_.data(), .rows = kRows, .dim = kDim};
    index::Params build;
    build.Set("M", 16);
    build.Set("efConstruction", 100);
    build.Set("nlist", 32);
    auto bytes = type->Build(ctx_, block, Metric::kL2, build, {});
    EXPECT_TRUE(bytes.ok());
    auto* memory = static_cast<char*>(std::aligned_alloc(64, (bytes->size() + 127) / 64 * 64));
    std::memcpy(memory, bytes->data(), bytes->size());
    auto opened =
        type->Open(Blob(std::shared_ptr<const void>(
                            memory, [](const void* p) { std::free(const_cast<void*>(p)); }),
                        {memory, bytes->size()}, bytes->size()),
                   block, Metric::kL2);
    EXPECT_TRUE(opened.ok());
    FieldIndex index{.index = std::move(*opened), .type = type, .metric = Metric::kL2};
    return std::make_shared<IndexedView>(rows_, block, std::move(index));
  }
  SegmentHits Hits(Context& ctx, const std::shared_ptr<const SegmentView>& view,
                   const std::string& filter) {
    const auto plan = expr::Bind(filter, rows_->schema(), {});
    EXPECT_TRUE(plan.ok());
    const auto found = SearchSegments(ctx, {}, std::span(&view, 1), *plan, search_, Timestamp(20));
    EXPECT_TRUE(found.ok()) << found.status().ToString();
    return (*found)[0].hits;
  }

  SystemClock clock_;
  Context ctx_{clock_};
  std::vector<float> vectors_;
  std::shared_ptr<const SegmentView> rows_;
  model::ShardSearch search_;
};

TEST_F(IterativeFilterTest, FindsWhatTheUsualWayFinds) {
  for (const char* type : {"FLAT", "HNSW", "IVF_FLAT"}) {
    const auto view = Indexed(type);
    for (const char* filter : {"number < 90", "number in [3, 14, 15]", "number == 7",
                               "number == 7 and id < 500", "number == 1000"}) {
      search_.iterative_filter = false;
      search_.exact = true;
      const SegmentHits truth = Hits(ctx_, view, filter);
      search_.iterative_filter = true;
      search_.exact = false;
      const SegmentHits hits = Hits(ctx_, view, filter);
      size_t same = 0;
      size_t all = 0;
      for (size_t q = 0; q < 3; ++q) {
        for (size_t i = q * 10; i < (q + 1) * 10 && truth.rows[i] != index::kNoRow; ++i, ++all) {
          const auto begin = hits.rows.begin() + static_cast<ptrdiff_t>(q * 10);
          same += static_cast<size_t>(std::count(begin, begin + 10, truth.rows[i]));
        }
      }
      EXPECT_GE(static_cast<double>(same), 0.9 * static_cast<double>(all)) << type << " " << filter;
      if (type == std::string("FLAT")) {
        EXPECT_EQ(hits.rows, truth.rows) << filter;
      }
      for (uint32_t row : hits.rows) {
        if (row == index::kNoRow || filter != std::string("number == 7")) continue;
        EXPECT_EQ(row % 100, 7u);
      }
    }
  }
}

TEST_F(IterativeFilterTest, AsksTheFilterOfFewRowsAndSaysSo) {
  search_.iterative_filter = true;
  ProfileStep step(ctx_, "search", true, 100);
  Hits(step.ctx(), Indexed("HNSW"), "number < 50");
  step.End();
  const ProfileNode& segment = *step.tree()->children.at(0);
  const ProfileNode& vectors = *segment.children.back();
  ASSERT_NE(vectors.Find("rows_filtered"), nullptr);
  EXPECT_LT(std::get<int64_t>(*vectors.Find("rows_filtered")), 1000);
}

TEST_F(IterativeFilterTest, HasNoEffectWhereTheOtherWayIsNeeded) {
  const auto plan = expr::Bind("number < 50", rows_->schema(), {});
  const auto sample = expr::Bind("number < 50 and random_sample(0.5)", rows_->schema(), {});
  ASSERT_TRUE(plan.ok() && sample.ok());
  const auto indexed = Indexed("HNSW");
  EXPECT_FALSE(*FiltersLater(*indexed, *plan, search_));
  search_.iterative_filter = true;
  EXPECT_TRUE(*FiltersLater(*indexed, *plan, search_));
  EXPECT_FALSE(*FiltersLater(*rows_, *plan, search_));  // No index to begin with.
  EXPECT_FALSE(*FiltersLater(*indexed, expr::Plan(nullptr), search_));
  EXPECT_FALSE(*FiltersLater(*indexed, *sample, search_));
  search_.has_radius = true;
  EXPECT_FALSE(*FiltersLater(*indexed, *plan, search_));
}

}  // namespace
}  // namespace elanus::segment
