// Which shard a row belongs to.
#include "model/shard_of.h"

#include <array>

namespace elanus::model {
namespace {

uint32_t Murmur3(const uint8_t* bytes, size_t size) {
  constexpr uint32_t kC1 = 0xcc9e2d51;
  constexpr uint32_t kC2 = 0x1b873593;
  const auto rotate = [](uint32_t x, int by) { return x << by | x >> (32 - by); };
  uint32_t hash = 0;
  for (size_t i = 0; i + 4 <= size; i += 4) {
    uint32_t k;
    std::memcpy(&k, bytes + i, 4);
    hash ^= rotate(k * kC1, 15) * kC2;
    hash = rotate(hash, 13) * 5 + 0xe6546b64;
  }
  hash ^= static_cast<uint32_t>(size);
  hash = (hash ^ hash >> 16) * 0x85ebca6b;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35;
  return hash ^ hash >> 16;
}

uint32_t Crc32(std::string_view bytes) {
  static const auto kTable = [] {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? 0xEDB88320u ^ c >> 1 : c >> 1;
      table[i] = c;
    }
    return table;
  }();
  uint32_t crc = 0xFFFFFFFFu;
  for (char c : bytes) crc = kTable[(crc ^ static_cast<uint8_t>(c)) & 0xFF] ^ crc >> 8;
  return ~crc;
}

}  // namespace

uint32_t HashOfKey(int64_t key) {
  return Murmur3(reinterpret_cast<const uint8_t*>(&key), 8) & 0x7fffffff;
}

uint32_t HashOfKey(std::string_view key) { return Crc32(key.substr(0, 100)); }

size_t ShardOf(const ColumnView& keys, size_t row, size_t shards) {
  if (shards <= 1) return 0;
  if (keys.type == DataType::kInt64) return HashOfKey(keys.Get<int64_t>(row)) % shards;
  return HashOfKey(keys.Bytes(row)) % shards;
}

}  // namespace elanus::model
