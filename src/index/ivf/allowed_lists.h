// Where a filter's rows lie among inverted lists, and how many of them are enough.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "base/bitset.h"
#include "index/ivf/file.h"

namespace elanus::index {

/// How many rows a filter allows in each list, of all rows or of a sample that is spread over the
/// segment: so a search passes over lists that have none, and knows how dense they lie in others
/// before it looks. For one call, whose queries share it; thread-safe.
class AllowedLists {
 public:
  /// `lists` borrowed while the object is made. `allowed`: not empty, `count` bits set. `groups`:
  /// few allowed rows are to be known list by list, too.
  AllowedLists(const OpenedIvf& lists, BitsetView allowed, size_t count, bool groups);

  /// The share that is allowed of the rows whose first list it is. 0: none is; or, of a sample,
  /// next to none.
  double Share(uint32_t list) const { return shares_[list]; }
  /// The same where there are any, a mean over allowed rows.
  double MeanShare() const { return mean_share_; }
  /// That many allowed rows at least are in the lists whose share is not 0.
  size_t held() const { return held_; }
  /// Whether Rows says something.
  bool is_grouped() const { return !starts_.empty(); }
  /// The allowed rows that stand in a list, second copies among them; ascending.
  std::span<const uint32_t> Rows(uint32_t list) const {
    return {rows_.data() + starts_[list], starts_[list + 1] - starts_[list]};
  }

 private:
  void Group(const OpenedIvf& lists, BitsetView allowed, size_t count);

  size_t held_ = 0;
  double mean_share_ = 0;
  std::vector<float> shares_;
  std::vector<uint32_t> starts_;  // Of each list's rows in rows_.
  std::vector<uint32_t> rows_;
};

/// The share of rows that a filter allows in the lists that have such rows. Where these lie spread
/// over all lists, many more lists are read than without the filter, each with the best of its own:
/// then fewer rows do. Where they fill some lists, as many are needed as without a filter.
class AllowedDensity {
 public:
  void Add(double allowed, size_t rows) {
    squares_ += allowed * allowed;
    products_ += allowed * static_cast<double>(rows);
  }
  /// Computed anew once so much more has been met that it may differ.
  double Needed(double wanted, double power) {
    if (products_ >= kMore * known_at_) {
      const double share = products_ == 0 ? 1 : std::min(1.0, squares_ / products_);
      factor_ = std::pow(share, power);
      known_at_ = products_;
    }
    return wanted * factor_;
  }

 private:
  static constexpr double kMore = 1.05;

  double squares_ = 0;
  double products_ = 0;
  double factor_ = 1;
  double known_at_ = 0;
};

}  // namespace elanus::index
