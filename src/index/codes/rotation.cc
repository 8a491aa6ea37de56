// The rotation.
#include "index/codes/rotation.h"

#include <cmath>
#include <cstring>
#include <random>

namespace elanus::index {
namespace {

constexpr size_t kRounds = 4;

// In place; `count` is a power of two. Scaled to keep lengths.
void WalshHadamard(float* values, size_t count) {
  for (size_t half = 1; half < count; half *= 2) {
    for (size_t begin = 0; begin < count; begin += 2 * half) {
      float* __restrict low = values + begin;
      float* __restrict high = low + half;
      for (size_t i = 0; i < half; ++i) {
        const float a = low[i];
        const float b = high[i];
        low[i] = a + b;
        high[i] = a - b;
      }
    }
  }
  const float scale = 1.0f / std::sqrt(static_cast<float>(count));
  for (size_t i = 0; i < count; ++i) values[i] *= scale;
}

// Mixes the first half with the second.
void KacStep(float* values, size_t dim) {
  const size_t half = dim / 2;
  const float scale = std::sqrt(0.5f);
  for (size_t i = 0; i < half; ++i) {
    const float a = values[i];
    const float b = values[dim - half + i];
    values[i] = (a + b) * scale;
    values[dim - half + i] = (a - b) * scale;
  }
}

}  // namespace

Rotation::Rotation(size_t dim) : dim_(dim), signs_(kRounds * dim) {
  while (power_ * 2 <= dim) power_ *= 2;
  std::mt19937_64 rng(0x656c616e7573);
  for (float& sign : signs_) sign = rng() % 2 == 0 ? 1.0f : -1.0f;
}

void Rotation::Apply(const float* from, float* to) const {
  if (to != from) std::memcpy(to, from, dim_ * sizeof(float));
  for (size_t round = 0; round < kRounds; ++round) {
    const float* signs = signs_.data() + round * dim_;
    for (size_t d = 0; d < dim_; ++d) to[d] *= signs[d];
    // Where the dimension is no power of two, its two ends in turn.
    WalshHadamard(round % 2 == 0 ? to : to + dim_ - power_, power_);
    if (power_ != dim_) KacStep(to, dim_);
  }
}

}  // namespace elanus::index
