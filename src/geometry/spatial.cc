// Spatial tests by GEOS: the only source that sees its header.
#include "geometry/spatial.h"

#include <geos_c.h>

#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"
#include "geometry/distance.h"
#include "geometry/text.h"
#include "model/wkb.h"

namespace elanus::geometry {
namespace {

using model::BoxQuery;
using model::WkbKind;

BoxQuery::Kind BoxesOf(Relation relation) {
  switch (relation) {
    case Relation::kEquals:
      return BoxQuery::Kind::kEqual;
    case Relation::kContains:
      return BoxQuery::Kind::kCovers;
    case Relation::kWithin:
      return BoxQuery::Kind::kInside;
    default:
      return BoxQuery::Kind::kMeets;
  }
}

// The place of a geometry that is one point; none: it is another, or empty.
std::optional<Place> PlaceOf(std::string_view wkb) {
  model::WkbReader in(wkb);
  model::WkbHead head;
  double numbers[model::kWkbNumbersMax];
  if (!in.ReadHead(head) || head.kind != WkbKind::kPoint || !in.ReadPoint(head, numbers) ||
      std::isnan(numbers[0])) {
    return std::nullopt;
  }
  return Place{.longitude = numbers[0], .latitude = numbers[1]};
}

}  // namespace

std::string_view FunctionOf(Relation relation) {
  switch (relation) {
    case Relation::kEquals:
      return "st_equals";
    case Relation::kTouches:
      return "st_touches";
    case Relation::kOverlaps:
      return "st_overlaps";
    case Relation::kCrosses:
      return "st_crosses";
    case Relation::kContains:
      return "st_contains";
    case Relation::kIntersects:
      return "st_intersects";
    case Relation::kWithin:
      return "st_within";
  }
  return "";
}

struct SpatialTest::Question {
  enum class Kind { kRelation, kNear, kValid };
  Kind kind = Kind::kValid;
  Relation relation = Relation::kEquals;
  std::string wkb;  // The constant; of kValid there is none.
  Place centre;     // kNear.
  double metres = 0;
};

// GEOS keeps state in its handle, and a prepared geometry builds its trees when they are first
// needed: neither is for two threads at once.
class SpatialTest::Matcher {
 public:
  explicit Matcher(const SpatialTest& test)
      : question_(*test.question_),
        boxes_(test.boxes_),
        degree_metres_(MetresOfDegree(question_.centre.latitude)),
        handle_(GEOS_init_r()),
        reader_(GEOSWKBReader_create_r(handle_)) {
    CHECK(reader_ != nullptr);
    if (question_.wkb.empty()) return;
    constant_ = Read(question_.wkb);
    if (constant_ != nullptr) prepared_ = GEOSPrepare_r(handle_, constant_);
  }
  ~Matcher() {
    if (prepared_ != nullptr) GEOSPreparedGeom_destroy_r(handle_, prepared_);
    if (constant_ != nullptr) GEOSGeom_destroy_r(handle_, constant_);
    GEOSWKBReader_destroy_r(handle_, reader_);
    GEOS_finish_r(handle_);
  }
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;

  bool Matches(std::string_view wkb) {
    const bool is_near = question_.kind == Question::Kind::kNear;
    const std::optional<Place> place = PlaceOf(wkb);
    if (is_near && place) return IsNear(*place);
    if (boxes_) {
      const std::optional<model::Box> box = model::BoxOf(wkb);
      if (!box || !boxes_->MayPass(*box)) return false;
    }
    GEOSGeometry* row =
        place ? GEOSGeom_createPointFromXY_r(handle_, place->longitude, place->latitude)
              : Read(wkb);
    if (row == nullptr) return false;
    const bool matches = question_.kind == Question::Kind::kValid ? GEOSisValid_r(handle_, row) == 1
                         : is_near                                ? IsNear(row)
                                                                  : IsRelated(row);
    GEOSGeom_destroy_r(handle_, row);
    return matches;
  }

