// What each way of searching inverted lists under a filter costs, and which one is taken.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "index/ivf/file.h"

namespace elanus::index {

/// The ways of one call: depends on how many rows its filter allows, not on where they lie.
class FilterCosts {
 public:
  /// Whether the allowed rows are met one by one and not in their lists: by codes, which lack
  /// nothing without their list, or at once by what refines.
  enum class ByRow : unsigned char { kNo, kByCodes, kByRefine };

  /// `refine_bytes`: of a row by which candidates are scored anew; 0: by nothing. `allowed`: rows.
  /// `queries`: of the call.
  FilterCosts(const OpenedIvf& lists, size_t refine_bytes, size_t allowed, size_t probes,
              size_t queries)
      : lists_(static_cast<double>(lists.header.lists)),
        places_(static_cast<double>(lists.header.places)),
        probes_(std::min(static_cast<double>(probes), lists_)),
        allowed_(static_cast<double>(allowed)),
        share_((allowed_ + 1) / static_cast<double>(lists.header.rows + 1)),
        queries_(static_cast<double>(queries)),
        in_blocks_(lists.codes.codec->block_rows() > 1),
        needs_list_(lists.codes.residual),
        refines_(refine_bytes > 0),
        code_cost_(ScoreCost(lists.codes.codec->row_bytes())),
        refine_cost_(ScoreCost(refine_bytes)) {}

  ByRow Choose() const {
    // More places have to be looked at than without the filter.
    const double met = std::min(places_, probes_ * places_ / lists_ * MoreLists());
    const double place_cost = RefinesAtOnce(share_) ? 1 + share_ * refine_cost_
                              : in_blocks_          ? kBlockPlaceCost
                                                    : kLookUpCost + share_ * code_cost_;
    if (refines_) {
      // It loses nothing: so it may cost a little more. It spares looking where the rows lie.
      const double spared = kCheap + kHomeCost * std::min(allowed_, kHomes) / queries_;
      const bool is_cheap = allowed_ * refine_cost_ < met * place_cost + spared;
      return is_cheap ? ByRow::kByRefine : ByRow::kNo;
    }
    return !needs_list_ && allowed_ * code_cost_ < met * place_cost ? ByRow::kByCodes : ByRow::kNo;
  }

  /// Whether the few allowed ones of a list's rows, this share of them, are better scored by what
  /// refines than the blocks that they lie in by codes; to be looked for among the others unless
  /// they are `known`.
  bool RefinesAtOnce(double share, bool known = false) const {
    return LooksAfterwards() && (known ? 0 : 1) + share * refine_cost_ < kBlockPlaceCost;
  }
  /// Whether it pays to put the allowed rows in order by their lists, for all queries of the call.
  bool Groups() const { return LooksAfterwards() && queries_ >= kGroupedQueries; }
  /// Whether blocks are scored whole and only then it is looked which rows are allowed.
  bool LooksAfterwards() const { return in_blocks_ && refines_; }

  /// As many lists as a random filter makes a search read, and some more: to put in order at once.
  size_t ListsInOrder() const {
    return static_cast<size_t>(std::min(lists_, kListsInOrder * probes_ * MoreLists()));
  }

  /// Where a filter leaves a share of the rows in every list, the best of them lie in the nearest
  /// lists still: to be met are the rows of a search without it times the share to this power.
  double met_power() const { return in_blocks_ ? kMetPowerOfBlocks : kMetPower; }
  /// Where a filter's rows lie together in few lists, of which they are this share, most queries
  /// lie far from them: fewer of them do, by this factor. Only where blocks are scored whole.
  /// Whether they do.
  bool AreTogether(double mean_share) const { return mean_share > kTogetherFrom * share_; }
  double Together(double mean_share) const {
    if (!LooksAfterwards() || mean_share <= 0) return 1;
    return std::pow(std::min(1.0, kFewLists * share_ / mean_share), kTogetherPower);
  }

 private:
  // Costs are in nanoseconds: scoring 32 bytes of a row that lies anywhere, a row in any case,
  // looking up whether the row at a place is allowed, and a place of blocks that are scored whole
  // one after the other.
  static constexpr double kBytesPerUnit = 32;
  static constexpr double kRowCost = 8;
  static constexpr double kLookUpCost = 3;
  static constexpr double kBlockPlaceCost = 2.5;
  static constexpr double kMetPower = 0.6;
  static constexpr double kMetPowerOfBlocks = 0.75;  // Whole blocks cost more a list.
  static constexpr double kCheap = 8'000;
  static constexpr double kHomeCost = 12;  // Looking where an allowed row lies;
  static constexpr double kHomes = 1024;   // of about so many of them.
  static constexpr double kGroupedQueries = 3;
  static constexpr double kListsInOrder = 1.3;
  static constexpr double kTogetherFrom = 1.1;
  static constexpr double kFewLists = 4;  // A quarter of all are not few.
  static constexpr double kTogetherPower = 0.25;

  static double ScoreCost(size_t bytes) {
    return kRowCost + static_cast<double>(bytes) / kBytesPerUnit;
  }
  double MoreLists() const { return std::pow(share_, met_power() - 1); }

  const double lists_, places_, probes_;
  const double allowed_, share_, queries_;
  const bool in_blocks_, needs_list_, refines_;
  const double code_cost_, refine_cost_;
};

}  // namespace elanus::index
