// Filtered searches of a graph: which way they take, and that it loses no hits.
#include "index/hnsw/search.h"

#include <numeric>

#include "base/aligned_copy.h"
#include "base/framed.h"
#include "base/profile.h"
#include "index/conformance.h"
#include "index/hnsw/allowed_walk.h"
#include "index/hnsw/file.h"

namespace elanus::index {
namespace {

constexpr size_t kRows = 24'000;
constexpr size_t kQueries = 100;
constexpr uint32_t kDim = 32;

// One graph for all tests: building it is most of their time.
class FilteredGraph : public IndexFixture {
 protected:
  const IndexType& type() const override { return *FindType(VectorKind::kDense, "HNSW"); }
  static const Cloud& cloud() {
    static const Cloud kCloud = MakeClusteredCloud(21, kRows, kDim, kQueries);
    return kCloud;
  }
  const std::string& bytes() {
    static const std::string kBytes =
        Build(cloud().block(), Metric::kL2, BuildParams(kDim), {.pool = &pool_});
    return kBytes;
  }
  std::unique_ptr<VectorIndex> Make() { return Open(bytes(), cloud().block(), Metric::kL2); }

  // Rows drawn at random; or those with the smallest first coordinates.
  static Bitset Allow(double share, bool correlated) {
    std::vector<size_t> order(kRows);
    for (size_t i = 0; i < kRows; ++i) order[i] = i;
    if (correlated) {
      std::sort(order.begin(), order.end(),
                [](size_t a, size_t b) { return cloud().rows[a * kDim] < cloud().rows[b * kDim]; });
    } else {
      std::shuffle(order.begin(), order.end(), std::mt19937(3));
    }
    Bitset allowed(kRows);
    for (size_t i = 0; i < static_cast<size_t>(share * kRows); ++i) allowed.Set(order[i]);
    return allowed;
  }

