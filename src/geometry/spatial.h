// Spatial tests of stored geometries against one that a filter names, in the plane, by GEOS.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/box.h"

namespace elanus::geometry {

/// What a geometry is to another; `row REL constant` as OGC 06-103r4, 6.1.15.3 has it.
enum class Relation : uint8_t {
  kEquals,
  kTouches,
  kOverlaps,
  kCrosses,
  kContains,
  kIntersects,
  kWithin,
};
inline constexpr Relation kRelations[] = {
    Relation::kEquals,   Relation::kTouches,    Relation::kOverlaps, Relation::kCrosses,
    Relation::kContains, Relation::kIntersects, Relation::kWithin};
/// The function that filters ask for it with: "st_within".
std::string_view FunctionOf(Relation relation);

/// One test. Immutable, safe for any number of threads; each works through a Session.
class SpatialTest {
 public:
  class Matcher;  // What GEOS needs for one thread.

  /// Errors of both: kInvalidParameter (ReadWkt).
  static Result<std::shared_ptr<const SpatialTest>> Related(Relation relation,
                                                            std::string_view wkt);
  /// Within `metres` of a point: of points by great circles on a sphere of 6371 km, x the longitude
  /// and y the latitude in degrees; of other geometries the distance in the plane, a degree as long
  /// as it is at the point's latitude, the mean over both directions.
  static Result<std::shared_ptr<const SpatialTest>> Near(std::string_view wkt, double metres);
  /// Valid as OGC has it: rings do not cross, holes are inside.
  static std::shared_ptr<const SpatialTest> Valid();
  ~SpatialTest();

  /// The function of the filter: "st_within", "st_dwithin", "st_isvalid".
  std::string_view function() const;
  /// What the boxes of those that pass are; none: any.
  const std::optional<model::BoxQuery>& boxes() const { return boxes_; }

  /// A thread's use of the test. Opening the first for a thread at a time prepares the constant,
  /// others take over what it leaves.
  class Session {
   public:
    explicit Session(const SpatialTest& test);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    /// Of a stored geometry. What GEOS cannot decide does not pass: some relations of collections
    /// whose parts overlap (kEquals compares them part by part then) and of invalid geometries.
    bool Matches(std::string_view wkb);

   private:
    const SpatialTest& test_;
    std::unique_ptr<Matcher> matcher_;
  };

 private:
  struct Question;
  explicit SpatialTest(Question question);

  std::unique_ptr<const Question> question_;
  std::optional<model::BoxQuery> boxes_;
  mutable std::mutex mutex_;  // Guards idle_; held for a push or a pop.
  mutable std::vector<std::unique_ptr<Matcher>> idle_;
};

}  // namespace elanus::geometry
