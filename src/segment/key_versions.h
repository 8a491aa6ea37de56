// Which rows of a growing segment a key has: a delete hides all of them.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <string>
#include <vector>

#include "model/column.h"

namespace elanus::segment {

/// A key's newest row, and from each row the one before it. For one thread.
class KeyVersions {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;  // No row.

  /// The rows from `first_row` on, the next that were not added yet, have these keys.
  void Add(const model::ColumnView& keys, uint32_t first_row);
  /// The newest row with key `at` of `keys`, else kNone.
  uint32_t Newest(const model::ColumnView& keys, size_t at) const;
  /// The row with the same key before this one, else kNone.
  uint32_t Older(uint32_t row) const { return older_[row]; }
  size_t memory_bytes() const;

 private:
  absl::flat_hash_map<int64_t, uint32_t> int_keys_;
  absl::flat_hash_map<std::string, uint32_t> text_keys_;
  std::vector<uint32_t> older_;
  size_t text_bytes_ = 0;  // Of text keys that do not fit into the map itself.
};

}  // namespace elanus::segment
