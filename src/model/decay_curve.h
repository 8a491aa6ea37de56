// What falls off with the distance of a value from an origin.
#pragma once

#include <algorithm>
#include <cmath>

namespace elanus::model {

struct DecayCurve {
  enum class Shape { kGauss, kExp, kLinear };
  Shape shape = Shape::kGauss;
  double origin = 0;
  double scale = 1;   // Above 0: `decay` is the factor at this distance beyond the offset.
  double offset = 0;  // Nearer than this it is 1.
  double decay = 0.5;

  /// In [0, 1]; 1 at the origin.
  double FactorAt(double value) const {
    const double distance = std::max(0.0, std::abs(value - origin) - offset);
    switch (shape) {
      case Shape::kGauss:
        return std::exp(distance * distance * std::log(decay) / (scale * scale));
      case Shape::kExp:
        return std::exp(distance * std::log(decay) / scale);
      case Shape::kLinear:
        return std::max(decay, 1 - distance * (1 - decay) / scale);
    }
    return 0;
  }
};

}  // namespace elanus::model
