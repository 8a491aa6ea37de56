// Numbers over groups of rows: counts, sums, averages, least and greatest values.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "model/requests/shard.h"
#include "model/schema.h"

namespace elanus::model {

/// Adds rows up, or what others have added up of theirs. Nulls are skipped; a null group is a group
/// of its own. Not thread-safe.
class Aggregator {
 public:
  /// `group_columns` are empty columns of the group fields, in their order; none: all rows are one
  /// group, which is there without a row too. More than `groups_max` groups are an error.
  Aggregator(std::vector<Column> group_columns, std::vector<Aggregate> aggregates,
             int64_t groups_max);

  /// Adds row `row`: `group` holds the group fields, `values` one column an aggregate (of a count
  /// of rows it is not read). Errors: kSegcore (too many groups, a sum that leaves int64).
  Status Add(std::span<const ColumnView> group, std::span<const ColumnView> values, size_t row);
  /// Adds what Partial() of another gave.
  Status Merge(const std::vector<Column>& partial);
  /// One row a group: the group fields, then for each aggregate two columns: how many values
  /// (Int64) and their sum or best one (Int64, Double or VarChar).
  std::vector<Column> Partial() const;
  /// One row a group: the group fields, then one column an aggregate: count Int64, sum Int64 or
  /// Double, avg Double, min and max as the field; null where there was no value. Unnamed.
  std::vector<Column> Finish() const;

 private:
  /// Of one aggregate in one group.
  struct State {
    int64_t count = 0;
    int64_t integer = 0;
    double number = 0;
    std::string text;
  };
  enum class Kind { kInteger, kNumber, kText };

  static Kind KindOf(const Aggregate& aggregate);
  static State ValueAt(const Aggregate& aggregate, const ColumnView& values, size_t row);
  static Status Fold(const Aggregate& aggregate, const State& from, State& to);
  Result<State*> StatesOf(std::span<const ColumnView> group, size_t row);

  std::vector<Column> group_columns_;  // One row a group.
  const std::vector<Aggregate> aggregates_;
  const size_t groups_max_;
  std::unordered_map<std::string, size_t> places_;
  std::vector<State> states_;  // aggregates_.size() a group.
};

}  // namespace elanus::model
