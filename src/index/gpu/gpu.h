// The GPU_* names: types of another hardware, built on the CPU types that do the same.
#pragma once

#include "index/vector_index.h"

namespace elanus::index {
const IndexType& GpuBruteForceType();
const IndexType& GpuIvfFlatType();
const IndexType& GpuIvfPqType();
/// On dense rows, and on rows of bits.
const IndexType& GpuCagraType();
const IndexType& GpuBinaryCagraType();
}  // namespace elanus::index
