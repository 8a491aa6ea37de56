// Planes of codes.
#include "index/codes/planes.h"

#include <algorithm>

#include "simd/rounding.h"

namespace elanus::index {
namespace {

simd::CodeKernels::Four DotOf(int bits) {
  const simd::CodeKernels& kernels = simd::BestCodes();
  return bits == 8   ? kernels.dot8_x4
         : bits == 4 ? kernels.dot4_x4
         : bits == 2 ? kernels.dot2_x4
                     : kernels.dot1_x4;
}

// Where dimension d of a plane lies: byte and shift within it (simd/code_kernels.h).
std::pair<size_t, size_t> Place(int bits, size_t d) {
  if (bits == 8) return {d, 0};
  if (bits == 1) return {d / 8, d % 8};
  const size_t block = simd::CodeBlock(bits);
  const size_t bytes = block * static_cast<size_t>(bits) / 8;
  return {d / block * bytes + d % block % bytes, d % block / bytes * static_cast<size_t>(bits)};
}

}  // namespace

Planes::Planes(int bits, size_t dim) : bits_(bits) {
  int left = bits;
  for (int width : {8, 4, 2, 1}) {
    if (left < width) continue;
    Plane& plane = planes_[count_++];
    plane = {.bits = width,
             .shift = bits - left,
             .offset = row_bytes_,
             .blocks = simd::CodeBlocks(dim, width),
             .dot = DotOf(width)};
    const size_t padded = plane.blocks * simd::CodeBlock(width);
    padded_ = std::max(padded_, padded);
    row_bytes_ += padded * static_cast<size_t>(width) / 8;
    left -= width;
  }
}

void Planes::Set(uint8_t* row, size_t d, uint32_t code) const {
  for (size_t i = 0; i < count_; ++i) {
    const Plane& plane = planes_[i];
    const auto [byte, shift] = Place(plane.bits, d);
    const uint32_t part = (code >> plane.shift) & ((1u << plane.bits) - 1);
    row[plane.offset + byte] = static_cast<uint8_t>(row[plane.offset + byte] | part << shift);
  }
}

uint32_t Planes::Get(const uint8_t* row, size_t d) const {
  uint32_t code = 0;
  for (size_t i = 0; i < count_; ++i) {
    const Plane& plane = planes_[i];
    const auto [byte, shift] = Place(plane.bits, d);
    code |= ((row[plane.offset + byte] >> shift) & ((1u << plane.bits) - 1)) << plane.shift;
  }
  return code;
}

void Planes::Dot(const int8_t* query, const uint8_t* const rows[4], int32_t sums[4]) const {
  planes_[0].dot(query, rows, planes_[0].blocks, sums);
  for (size_t i = 1; i < count_; ++i) {
    const Plane& plane = planes_[i];
    const uint8_t* const parts[4] = {rows[0] + plane.offset, rows[1] + plane.offset,
                                     rows[2] + plane.offset, rows[3] + plane.offset};
    int32_t more[4];
    plane.dot(query, parts, plane.blocks, more);
    for (int j = 0; j < 4; ++j) sums[j] += more[j] * (1 << plane.shift);
  }
}

void RoundedQuery::Round(const float* query, const float* weights, size_t dim) {
  const simd::RoundedBytes rounded = simd::RoundToBytes(query, weights, dim, numbers.data());
  scale = rounded.scale;
  sum = rounded.sum;
}

}  // namespace elanus::index
