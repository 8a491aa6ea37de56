// How a geometry lies in a column: well-known binary (OGC 06-103r4, section 8), little-endian.
//
// A geometry is a byte 1 (little-endian), a u32 kind (WkbKind, 1000 more with z, 2000 more with m,
// 3000 more with both), and what the kind has: a point its numbers (x, y, perhaps z and m; all NaN
// when it is empty); a line string a u32 count and the points' numbers; a polygon a u32 count of
// rings, each like a line string; the other kinds a u32 count of geometries.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace elanus::model {

enum class WkbKind : uint32_t {
  kPoint = 1,
  kLineString = 2,
  kPolygon = 3,
  kMultiPoint = 4,
  kMultiLineString = 5,
  kMultiPolygon = 6,
  kGeometryCollection = 7,
};

struct WkbHead {
  WkbKind kind = WkbKind::kPoint;
  bool has_z = false;
  bool has_m = false;
  uint32_t numbers = 2;  // Of a point.
};

inline constexpr uint32_t kWkbNumbersMax = 4;
/// How deep collections may nest: what reads them recurses.
inline constexpr int kWkbDepthMax = 64;
/// Bytes of the shortest geometry, a collection of nothing.
inline constexpr size_t kWkbBytesMin = 9;

/// Reads one piece after the other; false: the bytes end, or are none of the above.
class WkbReader {
 public:
  explicit WkbReader(std::string_view bytes) : left_(bytes) {}

  bool ReadHead(WkbHead& head) {
    uint32_t code;
    if (left_.empty() || left_[0] != 1) return false;
    left_.remove_prefix(1);
    if (!ReadNumber(code) || code % 1000 < 1 || code % 1000 > 7 || code >= 4000) return false;
    head.kind = static_cast<WkbKind>(code % 1000);
    head.has_z = code / 1000 % 2 == 1;
    head.has_m = code / 1000 >= 2;
    head.numbers = 2 + (head.has_z ? 1 : 0) + (head.has_m ? 1 : 0);
    return true;
  }
  /// A count of things of at least so many bytes each, which the bytes that are left could hold.
  bool ReadCount(size_t bytes_each, uint32_t& count) {
    return ReadNumber(count) && count <= left_.size() / bytes_each;
  }
  /// head.numbers numbers.
  bool ReadPoint(const WkbHead& head, double* numbers) {
    const size_t bytes = head.numbers * sizeof(double);
    if (left_.size() < bytes) return false;
    std::memcpy(numbers, left_.data(), bytes);
    left_.remove_prefix(bytes);
    return true;
  }
  bool at_end() const { return left_.empty(); }

 private:
  bool ReadNumber(uint32_t& number) {
    if (left_.size() < sizeof(number)) return false;
    std::memcpy(&number, left_.data(), sizeof(number));
    left_.remove_prefix(sizeof(number));
    return true;
  }

  std::string_view left_;
};

}  // namespace elanus::model
