// Rectangles of the plane: the one around a stored geometry, and what rectangles tell of a test of
// geometries.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace elanus::model {

/// A closed rectangle with sides along the axes; empty when it holds no point, as at first.
struct Box {
  double min_x = std::numeric_limits<double>::infinity();
  double min_y = std::numeric_limits<double>::infinity();
  double max_x = -std::numeric_limits<double>::infinity();
  double max_y = -std::numeric_limits<double>::infinity();

  bool operator==(const Box&) const = default;
  bool is_empty() const { return !(min_x <= max_x && min_y <= max_y); }
  /// Grows to hold the point, or the other box.
  void Add(double x, double y);
  void Add(const Box& other);
  /// Whether they have a point in common.
  bool Meets(const Box& other) const {
    return min_x <= other.max_x && other.min_x <= max_x && min_y <= other.max_y &&
           other.min_y <= max_y;
  }
  /// Whether every point of `inner`, which is not empty, is here.
  bool Holds(const Box& inner) const {
    return min_x <= inner.min_x && inner.max_x <= max_x && min_y <= inner.min_y &&
           inner.max_y <= max_y;
  }

  template <class V>
  void Fields(V& v) {
    v(1, "min_x", min_x);
    v(2, "min_y", min_y);
    v(3, "max_x", max_x);
    v(4, "max_y", max_y);
  }
};

/// What the boxes around geometries must be for the geometries to pass a test: a condition that is
/// necessary, not sufficient. A test against a geometry without a point has an empty `box`.
struct BoxQuery {
  enum class Kind : uint8_t {
    kMeets,   // The box has a point in common with `box`.
    kInside,  // It lies in `box`.
    kCovers,  // It holds `box`.
    kEqual,   // It is `box`.
  };
  Kind kind = Kind::kMeets;
  Box box;
  /// The test measures on the globe, and says nothing of boxes beyond 180 degrees of longitude (x)
  /// or 90 of latitude (y).
  bool on_globe = false;

  /// Whether the geometry that `around` is the box of may pass.
  bool MayPass(const Box& around) const;
  /// Whether a geometry somewhere in `around` may pass; empty ones are somewhere in every box.
  bool MayPassWithin(const Box& around) const;
};

/// Whether all of a box lies within 180 degrees of longitude and 90 of latitude.
bool IsOnGlobe(const Box& box);

/// The box around a geometry as columns hold it (wkb.h). None: the bytes are no such geometry.
std::optional<Box> BoxOf(std::string_view wkb);

}  // namespace elanus::model