  // What the search of all queries says of itself under `key`.
  int64_t Said(const VectorIndex& index, BitsetView allowed, std::string_view key) {
    ProfileStep step(ctx_, "vectors", true, 10);
    Answer got(kQueries, 10);
    EXPECT_TRUE(
        index
            .Search(step.ctx(),
                    {.queries = cloud().query_block(), .k = 10, .params = {}, .allowed = allowed},
                    got.hits())
            .ok());
    step.End();
    const ProfileFact::Value* found = step.tree()->Find(key);
    return found == nullptr ? 0 : std::get<int64_t>(*found);
  }
};

TEST_F(FilteredGraph, WalksUnderAWideFilterAndScansUnderANarrowOne) {
  const auto index = Make();
  EXPECT_EQ(Said(*index, Allow(0.5, false).view(), "walks"), int64_t{kQueries});
  EXPECT_EQ(Said(*index, Allow(0.02, false).view(), "scans_of_allowed_rows"), int64_t{kQueries});
}

TEST_F(FilteredGraph, LosesNoRecallUnderFiltersThatItWalksUnder) {
  const auto index = Make();
  const double plain = Recall(*index, cloud(), Metric::kL2, {}, {});
  EXPECT_GT(plain, 0.9);
  for (const bool correlated : {false, true}) {
    // Clusters far from each other, of some of which the filter leaves a few rows at their edge.
    const double slack = correlated ? 0.03 : 0.015;
    for (const double share : {0.02, 0.2, 0.3, 0.5, 0.8, 0.99}) {
      EXPECT_GE(Recall(*index, cloud(), Metric::kL2, Allow(share, correlated).view(), {}),
                plain - slack)
          << (correlated ? "correlated " : "random ") << share;
    }
  }
}

TEST_F(FilteredGraph, FindsRowsInAllPartsThatAFilterLeavesApart) {
  const auto index = Make();
  // Of each coordinate both ends: pieces that no link need join.
  Bitset allowed(kRows);
  for (size_t i = 0; i < kRows; ++i) {
    const float* row = cloud().rows.data() + i * kDim;
    if (std::abs(row[0]) > 1.2f || std::abs(row[1]) > 1.6f) allowed.Set(i);
  }
  EXPECT_GT(allowed.Count(), kRows / 10);
  const double plain = Recall(*index, cloud(), Metric::kL2, {}, {});
  EXPECT_GE(Recall(*index, cloud(), Metric::kL2, allowed.view(), {}), plain - 0.015);
}

TEST_F(FilteredGraph, IsWalkedAlikeWhetherAllowedRowsAreKnownByNodeOrNot) {
  const auto opened = OpenGraph(AlignedCopy(bytes()), cloud().block(), Metric::kL2);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  const GraphView& graph = opened->view;
  const Bitset allowed = Allow(0.15, false);
  Bitset nodes(kRows);
  ForEachSet(allowed.view(), [&](size_t row) { nodes.Set(graph.node_of[row]); });
  const auto scorer = opened->codes.codec->NewScorer(opened->packed);
  QueryVector query(kDim, Metric::kL2);
  WalkScratch scratch;
  const auto walk = [&](BitsetView by_node) {
    const uint32_t entry = Descend(graph, *scorer, scratch);
    const AllowedGoal goal{.allowed = allowed.view(),
                           .nodes = by_node,
                           .around = {&entry, 1},
                           .ef = 60,
                           .distances_max = kRows};
    const auto complete = WalkAllowed(ctx_, graph, *scorer, goal, scratch);
    EXPECT_TRUE(complete.ok() && *complete);
    std::vector<uint32_t> found;
    for (size_t i = 0; i < scratch.beam.size(); ++i) found.push_back(scratch.beam.at(i).node);
    return found;
  };
  for (size_t q = 0; q < 20; ++q) {
    query.Set(cloud().query_block(), q);
    scorer->SetQuery(scorer->takes_plain_query() ? query.plain() : query.unit());
    const std::vector<uint32_t> found = walk({});
    EXPECT_EQ(found.size(), 60u);
    for (uint32_t node : found) EXPECT_TRUE(nodes.Test(node));
    EXPECT_EQ(found, walk(nodes.view()));
  }
}

// Clusters in more dimensions, where the file gets sketches and cells.
class GraphOfCells : public IndexFixture, public testing::WithParamInterface<Metric> {
 protected:
  static constexpr uint32_t kCellsDim = 64;
  const IndexType& type() const override { return *FindType(VectorKind::kDense, "HNSW"); }
  static const Cloud& cloud() {
    static const Cloud kCloud = MakeClusteredCloud(22, kRows, kCellsDim, kQueries);
    return kCloud;
  }
  Params Light() const {
    Params build;
    build.Set("M", 8);
    build.Set("efConstruction", 60);
    return build;
  }
  // The rows on one side along one coordinate: whole clusters, and the edges of others.
  static Bitset OneSide(double share) {
    std::vector<size_t> order(kRows);
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [](size_t a, size_t b) {
      return cloud().rows[a * kCellsDim] < cloud().rows[b * kCellsDim];
    });
    Bitset allowed(kRows);
    for (size_t i = 0; i < static_cast<size_t>(share * kRows); ++i) allowed.Set(order[i]);
    return allowed;
  }
};

TEST_P(GraphOfCells, FindsRowsFarFromTheQuery) {
  const std::string bytes = Build(cloud().block(), GetParam(), Light(), {.pool = &pool_});
  const auto opened = OpenGraph(AlignedCopy(bytes), cloud().block(), GetParam());
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  ASSERT_NE(opened->cells, nullptr);
  const auto index = Open(bytes, cloud().block(), GetParam());
  for (const double share : {0.15, 0.3, 0.6, 0.9}) {
    const Bitset allowed = OneSide(share);
    ProfileStep profile(ctx_, "vectors", true, 10);
    Answer got(kQueries, 10);
    ASSERT_TRUE(index
                    ->Search(profile.ctx(),
                             {.queries = cloud().query_block(),
                              .k = 10,
                              .params = {},
                              .allowed = allowed.view()},
                             got.hits())
                    .ok());
    profile.End();
    EXPECT_NE(profile.tree()->Find("scans_of_near_cells"), nullptr) << share;
    EXPECT_GE(Recall(*index, cloud(), GetParam(), allowed.view(), {}), 0.98) << share;
  }
}

INSTANTIATE_TEST_SUITE_P(Metrics, GraphOfCells,
                         testing::Values(Metric::kL2, Metric::kIp, Metric::kCosine));

TEST_F(FilteredGraph, RefusesAFileWhoseNodesShareARow) {
  constexpr size_t kLead = 32;
  const auto payload = Unframe("ELHNSW02", 1, bytes(), "graph");
  ASSERT_TRUE(payload.ok());
  std::string altered(*payload);
  const size_t rows = kLead + GraphLayout(GraphHeader{}).rows;
  std::memcpy(altered.data() + rows, altered.data() + rows + sizeof(uint32_t), sizeof(uint32_t));
  const std::string framed = Frame("ELHNSW02", 1, altered);
  EXPECT_EQ(type().Open(AlignedCopy(framed), cloud().block(), Metric::kL2).status().code(),
            ErrorCode::kIntegrity);
}

}  // namespace
}  // namespace elanus::index
