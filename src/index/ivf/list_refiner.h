// What scores the candidates of a search of lists anew.
#pragma once

#include "index/codes/rescore.h"
#include "index/ivf/file.h"

namespace elanus::index {

/// By the refine codes of the lists, by `rows`, the segment's own vectors, or by nothing, as they
/// were built. All borrowed. Refine codes of what rows leave over from their centroids round by the
/// width of a list and not of all rows; the product with the centroid is added here, once a list
/// and query.
Refiner MakeListRefiner(const OpenedIvf& lists, VectorBlock rows, model::Metric metric);

}  // namespace elanus::index
