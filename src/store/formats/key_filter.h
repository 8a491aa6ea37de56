// A filter of the primary keys of a segment: tells of most keys that are not there that they are
// not, from one cache line and without a search.
//
// A split-block Bloom filter (Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom
// Filters", 2007): blocks of eight words of 32 bits; a key sets one bit in each word of one block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace elanus::store {

/// What the filter knows a key by: the hash of its bytes, those of the number or the text.
uint64_t HashOfKey(std::string_view key);

/// Collects keys. For one thread.
class KeyFilterBuilder {
 public:
  /// `keys`: how many will be added; with more of them the filter says "maybe" more often.
  explicit KeyFilterBuilder(uint64_t keys);
  void Add(std::string_view key);
  /// The filter: eleven bits a key, of keys that were not added fewer than 1 in 100 pass.
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// A filter as it lies in a file, whose bytes it borrows. Immutable; thread-safe.
class KeyFilter {
 public:
  /// No filter: every key may be there.
  KeyFilter() = default;
  /// `bytes`: of a builder; of other lengths than its, no filter.
  explicit KeyFilter(std::string_view bytes);

  /// False: no key with this hash was added.
  bool MayHold(uint64_t hash) const;
  bool is_there() const { return blocks_ != 0; }

 private:
  const char* words_ = nullptr;
  uint64_t blocks_ = 0;
};

}  // namespace elanus::store
