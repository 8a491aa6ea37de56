// Text of geometries: what is read, how it is written, what is refused.
#include "geometry/text.h"

#include <gtest/gtest.h>

#include "model/box.h"
#include "model/wkb.h"

namespace elanus::geometry {
namespace {

std::string Rewritten(std::string_view text) {
  const auto wkb = ReadWkt(text);
  if (!wkb.ok()) return std::string(wkb.status().message());
  const auto written = WriteWkt(*wkb);
  return written.ok() ? *written : written.status().ToString();
}

void ExpectRefused(std::string_view text, std::string_view words) {
  const auto wkb = ReadWkt(text);
  ASSERT_FALSE(wkb.ok()) << text;
  EXPECT_EQ(wkb.status().code(), ErrorCode::kInvalidParameter);
  EXPECT_NE(wkb.status().message().find(words), std::string_view::npos)
      << text << ": " << wkb.status().message();
}

TEST(Wkt, IsWrittenInOneForm) {
  const std::pair<const char*, const char*> texts[] = {
      {"point(1 2)", "POINT (1 2)"},
      {" Point \n( 1.50\t-2e3 ) ", "POINT (1.5 -2000)"},
      {"POINT(+1 .5)", "POINT (1 0.5)"},
      {"LINESTRING(0 0,1 1 , 2 0)", "LINESTRING (0 0, 1 1, 2 0)"},
      {"POLYGON((0 0,4 0,4 4,0 0),(1 .5,2 .5,2 1,1 .5))",
       "POLYGON ((0 0, 4 0, 4 4, 0 0), (1 0.5, 2 0.5, 2 1, 1 0.5))"},
      {"MULTIPOINT(1 2,3 4)", "MULTIPOINT ((1 2), (3 4))"},
      {"MULTIPOINT((1 2),EMPTY)", "MULTIPOINT ((1 2), EMPTY)"},
      {"MULTILINESTRING((0 0,1 1),EMPTY,(2 2,3 3))",
       "MULTILINESTRING ((0 0, 1 1), EMPTY, (2 2, 3 3))"},
      {"MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))",
       "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))"},
      {"GEOMETRYCOLLECTION(POINT(1 2),GEOMETRYCOLLECTION EMPTY,LINESTRING(0 0,1 1))",
       "GEOMETRYCOLLECTION (POINT (1 2), GEOMETRYCOLLECTION EMPTY, LINESTRING (0 0, 1 1))"},
      {"POINT EMPTY", "POINT EMPTY"},
      {"polygon empty", "POLYGON EMPTY"},
      {"POINT(0.1 1e-7)", "POINT (0.1 0.0000001)"},
      {"POINT(-0 1e22)", "POINT (-0 10000000000000000000000)"},
  };
  for (const auto& [text, wanted] : texts) EXPECT_EQ(Rewritten(text), wanted) << text;
}

TEST(Wkt, KeepsHeightsAndMeasures) {
  EXPECT_EQ(Rewritten("POINT Z (1 2 3)"), "POINT Z (1 2 3)");
  EXPECT_EQ(Rewritten("POINTZ(1 2 3)"), "POINT Z (1 2 3)");
  EXPECT_EQ(Rewritten("POINT(1 2 3)"), "POINT Z (1 2 3)");
  EXPECT_EQ(Rewritten("POINT M (1 2 3)"), "POINT M (1 2 3)");
  EXPECT_EQ(Rewritten("LINESTRING ZM (1 2 3 4, 5 6 7 8)"), "LINESTRING ZM (1 2 3 4, 5 6 7 8)");
  EXPECT_EQ(Rewritten("POINT Z EMPTY"), "POINT Z EMPTY");
  EXPECT_EQ(Rewritten("MULTIPOINT Z (1 2 3, EMPTY)"), "MULTIPOINT Z ((1 2 3), EMPTY)");
  EXPECT_EQ(Rewritten("GEOMETRYCOLLECTION Z (POINT Z (1 2 3))"),
            "GEOMETRYCOLLECTION Z (POINT Z (1 2 3))");
  ExpectRefused("POINT Z (1 2)", "the same numbers");
  ExpectRefused("POINT ZM (1 2 3)", "the same numbers");
  ExpectRefused("LINESTRING(1 2, 3 4 5)", "the same numbers");
  ExpectRefused("MULTIPOINT(EMPTY, 1 2 3)", "the same numbers");
  ExpectRefused("POINT(1 2 3 4 5)", "expected ')'");
}

TEST(Wkt, IsRefusedWithThePlace) {
  ExpectRefused("", "expected the name of a geometry at byte 0");
  ExpectRefused("  circle(1 2)", "expected the name of a geometry at byte 2: circle(1 2)");
  ExpectRefused("CIRCULARSTRING(0 0,1 1,2 0)", "expected the name");
  ExpectRefused("SRID=4326;POINT(1 2)", "expected the name");
  ExpectRefused("POINTY(1 2)", "expected the name");
  ExpectRefused("POINT", "expected '(' at byte 5, where the text ends");
  ExpectRefused("POINT(1)", "expected a finite number at byte 7: )");
  ExpectRefused("POINT(1,2)", "expected a finite number at byte 7");
  ExpectRefused("POINT(1 2", "expected a finite number at byte 9, where the text ends");
  ExpectRefused("POINT(1 2) rest", "expected the end at byte 11: rest");
  ExpectRefused("POINT(1 2))", "expected the end");
  ExpectRefused(std::string_view("POINT(1 2)\0x", 12), "expected the end");
  ExpectRefused("POINT(nan 1)", "finite");
  ExpectRefused("POINT(1 -inf)", "finite");
  ExpectRefused("POINT(1e400 1)", "finite");
  ExpectRefused("POINT(+-1 1)", "finite");
  ExpectRefused("LINESTRING(1 1)", "two points");
  ExpectRefused("LINESTRING()", "finite");
  ExpectRefused("POLYGON((0 0,1 0,1 1,0 2))", "ends where it begins");
  ExpectRefused("POLYGON((0 0,1 0,0 0))", "four points");
  ExpectRefused("POLYGON(0 0,1 0,1 1,0 0)", "expected '('");
  ExpectRefused("POLYGON((0 0", "expected");
  ExpectRefused("MULTIPOINT(1 2,)", "expected");
}

TEST(Wkt, NestsToABound) {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "GEOMETRYCOLLECTION(";
    return text + "POINT(1 2)" + std::string(static_cast<size_t>(depth), ')');
  };
  const auto deepest = ReadWkt(nested(model::kWkbDepthMax));
  ASSERT_TRUE(deepest.ok()) << deepest.status().ToString();
  EXPECT_EQ(model::BoxOf(*deepest), (model::Box{1, 2, 1, 2}));
  EXPECT_TRUE(WriteWkt(*deepest).ok());
  ExpectRefused(nested(model::kWkbDepthMax + 1), "nest deeper");
  ExpectRefused(nested(100'000), "nest deeper");
}

// Texts near to good ones: whatever is taken is written, and reads as the same once more.
TEST(Wkt, NearAGoodTextIsTakenAsAWholeOrRefused) {
  const std::string good[] = {
      "POINT Z (1 2 3)", "LINESTRING(0 0,1e1 -1.5)", "POLYGON((0 0,4 0,4 4,0 0),(1 1,2 1,2 2,1 1))",
      "MULTIPOINT(1 2,EMPTY,(3 4))", "GEOMETRYCOLLECTION(POINT EMPTY,MULTILINESTRING((0 0,1 1)))"};
  const std::string pieces[] = {"(", ")", ",", " ",     "1",     "-",  ".",
                                "e", "Z", "M", "EMPTY", "POINT", "nan"};
  uint64_t state = 11;
  const auto below = [&](size_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<size_t>((state >> 33) % n);
  };
  size_t taken = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text = good[below(std::size(good))];
    for (size_t edits = 1 + below(3); edits > 0; --edits) {
      const size_t at = below(text.size() + 1);
      if (below(2) == 0)
        text.insert(at, pieces[below(std::size(pieces))]);
      else
        text.erase(at, 1 + below(3));
    }
    const auto wkb = ReadWkt(text);
    if (!wkb.ok()) continue;
    ++taken;
    ASSERT_TRUE(model::BoxOf(*wkb).has_value()) << text;
    const auto written = WriteWkt(*wkb);
    ASSERT_TRUE(written.ok()) << text;
    const auto again = ReadWkt(*written);
    ASSERT_TRUE(again.ok()) << text << ": " << *written << ": " << again.status().ToString();
    ASSERT_EQ(*again, *wkb) << text;
  }
  EXPECT_GT(taken, 1000u);
}

TEST(Wkt, OfBytesThatAreNoGeometryIsAnError) {
  const std::string good = *ReadWkt("GEOMETRYCOLLECTION(POINT(1 2),POLYGON((0 0,1 0,1 1,0 0)))");
  ASSERT_TRUE(WriteWkt(good).ok());
  for (size_t size = 0; size < good.size(); ++size) {
    const std::string_view cut = std::string_view(good).substr(0, size);
    EXPECT_EQ(WriteWkt(cut).status().code(), ErrorCode::kIntegrity) << size;
    EXPECT_EQ(model::BoxOf(cut), std::nullopt) << size;
  }
  EXPECT_FALSE(WriteWkt(good + "x").ok());
  // Whatever a byte becomes, nothing outside is read.
  for (size_t at = 0; at < good.size(); ++at) {
    for (int flip : {0x01, 0x80, 0xff}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ flip);
      (void)WriteWkt(bad);
      (void)model::BoxOf(bad);
    }
  }
}

}  // namespace
}  // namespace elanus::geometry
