// How alike two lists of vectors are: for every vector of the query the best of the row's, summed.
#pragma once

#include <memory>

#include "index/vector_block.h"
#include "model/data_type.h"

namespace elanus::index {

/// One query list at a time against runs of vectors. Keys sort ascending: a sum of distances, or of
/// negated similarities. For one thread.
class MaxSimScorer {
 public:
  virtual ~MaxSimScorer() = default;
  /// `vectors`: the query's list, plain rows of the vectors' element and dim; borrowed until the
  /// next call.
  virtual void SetQuery(VectorBlock vectors) = 0;
  /// The key of the list that is vectors [begin, begin + count); count > 0.
  virtual float Key(size_t begin, size_t count) = 0;
};

/// `vectors`: those of all rows, one after the other; borrowed. `metric` compares two of them: L2,
/// IP, COSINE of dense ones, HAMMING, JACCARD of rows of bits.
std::unique_ptr<MaxSimScorer> MakeMaxSimScorer(VectorBlock vectors, model::Metric metric);

}  // namespace elanus::index
