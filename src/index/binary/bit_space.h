// Keys between rows of bits that a graph is built of.
#pragma once

#include "base/prefetch.h"
#include "index/binary/scorer.h"
#include "index/hnsw/builder.h"

namespace elanus::index {

/// As BuildSpace, by HAMMING or JACCARD. Thread-safe.
class BitSpace {
 public:
  /// `rows`, fewer than 2^31 and no two of them equal, and `ones` (of each row, for JACCARD; may be
  /// null) are borrowed.
  BitSpace(BinaryBlock rows, const uint32_t* ones, model::Metric metric)
      : rows_(rows), ones_(ones), metric_(metric) {}

  using Origin = BitScorer;
  Origin NewOrigin() const { return {rows_, ones_, metric_}; }

  uint32_t nodes() const { return static_cast<uint32_t>(rows_.rows); }
  void Start(uint32_t node, Origin& origin) const { origin.SetQuery(rows_.row(node)); }
  float One(Origin& origin, uint32_t node) const {
    float key;
    origin.Score(&node, 1, &key);
    return key;
  }
  void Four(Origin& origin, const uint32_t nodes[4], float keys[4]) const {
    origin.Score(nodes, 4, keys);
  }
  void Keys(Origin& origin, const uint32_t* nodes, size_t count, float* keys) const {
    origin.Score(nodes, count, keys);
  }
  void Prefetch(uint32_t node) const { elanus::Prefetch(rows_.row(node)); }

 private:
  const BinaryBlock rows_;
  const uint32_t* ones_;
  const model::Metric metric_;
};

using BinaryGraphBuilder = GraphBuilder<BitSpace>;

}  // namespace elanus::index
