// Writing well-known text.
#include <array>
#include <charconv>
#include <cmath>

#include "geometry/text.h"
#include "model/wkb.h"

namespace elanus::geometry {
namespace {

using model::WkbHead;
using model::WkbKind;

constexpr size_t kNumberBytesMax = 400;  // The longest double without an exponent has 327.

std::string_view TagOf(WkbKind kind) {
  switch (kind) {
    case WkbKind::kPoint:
      return "POINT";
    case WkbKind::kLineString:
      return "LINESTRING";
    case WkbKind::kPolygon:
      return "POLYGON";
    case WkbKind::kMultiPoint:
      return "MULTIPOINT";
    case WkbKind::kMultiLineString:
      return "MULTILINESTRING";
    case WkbKind::kMultiPolygon:
      return "MULTIPOLYGON";
    case WkbKind::kGeometryCollection:
      return "GEOMETRYCOLLECTION";
  }
  return "";
}

// Each function writes one piece; false: the bytes are none.
class WktWriter {
 public:
  explicit WktWriter(std::string_view wkb) : in_(wkb) {}

  bool Run() { return Shape(0, /*has_tag=*/true) && in_.at_end(); }
  std::string Take() { return std::move(text_); }

 private:
  void Number(double number) {
    std::array<char, kNumberBytesMax> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number,
                                   std::chars_format::fixed);
    text_.append(digits.data(), end.ptr);
  }
  void Numbers(const WkbHead& head, const double* numbers) {
    for (uint32_t i = 0; i < head.numbers; ++i) {
      if (i > 0) text_ += ' ';
      Number(numbers[i]);
    }
  }
  // Items between parentheses; EMPTY without any.
  template <class Item>
  bool List(size_t item_bytes, Item item) {
    uint32_t count;
    if (!in_.ReadCount(item_bytes, count)) return false;
    if (count == 0) {
      text_ += "EMPTY";
      return true;
    }
    for (uint32_t i = 0; i < count; ++i) {
      text_ += i == 0 ? "(" : ", ";
      if (!item()) return false;
    }
    text_ += ')';
    return true;
  }
  bool Points(const WkbHead& head) {
    return List(head.numbers * sizeof(double), [&] {
      std::array<double, model::kWkbNumbersMax> numbers;
      if (!in_.ReadPoint(head, numbers.data())) return false;
      Numbers(head, numbers.data());
      return true;
    });
  }
  bool Point(const WkbHead& head) {
    std::array<double, model::kWkbNumbersMax> numbers;
    if (!in_.ReadPoint(head, numbers.data())) return false;
    if (std::isnan(numbers[0])) {
      text_ += "EMPTY";
      return true;
    }
    text_ += '(';
    Numbers(head, numbers.data());
    text_ += ')';
    return true;
  }
  bool Shape(int depth, bool has_tag) {
    WkbHead head;
    if (depth > model::kWkbDepthMax || !in_.ReadHead(head)) return false;
    if (has_tag) {
      text_ += TagOf(head.kind);
      if (head.has_z || head.has_m) text_ += ' ';
      if (head.has_z) text_ += 'Z';
      if (head.has_m) text_ += 'M';
      text_ += ' ';
    }
    switch (head.kind) {
      case WkbKind::kPoint:
        return Point(head);
      case WkbKind::kLineString:
        return Points(head);
      case WkbKind::kPolygon:
        return List(sizeof(uint32_t), [&] { return Points(head); });
      default: {
        const bool is_mixed = head.kind == WkbKind::kGeometryCollection;
        return List(model::kWkbBytesMin, [&] { return Shape(depth + 1, is_mixed); });
      }
    }
  }

  model::WkbReader in_;
  std::string text_;
};

}  // namespace

Result<std::string> WriteWkt(std::string_view wkb) {
  WktWriter writer(wkb);
  if (!writer.Run()) return Status(ErrorCode::kIntegrity, "a stored geometry is not whole");
  return writer.Take();
}

}  // namespace elanus::geometry
