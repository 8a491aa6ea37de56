// Queries of one term, whose weight takes all the room that sums have.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "base/aligned_copy.h"
#include "base/clock.h"
#include "index/sparse/sparse.h"
#include "model/column.h"

namespace elanus::index {
namespace {

std::string Row(const std::vector<std::pair<uint32_t, float>>& pairs) {
  std::string dims;
  std::string values;
  for (const auto& [dim, value] : pairs) {
    dims.append(reinterpret_cast<const char*>(&dim), sizeof(dim));
    values.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  return dims + values;
}

TEST(LoneTerm, FindsTheSameRowsAsAScan) {
  SystemClock clock;
  Context ctx(clock);
  std::mt19937 random(5);
  model::Column rows = model::MakeColumn(FieldId(1), "s", model::DataType::kSparseFloatVector,
                                         model::DataType::kNone, 0);
  for (int i = 0; i < 5000; ++i) {
    const auto count = static_cast<float>(1 + random() % 4);
    rows.AppendBytes(Row({{7, count}, {9, static_cast<float>(1 + random() % 40)}}));
  }
  const VectorBlock block = BlockOf(rows.view());
  for (const model::Metric metric : {model::Metric::kIp, model::Metric::kBm25}) {
    const auto file = SparseInvertedType().Build(ctx, block, metric, {}, {});
    ASSERT_TRUE(file.ok());
    const auto index = SparseInvertedType().Open(AlignedCopy(*file), block, metric);
    ASSERT_TRUE(index.ok());
    model::Column query = model::MakeColumn(FieldId(1), "s", rows.type, model::DataType::kNone, 0);
    query.AppendBytes(Row({{7, 1.5f}}));
    for (const uint32_t k : {1u, 10u, 50u, 300u}) {
      SearchRequest request{.queries = BlockOf(query.view()), .k = k};
      request.params.Set("bm25_avgdl", 21.5);
      std::vector<uint32_t> found(k);
      std::vector<uint32_t> truth(k);
      std::vector<float> scores(k);
      std::vector<float> true_scores(k);
      ASSERT_TRUE(
          (*index)->Search(ctx, request, {.rows = found.data(), .scores = scores.data()}).ok());
      ASSERT_TRUE(SearchExactSparse(ctx, block, metric, request,
                                    {.rows = truth.data(), .scores = true_scores.data()})
                      .ok());
      EXPECT_EQ(found, truth) << k;
      EXPECT_EQ(scores, true_scores) << k;
    }
  }
}

}  // namespace
}  // namespace elanus::index
