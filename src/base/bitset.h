// Dense sets of rows: an owning Bitset and the view that crosses module edges.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace elanus {

/// How many bits of `count` words are set.
size_t CountBits(const uint64_t* words, size_t count);

/// Read-only view of bits; bit i lives in word i / 64. An empty view (no words) means "every row"
/// where a function says so. Bits at and past `size` are zero.
struct BitsetView {
  const uint64_t* words = nullptr;
  size_t size = 0;

  bool empty() const { return words == nullptr; }
  bool Test(size_t i) const { return (words[i >> 6] >> (i & 63)) & 1; }
  size_t word_count() const { return (size + 63) / 64; }
  size_t Count() const { return CountBits(words, word_count()); }
};

/// Owning bits. Thread-compatible. Keeps the bits past size() zero.
class Bitset {
 public:
  Bitset() = default;
  explicit Bitset(size_t size, bool value = false) { Resize(size, value); }

  /// Sets the size and makes every bit `value`.
  void Resize(size_t size, bool value = false) {
    size_ = size;
    words_.assign((size + 63) / 64, value ? ~uint64_t{0} : 0);
    ClearTail();
  }
  size_t size() const { return size_; }
  bool Test(size_t i) const { return (words_[i >> 6] >> (i & 63)) & 1; }
  void Set(size_t i) { words_[i >> 6] |= uint64_t{1} << (i & 63); }
  void Clear(size_t i) { words_[i >> 6] &= ~(uint64_t{1} << (i & 63)); }
  uint64_t* words() { return words_.data(); }
  const uint64_t* words() const { return words_.data(); }
  size_t word_count() const { return words_.size(); }
  BitsetView view() const { return {words_.data(), size_}; }
  size_t Count() const { return view().Count(); }
  bool Any() const {
    for (uint64_t w : words_)
      if (w != 0) return true;
    return false;
  }

  void And(const Bitset& o) {
    for (size_t w = 0; w < words_.size(); ++w) words_[w] &= o.words_[w];
  }
  void Or(const Bitset& o) {
    for (size_t w = 0; w < words_.size(); ++w) words_[w] |= o.words_[w];
  }
  void AndNot(const Bitset& o) {
    for (size_t w = 0; w < words_.size(); ++w) words_[w] &= ~o.words_[w];
  }
  void Flip() {
    for (uint64_t& w : words_) w = ~w;
    ClearTail();
  }
  /// Zeroes the bits past size(); call after writing whole words.
  void ClearTail() {
    if (size_ % 64 != 0) words_.back() &= (uint64_t{1} << (size_ % 64)) - 1;
  }

 private:
  std::vector<uint64_t> words_;
  size_t size_ = 0;
};

/// Room that ListBits needs at least.
inline constexpr size_t kListBitsRoom = 68;

/// Writes the places of the set bits from word `next` on, ascending, while `room` is left for what
/// one more word may have; moves `next` on. Returns how many: 0 once there are no more. Words with
/// a few bits each cost no branch that chance would mispredict.
size_t ListBits(BitsetView bits, size_t& next, uint32_t* places, size_t room);

/// Calls fn(i) for each set bit, ascending.
template <class Fn>
void ForEachSet(BitsetView bits, Fn fn) {
  for (size_t w = 0; w < bits.word_count(); ++w) {
    for (uint64_t word = bits.words[w]; word != 0; word &= word - 1) {
      fn(w * 64 + static_cast<size_t>(std::countr_zero(word)));
    }
  }
}

}  // namespace elanus
