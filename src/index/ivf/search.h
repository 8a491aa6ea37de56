// Searching opened inverted lists.
#pragma once

#include <memory>

#include "index/cells/list_order.h"
#include "index/ivf/file.h"
#include "index/vector_index.h"

namespace elanus::index {

inline constexpr int64_t kDefaultProbes = 8;
/// See the parameter max_empty_result_buckets.
inline constexpr int64_t kDefaultEmptyLists = 2;

/// `rows`: the segment's own vectors; must outlive the index.
std::unique_ptr<VectorIndex> MakeIvfIndex(OpenedIvf lists, VectorBlock rows, model::Metric metric);

/// What is searched. All borrowed.
struct SearchedLists {
  const OpenedIvf& opened;
  const CodedCentroids& centroids;
  VectorBlock rows;
  model::Metric metric;
};

/// How a call searches.
struct ListSearchShape {
  uint32_t k = 0;
  uint32_t candidates = 0;  // That are scored anew; k at least.
  size_t probes = 0;
  bool fills = true;     // Scans more lists while hits are missing,
  size_t empty_max = 0;  // or in a range search until so many in a row add none.
};

/// The k best rows of each query to `hits`. Lists must have rows. kCanceled and kDeadlineExceeded
/// through ctx.
Status SearchLists(Context& ctx, const SearchedLists& lists, const ListSearchShape& shape,
                   const SearchRequest& request, Hits hits);

/// A stream that scans list after list as far as it is asked. All borrowed.
std::unique_ptr<HitStream> MakeIvfStream(const OpenedIvf& lists, const CodedCentroids& centroids,
                                         VectorBlock rows, model::Metric metric,
                                         const StreamRequest& request);

/// What the key of a code in this list lacks: codes of what rows leave over know nothing of the
/// query's product with the centroid.
inline float OffsetOf(const OpenedIvf& lists, const ListOrder& order, uint32_t list, bool is_l2) {
  if (!lists.codes.residual) return 0.0f;
  return is_l2 ? -2 * order.ProductOf(list) : -order.ProductOf(list);
}

}  // namespace elanus::index
