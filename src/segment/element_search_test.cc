// Searches of rows that are lists of vectors: for whole lists and for single vectors of them, while
// the rows grow.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/profile.h"
#include "segment/growing.h"
#include "segment/search.h"
#include "segment/search_tasks.h"

namespace elanus::segment {
namespace {

using model::Column;
using model::DataType;
using model::Metric;

constexpr uint32_t kDim = 4;
constexpr size_t kRows = 9000;  // Two blocks.
constexpr FieldId kKey{100};
constexpr FieldId kVectors{102};

std::shared_ptr<const model::CollectionSchema> Schema() {
  auto schema = std::make_shared<model::CollectionSchema>();
  schema->name = "c";
  schema->structs.push_back({.id = FieldId(101), .name = "s"});
  schema->fields.push_back(
      {.id = kKey, .name = "id", .type = DataType::kInt64, .is_primary_key = true});
  schema->fields.push_back({.id = kVectors,
                            .name = "s[v]",
                            .type = DataType::kArrayOfVector,
                            .element_type = DataType::kFloatVector,
                            .type_params = {{"dim", std::to_string(kDim)}},
                            .struct_name = "s"});
  return schema;
}

// Row i has i % 4 vectors.
class ListSearch : public testing::Test {
 protected:
  void SetUp() override {
    std::mt19937 rng(4);
    std::normal_distribution<float> normal;
    std::vector<Column> columns{model::MakeColumn(kKey, "id", DataType::kInt64, DataType::kNone, 0),
                                model::MakeColumn(kVectors, "s[v]", DataType::kArrayOfVector,
                                                  DataType::kFloatVector, kDim)};
    for (size_t row = 0; row < kRows; ++row) {
      const auto key = static_cast<int64_t>(row);
      columns[0].AppendFixed(&key);
      std::vector<float> list(row % 4 * kDim);
      for (float& value : list) value = normal(rng);
      columns[1].AppendBytes(
          {reinterpret_cast<const char*>(list.data()), list.size() * sizeof(float)});
      lists_.push_back(std::move(list));
    }
    growing_.Append(columns, Timestamp(10));
    search_.read.read_at = Timestamp(20);
    search_.vector_field = kVectors;
    search_.k = 10;
  }

  Result<SegmentHits> HitsOf(const char* filter) {
    TRY_ASSIGN(const expr::Plan plan, expr::Bind(filter, *schema_, {}));
    return Search(ctx_, *growing_.Snapshot(), plan, search_, Timestamp(20));
  }
  static float L2(const float* a, const float* b) {
    float sum = 0;
    for (uint32_t d = 0; d < kDim; ++d) sum += (a[d] - b[d]) * (a[d] - b[d]);
    return sum;
  }

