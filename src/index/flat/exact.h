// The exact scan that every type falls back to.
#pragma once

#include <vector>

#include "index/codes/dense_rows.h"
#include "index/vector_index.h"

namespace elanus::index {

/// As SearchExact over dense rows. `inverse_norms`, for COSINE, has 1 / |row| (0 for zero rows) or
/// is null: computed on the way.
Status ScanExact(Context& ctx, VectorBlock rows, model::Metric metric, const float* inverse_norms,
                 const SearchRequest& request, Hits hits);

/// As StreamExact over dense rows: scores all of them at once and sorts as far as it is asked.
Result<std::unique_ptr<HitStream>> StreamScan(Context& ctx, VectorBlock rows, model::Metric metric,
                                              const float* inverse_norms,
                                              const StreamRequest& request);

/// A copy of float32 rows, each of length 1; zero rows stay zero.
std::vector<float> Normalised(VectorBlock rows);

}  // namespace elanus::index
