// Distances between rows of signed bytes, chosen once for the machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::simd {

/// Exact sums: below 2^31 up to dim 32768. Any alignment; nothing past dim elements is read.
/// Thread-safe.
struct Int8Kernels {
  using One = int32_t (*)(const int8_t* a, const int8_t* b, size_t dim);
  /// One query against four rows at once: the shape of a graph walk.
  using Four = void (*)(const int8_t* query, const int8_t* const rows[4], size_t dim,
                        int32_t out[4]);
  const char* name;  // Of the instruction set.
  One l2;            // Sum of squared differences.
  One ip;            // Dot product.
  Four l2_x4;
  Four ip_x4;
};

/// The fastest set this machine runs.
const Int8Kernels& BestInt8();
/// Plain loops; what the others are held against.
const Int8Kernels& ReferenceInt8();
/// Every set this machine can run, the slowest first; returns how many.
size_t AllInt8(const Int8Kernels* out[3]);

}  // namespace elanus::simd
