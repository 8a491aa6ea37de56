// Spatial tests of the kinds of geometry that expr/testing does not draw: holes, collections,
// invalid ones, the globe; and threads.
#include "geometry/spatial.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/executor.h"
#include "geometry/distance.h"
#include "geometry/text.h"

namespace elanus::geometry {
namespace {

bool Is(Relation relation, std::string_view row, std::string_view constant) {
  const auto test = SpatialTest::Related(relation, constant);
  EXPECT_TRUE(test.ok()) << constant << ": " << test.status().ToString();
  SpatialTest::Session session(**test);
  return session.Matches(*ReadWkt(row));
}
bool IsNear(std::string_view row, std::string_view point, double metres) {
  const auto test = SpatialTest::Near(point, metres);
  EXPECT_TRUE(test.ok()) << point;
  SpatialTest::Session session(**test);
  return session.Matches(*ReadWkt(row));
}

constexpr const char* kRing =
    "POLYGON((0 0,10 0,10 10,0 10,0 0),(4 4,6 4,6 6,4 6,4 4))";  // With a hole.

TEST(Spatial, SeesHoles) {
  EXPECT_TRUE(Is(Relation::kWithin, "POINT(1 1)", kRing));
  EXPECT_FALSE(Is(Relation::kWithin, "POINT(5 5)", kRing));
  EXPECT_FALSE(Is(Relation::kIntersects, "POINT(5 5)", kRing));
  EXPECT_TRUE(Is(Relation::kTouches, "POINT(4 5)", kRing));
  EXPECT_TRUE(Is(Relation::kTouches, "POLYGON((4 4,6 4,6 6,4 6,4 4))", kRing));
  EXPECT_TRUE(Is(Relation::kContains, kRing, "POLYGON((1 1,2 1,2 2,1 1))"));
}

TEST(Spatial, TestsTheRowAgainstTheConstantAndNotTheOtherWayRound) {
  const char* small = "POLYGON((1 1,2 1,2 2,1 1))";
  EXPECT_TRUE(Is(Relation::kWithin, small, kRing));
  EXPECT_FALSE(Is(Relation::kWithin, kRing, small));
  EXPECT_TRUE(Is(Relation::kContains, kRing, small));
  EXPECT_FALSE(Is(Relation::kContains, small, kRing));
}

TEST(Spatial, TakesSeveralParts) {
  EXPECT_TRUE(Is(Relation::kIntersects, "MULTIPOINT(50 50,1 1)", kRing));
  EXPECT_TRUE(Is(Relation::kCrosses, "MULTIPOINT(50 50,1 1)", kRing));
  EXPECT_TRUE(Is(Relation::kOverlaps, "MULTIPOINT(1 1,2 2)", "MULTIPOINT(2 2,3 3)"));
  EXPECT_TRUE(Is(Relation::kCrosses, "MULTILINESTRING((-5 5,3 5),(20 20,30 30))", kRing));
  EXPECT_TRUE(
      Is(Relation::kEquals, "MULTIPOLYGON(((0 0,1 0,1 1,0 0)))", "POLYGON((1 1,0 0,1 0,1 1))"));
}

TEST(Spatial, TakesCollections) {
  const char* both = "GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(20 20,30 30))";
  EXPECT_TRUE(Is(Relation::kIntersects, both, kRing));
  EXPECT_TRUE(Is(Relation::kIntersects, kRing, both));
  EXPECT_TRUE(Is(Relation::kEquals, both, both));
  EXPECT_TRUE(Is(Relation::kWithin, "GEOMETRYCOLLECTION(POINT(1 1),POINT(2 2))", kRing));
  EXPECT_FALSE(Is(Relation::kWithin, both, kRing));
  EXPECT_TRUE(Is(Relation::kIntersects, both, "LINESTRING(1 1,9 -9)")) << "its point alone";
  EXPECT_TRUE(Is(Relation::kIntersects, "LINESTRING(1 1,9 -9)", both));
}

TEST(Spatial, ComparesPartByPartWhereGeosIsAtALoss) {
  const char* overlapping =
      "GEOMETRYCOLLECTION(POLYGON((0 0,2 0,2 2,0 2,0 0)),POLYGON((1 1,3 1,3 3,1 3,1 1)))";
  EXPECT_TRUE(Is(Relation::kEquals, overlapping, overlapping));
  EXPECT_FALSE(Is(Relation::kEquals, overlapping, "POLYGON((0 0,3 0,3 3,0 3,0 0))"));
}

TEST(Spatial, OfNothingIsEqualToNothingAlone) {
  EXPECT_TRUE(Is(Relation::kEquals, "POINT EMPTY", "POLYGON EMPTY"));
  EXPECT_FALSE(Is(Relation::kEquals, "POINT EMPTY", "POINT(0 0)"));
  for (Relation relation : {Relation::kIntersects, Relation::kWithin, Relation::kContains,
                            Relation::kTouches, Relation::kOverlaps, Relation::kCrosses}) {
    EXPECT_FALSE(Is(relation, "POINT EMPTY", kRing));
    EXPECT_FALSE(Is(relation, kRing, "POINT EMPTY"));
    EXPECT_FALSE(Is(relation, "POINT EMPTY", "POINT EMPTY"));
  }
  EXPECT_FALSE(IsNear("POINT EMPTY", "POINT(0 0)", 1e9));
  EXPECT_FALSE(IsNear("POLYGON EMPTY", "POINT(0 0)", 1e9));
}

TEST(Spatial, KnowsValidFromInvalid) {
  const auto test = SpatialTest::Valid();
  EXPECT_EQ(test->boxes(), std::nullopt);
  SpatialTest::Session session(*test);
  for (const char* text : {"POINT(1 2)", "POINT EMPTY", kRing, "LINESTRING(0 0,1 1)"}) {
    EXPECT_TRUE(session.Matches(*ReadWkt(text))) << text;
  }
  for (const char* text :
       {"POLYGON((0 0,2 2,2 0,0 2,0 0))", "POLYGON((0 0,1 0,1 1,0 0),(5 5,6 5,6 6,5 5))"}) {
    EXPECT_FALSE(session.Matches(*ReadWkt(text))) << text;
  }
  // A spatial test of one is an answer, whatever it is, and no crash.
  (void)Is(Relation::kIntersects, "POLYGON((0 0,2 2,2 0,0 2,0 0))", kRing);
  (void)Is(Relation::kWithin, kRing, "POLYGON((0 0,2 2,2 0,0 2,0 0))");
}

TEST(Spatial, SeesPlanesOnlyWhenPointsHaveHeights) {
  EXPECT_TRUE(Is(Relation::kEquals, "POINT Z (1 2 3)", "POINT (1 2)"));
  EXPECT_TRUE(Is(Relation::kWithin, "POINT M (1 2 3)", kRing));
  EXPECT_TRUE(Is(Relation::kWithin, "LINESTRING M (1 2 3, 2 3 99)", kRing));
  EXPECT_FALSE(Is(Relation::kWithin, "LINESTRING ZM (1 2 3 4, 2 30 3 4)", kRing));
  EXPECT_TRUE(Is(Relation::kIntersects, kRing, "LINESTRING M (1 2 3, 2 3 99)"));
}

TEST(Spatial, MeasuresBetweenPointsOnTheGlobe) {
  // Berlin to Paris: 878 km.
  EXPECT_TRUE(IsNear("POINT(13.405 52.52)", "POINT(2.3522 48.8566)", 880'000));
  EXPECT_FALSE(IsNear("POINT(13.405 52.52)", "POINT(2.3522 48.8566)", 875'000));
  EXPECT_TRUE(IsNear("POINT(179.9 0)", "POINT(-179.9 0)", 23'000)) << "over the line of 180";
  EXPECT_TRUE(IsNear("POINT(0 89.9)", "POINT(180 89.9)", 23'000)) << "over the pole";
  EXPECT_TRUE(IsNear("POINT(0 0)", "POINT(180 0)", 20'016'000)) << "the other side";
  EXPECT_FALSE(IsNear("POINT(0 0)", "POINT(180 0)", 20'014'000));
  EXPECT_TRUE(IsNear("POINT(370 0)", "POINT(10 0)", 1)) << "once around";
}

TEST(Spatial, MeasuresOtherGeometriesInThePlane) {
  EXPECT_DOUBLE_EQ(MetresOfDegree(0), 111320);
  EXPECT_TRUE(IsNear("LINESTRING(1 -1,1 1)", "POINT(0 0)", 111'320));
  EXPECT_FALSE(IsNear("LINESTRING(1 -1,1 1)", "POINT(0 0)", 111'319));
  EXPECT_TRUE(IsNear("MULTIPOINT(1 0)", "POINT(0 0)", 111'320));
  EXPECT_FALSE(IsNear("MULTIPOINT(179.9 0)", "POINT(-179.9 0)", 23'000)) << "no way around";
  EXPECT_TRUE(IsNear(kRing, "POINT(5 5)", 112'000)) << "from the hole to its edge";
}

TEST(Spatial, TakesAPointToMeasureFrom) {
  for (const char* text : {"LINESTRING(0 0,1 1)", "POINT EMPTY", "MULTIPOINT(0 0)", "nonsense"}) {
    EXPECT_EQ(SpatialTest::Near(text, 1).status().code(), ErrorCode::kInvalidParameter) << text;
  }
}

// No place that is near lies outside of the box, wherever the centre is.
TEST(Distance, BoxesHoldAllThatIsNear) {
  uint64_t state = 7;
  const auto draw = [&](double low, double high) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * static_cast<double>(state >> 11) / 9007199254740992.0;
  };
  const double metres[] = {0, 1, 5000, 300'000, 5'000'000, 10'007'543, 19'000'000, 2e7, 5e7};
  size_t near = 0;
  for (int i = 0; i < 200'000; ++i) {
    const Place centre{draw(-180, 180), draw(-90, 90)};
    const double reach = metres[i % std::size(metres)];
    const double spread = i % 2 == 0 ? 180 : reach / 80'000 + 1e-4;
    const Place place{std::clamp(centre.longitude + draw(-spread, spread), -180.0, 180.0),
                      std::clamp(centre.latitude + draw(-spread, spread), -90.0, 90.0)};
    if (GreatCircleMetres(place, centre) > reach) continue;
    ++near;
    model::Box point;
    point.Add(place.longitude, place.latitude);
    ASSERT_TRUE(BoxAround(centre, reach).Holds(point))
        << place.longitude << " " << place.latitude << " is within " << reach << " of "
        << centre.longitude << " " << centre.latitude;
  }
  EXPECT_GT(near, 20'000u);
}

TEST(Spatial, ServesManyThreadsAtOnce) {
  const auto test = SpatialTest::Related(Relation::kWithin, kRing);
  ASSERT_TRUE(test.ok());
  const auto executor = MakeThreadExecutor();
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<int> found(4);
  for (int& count : found) {
    workers.push_back(executor->Spawn("test", [&] {
      for (int round = 0; round < 20; ++round) {
        SpatialTest::Session session(**test);
        for (int x = 0; x < 20; ++x) {
          const std::string row = *ReadWkt(fmt::format("POINT({} 1)", x));
          count += session.Matches(row) ? 1 : 0;
        }
      }
    }));
  }
  workers.clear();
  for (int count : found) EXPECT_EQ(count, 20 * 9);
}

}  // namespace
}  // namespace elanus::geometry
