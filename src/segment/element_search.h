// Search for single vectors of rows that are lists of them.
#pragma once

#include "segment/search.h"

namespace elanus::segment {

/// Rows that are lists, with the place of the first of them in the segment.
struct ListBlock {
  index::VectorBlock block;
  size_t first_row = 0;
};

/// Whether the element_filter lets an element of a chunk, counted from the chunk's first, be found.
/// None that it has not seen: the mapped file of its field has failed then, and the answer is
/// refused.
bool KeepsElement(const Allowed& allowed, size_t chunk, size_t element);

/// Sets `vectors` to those of the block's allowed rows and elements, of all its vectors one after
/// the other. False: none is.
bool AllowVectors(const ListBlock& lists, const Allowed& allowed, Bitset& vectors);

/// As SearchQueries, for a search by element: the best search.k vectors of the allowed rows, each
/// as its row and its place in the row's list. Errors: as SearchQueries.
Status SearchElements(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                      const Allowed& allowed, size_t begin, size_t count, SegmentHits& hits);

}  // namespace elanus::segment
