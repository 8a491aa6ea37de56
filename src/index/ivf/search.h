// Searching opened inverted lists.
#pragma once

#include <memory>
#include <vector>

#include "index/ivf/file.h"
#include "index/vector_index.h"

namespace elanus::index {

inline constexpr int64_t kDefaultProbes = 8;
/// See the parameter max_empty_result_buckets.
inline constexpr int64_t kDefaultEmptyLists = 2;

/// `rows`: the segment's own vectors; must outlive the index.
std::unique_ptr<VectorIndex> MakeIvfIndex(OpenedIvf lists, VectorBlock rows, model::Metric metric);

/// The lists in the order in which a query wants them.
class ListOrder {
 public:
  /// `centroid_squares`, for L2: of each list. Both borrowed.
  ListOrder(const OpenedIvf& opened, const std::vector<float>& centroid_squares, bool is_l2)
      : opened_(opened), squares_(centroid_squares), is_l2_(is_l2), order_(opened.header.lists) {}

  /// By L2 of the centroid for L2, by inner product for the others; the first `sorted` at once, the
  /// others when one of them is asked for. `products`: of the query with each centroid; borrowed.
  void Sort(const float* products, size_t sorted);
  size_t size() const { return order_.size(); }
  uint32_t at(size_t place);
  /// What the key of a code in this list lacks: codes of what rows leave over know nothing of the
  /// query's product with the centroid.
  float OffsetOf(uint32_t list) const;

 private:
  const OpenedIvf& opened_;
  const std::vector<float>& squares_;
  const bool is_l2_;
  const float* products_ = nullptr;
  size_t sorted_ = 0;
  std::vector<uint64_t> order_;  // A key and a list as one number.
};

/// A stream that scans list after list as far as it is asked. Both borrowed.
std::unique_ptr<HitStream> MakeIvfStream(const OpenedIvf& lists,
                                         const std::vector<float>& centroid_squares,
                                         VectorBlock rows, model::Metric metric,
                                         const StreamRequest& request);

}  // namespace elanus::index
