// Split-block Bloom filters.
#include "store/formats/key_filter.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/bytes.h"

namespace elanus::store {
namespace {

constexpr uint64_t kWords = 8;
constexpr uint64_t kBlockBytes = 4 * kWords;
// Ten leave 1.2 of 100 strangers in, as some blocks get more keys than others.
constexpr uint64_t kBitsPerKey = 11;

// Odd numbers that spread the lower half of the hash, one a word.
constexpr std::array<uint32_t, kWords> kSalts = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                                 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

// The upper half of the hash chooses the block.
uint64_t BlockOf(uint64_t hash, uint64_t blocks) { return ((hash >> 32) * blocks) >> 32; }

uint32_t BitOf(uint64_t hash, size_t word) {
  return uint32_t{1} << (static_cast<uint32_t>(hash) * kSalts[word] >> 27);
}

}  // namespace

uint64_t HashOfKey(std::string_view key) { return Checksum(key); }

KeyFilterBuilder::KeyFilterBuilder(uint64_t keys)
    : bytes_(std::max<uint64_t>(1, (keys * kBitsPerKey + 8 * kBlockBytes - 1) / (8 * kBlockBytes)) *
                 kBlockBytes,
             '\0') {}

void KeyFilterBuilder::Add(std::string_view key) {
  const uint64_t hash = HashOfKey(key);
  char* block = bytes_.data() + BlockOf(hash, bytes_.size() / kBlockBytes) * kBlockBytes;
  std::array<uint32_t, kWords> words;
  std::memcpy(words.data(), block, kBlockBytes);
  for (size_t i = 0; i < kWords; ++i) words[i] |= BitOf(hash, i);
  std::memcpy(block, words.data(), kBlockBytes);
}

KeyFilter::KeyFilter(std::string_view bytes)
    : words_(bytes.data()),
      blocks_(bytes.size() % kBlockBytes == 0 ? bytes.size() / kBlockBytes : 0) {}

bool KeyFilter::MayHold(uint64_t hash) const {
  if (!is_there()) return true;
  std::array<uint32_t, kWords> words;
  std::memcpy(words.data(), words_ + BlockOf(hash, blocks_) * kBlockBytes, kBlockBytes);
  uint32_t missing = 0;  // Without a jump, so that all words are tested at once.
  for (size_t i = 0; i < kWords; ++i) missing |= ~words[i] & BitOf(hash, i);
  return missing == 0;
}

}  // namespace elanus::store
