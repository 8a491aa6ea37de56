// Sorts hits into groups by a value they have: a few hits of each of the best groups.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/column.h"

namespace elanus::model {

/// The values of row `row` in all columns as one text: equal exactly when they are, nulls included.
std::string GroupText(std::span<const ColumnView> values, size_t row);
/// Of owned columns.
std::vector<ColumnView> ViewsOf(std::span<const Column> columns);

/// Takes hits, the best first; keeps the first `groups_max` groups and `group_size` hits of each.
/// Not thread-safe.
class Groups {
 public:
  Groups(size_t groups_max, size_t group_size) : groups_max_(groups_max), group_size_(group_size) {}
  /// Adds hit number `hit` to the group `text`; false: there is no room for it.
  bool Add(std::string text, uint32_t hit);
  /// As many groups as may be.
  bool has_all_groups() const { return members_.size() == groups_max_; }
  /// And each is full.
  bool is_full() const { return has_all_groups() && full_groups_ == groups_max_; }
  /// Hit numbers, group by group, in the order in which the groups came.
  const std::vector<std::vector<uint32_t>>& members() const { return members_; }

 private:
  const size_t groups_max_;
  const size_t group_size_;
  size_t full_groups_ = 0;
  std::unordered_map<std::string, size_t> places_;
  std::vector<std::vector<uint32_t>> members_;
};

}  // namespace elanus::model
