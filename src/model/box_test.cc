// Boxes: around geometries, and what they tell of tests.
#include "model/box.h"

#include <gtest/gtest.h>

#include <cmath>

namespace elanus::model {
namespace {

TEST(Box, IsEmptyUntilAPointIsAdded) {
  Box box;
  EXPECT_TRUE(box.is_empty());
  box.Add(3, -1);
  EXPECT_FALSE(box.is_empty());
  EXPECT_EQ(box, (Box{3, -1, 3, -1}));
  box.Add(Box());
  EXPECT_EQ(box, (Box{3, -1, 3, -1}));
  box.Add(Box{0, 0, 1, 1});
  EXPECT_EQ(box, (Box{0, -1, 3, 1}));
}

TEST(Box, MeetsWhatItTouches) {
  const Box box{0, 0, 2, 2};
  EXPECT_TRUE(box.Meets({2, 2, 3, 3}));
  EXPECT_FALSE(box.Meets({2.1, 0, 3, 3}));
  EXPECT_FALSE(box.Meets({0, -3, 2, -0.1}));
  EXPECT_TRUE(box.Holds({0, 0, 2, 2}));
  EXPECT_FALSE(box.Holds({0, 0, 2, 2.1}));
  EXPECT_FALSE(box.Meets(Box()));
}

TEST(BoxQuery, TellsWhichBoxesMayPass) {
  using Kind = BoxQuery::Kind;
  const Box box{0, 0, 4, 4};
  const Box inner{1, 1, 2, 2};
  const Box beside{3, 3, 6, 6};
  const Box away{9, 9, 9, 9};
  const auto passing = [&](Kind kind) {
    std::string text;
    for (const Box& around : {box, inner, beside, away, Box()}) {
      text += BoxQuery{kind, box}.MayPass(around) ? '1' : '0';
    }
    return text;
  };
  EXPECT_EQ(passing(Kind::kMeets), "11100");
  EXPECT_EQ(passing(Kind::kInside), "11000");
  EXPECT_EQ(passing(Kind::kCovers), "10000");
  EXPECT_EQ(passing(Kind::kEqual), "10000");
  EXPECT_TRUE((BoxQuery{Kind::kCovers, inner}.MayPass(box)));
}

TEST(BoxQuery, TellsOfABlockWhetherARowMayPass) {
  using Kind = BoxQuery::Kind;
  const Box block{0, 0, 4, 4};
  const Box corner{4, 4, 9, 9};
  EXPECT_TRUE((BoxQuery{Kind::kMeets, corner}.MayPassWithin(block)));
  EXPECT_TRUE((BoxQuery{Kind::kInside, corner}.MayPassWithin(block)));
  EXPECT_FALSE((BoxQuery{Kind::kCovers, corner}.MayPassWithin(block)));
  EXPECT_FALSE((BoxQuery{Kind::kEqual, corner}.MayPassWithin(block)));
  EXPECT_TRUE((BoxQuery{Kind::kEqual, {1, 1, 2, 2}}.MayPassWithin(block)));
  EXPECT_FALSE((BoxQuery{Kind::kMeets, {5, 5, 6, 6}}.MayPassWithin(block)));
  EXPECT_FALSE((BoxQuery{Kind::kMeets, block}.MayPassWithin(Box())));
}

TEST(BoxQuery, OfNothingIsPassedByNothingAlone) {
  using Kind = BoxQuery::Kind;
  EXPECT_TRUE((BoxQuery{Kind::kEqual, Box()}.MayPass(Box())));
  EXPECT_FALSE((BoxQuery{Kind::kEqual, Box()}.MayPass({0, 0, 1, 1})));
  EXPECT_FALSE((BoxQuery{Kind::kMeets, Box()}.MayPass(Box())));
  EXPECT_TRUE((BoxQuery{Kind::kEqual, Box()}.MayPassWithin({0, 0, 1, 1})));
  EXPECT_FALSE((BoxQuery{Kind::kMeets, Box()}.MayPassWithin({0, 0, 1, 1})));
}

TEST(BoxQuery, OnTheGlobeTellsNothingOfWhatIsBeyond) {
  const BoxQuery query{BoxQuery::Kind::kMeets, {0, 0, 1, 1}, /*on_globe=*/true};
  EXPECT_FALSE(query.MayPass({5, 5, 6, 6}));
  EXPECT_TRUE(query.MayPass({360, 0, 361, 1}));
  EXPECT_TRUE(query.MayPassWithin({5, 5, 6, 90.5}));
}

TEST(BoxOf, ReadsPointsWhereverTheyStand) {
  const auto bytes = [](auto number) {
    return std::string(reinterpret_cast<const char*>(&number), sizeof(number));
  };
  const auto head = [&](uint32_t kind) { return std::string(1, '\1').append(bytes(kind)); };
  const std::string point = head(1) + bytes(1.0) + bytes(2.0);
  EXPECT_EQ(BoxOf(point), (Box{1, 2, 1, 2}));
  EXPECT_TRUE(BoxOf(head(1) + bytes(double{NAN}) + bytes(double{NAN}))->is_empty());
  EXPECT_EQ(BoxOf(head(1003) + bytes(1u) + bytes(1u) + bytes(1.0) + bytes(2.0) + bytes(9.0)),
            (Box{1, 2, 1, 2}))
      << "a height is none of it";
  EXPECT_EQ(BoxOf(head(7) + bytes(2u) + point + head(2) + bytes(1u) + bytes(-4.0) + bytes(7.0)),
            (Box{-4, 2, 1, 7}));
  EXPECT_TRUE(BoxOf(head(7) + bytes(0u))->is_empty());
  EXPECT_EQ(BoxOf(""), std::nullopt);
  EXPECT_EQ(BoxOf(head(8) + bytes(0u)), std::nullopt);
  EXPECT_EQ(BoxOf(head(7) + bytes(4'000'000'000u)), std::nullopt);
  EXPECT_EQ(BoxOf(point + "x"), std::nullopt);
  std::string big_endian = point;
  big_endian[0] = '\0';
  EXPECT_EQ(BoxOf(big_endian), std::nullopt);
}

}  // namespace
}  // namespace elanus::model