 private:
  GEOSGeometry* Read(std::string_view wkb) {
    return GEOSWKBReader_read_r(handle_, reader_,
                                reinterpret_cast<const unsigned char*>(wkb.data()), wkb.size());
  }
  bool IsNear(Place place) const {
    model::Box point;
    point.Add(place.longitude, place.latitude);
    if (boxes_ && !boxes_->MayPass(point)) return false;  // Saves the sines.
    return GreatCircleMetres(place, question_.centre) <= question_.metres;
  }
  bool IsNear(const GEOSGeometry* row) {
    double degrees;
    return constant_ != nullptr && GEOSisEmpty_r(handle_, row) == 0 &&
           GEOSDistance_r(handle_, constant_, row, &degrees) == 1 &&
           degrees * degree_metres_ <= question_.metres;
  }
  // 0, 1, or 2 for what cannot be told. The constant is the prepared one, so what the row is to it
  // is asked the other way round.
  char Related(const GEOSGeometry* row) {
    switch (question_.relation) {
      case Relation::kEquals: {
        const char equal = GEOSEquals_r(handle_, constant_, row);
        return equal != 2 ? equal : GEOSEqualsExact_r(handle_, constant_, row, 0);
      }
      case Relation::kTouches:
        return GEOSPreparedTouches_r(handle_, prepared_, row);
      case Relation::kOverlaps:
        return GEOSPreparedOverlaps_r(handle_, prepared_, row);
      case Relation::kCrosses:
        return GEOSPreparedCrosses_r(handle_, prepared_, row);
      case Relation::kContains:
        return GEOSPreparedWithin_r(handle_, prepared_, row);
      case Relation::kIntersects:
        return GEOSPreparedIntersects_r(handle_, prepared_, row);
      case Relation::kWithin:
        return GEOSPreparedContains_r(handle_, prepared_, row);
    }
    return 0;
  }
  // The same without what has been prepared. That looks at some parts only of a collection: a
  // prepared line does not see the points beside a collection's lines (GEOS 3.11).
  char PlainlyRelated(const GEOSGeometry* row) {
    switch (question_.relation) {
      case Relation::kTouches:
        return GEOSTouches_r(handle_, row, constant_);
      case Relation::kOverlaps:
        return GEOSOverlaps_r(handle_, row, constant_);
      case Relation::kCrosses:
        return GEOSCrosses_r(handle_, row, constant_);
      case Relation::kContains:
        return GEOSContains_r(handle_, row, constant_);
      case Relation::kIntersects:
        return GEOSIntersects_r(handle_, row, constant_);
      case Relation::kWithin:
        return GEOSWithin_r(handle_, row, constant_);
      default:
        return Related(row);
    }
  }
  bool IsRelated(const GEOSGeometry* row) {
    if (prepared_ == nullptr) return false;
    const bool is_collection = GEOSGeomTypeId_r(handle_, row) == GEOS_GEOMETRYCOLLECTION;
    return (is_collection ? PlainlyRelated(row) : Related(row)) == 1;
  }

  const Question& question_;
  const std::optional<BoxQuery>& boxes_;
  const double degree_metres_;
  GEOSContextHandle_t handle_;
  GEOSWKBReader* reader_;
  GEOSGeometry* constant_ = nullptr;
  const GEOSPreparedGeometry* prepared_ = nullptr;
};

SpatialTest::SpatialTest(Question question)
    : question_(std::make_unique<const Question>(std::move(question))) {
  if (question_->kind == Question::Kind::kRelation) {
    const std::optional<model::Box> box = model::BoxOf(question_->wkb);
    CHECK(box.has_value());  // ReadWkt wrote it.
    boxes_ = {.kind = BoxesOf(question_->relation), .box = *box};
  } else if (question_->kind == Question::Kind::kNear) {
    const Place centre = question_->centre;
    model::Box point;
    point.Add(centre.longitude, centre.latitude);
    if (model::IsOnGlobe(point)) {
      boxes_ = {.kind = BoxQuery::Kind::kMeets,
                .box = BoxAround(centre, question_->metres),
                .on_globe = true};
    }
  }
}

SpatialTest::~SpatialTest() = default;

Result<std::shared_ptr<const SpatialTest>> SpatialTest::Related(Relation relation,
                                                                std::string_view wkt) {
  TRY_ASSIGN(std::string wkb, ReadWkt(wkt));
  return std::shared_ptr<const SpatialTest>(new SpatialTest(
      {.kind = Question::Kind::kRelation, .relation = relation, .wkb = std::move(wkb)}));
}

Result<std::shared_ptr<const SpatialTest>> SpatialTest::Near(std::string_view wkt, double metres) {
  TRY_ASSIGN(std::string wkb, ReadWkt(wkt));
  const std::optional<Place> centre = PlaceOf(wkb);
  if (!centre) return Invalid("the geometry must be a point");
  return std::shared_ptr<const SpatialTest>(new SpatialTest(
      {.kind = Question::Kind::kNear, .wkb = std::move(wkb), .centre = *centre, .metres = metres}));
}

std::shared_ptr<const SpatialTest> SpatialTest::Valid() {
  return std::shared_ptr<const SpatialTest>(new SpatialTest({.kind = Question::Kind::kValid}));
}

std::string_view SpatialTest::function() const {
  switch (question_->kind) {
    case Question::Kind::kRelation:
      return FunctionOf(question_->relation);
    case Question::Kind::kNear:
      return "st_dwithin";
    case Question::Kind::kValid:
      return "st_isvalid";
  }
  return "";
}

SpatialTest::Session::Session(const SpatialTest& test) : test_(test) {
  {
    std::lock_guard<std::mutex> lock(test.mutex_);
    if (!test.idle_.empty()) {
      matcher_ = std::move(test.idle_.back());
      test.idle_.pop_back();
    }
  }
  if (matcher_ == nullptr) matcher_ = std::make_unique<Matcher>(test);
}

SpatialTest::Session::~Session() {
  std::lock_guard<std::mutex> lock(test_.mutex_);
  test_.idle_.push_back(std::move(matcher_));
}

bool SpatialTest::Session::Matches(std::string_view wkb) { return matcher_->Matches(wkb); }

}  // namespace elanus::geometry
