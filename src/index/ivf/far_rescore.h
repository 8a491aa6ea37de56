// How many candidates are scored anew where codes tell little: under a filter whose rows lie far
// from the query, or at its border.
#pragma once

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "index/codes/rescore.h"
#include "index/ivf/file.h"
#include "index/ivf/reservoir.h"

namespace elanus::index {

/// Candidates in the order of their keys by codes, and more of them the farther behind the last of
/// the best was found. For one thread.
class FarRescore {
 public:
  /// Keys to hold for `k` hits of which `candidates` are scored anew elsewhere.
  static size_t Room(size_t candidates, size_t k) {
    return std::max(candidates, std::min(kCandidates * candidates, kCandidatesOfHit * k));
  }

  /// `rescorer` has the query.
  FarRescore(const OpenedIvf& lists, Rescorer& rescorer) : lists_(lists), rescorer_(rescorer) {}

  /// Scores `first` of the keys and places in `found` at least; the `k` best stay in `best`.
  void Run(Reservoir& found, size_t first, size_t k, TopK& best) {
    waiting_.clear();
    found.ForEach([&](float key, uint32_t place) { waiting_.emplace_back(key, place); });
    float of_use =
        -std::numeric_limits<float>::infinity();  // The largest key by codes of the best.
    size_t scored = 0;
    for (size_t wanted = first; scored < std::min(wanted, waiting_.size());) {
      const auto begin = waiting_.begin() + static_cast<ptrdiff_t>(scored);
      const auto end = waiting_.begin() + static_cast<ptrdiff_t>(std::min(wanted, waiting_.size()));
      std::nth_element(begin, end - 1, waiting_.end());
      candidates_.Clear();
      for (auto at = begin; at < end; ++at) {
        candidates_.Add(at->second, lists_.numbers[at->second], at->first);
      }
      rescorer_.Run(k, {}, candidates_, best);
      const float bound = best.bound();
      for (size_t i = 0; i < candidates_.keys.size(); ++i) {
        if (candidates_.keys[i] > bound) continue;
        of_use = std::max(of_use, begin[static_cast<ptrdiff_t>(i)].first);
      }
      scored += candidates_.keys.size();
      const auto used = std::count_if(waiting_.begin(), end,
                                      [&](const auto& one) { return one.first <= of_use; });
      wanted = kLastOfUse * static_cast<size_t>(used);
    }
  }

 private:
  // At most so many times the candidates, and so many for each hit.
  static constexpr size_t kCandidates = 8;
  static constexpr size_t kCandidatesOfHit = 32;
  // Until so many times those have been scored that had been when the last of the best came.
  static constexpr size_t kLastOfUse = 4;

  const OpenedIvf& lists_;
  Rescorer& rescorer_;
  std::vector<std::pair<float, uint32_t>> waiting_;  // Keys and places.
  Candidates candidates_;
};

}  // namespace elanus::index
