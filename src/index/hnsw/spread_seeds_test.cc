// Seeds of a walk are allowed nodes from all over the segment, the nearest of them to the query.
#include "index/hnsw/spread_seeds.h"

#include "index/conformance.h"
#include "index/hnsw/file.h"

namespace elanus::index {
namespace {

constexpr size_t kRows = 9'000;
constexpr uint32_t kDim = 96;

class SpreadSeedsTest : public IndexFixture {
 protected:
  const IndexType& type() const override { return *FindType(VectorKind::kDense, "HNSW"); }
  static const Cloud& cloud() {
    static const Cloud kCloud = MakeClusteredCloud(51, kRows, kDim, 20);
    return kCloud;
  }
  void SetUp() override {
    Params light;  // Links do not matter here.
    light.Set("M", 4);
    light.Set("efConstruction", 16);
    auto opened =
        OpenGraph(AlignedCopy(Build(cloud().block(), Metric::kL2, light, {.pool = &pool_})),
                  cloud().block(), Metric::kL2);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    opened_ = std::move(*opened);
    ASSERT_NE(opened_.sketches, nullptr);
    for (size_t i = 1; i < kRows; i += 3) allowed_.Set(i);
  }
  double MeanDistance(const std::vector<uint32_t>& nodes, const float* query) const {
    const ElementDistance distance(ElementType::kFloat32, kDim, true);
    double sum = 0;
    for (uint32_t node : nodes) {
      sum += distance.One(query, cloud().rows.data() + opened_.view.rows[node] * kDim);
    }
    return sum / static_cast<double>(nodes.size());
  }

  OpenedGraph opened_;
  Bitset allowed_{kRows};
};

TEST_F(SpreadSeedsTest, AreAllowedNodesAndNearerByTheirSketches) {
  SpreadSeeds blind(opened_.view, nullptr, allowed_.view());
  SpreadSeeds seeing(opened_.view, opened_.sketches.get(), allowed_.view());
  for (size_t q = 0; q < 20; ++q) {
    const float* query = cloud().queries.data() + q * kDim;
    std::vector<uint32_t> spread;
    std::vector<uint32_t> near;
    blind.Choose(query, spread);
    seeing.Choose(query, near);
    for (const auto* nodes : {&spread, &near}) {
      EXPECT_GE(nodes->size(), 40u);
      EXPECT_LE(nodes->size(), 128u);
      EXPECT_EQ(std::set<uint32_t>(nodes->begin(), nodes->end()).size(), nodes->size());
      for (uint32_t node : *nodes) EXPECT_TRUE(allowed_.Test(opened_.view.rows[node]));
    }
    EXPECT_LT(MeanDistance(near, query), 0.97 * MeanDistance(spread, query));
  }
}

TEST_F(SpreadSeedsTest, AreAllRowsWhereFewAreAllowed) {
  Bitset few(kRows);
  for (size_t row : {7u, 4000u, 8999u}) few.Set(row);
  for (const Sketches* sketches : {opened_.sketches.get(), static_cast<const Sketches*>(nullptr)}) {
    std::vector<uint32_t> nodes;
    SpreadSeeds(opened_.view, sketches, few.view()).Choose(cloud().queries.data(), nodes);
    std::set<uint32_t> rows;
    for (uint32_t node : nodes) rows.insert(opened_.view.rows[node]);
    EXPECT_EQ(rows, (std::set<uint32_t>{7, 4000, 8999}));
  }
}

}  // namespace
}  // namespace elanus::index
