// Distances.
#include "geometry/distance.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace elanus::geometry {
namespace {

constexpr double kRadiusMetres = 6371000;
constexpr double kEquatorDegreeMetres = 111320;

double Radians(double degrees) { return degrees * std::numbers::pi / 180; }
double Degrees(double radians) { return radians * 180 / std::numbers::pi; }

}  // namespace

double GreatCircleMetres(Place a, Place b) {
  const double by_latitude = std::sin(Radians(b.latitude - a.latitude) / 2);
  const double by_longitude = std::sin(Radians(b.longitude - a.longitude) / 2);
  const double haversine = by_latitude * by_latitude + std::cos(Radians(a.latitude)) *
                                                           std::cos(Radians(b.latitude)) *
                                                           by_longitude * by_longitude;
  return 2 * kRadiusMetres * std::asin(std::sqrt(std::clamp(haversine, 0.0, 1.0)));
}

double MetresOfDegree(double latitude) {
  const double shrunk = std::cos(Radians(latitude));
  return kEquatorDegreeMetres * std::sqrt((1 + shrunk * shrunk) / 2);
}

model::Box BoxAround(Place centre, double metres) {
  constexpr double kRoom = 1 + 1e-9;
  constexpr double kRoomDegrees = 1e-9;
  constexpr double kPoleRoomDegrees = 1e-3;  // Nearer, the arc sine below loses too many digits.
  const double planar = metres / MetresOfDegree(centre.latitude) * kRoom + kRoomDegrees;
  const double angle = metres / kRadiusMetres * kRoom;
  const double up = Degrees(angle) + kRoomDegrees;
  const bool has_pole = std::abs(centre.latitude) + up >= 90 - kPoleRoomDegrees;
  double aside = 360;
  if (!has_pole) {
    const double sine = std::sin(angle) / std::cos(Radians(centre.latitude));
    aside = Degrees(std::asin(std::clamp(sine, 0.0, 1.0))) * kRoom + kRoomDegrees;
  }
  // What reaches over the line of 180 degrees goes on at the other side: any longitude.
  const bool wraps = std::abs(centre.longitude) + aside > 180;
  aside = wraps ? 360 : aside;
  const double half_width = std::max(aside, planar);
  const double half_height = std::max(up, planar);
  return {.min_x = centre.longitude - half_width,
          .min_y = centre.latitude - half_height,
          .max_x = centre.longitude + half_width,
          .max_y = centre.latitude + half_height};
}

}  // namespace elanus::geometry
