// Codes of a few bits a dimension that keep where a vector points to, whatever its length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace elanus::index {

/// The codes, 0 .. 2^bits - 1 for each of `dim` dimensions, that less half of 2^bits - 1 point most
/// nearly where `vector` does (Gao et al. 2024, arXiv:2409.09913). `bits`: 1 to 16.
void DirectionCodes(int bits, const float* vector, size_t dim, std::vector<uint32_t>& codes);

}  // namespace elanus::index
