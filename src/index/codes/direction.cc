// The widths of the grid are tried one after the other.
#include "index/codes/direction.h"

#include <algorithm>
#include <cmath>

namespace elanus::index {
namespace {

// How many widths of the grid are tried for a code of several bits.
constexpr int kWidths = 12;

}  // namespace

void DirectionCodes(int bits, const float* vector, size_t dim, std::vector<uint32_t>& codes) {
  codes.resize(dim);
  const float half = static_cast<float>((1 << bits) - 1) / 2;
  if (bits == 1) {
    for (size_t d = 0; d < dim; ++d) codes[d] = vector[d] >= 0 ? 1 : 0;
    return;
  }
  float largest = 0;
  for (size_t d = 0; d < dim; ++d) largest = std::max(largest, std::abs(vector[d]));
  if (largest == 0) largest = 1;
  const auto code_of = [&](float value, float inverse) {
    return static_cast<uint32_t>(std::lrint(std::clamp(value * inverse + half, 0.0f, 2 * half)));
  };
  double best = -1;
  float best_inverse = 1;
  for (int w = 1; w <= kWidths; ++w) {
    // From a grid that holds the largest value to one that cuts it to a third.
    const float share = 1.0f - 0.67f * static_cast<float>(w - 1) / kWidths;
    const float inverse = half / (largest * share);
    double dot = 0;
    double square = 0;
    for (size_t d = 0; d < dim; ++d) {
      const double v = static_cast<double>(code_of(vector[d], inverse)) - half;
      dot += v * vector[d];
      square += v * v;
    }
    const double cosine = dot / std::sqrt(std::max(square, 1e-30));
    if (cosine > best) {
      best = cosine;
      best_inverse = inverse;
    }
  }
  for (size_t d = 0; d < dim; ++d) codes[d] = code_of(vector[d], best_inverse);
}

}  // namespace elanus::index
