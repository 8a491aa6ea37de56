// The graph that is built: links within bounds, to others, each once, and a way to every node.
#include "index/hnsw/builder.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace elanus::index {
namespace {

constexpr uint32_t kM = 8;
constexpr uint32_t kDim = 12;

std::vector<float> DrawRows(uint32_t nodes, uint32_t seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal;
  std::vector<float> rows(size_t{nodes} * kDim);
  for (float& v : rows) v = normal(rng);
  return rows;
}

BuildSpace SpaceOf(const std::vector<float>& rows, model::Metric metric) {
  return BuildSpace({.data = rows.data(), .rows = rows.size() / kDim, .dim = kDim}, metric);
}

class HnswBuilderTest : public testing::Test {
 protected:
  SystemClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  Pool pool_{*executor_, "build", 3, 64};
};

void ExpectSoundLinks(const HnswBuilder& builder) {
  const GraphView graph = builder.view();
  ASSERT_LT(graph.entry, graph.nodes);
  ASSERT_EQ(builder.LevelOf(graph.entry), graph.top_level);
  for (uint32_t node = 0; node < graph.nodes; ++node) {
    ASSERT_LE(builder.LevelOf(node), graph.top_level);
    for (uint32_t level = 0; level <= builder.LevelOf(node); ++level) {
      const uint32_t* slot = graph.Neighbours(node, level);
      ASSERT_LE(slot[0], level == 0 ? 2 * kM : kM);
      const std::set<uint32_t> others(slot + 1, slot + 1 + slot[0]);
      EXPECT_EQ(others.size(), slot[0]) << "a link twice at node " << node;
      EXPECT_EQ(others.count(node), 0u) << "a link to itself at node " << node;
      for (uint32_t other : others) {
        ASSERT_LT(other, graph.nodes);
        EXPECT_GE(builder.LevelOf(other), level);
      }
    }
  }
}

size_t Reached(const GraphView& graph) {
  std::vector<uint32_t> open = {graph.entry};
  std::set<uint32_t> met = {graph.entry};
  while (!open.empty()) {
    const uint32_t* slot = graph.Neighbours(open.back(), 0);
    open.pop_back();
    for (uint32_t i = 1; i <= slot[0]; ++i) {
      if (met.insert(slot[i]).second) open.push_back(slot[i]);
    }
  }
  return met.size();
}

TEST_F(HnswBuilderTest, LinksEveryNodeSoundlyOnOneThreadAndOnSeveral) {
  for (bool is_l2 : {true, false}) {
    for (uint32_t nodes : {1u, 2u, 65u, 1500u}) {
      const std::vector<float> rows = DrawRows(nodes, nodes);
      const BuildSpace space = SpaceOf(rows, is_l2 ? model::Metric::kL2 : model::Metric::kIp);
      for (Pool* pool : {static_cast<Pool*>(nullptr), &pool_}) {
        HnswBuilder builder(space, kM, 60);
        ASSERT_TRUE(builder.Build(ctx_, {.pool = pool}).ok());
        ExpectSoundLinks(builder);
        // A walk of inner products need not reach short vectors: the scan finds them.
        EXPECT_GE(Reached(builder.view()), is_l2 ? nodes - nodes / 200 : 1);
      }
    }
  }
}

TEST_F(HnswBuilderTest, LinksEqualRows) {
  const std::vector<float> rows(size_t{300} * kDim, 1.5f);
  const BuildSpace space = SpaceOf(rows, model::Metric::kL2);
  HnswBuilder builder(space, kM, 60);
  ASSERT_TRUE(builder.Build(ctx_, {.pool = &pool_}).ok());
  ExpectSoundLinks(builder);
}

TEST_F(HnswBuilderTest, HasAboutOneNodeInMOfEachLevelOnTheNext) {
  constexpr uint32_t kNodes = 20000;
  std::vector<uint32_t> of_level(8, 0);
  const std::vector<float> none(size_t{kNodes} * kDim, 0.0f);
  const BuildSpace space = SpaceOf(none, model::Metric::kL2);
  const HnswBuilder builder(space, kM, 60);
  for (uint32_t node = 0; node < kNodes; ++node) {
    for (uint32_t level = 0; level <= builder.LevelOf(node) && level < 8; ++level) {
      ++of_level[level];
    }
  }
  EXPECT_EQ(of_level[0], kNodes);
  EXPECT_NEAR(of_level[1], kNodes / kM, 250);
  EXPECT_NEAR(of_level[2], kNodes / kM / kM, 100);
}

TEST_F(HnswBuilderTest, NumbersEveryNodeOnceFromTheEntryOn) {
  const std::vector<float> rows = DrawRows(700, 3);
  const BuildSpace space = SpaceOf(rows, model::Metric::kL2);
  HnswBuilder builder(space, kM, 60);
  ASSERT_TRUE(builder.Build(ctx_, {}).ok());
  const std::vector<uint32_t> order = builder.BreadthFirstOrder();
  ASSERT_EQ(order.size(), 700u);
  EXPECT_EQ(order[0], builder.view().entry);
  EXPECT_EQ(std::set<uint32_t>(order.begin(), order.end()).size(), 700u);
}

TEST_F(HnswBuilderTest, StopsWhenCancelled) {
  const std::vector<float> rows = DrawRows(700, 3);
  const BuildSpace space = SpaceOf(rows, model::Metric::kL2);
  HnswBuilder builder(space, kM, 60);
  ctx_.Cancel();
  EXPECT_EQ(builder.Build(ctx_, {.pool = &pool_}).code(), ErrorCode::kCanceled);
}

}  // namespace
}  // namespace elanus::index
