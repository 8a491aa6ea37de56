// The exact scan over rows of bits, and the ranges of keys that all searches keep.
#pragma once

#include "index/binary/binary_block.h"
#include "index/binary/scorer.h"
#include "index/key_range.h"
#include "index/top_k.h"
#include "index/vector_index.h"

namespace elanus::index {

/// kSegcore when range and radius exclude each other; kSegcoreUnsupported for a reserved metric.
Status CheckBinaryRequest(const SearchRequest& request, model::Metric metric);

/// Every slot without a row.
void ClearHits(size_t slots, Hits hits);

/// As VectorIndex::Search: scores every allowed one of `rows` rows with `scorer`.
Status ScanBinary(Context& ctx, BinaryScorer& scorer, size_t rows, model::Metric metric,
                  const SearchRequest& request, Hits hits);

/// As SearchExactBinary; `ones` as in BitScorer.
Status ScanBinaryRows(Context& ctx, BinaryBlock rows, const uint32_t* ones, model::Metric metric,
                      const SearchRequest& request, Hits hits);

/// As SearchExact, over rows of bits.
Status SearchExactBinary(Context& ctx, VectorBlock rows, model::Metric metric,
                         const SearchRequest& request, Hits hits);
/// mh_element_bit_width, mh_lsh_band, mh_search_with_jaccard. A segment without an index lays the
/// search's over the index's own, so that it answers as the index would.
std::span<const ParamSpec> ExactBinaryParams();

}  // namespace elanus::index
