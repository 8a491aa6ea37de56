// A chain of steps over the hits of a query: it scores them anew, sorts them, leaves some out.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/column.h"
#include "model/requests/function_chain.h"
#include "model/schema.h"

namespace elanus::model {

/// What a chain reads, one row a hit, of all queries one after the other.
struct ChainInput {
  ColumnView keys;
  std::vector<ColumnView> fields;          // Those of ScoreChain::fields(), in that order.
  std::span<const uint32_t> segment_rows;  // kSegment only.
  std::vector<ColumnView> groups;          // kMerged only: what the hits are grouped by, if so.
};

/// A chain that has been checked against a schema. Steps: `map` (decay, num_combine,
/// round_decimal), `sort`, `limit`, `select`, `group_by`. Columns: `$id`, `$score`, which alone a
/// step may write besides names of its own, the scalar fields, `$seg_offset` in a segment,
/// `$group_by` of merged hits that are grouped by one field. Nulls count as 0, are last in every
/// order, and have no part in a decay. Immutable: any number of threads may run it at once.
class ScoreChain {
 public:
  /// Errors: kInvalidParameter; kUnimplemented (rerank_model, boost_score).
  static Result<ScoreChain> Compile(const std::vector<ChainStep>& steps, ChainStage stage,
                                    const CollectionSchema& schema);

  /// What it reads of the rows.
  const std::vector<FieldId>& fields() const { return fields_; }
  /// Runs over the hits of one query, `places` among all of the input. Leaves in `places` those
  /// that stay, in their order, and their new scores in `scores`, which is aligned with the input.
  /// Errors: kInvalidParameter (`$group_by` of hits that are not grouped).
  Status Run(const ChainInput& input, std::vector<uint32_t>& places,
             std::vector<float>& scores) const;

  struct Step;

 private:
  friend class ChainCompiler;

  std::vector<FieldId> fields_;
  std::vector<std::shared_ptr<const Step>> steps_;
  size_t own_columns_ = 0;  // Written by steps.
};

}  // namespace elanus::model
