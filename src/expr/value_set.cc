// Sets of values.
#include "expr/value_set.h"

#include <algorithm>
#include <cstring>

namespace elanus::expr {

ValueSet::ValueSet(const model::ScalarList& values) {
  const int filter_bits = std::max(12, static_cast<int>(std::bit_width(values.size() * 16)));
  const int table_bits = std::max(4, static_cast<int>(std::bit_width(values.size() * 2)));
  filter_.resize(size_t{1} << (filter_bits - 6));
  filter_shift_ = 64 - filter_bits;
  table_.assign(size_t{1} << table_bits, kFree);
  table_shift_ = 64 - table_bits;
  for (const model::Scalar& value : values) {
    if (value.is_string()) {
      texts_.push_back(value.as_string());
      Put(HashOf(texts_.back()), static_cast<uint32_t>(texts_.size() - 1));
    } else {
      keys_.push_back(value.is_double() ? KeyOf(value.as_double())
                      : value.is_bool() ? KeyOf(int64_t{value.as_bool()})
                                        : KeyOf(value.as_int()));
      Put(HashOf(keys_.back()), static_cast<uint32_t>(keys_.size() - 1));
    }
  }
}

void ValueSet::Put(uint64_t hash, uint32_t place) {
  const uint64_t bit = hash >> filter_shift_;
  filter_[bit >> 6] |= uint64_t{1} << (bit & 63);
  size_t at = hash >> table_shift_;
  while (table_[at] != kFree) at = (at + 1) & (table_.size() - 1);
  table_[at] = place;
}

bool ValueSet::FindKey(uint64_t key, uint64_t hash) const {
  for (size_t at = hash >> table_shift_; table_[at] != kFree; at = (at + 1) & (table_.size() - 1)) {
    if (keys_[table_[at]] == key) return true;
  }
  return false;
}

bool ValueSet::FindText(std::string_view text, uint64_t hash) const {
  for (size_t at = hash >> table_shift_; table_[at] != kFree; at = (at + 1) & (table_.size() - 1)) {
    if (texts_[table_[at]] == text) return true;
  }
  return false;
}

// Eight bytes at a time, multiplied and folded; the length keeps a zero-padded end apart.
uint64_t ValueSet::HashOf(std::string_view text) {
  uint64_t hash = text.size() * 0x9E3779B97F4A7C15u;
  const auto mix = [&](uint64_t word) {
    hash = (hash ^ word) * 0xFF51AFD7ED558CCDu;
    hash ^= hash >> 32;
  };
  while (text.size() >= 8) {
    uint64_t word;
    std::memcpy(&word, text.data(), 8);
    mix(word);
    text.remove_prefix(8);
  }
  uint64_t rest = 0;
  std::memcpy(&rest, text.data(), text.size());
  mix(rest);
  return hash * 0x9E3779B97F4A7C15u;
}

}  // namespace elanus::expr
