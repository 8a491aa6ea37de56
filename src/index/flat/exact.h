// The exact scan that every type falls back to.
#pragma once

#include <vector>

#include "index/vector_index.h"

namespace elanus::index {

/// As SearchExact. `inverse_norms`, for COSINE, has 1 / |row| (0 for zero rows) or is null:
/// computed on the way.
Status ScanExact(Context& ctx, VectorBlock rows, model::Metric metric, const float* inverse_norms,
                 VectorBlock queries, uint32_t k, BitsetView allowed, Hits hits);

/// 1 / |row|; 0 for a zero row.
float InverseNorm(const float* row, size_t dim);

/// A copy of the rows, each of length 1; zero rows stay zero.
std::vector<float> Normalised(VectorBlock rows);

}  // namespace elanus::index
