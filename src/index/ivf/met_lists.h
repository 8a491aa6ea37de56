// Which lists a query meets, where rows stand in two of them: each row is to be met once.
#pragma once

#include <algorithm>

#include "index/cells/list_order.h"
#include "index/ivf/file.h"

namespace elanus::index {

/// The asked lists are all known before the first is read: of a row that stands in two of them the
/// copy in its second list is left out. Lists past those become known one by one: there a copy is
/// left out when the row's other list has been met. For one query at a time, one thread.
class MetLists {
 public:
  /// `lists` borrowed.
  explicit MetLists(const OpenedIvf& lists) : lists_(lists) {}

  /// For a query whose lists are in `order`, the first `asked` of them asked for.
  void Begin(ListOrder& order, size_t asked) {
    // Every row is met in its first list.
    reads_seconds_ = lists_.homes != nullptr && asked < order.size();
    is_past_ = false;
    if (!reads_seconds_) return;
    met_.assign((order.size() + 63) / 64, 0);
    for (size_t p = 0; p < asked; ++p) Add(order.at(p));
  }
  /// Before a list past the asked ones is read.
  void Pass(uint32_t list) {
    is_past_ = true;
    if (reads_seconds_) Add(list);
  }

  /// Whether Pass has been called.
  bool is_past() const { return is_past_; }

  /// The places of a list that are to be read.
  size_t begin(uint32_t list) const { return lists_.bounds[list]; }
  size_t own_end(uint32_t list) const { return begin(list) + lists_.own_rows[list]; }
  size_t end(uint32_t list) const {
    return begin(list) + (reads_seconds_ ? lists_.list_rows[list] : lists_.own_rows[list]);
  }
  /// Places from this one on may be of rows that are met elsewhere.
  size_t sure_end(uint32_t list) const {
    return is_past_ && reads_seconds_ ? begin(list) : own_end(list);
  }
  /// Whether the row at a place that is not sure is met in another list.
  bool IsElsewhere(uint32_t list, uint32_t place) const {
    const uint32_t row = lists_.numbers[place];
    return Has(lists_.homes[row] == list ? lists_.seconds[row] : lists_.homes[row]);
  }
  /// Whether a row that stands in a list is to be met there, and in no other one.
  bool MeetsHere(uint32_t list, uint32_t row) const {
    if (lists_.homes == nullptr) return true;
    const bool is_own = lists_.homes[row] == list;
    if (!reads_seconds_) return is_own;
    if (is_own && !is_past_) return true;
    return !Has(is_own ? lists_.seconds[row] : lists_.homes[row]);
  }
  /// Leaves out what is met elsewhere; returns how many are left.
  size_t KeepOnce(uint32_t list, uint32_t* places, float* keys, size_t count) const {
    const size_t sure = sure_end(list);
    size_t kept = 0;
    for (size_t i = 0; i < count; ++i) {
      if (places[i] >= sure && IsElsewhere(list, places[i])) continue;
      places[kept] = places[i];
      keys[kept++] = keys[i];
    }
    return kept;
  }

 private:
  void Add(uint32_t list) { met_[list / 64] |= uint64_t{1} << (list % 64); }
  bool Has(uint32_t list) const { return (met_[list / 64] >> (list % 64) & 1) != 0; }

  const OpenedIvf& lists_;
  bool reads_seconds_ = false;
  bool is_past_ = false;
  std::vector<uint64_t> met_;  // A bit a list.
};

/// The places of list `list` from `begin` on, `count` of them, but for those of rows that are met
/// elsewhere; returns how many.
inline size_t PlacesOnce(const MetLists& met, uint32_t list, size_t begin, size_t count,
                         uint32_t* places) {
  const size_t sure = met.sure_end(list);
  size_t kept = 0;
  for (size_t i = begin; i < begin + count; ++i) {
    const auto place = static_cast<uint32_t>(i);
    if (i >= sure && met.IsElsewhere(list, place)) continue;
    places[kept++] = place;
  }
  return kept;
}

/// Those of the places whose rows are allowed; returns how many.
inline size_t AllowedPlaces(const OpenedIvf& lists, BitsetView allowed, uint32_t* places,
                            size_t count) {
  if (allowed.empty()) return count;
  size_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t place = places[i];
    places[kept] = place;
    kept += allowed.Test(lists.numbers[place]) ? 1 : 0;
  }
  return kept;
}

/// As PlacesOnce, of those whose rows are allowed; cheaper where few are.
inline size_t AllowedOnce(const OpenedIvf& lists, const MetLists& met, BitsetView allowed,
                          uint32_t list, size_t begin, size_t count, uint32_t* places) {
  if (allowed.empty()) return PlacesOnce(met, list, begin, count, places);
  size_t kept = 0;
  for (size_t i = begin; i < begin + count; ++i) {
    places[kept] = static_cast<uint32_t>(i);
    kept += allowed.Test(lists.numbers[i]) ? 1 : 0;
  }
  const size_t sure = met.sure_end(list);
  const auto is_twice = [&](uint32_t place) {
    return place >= sure && met.IsElsewhere(list, place);
  };
  return static_cast<size_t>(std::remove_if(places, places + kept, is_twice) - places);
}

}  // namespace elanus::index
