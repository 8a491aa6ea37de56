// The values of an `in` as a hash set: one look a row, however many values there are.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/scalar.h"

namespace elanus::expr {

/// Values of one kind: bools and ints, doubles (no NaN), or strings, which it borrows. Immutable;
/// thread-safe. An open table of places behind a filter of bits: most values that are not in the
/// set are told by one bit that lies in the cache. 4 bytes a value at a load of a half at most, and
/// 16 to 32 bits of filter.
class ValueSet {
 public:
  explicit ValueSet(const model::ScalarList& values);

  /// Ints and bools; the doubles' bits, zero's without its sign.
  bool Has(uint64_t key) const {
    const uint64_t hash = HashOf(key);
    return MayHave(hash) && FindKey(key, hash);
  }
  bool Has(std::string_view text) const {
    const uint64_t hash = HashOf(text);
    return MayHave(hash) && FindText(text, hash);
  }
  /// Whether a key may be in it: never false for one that is.
  bool MayHave(uint64_t hash) const {
    const uint64_t bit = hash >> filter_shift_;
    return (filter_[bit >> 6] >> (bit & 63)) & 1;
  }
  static uint64_t HashOf(uint64_t key) { return key * 0x9E3779B97F4A7C15u; }
  static uint64_t HashOf(std::string_view text);
  static uint64_t KeyOf(int64_t value) { return static_cast<uint64_t>(value); }
  static uint64_t KeyOf(double value) { return std::bit_cast<uint64_t>(value == 0 ? 0.0 : value); }

 private:
  static constexpr uint32_t kFree = UINT32_MAX;
  bool FindKey(uint64_t key, uint64_t hash) const;
  bool FindText(std::string_view text, uint64_t hash) const;
  void Put(uint64_t hash, uint32_t place);

  std::vector<uint64_t> keys_;
  std::vector<std::string_view> texts_;
  std::vector<uint32_t> table_;  // Places in keys_ or texts_.
  std::vector<uint64_t> filter_;
  int filter_shift_ = 0;
  int table_shift_ = 0;
};

}  // namespace elanus::expr
