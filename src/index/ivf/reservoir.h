// The k smallest of many keys, gathered batch by batch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "simd/select.h"

namespace elanus::index {

/// Keeps the k smallest keys with their places; equal keys: those that came first. Unlike TopK it
/// has no order: keys are appended, and when there are too many a selection throws the larger ones
/// out. That costs a few instructions a key where a heap costs a few branches that are
/// mispredicted. Not thread-safe.
class Reservoir {
 public:
  static constexpr size_t kBatch = 256;

  explicit Reservoir(size_t k)
      : k_(std::max<size_t>(k, 1)),
        most_(k_ + std::max(k_ / 2, kSlack)),
        keys_(most_ + kBatch),
        places_(most_ + kBatch) {}

  /// A key above this does not enter. Infinity until k keys are held.
  float bound() const { return bound_; }
  bool full() const { return size_ >= k_; }
  /// Keys that it keeps.
  size_t room() const { return k_; }
  /// Keys held; may be more than k.
  size_t size() const { return size_; }

  /// Where the next batch goes: at most kBatch keys and places, then Add.
  float* next_keys() { return keys_.data() + size_; }
  uint32_t* next_places() { return places_.data() + size_; }
  void Add(size_t count) {
    size_ += count;
    if (size_ > most_ || (bound_ == std::numeric_limits<float>::infinity() && size_ >= k_)) {
      Shrink();
    }
  }
  void Push(float key, uint32_t place) {
    if (key > bound_) return;
    *next_keys() = key;
    *next_places() = place;
    Add(1);
  }
  /// Brings the bound up to date.
  void Settle() {
    if (size_ > k_) Shrink();
  }
  /// fn(key, place) for each of the k smallest, in no order.
  template <class Fn>
  void ForEach(Fn fn) {
    Settle();
    for (size_t i = 0; i < size_; ++i) fn(keys_[i], places_[i]);
  }
  void Clear() {
    size_ = 0;
    bound_ = std::numeric_limits<float>::infinity();
  }

 private:
  static constexpr size_t kSlack = 32;

  void Shrink() {
    const simd::SelectKernels& select = simd::Select();
    bound_ = select.kth(keys_.data(), size_, k_);
    if (size_ == k_) return;
    size_ = select.keep(keys_.data(), places_.data(), size_, bound_);
    if (size_ == k_) return;
    // Of keys equal to the bound the last are too many.
    size_t equal = k_ - static_cast<size_t>(std::count_if(
                            keys_.begin(), keys_.begin() + static_cast<ptrdiff_t>(size_),
                            [&](float key) { return key < bound_; }));
    size_t kept = 0;
    for (size_t i = 0; i < size_; ++i) {
      if (keys_[i] == bound_ && equal == 0) continue;
      if (keys_[i] == bound_) --equal;
      keys_[kept] = keys_[i];
      places_[kept++] = places_[i];
    }
    size_ = k_;
  }

  size_t k_;
  size_t most_;  // Keys before a selection.
  std::vector<float> keys_;
  std::vector<uint32_t> places_;
  size_t size_ = 0;
  float bound_ = std::numeric_limits<float>::infinity();
};

}  // namespace elanus::index
