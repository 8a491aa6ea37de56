// The order of lists against scoring and sorting all of them.
#include "index/cells/list_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

namespace elanus::index {
namespace {

enum class Shape { kNormal, kClustered, kFarOut, kEqual };

struct Case {
  size_t lists;
  size_t dim;
  Shape shape;
  bool is_l2;
};

std::vector<float> DrawCentroids(const Case& c, std::mt19937& rng) {
  std::normal_distribution<float> normal;
  std::vector<float> values(c.lists * c.dim);
  for (size_t l = 0; l < c.lists; ++l) {
    for (size_t d = 0; d < c.dim; ++d) {
      float value = normal(rng);
      // Close to each other and far from the origin: bytes and floats both lose digits.
      if (c.shape == Shape::kClustered) value = 50 + 0.1f * value + static_cast<float>(l % 3);
      if (c.shape == Shape::kFarOut && l == 5) value *= 1e4f;
      if (c.shape == Shape::kEqual) value = static_cast<float>(d % 7) + 1;
      values[l * c.dim + d] = value;
    }
  }
  return values;
}

double KeyOf(const Case& c, const float* query, const float* centroid) {
  double key = 0;
  for (size_t d = 0; d < c.dim; ++d) {
    const double product = double{query[d]} * centroid[d];
    key += c.is_l2 ? double{centroid[d]} * centroid[d] - 2 * product : -product;
  }
  return key;
}

// What float32 numbers leave open.
double Tolerance(const Case& c, const float* query, const std::vector<float>& centroids) {
  double largest = 0;
  for (const float v : centroids) largest = std::max(largest, double{std::abs(v)});
  double length = 0;
  for (size_t d = 0; d < c.dim; ++d) length += double{query[d]} * query[d];
  const double row = largest * std::sqrt(static_cast<double>(c.dim));
  return 2e-6 * (row * row + 2 * row * std::sqrt(length)) + 1e-12;
}

void ExpectExactOrder(const Case& c, uint32_t seed) {
  std::mt19937 rng(seed);
  const std::vector<float> centroids = DrawCentroids(c, rng);
  std::normal_distribution<float> normal;
  const CodedCentroids coded(centroids.data(), c.lists, c.dim, c.is_l2);
  ListOrder order(coded);
  constexpr size_t kQueries = ListOrder::kQueriesAtOnce;
  std::vector<float> queries(kQueries * c.dim);
  for (size_t i = 0; i < queries.size(); ++i) {
    queries[i] = centroids[rng() % c.lists * c.dim + i % c.dim] + normal(rng);
  }
  std::fill_n(queries.begin(), c.dim, 0.0f);  // A zero query, too.
  for (size_t count : {size_t{1}, kQueries}) {
    order.Score(queries.data(), count);
    for (size_t q = 0; q < count; ++q) {
      const float* query = queries.data() + q * c.dim;
      const double tolerance = Tolerance(c, query, centroids);
      std::vector<double> want;
      for (size_t l = 0; l < c.lists; ++l) {
        want.push_back(KeyOf(c, query, centroids.data() + l * c.dim));
      }
      const std::vector<double> keys = want;
      std::sort(want.begin(), want.end());
      for (const size_t sorted : {size_t{1}, size_t{3}, size_t{20}, c.lists / 2, c.lists}) {
        order.Choose(q, sorted);
        std::set<uint32_t> met;
        const size_t end = sorted == 3 ? c.lists : std::clamp<size_t>(sorted, 1, c.lists);
        for (size_t place = 0; place < std::min(end, c.lists); ++place) {
          const uint32_t list = order.at(place);
          ASSERT_LT(list, c.lists);
          ASSERT_TRUE(met.insert(list).second);
          ASSERT_NEAR(keys[list], want[place], tolerance)
              << c.lists << " lists, dim " << c.dim << ", place " << place << " of " << sorted;
          double product = 0;
          for (size_t d = 0; d < c.dim; ++d) {
            product += double{query[d]} * centroids[list * c.dim + d];
          }
          ASSERT_NEAR(order.ProductOf(list), product, tolerance);
        }
      }
    }
  }
}

TEST(ListOrder, IsTheOneOfAllExactKeys) {
  uint32_t seed = 1;
  for (const Shape shape : {Shape::kNormal, Shape::kClustered, Shape::kFarOut, Shape::kEqual}) {
    for (const size_t lists : {size_t{1}, size_t{7}, size_t{64}, size_t{65}, size_t{1000}}) {
      for (const size_t dim : {size_t{1}, size_t{6}, size_t{97}}) {
        for (const bool is_l2 : {false, true}) {
          ExpectExactOrder({.lists = lists, .dim = dim, .shape = shape, .is_l2 = is_l2}, ++seed);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(ListOrder, IsRoughlyTheSameByBytesAlone) {
  uint32_t seed = 100;
  for (const size_t lists : {size_t{7}, size_t{64}, size_t{1000}}) {
    for (const bool is_l2 : {false, true}) {
      const Case c{.lists = lists, .dim = 96, .shape = Shape::kNormal, .is_l2 = is_l2};
      std::mt19937 rng(++seed);
      const std::vector<float> centroids = DrawCentroids(c, rng);
      const CodedCentroids coded(centroids.data(), c.lists, c.dim, c.is_l2);
      ListOrder order(coded);
      const float* query = centroids.data() + c.dim;
      order.Score(query, 1);
      order.ChooseRoughly(0);
      std::vector<double> want;
      for (size_t l = 0; l < lists; ++l) {
        want.push_back(KeyOf(c, query, centroids.data() + l * c.dim));
      }
      const std::vector<double> keys = want;
      std::sort(want.begin(), want.end());
      std::set<uint32_t> met;
      for (size_t place = 0; place < lists; ++place) {
        const uint32_t list = order.at(place);
        EXPECT_TRUE(met.insert(list).second);
        EXPECT_NEAR(keys[list], want[place], 0.02 * (want.back() - want.front())) << place;
      }
      EXPECT_EQ(order.at(0), 1u);
    }
  }
}

// So many that a query meets groups of them only, alone as among others.
TEST(ListOrder, OfGroupsIsNearlyTheExactOne) {
  constexpr size_t kLists = 1200;
  constexpr size_t kListDim = 500;
  for (const bool is_l2 : {false, true}) {
    std::mt19937 rng(is_l2 ? 8 : 9);
    std::normal_distribution<float> normal;
    std::vector<float> middles(kListDim * 30);
    for (float& v : middles) v = normal(rng);
    std::vector<float> centroids(kLists * kListDim);
    for (size_t i = 0; i < centroids.size(); ++i) {
      centroids[i] = middles[i / kListDim % 30 * kListDim + i % kListDim] + 0.3f * normal(rng);
    }
    const CodedCentroids grouped(centroids.data(), kLists, kListDim, is_l2,
                                 CodedCentroids::Groups::kWherePays);
    const CodedCentroids plain(centroids.data(), kLists, kListDim, is_l2);
    EXPECT_GT(grouped.memory_bytes(), plain.memory_bytes());
    ListOrder alone(grouped);
    ListOrder together(grouped);
    ListOrder all(grouped);
    ListOrder exact(plain);
    constexpr size_t kQueries = ListOrder::kQueriesAtOnce;
    std::vector<float> queries(kQueries * kListDim);
    for (size_t i = 0; i < queries.size(); ++i) {
      queries[i] = centroids[i / kListDim * 71 * kListDim + i % kListDim] + 0.3f * normal(rng);
    }
    exact.Score(queries.data(), kQueries);
    together.Score(queries.data(), kQueries, 10);
    all.Score(queries.data(), kQueries);
    size_t same = 0;
    for (size_t q = 0; q < kQueries; ++q) {
      alone.Score(queries.data() + q * kListDim, 1, 10);
      alone.Choose(0, 10);
      exact.Choose(q, 10);
      together.Choose(q, 10);
      all.Choose(q, 10);
      std::set<uint32_t> want;
      for (size_t place = 0; place < 10; ++place) {
        want.insert(exact.at(place));
        EXPECT_EQ(together.at(place), alone.at(place));
        EXPECT_EQ(all.at(place), exact.at(place));
      }
      for (size_t place = 0; place < 10; ++place) same += want.count(alone.at(place));
      // Past those asked for all others follow, each once.
      std::set<uint32_t> met;
      for (size_t place = 0; place < kLists; ++place) met.insert(alone.at(place));
      EXPECT_EQ(met.size(), kLists);
      EXPECT_EQ(*met.rbegin(), kLists - 1);
    }
    EXPECT_GE(same, kQueries * 10 * 98 / 100) << is_l2;
  }
}

TEST(ListOrder, HasNoGroupsOfWhatLiesAnywhere) {
  const Case c{.lists = 1100, .dim = 480, .shape = Shape::kNormal, .is_l2 = true};
  std::mt19937 rng(4);
  const std::vector<float> centroids = DrawCentroids(c, rng);
  const CodedCentroids tried(centroids.data(), c.lists, c.dim, true,
                             CodedCentroids::Groups::kWherePays);
  const CodedCentroids plain(centroids.data(), c.lists, c.dim, true);
  EXPECT_EQ(tried.memory_bytes(), plain.memory_bytes());
}

// Grouping them would take longer than it saves.
TEST(ListOrder, HasNoGroupsOfVeryManyLists) {
  const auto is_grouped = [](size_t lists) {
    // Thirty places, far from each other.
    std::vector<float> centroids(lists * 128);
    std::mt19937 rng(6);
    std::normal_distribution<float> normal;
    for (size_t i = 0; i < centroids.size(); ++i) {
      centroids[i] = (i % 128 == i / 128 % 30 ? 50.0f : 0.0f) + normal(rng);
    }
    const CodedCentroids plain(centroids.data(), lists, 128, true);
    const CodedCentroids tried(centroids.data(), lists, 128, true,
                               CodedCentroids::Groups::kWherePays);
    return tried.memory_bytes() > plain.memory_bytes();
  };
  EXPECT_TRUE(is_grouped(4096));
  EXPECT_FALSE(is_grouped(4097));
}

TEST(ListOrder, TakesTheFirstOfEqualLists) {
  const std::vector<float> equal(size_t{200} * 8, 1.5f);
  const CodedCentroids coded(equal.data(), 200, 8, true);
  ListOrder order(coded);
  const std::vector<float> query(8, 1.0f);
  order.Score(query.data(), 1);
  order.Choose(0, 5);
  for (uint32_t place = 0; place < 200; ++place) EXPECT_EQ(order.at(place), place);
}

}  // namespace
}  // namespace elanus::index
