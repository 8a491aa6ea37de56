// Keys between the rows that a graph is built of.
#pragma once

#include <vector>

#include "index/codes/dense_rows.h"

namespace elanus::index {

/// Smaller is nearer: the squared distance, or for IP and COSINE the negated inner product, under
/// COSINE of rows of length 1. Thread-safe.
class BuildSpace {
 public:
  /// `rows` borrowed, fewer than 2^31. Float32 rows under COSINE cost least when they come
  /// normalised, with kIp.
  BuildSpace(VectorBlock rows, model::Metric metric);

  /// A node that others are measured from; reusable.
  struct Origin {
    const void* prepared = nullptr;
    float scale = 1.0f;
    std::vector<float> scratch;
  };

  Origin NewOrigin() const { return {}; }

  uint32_t nodes() const { return static_cast<uint32_t>(rows_.rows); }
  bool is_l2() const { return is_l2_; }
  void Start(uint32_t node, Origin& origin) const {
    origin.prepared = distance_.Prepare(RowOf(rows_, node), origin.scratch);
    if (is_cosine_) origin.scale = inverse_norms_[node];
  }
  float One(const Origin& origin, uint32_t node) const {
    const float key = distance_.One(origin.prepared, RowOf(rows_, node));
    return is_cosine_ ? key * origin.scale * inverse_norms_[node] : key;
  }
  void Four(const Origin& origin, const uint32_t nodes[4], float keys[4]) const {
    const void* const four[4] = {RowOf(rows_, nodes[0]), RowOf(rows_, nodes[1]),
                                 RowOf(rows_, nodes[2]), RowOf(rows_, nodes[3])};
    distance_.Four(origin.prepared, four, keys);
    if (!is_cosine_) return;
    for (int i = 0; i < 4; ++i) keys[i] *= origin.scale * inverse_norms_[nodes[i]];
  }
  void Keys(const Origin& origin, const uint32_t* nodes, size_t count, float* keys) const {
    size_t i = 0;
    for (; i + 4 <= count; i += 4) Four(origin, nodes + i, keys + i);
    for (; i < count; ++i) keys[i] = One(origin, nodes[i]);
  }
  void Prefetch(uint32_t node) const { distance_.Prefetch(RowOf(rows_, node)); }

  /// Length of a row as keys take it; not of L2.
  float Length(uint32_t node) const;
  /// The row nearest to the mean of all.
  uint32_t Medoid() const;

 private:
  const VectorBlock rows_;
  const bool is_l2_;
  const bool is_cosine_;
  const ElementDistance distance_;
  std::vector<float> inverse_norms_;  // Of each row, for COSINE.
};

}  // namespace elanus::index
