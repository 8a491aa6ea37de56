// Little-endian writing and bounded reading of bytes; the checksum that guards them on disk.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace elanus {

/// Appends to a string. Not thread-safe.
class ByteWriter {
 public:
  void U8(uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void U32(uint32_t v) { Raw(&v, 4); }
  void U64(uint64_t v) { Raw(&v, 8); }
  void F64(double v) { Raw(&v, 8); }
  void Varint(uint64_t v) {
    while (v >= 0x80) {
      U8(static_cast<uint8_t>(v) | 0x80);
      v >>= 7;
    }
    U8(static_cast<uint8_t>(v));
  }
  void Raw(const void* data, size_t size) {
    if (size > 0) out_.append(static_cast<const char*>(data), size);
  }
  void Bytes(std::string_view bytes) {
    Varint(bytes.size());
    Raw(bytes.data(), bytes.size());
  }
  size_t size() const { return out_.size(); }
  const char* data() const { return out_.data(); }
  std::string_view view() const { return out_; }
  std::string Take() && { return std::move(out_); }

 private:
  std::string out_;
};

/// Reads from borrowed bytes; every function returns false instead of reading past the end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  bool U8(uint8_t& v) { return Raw(&v, 1); }
  bool U32(uint32_t& v) { return Raw(&v, 4); }
  bool U64(uint64_t& v) { return Raw(&v, 8); }
  bool F64(double& v) { return Raw(&v, 8); }
  bool Varint(uint64_t& v) {
    v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t byte;
      if (!U8(byte)) return false;
      v |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool Raw(void* to, size_t size) {
    if (rest_.size() < size) return false;
    std::memcpy(to, rest_.data(), size);
    rest_.remove_prefix(size);
    return true;
  }
  /// `size` bytes in place, borrowed from the input.
  bool View(size_t size, std::string_view& bytes) {
    if (rest_.size() < size) return false;
    bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }
  bool Bytes(std::string_view& bytes) {
    uint64_t size;
    return Varint(size) && View(size, bytes);
  }
  bool AtEnd() const { return rest_.empty(); }
  size_t remaining() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

/// XXH3 of `bytes`: the checksum of every file and log record.
uint64_t Checksum(std::string_view bytes);
/// As above, continued: the checksum of a sequence of parts depends on their order and bounds.
uint64_t Checksum(std::string_view bytes, uint64_t seed);

}  // namespace elanus
