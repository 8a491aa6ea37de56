// Which lists a query wants, and in which order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "simd/byte_panels.h"
#include "simd/kernels.h"

namespace elanus::index {

/// The centroids of lists, also as bytes: those tell the few that may be among the nearest from the
/// rest, for a quarter of the memory traffic and of the multiplications. Immutable.
///
/// The bytes of many centroids do not fit the cache nearest to the processor, and meeting them is
/// most of what a search of few lists does. Grouped, centroids that lie together stand in the same
/// panels, and a query meets those of the nearest groups only: a sixteenth to a quarter of all, as
/// a sample of the lists says.
class ListOrder;
class CodedCentroids {
 public:
  enum class Groups : uint8_t { kNone, kWherePays };

  /// `values`: lists x dim, borrowed; lists >= 1.
  CodedCentroids(const float* values, size_t lists, size_t dim, bool is_l2,
                 Groups groups = Groups::kNone);

  size_t lists() const { return lists_; }
  size_t dim() const { return dim_; }
  /// Beside the borrowed values.
  size_t memory_bytes() const;
  /// The same before there are any: a byte a number, a square and a term a list; half as much again
  /// for groups.
  static size_t EstimateBytes(size_t lists, size_t dim) { return lists * (dim + 8) * 3 / 2; }

 private:
  friend class ListOrder;
  void Encode();
  void Group();
  bool GroupsPay() const;
  // The panels of the nearest groups, in which so many lists are at least.
  void AddPanels(ListOrder& groups, size_t wanted, std::vector<bool>& is_wanted) const;
  bool is_grouped() const { return groups_ != nullptr; }
  // Of places in panels: padding has the number of lists.
  uint32_t ListAt(size_t place) const {
    return is_grouped() ? list_at_[place] : static_cast<uint32_t>(place);
  }

  const float* values_;
  const size_t lists_;
  const size_t dim_;
  const bool is_l2_;
  std::vector<float> squares_;  // Of each centroid, for L2.
  // A centroid is mean + step * (code - middle) and what that loses. The mean is zero but for L2,
  // where no distance depends on it. Without codes when the lists are few.
  size_t width_ = 0;  // Numbers of a row of codes: dim, padded.
  std::vector<float> mean_;
  std::vector<float> step_;
  std::vector<uint8_t> codes_;  // In panels.
  std::vector<float> terms_;    // What a key has beside the product: infinity for padding rows.
  // Where they are grouped: the list of each place in panels, the groups' own centroids, and where
  // each group begins.
  std::vector<uint32_t> list_at_;
  std::vector<float> group_values_;
  std::vector<uint32_t> group_starts_;
  size_t grouped_share_ = 1;  // One in so many of the lists is met, at least.
  std::shared_ptr<const CodedCentroids> groups_;
  // The longest over all centroids of: the centred centroid, its code - middle, what the code
  // loses.
  float centred_length_ = 0;
  float code_length_ = 0;
  float lost_length_ = 0;
};

/// The lists in the order in which a query wants them: by L2 of the centroid for L2, by inner
/// product for the others. Exact but for groups: bytes only leave out what cannot be among the
/// asked ones. For one thread.
class ListOrder {
 public:
  static constexpr size_t kQueriesAtOnce = 16;

  /// `centroids` borrowed. `at_once`: 1..kQueriesAtOnce, what memory is taken for.
  explicit ListOrder(const CodedCentroids& centroids, size_t at_once = kQueriesAtOnce);

  /// Meets the centroids with 1..at_once queries (count x dim), which are borrowed until others
  /// come. `asked`: lists that are to be chosen; 0: all centroids are met, grouped or not.
  void Score(const float* queries, size_t count, size_t asked = 0);
  /// Orders the lists for query i of those: the first `sorted` at once, the others when one of them
  /// is asked for.
  void Choose(size_t i, size_t sorted);
  /// Orders them by bytes alone, for whom lists about as far may change places; sorts as far as is
  /// asked.
  void ChooseRoughly(size_t i);
  /// The nearest list by bytes alone; only where there are codes, all of which have been met.
  uint32_t NearestRoughly(size_t i);

  size_t size() const { return order_.size(); }
  uint32_t at(size_t place);
  /// The product of the chosen query with a list's centroid; of lists that at() has named, after
  /// Choose.
  float ProductOf(uint32_t list) const { return products_[list]; }

 private:
  void ChooseAmong(size_t count);
  void ScoreExactly();
  void SortMore(size_t count);
  void MeetGroups(const float* queries, size_t count, size_t wanted);
  uint64_t KeyOf(uint32_t list) const;

  const CodedCentroids& centroids_;
  const simd::Kernels& kernels_ = simd::Best();
  const simd::BytePanels panels_ = simd::BestBytePanels();
  const float* queries_ = nullptr;
  const float* query_ = nullptr;       // The chosen one.
  std::vector<float> centred_;         // A query less the mean.
  std::vector<int8_t> rounded_;        // The queries as bytes.
  float errors_[kQueriesAtOnce] = {};  // How far a key of bytes may be from the exact one.
  float factors_[kQueriesAtOnce] = {};
  std::vector<float> keys_;            // By bytes, of each query.
  std::unique_ptr<ListOrder> groups_;  // Where centroids are grouped.
  // Where only some groups have been met: the lists that keys are of.
  bool has_met_groups_ = false;
  std::vector<uint32_t> lists_met_;
  std::vector<size_t> met_;  // Keys of each query; padding among them.
  std::vector<uint32_t> candidates_;
  std::vector<float> products_;  // Of the chosen query with lists.
  size_t sorted_ = 0;
  bool has_all_keys_ = false;    // In order_, sorted or not.
  std::vector<uint64_t> order_;  // A key and a list as one number.
};

}  // namespace elanus::index
