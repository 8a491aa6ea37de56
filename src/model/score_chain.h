// A chain of steps over the hits of a query: it scores them anew, sorts them, leaves some out.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/column.h"
#include "model/requests/function_chain.h"
#include "model/requests/shard_search.h"
#include "model/schema.h"

namespace elanus::model {

/// A step's question to a model: how well texts answer the query.
struct ChainModel {
  FieldId field;                     // The texts; VarChar or Text.
  std::vector<std::string> queries;  // One a query of the search.
  std::vector<KeyValue> params;      // Of the service.
};

/// A step's question to a model of trees: what it makes of numbers of a hit.
struct ChainForest {
  std::string resource;  // The file resource that the model is.
  size_t features = 0;   // How many numbers.
  bool is_raw = false;   // The margin is wanted, not what the objective makes of it.

  friend bool operator==(const ChainForest&, const ChainForest&) = default;
};

/// What a chain reads, one row a hit, of all queries one after the other; and whom it asks for what
/// this module cannot know.
struct ChainInput {
  ColumnView keys;
  std::vector<ColumnView> fields;          // Those of ScoreChain::fields(), in that order.
  std::span<const uint32_t> segment_rows;  // kSegment only.
  std::vector<ColumnView> groups;          // kMerged only: what the hits are grouped by, if so.
  /// kSegment only: of each of ScoreChain::boosts() a factor a row, NaN where its filter leaves the
  /// row out.
  std::vector<std::vector<double>> factors;
  /// kMerged only: fills `scores` with what ScoreChain::models()[model] gives the hits at `places`,
  /// all of one query. Not called for no hits.
  std::function<Status(size_t model, std::span<const uint32_t> places, std::span<double> scores)>
      ask;
  /// What ScoreChain::forests()[forest] makes of the features of a hit, NaN where one is null. Only
  /// of chains that have any.
  std::function<double(size_t forest, std::span<const float> features)> predict;
};

/// A chain that has been checked against a schema. Steps: `map` (decay, num_combine,
/// round_decimal, xgboost, boost_score in a segment, rerank_model over merged hits), `sort`,
/// `limit`, `select`, `group_by`. Columns: `$id`, `$score`, which alone a step may write besides
/// names of its own, the scalar fields, `$seg_offset` in a segment, `$group_by` of merged hits that
/// are grouped by one field. Nulls count as 0, are last in every order, and have no part in a
/// decay; to xgboost they are missing. Immutable: any number of threads may run it at once.
class ScoreChain {
 public:
  /// Errors: kInvalidParameter.
  static Result<ScoreChain> Compile(const std::vector<ChainStep>& steps, ChainStage stage,
                                    const CollectionSchema& schema);

  /// What it reads of the rows.
  const std::vector<FieldId>& fields() const { return fields_; }
  /// The filters and weights of its boost_score steps. The filters are not checked.
  const std::vector<Boost>& boosts() const { return boosts_; }
  /// The questions of its rerank_model steps. Their params are not checked.
  const std::vector<ChainModel>& models() const { return models_; }
  /// The models of its xgboost steps. They are not looked for.
  const std::vector<ChainForest>& forests() const { return forests_; }
  /// Runs over the hits of one query, `places` among all of the input. Leaves in `places` those
  /// that stay, in their order, and their new scores in `scores`, which is aligned with the input.
  /// Errors: kInvalidParameter (`$group_by` of hits that are not grouped); those of input.ask.
  Status Run(const ChainInput& input, std::vector<uint32_t>& places,
             std::vector<float>& scores) const;

  struct Step;

 private:
  friend class ChainCompiler;

  std::vector<FieldId> fields_;
  std::vector<Boost> boosts_;
  std::vector<ChainModel> models_;
  std::vector<ChainForest> forests_;
  std::vector<std::shared_ptr<const Step>> steps_;
  size_t own_columns_ = 0;  // Written by steps.
};

}  // namespace elanus::model
