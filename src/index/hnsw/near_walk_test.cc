// Walks to the allowed nodes around a query find them, and score little more than without a filter.
#include "index/hnsw/near_walk.h"

#include "base/aligned_copy.h"
#include "index/conformance.h"
#include "index/hnsw/file.h"

namespace elanus::index {
namespace {

constexpr size_t kRows = 12'000;
constexpr size_t kQueries = 50;
constexpr uint32_t kDim = 64;
constexpr size_t kEf = 64;
constexpr size_t kWanted = 36;
constexpr size_t kHits = 10;

// Counts what it is asked for.
class CountingScorer final : public Scorer {
 public:
  explicit CountingScorer(Scorer& scorer) : scorer_(scorer) {}
  void SetQuery(const float* query) override { scorer_.SetQuery(query); }
  void Score(const uint32_t* rows, size_t count, float* keys) override {
    scored += count;
    scorer_.Score(rows, count, keys);
  }
  void ScoreRange(size_t begin, size_t count, float* keys) override {
    scored += count;
    scorer_.ScoreRange(begin, count, keys);
  }
  float ScoreExact(uint32_t row) override { return scorer_.ScoreExact(row); }
  size_t scored = 0;

 private:
  Scorer& scorer_;
};

class NearWalk : public IndexFixture {
 protected:
  const IndexType& type() const override { return *FindType(VectorKind::kDense, "HNSW"); }
  static const Cloud& cloud() {
    static const Cloud kCloud = MakeClusteredCloud(41, kRows, kDim, kQueries);
    return kCloud;
  }
  void SetUp() override {
    static const std::string kBytes =
        Build(cloud().block(), Metric::kL2, BuildParams(kDim), {.pool = &pool_});
    auto opened = OpenGraph(AlignedCopy(kBytes), cloud().block(), Metric::kL2);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    opened_ = std::move(*opened);
    plain_ = opened_.codes.codec->NewScorer(opened_.packed);
  }
  const GraphView& graph() const { return opened_.view; }
  uint32_t Begin(size_t q, CountingScorer& scorer) {
    query_.Set(cloud().query_block(), q);
    scorer.SetQuery(query_.unit());
    return Descend(graph(), scorer, scratch_);
  }
  static Bitset Random(double share) {
    Bitset allowed(kRows);
    std::mt19937 rng(5);
    for (size_t i = 0; i < kRows; ++i) {
      if (static_cast<double>(rng() % 100'000) < share * 100'000) allowed.Set(i);
    }
    return allowed;
  }
  // Of the `kHits` nearest allowed nodes by the same codes, how many lie in the beam.
  size_t Found(const Bitset& allowed, Scorer& scorer) {
    TopK nearest(kHits);
    for (uint32_t node = 0; node < kRows; ++node) {
      float key;
      scorer.Score(&node, 1, &key);
      if (allowed.Test(graph().rows[node])) nearest.Push(key, node);
    }
    std::set<uint32_t> found;
    for (size_t i = 0; i < scratch_.beam.size(); ++i) found.insert(scratch_.beam.at(i).node);
    size_t hits = 0;
    nearest.ForEach([&](float, uint32_t node) { hits += found.count(node); });
    return hits;
  }

  OpenedGraph opened_;
  std::unique_ptr<Scorer> plain_;
  QueryVector query_{kDim, Metric::kL2};
  WalkScratch scratch_;
};

TEST_F(NearWalk, FindsTheAllowedNodesForLittleMoreThanAWalkWithoutAFilter) {
  size_t unfiltered = 0;
  for (size_t q = 0; q < kQueries; ++q) {
    CountingScorer scorer(*plain_);
    const uint32_t entry = Begin(q, scorer);
    ASSERT_TRUE(WalkBeam(ctx_, graph(), scorer, entry, kEf, scratch_).ok());
    unfiltered += scorer.scored;
  }
  for (const double share : {0.1, 0.25, 0.5, 0.9, 0.99}) {
    const Bitset allowed = Random(share);
    size_t scored = 0;
    size_t hits = 0;
    for (size_t q = 0; q < kQueries; ++q) {
      CountingScorer scorer(*plain_);
      const uint32_t entry = Begin(q, scorer);
      const NearGoal goal{
          .allowed = allowed.view(), .nodes = {}, .share = share, .ef = kEf, .wanted = kWanted};
      const auto found = WalkNear(ctx_, graph(), scorer, entry, goal, scratch_);
      ASSERT_TRUE(found.ok());
      EXPECT_TRUE(*found) << share;
      EXPECT_EQ(scratch_.beam.size(), kWanted);
      for (size_t i = 0; i < scratch_.beam.size(); ++i) {
        EXPECT_TRUE(allowed.Test(graph().rows[scratch_.beam.at(i).node]));
        if (i == 0) continue;
        EXPECT_GE(scratch_.beam.at(i).key, scratch_.beam.at(i - 1).key);
      }
      scored += scorer.scored;
      hits += Found(allowed, *plain_);
    }
    EXPECT_LE(static_cast<double>(scored), 1.3 * static_cast<double>(unfiltered)) << share;
    EXPECT_GE(static_cast<double>(hits), 0.97 * kHits * kQueries) << share;
  }
}

TEST_F(NearWalk, FindsEachNodeOnce) {
  const Bitset allowed = Random(0.3);
  CountingScorer scorer(*plain_);
  const uint32_t entry = Begin(0, scorer);
  const NearGoal goal{
      .allowed = allowed.view(), .nodes = {}, .share = 0.3, .ef = kEf, .wanted = 200};
  const auto found = WalkNear(ctx_, graph(), scorer, entry, goal, scratch_);
  ASSERT_TRUE(found.ok() && *found);
  std::set<uint32_t> nodes;
  for (size_t i = 0; i < scratch_.beam.size(); ++i) nodes.insert(scratch_.beam.at(i).node);
  EXPECT_EQ(nodes.size(), 200u);
}

TEST_F(NearWalk, IsTheSameWhetherAllowedRowsAreKnownByNodeOrNot) {
  const Bitset allowed = Random(0.2);
  Bitset nodes(kRows);
  ForEachSet(allowed.view(), [&](size_t row) { nodes.Set(graph().node_of[row]); });
  const auto walk = [&](size_t q, BitsetView by_node) {
    CountingScorer scorer(*plain_);
    const uint32_t entry = Begin(q, scorer);
    const NearGoal goal{
        .allowed = allowed.view(), .nodes = by_node, .share = 0.2, .ef = kEf, .wanted = kWanted};
    EXPECT_TRUE(*WalkNear(ctx_, graph(), scorer, entry, goal, scratch_));
    std::vector<uint32_t> found;
    for (size_t i = 0; i < scratch_.beam.size(); ++i) found.push_back(scratch_.beam.at(i).node);
    return found;
  };
  for (size_t q = 0; q < 10; ++q) EXPECT_EQ(walk(q, {}), walk(q, nodes.view()));
}

TEST_F(NearWalk, StopsEarlyWhereHardlyAnyNodeAroundIsAllowed) {
  // All rows but the tenth of them that are nearest to the query, or half of them at random there.
  const ElementDistance distance(ElementType::kFloat32, kDim, true);
  std::vector<std::pair<float, size_t>> order;
  for (size_t i = 0; i < kRows; ++i) {
    order.emplace_back(distance.One(cloud().queries.data(), cloud().rows.data() + i * kDim), i);
  }
  std::sort(order.begin(), order.end());
  Bitset far(kRows);
  for (size_t i = kRows / 10; i < kRows; ++i) far.Set(order[i].second);
  CountingScorer scorer(*plain_);
  const uint32_t entry = Begin(0, scorer);
  const size_t before = scorer.scored;
  NearGoal goal{.allowed = far.view(), .nodes = {}, .share = 0.9, .ef = kEf, .wanted = kWanted};
  auto found = WalkNear(ctx_, graph(), scorer, entry, goal, scratch_);
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(*found);
  EXPECT_LT(scorer.scored - before, 13u * 2 * 16);  // Its steps until it looks, M 16.
  for (size_t i = 0; i < kRows / 10; i += 2) far.Set(order[i].second);
  goal.allowed = far.view();
  found = WalkNear(ctx_, graph(), scorer, Begin(0, scorer), goal, scratch_);
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(*found);
}

TEST_F(NearWalk, SaysThatThereAreTooFewAllowedNodes) {
  Bitset allowed(kRows);
  CountingScorer scorer(*plain_);
  const uint32_t entry = Begin(3, scorer);
  ASSERT_TRUE(WalkBeam(ctx_, graph(), scorer, entry, kWanted, scratch_).ok());
  for (size_t i = 0; i + 1 < kWanted; ++i) allowed.Set(graph().rows[scratch_.beam.at(i).node]);
  const NearGoal goal{
      .allowed = allowed.view(), .nodes = {}, .share = 0.003, .ef = kEf, .wanted = kWanted};
  const auto found = WalkNear(ctx_, graph(), scorer, Begin(3, scorer), goal, scratch_);
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(*found);
}

}  // namespace
}  // namespace elanus::index
