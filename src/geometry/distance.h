// Distances of the filter language: metres between degrees.
#pragma once

#include "model/box.h"

namespace elanus::geometry {

struct Place {
  double longitude = 0;  // Degrees.
  double latitude = 0;
};

/// The length of the great circle between two places on a sphere of 6371 km, in metres, by
/// haversines (Sinnott 1984, "Virtues of the haversine").
double GreatCircleMetres(Place a, Place b);

/// The metres of a degree at `latitude`: the root mean square of the two directions.
double MetresOfDegree(double latitude);

/// A box around all places within `metres` of `centre`, which is on the globe: by either measure
/// above, with some room for rounding.
model::Box BoxAround(Place centre, double metres);

}  // namespace elanus::geometry
