// SPARSE_INVERTED_INDEX and SPARSE_WAND, and exact search over sparse rows.
#pragma once

#include "index/vector_index.h"

namespace elanus::index {

/// Search parameters: drop_ratio_search, refine_factor, dim_max_score_ratio, bm25_k1, bm25_b, and
/// from the segment bm25_avgdl, the shard's mean length (0: no hits). Query values are weights: as
/// the user sent them for IP, the terms' idf times their count for BM25. Exact unless
/// drop_ratio_search > 0 or dim_max_score_ratio < 1; scores always are those of the whole query.
/// A build for BM25 without bm25_avgdl takes the mean length of its rows.
const IndexType& SparseInvertedType();
/// The older name; bm25_k1 and bm25_b stay those of the build.
const IndexType& SparseWandType();

/// As SearchExact; bm25_k1, bm25_b and bm25_avgdl must be in the parameters where they differ from
/// 1.2, 0.75 and 100.
Status SearchExactSparse(Context& ctx, VectorBlock rows, model::Metric metric,
                         const SearchRequest& request, Hits hits);
std::span<const ParamSpec> ExactSparseParams();

}  // namespace elanus::index
