// Signatures.
#include "index/binary/min_hash.h"

#include <algorithm>
#include <cstring>

namespace elanus::index {
namespace {

// Of numbers of a width the compiler knows, it makes one comparison of many.
template <class Element>
uint32_t CountEqual(const uint8_t* a, const uint8_t* b, uint32_t elements) {
  uint32_t equal = 0;
  for (uint32_t i = 0; i < elements; ++i) {
    Element x;
    Element y;
    std::memcpy(&x, a + size_t{i} * sizeof(Element), sizeof(Element));
    std::memcpy(&y, b + size_t{i} * sizeof(Element), sizeof(Element));
    equal += x == y ? 1 : 0;
  }
  return equal;
}

uint32_t CountEqualOf(const uint8_t* a, const uint8_t* b, const SignatureShape& shape) {
  switch (shape.element_bytes) {
    case 1:
      return CountEqual<uint8_t>(a, b, shape.elements);
    case 2:
      return CountEqual<uint16_t>(a, b, shape.elements);
    case 4:
      return CountEqual<uint32_t>(a, b, shape.elements);
    case 8:
      return CountEqual<uint64_t>(a, b, shape.elements);
    default: {
      const size_t width = shape.element_bytes;
      uint32_t equal = 0;
      for (uint32_t i = 0; i < shape.elements; ++i) {
        equal += std::memcmp(a + i * width, b + i * width, width) == 0 ? 1 : 0;
      }
      return equal;
    }
  }
}

}  // namespace

Result<SignatureShape> ShapeOf(uint32_t dim, const Params& params) {
  const int64_t width = params.GetInt("mh_element_bit_width", 8);
  if (width % 8 != 0) {
    return Invalid("mh_element_bit_width should be a multiple of 8, got {}", width);
  }
  if (dim % width != 0) {
    return Invalid("the dimension should be a multiple of mh_element_bit_width: got {} and {}", dim,
                   width);
  }
  const int64_t elements = dim / width;
  const int64_t bands = std::clamp<int64_t>(params.GetInt("mh_lsh_band", 1), 1, elements);
  return SignatureShape{.element_bytes = static_cast<uint32_t>(width / 8),
                        .elements = static_cast<uint32_t>(elements),
                        .bands = static_cast<uint32_t>(bands),
                        .band_elements = static_cast<uint32_t>(elements / bands)};
}

float EstimateJaccard(const uint8_t* a, const uint8_t* b, const SignatureShape& shape) {
  return static_cast<float>(CountEqualOf(a, b, shape)) / static_cast<float>(shape.elements);
}

float SignatureScorer::KeyOf(size_t row) const {
  const uint8_t* signature = rows_.row(row);
  if (with_jaccard_) return -EstimateJaccard(query_, signature, shape_);
  const size_t bytes = shape_.band_bytes();
  for (uint32_t band = 0; band < shape_.bands; ++band) {
    if (std::memcmp(query_ + band * bytes, signature + band * bytes, bytes) == 0) return -1.0f;
  }
  return kNoHit;
}

}  // namespace elanus::index
