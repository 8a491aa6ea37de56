// Search inside one segment, and the merge of several segments' hits into rows of an answer.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "expr/expr.h"
#include "model/requests/shard.h"
#include "segment/segment.h"

namespace elanus::segment {

/// The rows a read may return: visible at the moment, and passing the filter.
struct Allowed {
  Bitset bits;                           // Meaningful when neither flag is set.
  std::shared_ptr<const Bitset> shared;  // Set instead of `bits` when there is no filter.
  bool all = false;                      // Every row.
  bool none = false;                     // No row.

  BitsetView view() const {
    if (all) return {};
    return shared != nullptr ? shared->view() : bits.view();
  }
};

/// Evaluates `plan` over the rows visible at `read_at`.
Result<Allowed> AllowedRows(Context& ctx, const SegmentView& segment, const expr::Plan& plan,
                            Timestamp read_at);

/// nq x k slots, best first, unused ones kNoRow.
struct SegmentHits {
  std::vector<uint32_t> rows;
  std::vector<float> scores;
};

/// The best `search.k` rows for each query, inside the radius when one is given. Scores are rounded
/// when asked. `search.queries` is nq x dim; the vector field must exist with that dim. Errors:
/// kSegcore (index search parameters), kCanceled, kDeadlineExceeded.
Result<SegmentHits> Search(Context& ctx, const SegmentView& segment, const expr::Plan& plan,
                           const model::ShardSearch& search, Timestamp read_at);

/// One segment with its hits.
struct Found {
  std::shared_ptr<const SegmentView> segment;
  SegmentHits hits;
};

/// The best k hits of each query over all segments, one row a key, ties to the smaller key; with
/// the values of `output_fields`.
Result<model::PartialHits> MergeHits(std::span<const Found> found, const model::ShardSearch& search,
                                     const model::CollectionSchema& schema, Timestamp read_at);

/// Appends rows of a field to a column: the last step of every read.
Status AppendValues(const SegmentView& segment, FieldId field, std::span<const uint32_t> rows,
                    model::Column& to);

}  // namespace elanus::segment