  std::shared_ptr<const model::CollectionSchema> schema_ = Schema();
  Growing growing_{SegmentId(1), PartitionId(1), schema_};
  std::vector<std::vector<float>> lists_;
  model::ShardSearch search_;
  SystemClock clock_;
  Context ctx_{clock_};
};

TEST_F(ListSearch, FindsTheNearestVectorsWithTheirPlaces) {
  const std::vector<float> query(kDim, 0.2f);
  search_.by_element = true;
  search_.metric = Metric::kL2;
  search_.queries = model::MakeColumn(kVectors, "", DataType::kFloatVector, DataType::kNone, kDim);
  search_.queries.AppendFixed(query.data());
  for (const bool filtered : {false, true}) {
    struct Near {
      float score;
      uint32_t row;
      uint32_t element;
    };
    std::vector<Near> truth;
    for (uint32_t row = filtered ? 8500 : 0; row < kRows; ++row) {
      for (uint32_t e = 0; e < row % 4; ++e) {
        truth.push_back({L2(query.data(), lists_[row].data() + e * kDim), row, e});
      }
    }
    std::sort(truth.begin(), truth.end(),
              [](const Near& a, const Near& b) { return a.score < b.score; });
    const auto hits = HitsOf(filtered ? "id >= 8500" : "");
    ASSERT_TRUE(hits.ok()) << hits.status().ToString();
    for (size_t i = 0; i < search_.k; ++i) {
      EXPECT_EQ(hits->rows[i], truth[i].row) << i;
      EXPECT_EQ(hits->elements[i], truth[i].element) << i;
      EXPECT_NEAR(hits->scores[i], truth[i].score, 1e-5);
    }
  }
}

TEST_F(ListSearch, GivesARowForEachOfItsElements) {
  // All three vectors of a row are nearer to it than those of others.
  search_.by_element = true;
  search_.metric = Metric::kL2;
  search_.k = 3;
  search_.queries = model::MakeColumn(kVectors, "", DataType::kFloatVector, DataType::kNone, kDim);
  std::vector<Column> columns{
      model::MakeColumn(kKey, "id", DataType::kInt64, DataType::kNone, 0),
      model::MakeColumn(kVectors, "s[v]", DataType::kArrayOfVector, DataType::kFloatVector, kDim)};
  const int64_t key = 77'777;
  columns[0].AppendFixed(&key);
  std::vector<float> list(3 * kDim, 100.0f);
  list[0] = 101;
  list[kDim] = 103;
  columns[1].AppendBytes({reinterpret_cast<const char*>(list.data()), list.size() * sizeof(float)});
  growing_.Append(columns, Timestamp(11));
  search_.queries.AppendFixed(list.data() + 2 * kDim);
  auto hits = HitsOf("");
  ASSERT_TRUE(hits.ok()) << hits.status().ToString();
  EXPECT_EQ(hits->elements, (std::vector<uint32_t>{2, 0, 1}));
  // Twice the same segment, as while it is being replaced: each pair comes once.
  const segment::Found found[] = {{growing_.Snapshot(), *hits}, {growing_.Snapshot(), *hits}};
  const auto merged = MergeHits(ctx_, found, search_, *schema_, Timestamp(20));
  ASSERT_TRUE(merged.ok()) << merged.status().ToString();
  EXPECT_EQ(merged->counts, (std::vector<uint32_t>{3}));
  EXPECT_EQ(merged->scores, (std::vector<float>{0, 1, 9}));
  const Column& elements = merged->columns.back();
  EXPECT_EQ(elements.field_id, model::kElementField);
  EXPECT_EQ(elements.view().Get<int64_t>(0), 2);
  EXPECT_EQ(elements.view().Get<int64_t>(2), 1);
}

TEST_F(ListSearch, FindsTheRowsWhoseListsAnswerBest) {
  search_.metric = Metric::kMaxSimL2;
  search_.queries =
      model::MakeColumn(kVectors, "", DataType::kArrayOfVector, DataType::kFloatVector, kDim);
  const std::vector<float> query = {0.1f, 0.2f, 0.3f, 0.4f, -1, 1, -1, 1};
  search_.queries.AppendBytes({reinterpret_cast<const char*>(query.data()), query.size() * 4});
  std::vector<std::pair<float, uint32_t>> truth;
  for (uint32_t row = 0; row < kRows; ++row) {
    if (lists_[row].empty()) continue;
    float sum = 0;
    for (size_t q = 0; q < 2; ++q) {
      float least = std::numeric_limits<float>::infinity();
      for (size_t e = 0; e < lists_[row].size(); e += kDim) {
        least = std::min(least, L2(query.data() + q * kDim, lists_[row].data() + e));
      }
      sum += least;
    }
    truth.emplace_back(sum, row);
  }
  std::sort(truth.begin(), truth.end());
  const auto hits = HitsOf("");
  ASSERT_TRUE(hits.ok()) << hits.status().ToString();
  EXPECT_TRUE(hits->elements.empty());
  for (size_t i = 0; i < search_.k; ++i) {
    EXPECT_EQ(hits->rows[i], truth[i].second) << i;
    EXPECT_NEAR(hits->scores[i], truth[i].first, 1e-4);
  }
}

TEST_F(ListSearch, AFewQueriesOfManyVectorsAreCutForSeveralThreads) {
  constexpr size_t kQueries = 6;
  search_.metric = Metric::kMaxSimL2;
  search_.queries =
      model::MakeColumn(kVectors, "", DataType::kArrayOfVector, DataType::kFloatVector, kDim);
  for (size_t q = 0; q < kQueries; ++q) {
    std::vector<float> list(20 * kDim);
    for (size_t i = 0; i < list.size(); ++i) list[i] = static_cast<float>((q + i) % 7) - 3;
    search_.queries.AppendBytes(
        {reinterpret_cast<const char*>(list.data()), list.size() * sizeof(float)});
  }
  const auto alone = HitsOf("");
  ASSERT_TRUE(alone.ok()) << alone.status().ToString();
  const auto executor = MakeThreadExecutor();
  Pool pool(*executor, "test", 1, 16);
  const std::vector<std::shared_ptr<const SegmentView>> views{growing_.Snapshot()};
  const auto plan = expr::Bind("", *schema_, {});
  ProfileStep step(ctx_, "search", /*wanted=*/true, /*steps_max=*/100);
  const auto together =
      SearchSegments(step.ctx(), {.pool = &pool}, views, *plan, search_, Timestamp(20));
  ASSERT_TRUE(together.ok()) << together.status().ToString();
  EXPECT_EQ(together->at(0).hits.rows, alone->rows);
  EXPECT_EQ(together->at(0).hits.scores, alone->scores);
  const auto& steps = step.ctx().profile()->children;
  const auto tasks = std::count_if(steps.begin(), steps.end(),
                                   [](const auto& task) { return task->name == "vectors"; });
  EXPECT_GE(tasks, 4);
}

}  // namespace
}  // namespace elanus::segment
