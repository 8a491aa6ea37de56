// What is special to RTREE; scalar/conformance_test.cc holds it against a scan.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "index/scalar/rtree/tree.h"
#include "index/scalar_index.h"

namespace elanus::index {
namespace {

using model::Box;
using model::BoxQuery;

struct Packed {
  std::vector<std::string> sections;
  std::vector<std::string_view> views;
  Tree tree;
};

std::unique_ptr<Packed> Pack(const std::vector<Box>& boxes) {
  SystemClock clock;
  Context ctx(clock);
  std::vector<BoxEntry> entries;
  for (const Box& box : boxes) {
    entries.push_back({RoundedBox::Around(box), static_cast<uint32_t>(entries.size())});
  }
  auto packed = std::make_unique<Packed>();
  packed->sections = PackTree(ctx, std::move(entries)).value();
  packed->views = {packed->sections.begin(), packed->sections.end()};
  packed->tree = Tree::Open(packed->views.data()).value();
  return packed;
}

std::vector<uint32_t> Find(const Tree& tree, const BoxQuery& query) {
  SystemClock clock;
  Context ctx(clock);
  std::vector<uint32_t> rows;
  EXPECT_TRUE(tree.Find(ctx, query, rows).ok());
  std::sort(rows.begin(), rows.end());
  return rows;
}

// Boxes up to `side` wide over a square of 100 by 100.
std::vector<Box> RandomBoxes(size_t count, double side) {
  std::mt19937_64 rng(3);
  const auto draw = [&] { return static_cast<double>(rng() % 1'000'000) / 10'000; };
  std::vector<Box> boxes;
  for (size_t i = 0; i < count; ++i) {
    Box& box = boxes.emplace_back();
    const double x = draw();
    const double y = draw();
    box.Add(x, y);
    box.Add(x + draw() * side / 100, y + draw() * side / 100);
  }
  return boxes;
}

TEST(RTree, FindsWhatAScanOfBoxesFindsAtEveryHeight) {
  for (size_t count : {1u, 15u, 16u, 17u, 256u, 257u, 5000u}) {
    const std::vector<Box> boxes = RandomBoxes(count, 3);
    const auto packed = Pack(boxes);
    ASSERT_EQ(packed->tree.entries(), count);
    for (BoxQuery::Kind kind : {BoxQuery::Kind::kMeets, BoxQuery::Kind::kInside,
                                BoxQuery::Kind::kCovers, BoxQuery::Kind::kEqual}) {
      for (const Box& around : {Box{10, 10, 30, 40}, Box{50, 50, 50.5, 50.5}, boxes[count / 2],
                                Box{-5, -5, 200, 200}}) {
        const BoxQuery query{.kind = kind, .box = around};
        const std::vector<uint32_t> found = Find(packed->tree, query);
        std::vector<uint32_t> missed;
        for (uint32_t row = 0; row < count; ++row) {
          const bool is_there = std::binary_search(found.begin(), found.end(), row);
          if (query.MayPass(boxes[row]) && !is_there) missed.push_back(row);
        }
        EXPECT_TRUE(missed.empty()) << count << " entries, kind " << static_cast<int>(kind);
      }
    }
  }
}

TEST(RTree, FindsLittleMoreThanThere) {
  const std::vector<Box> boxes = RandomBoxes(20'000, 0.5);
  const auto packed = Pack(boxes);
  for (const Box& around : {Box{10, 10, 12, 12}, Box{0, 0, 50, 50}, Box{99, 99, 100, 100}}) {
    const BoxQuery query{.kind = BoxQuery::Kind::kMeets, .box = around};
    size_t wanted = 0;
    for (const Box& box : boxes) wanted += query.MayPass(box) ? 1 : 0;
    ASSERT_GT(wanted, 0u);
    // Rounding to single precision moves sides by less than 1e-5 here.
    EXPECT_LE(Find(packed->tree, query).size(), wanted + wanted / 50 + 1);
  }
}

TEST(RTree, TellsAboutHowManyItWillFind) {
  const std::vector<Box> boxes = RandomBoxes(20'000, 0.5);
  const auto packed = Pack(boxes);
  for (double side : {0.1, 1.0, 10.0, 60.0}) {
    const BoxQuery query{.kind = BoxQuery::Kind::kMeets, .box = {20, 20, 20 + side, 20 + side}};
    const size_t found = Find(packed->tree, query).size();
    const uint64_t told = packed->tree.Count(query);
    EXPECT_GE(told, found) << side;
    EXPECT_LE(told, 3 * found + 64) << side;
  }
  const BoxQuery nowhere{.kind = BoxQuery::Kind::kMeets, .box = {500, 500, 501, 501}};
  EXPECT_EQ(packed->tree.Count(nowhere), 0u);
}

TEST(RTree, OfNothingFindsNothing) {
  const auto packed = Pack({});
  EXPECT_TRUE(packed->tree.around().is_empty());
  const BoxQuery query{.kind = BoxQuery::Kind::kMeets, .box = {0, 0, 1, 1}};
  EXPECT_EQ(packed->tree.Count(query), 0u);
  EXPECT_TRUE(Find(packed->tree, query).empty());
}

TEST(RTree, HoldsBoxesThatSinglePrecisionCannot) {
  const Box huge{-1e300, -1e300, 1e300, 1e300};
  const Box tiny{0.1, 0.1, 0.1, 0.1};
  const auto packed = Pack({huge, tiny});
  for (const Box& box : {huge, tiny}) {
    const auto found = Find(packed->tree, {.kind = BoxQuery::Kind::kEqual, .box = box});
    EXPECT_EQ(found.size(), 1u);
  }
  const RoundedBox rounded = RoundedBox::Around(tiny);
  EXPECT_LE(double{rounded.min_x}, 0.1);
  EXPECT_GE(double{rounded.max_x}, 0.1);
}

TEST(RTree, IsWhatAutoindexTakesForGeometries) {
  EXPECT_EQ(ResolveScalarAutoIndex({.type = model::DataType::kGeometry}), FindScalarType("RTREE"));
}

}  // namespace
}  // namespace elanus::index
