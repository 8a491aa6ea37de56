// Reading well-known text. Our own, because the reader of GEOS takes whatever follows the end, NaN
// for a number and m for z.
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <vector>

#include "geometry/text.h"
#include "model/wkb.h"

namespace elanus::geometry {
namespace {

using model::WkbKind;

constexpr std::array<std::string_view, 7> kTags = {
    "POINT",           "LINESTRING",   "POLYGON",           "MULTIPOINT",
    "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"};
constexpr size_t kShownMax = 20;  // Of a text, in a message.

constexpr bool IsLetter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
constexpr bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class WktReader {
 public:
  explicit WktReader(std::string_view text) : text_(text) {}

  Result<std::string> Run() {
    TRY(Shape(0));
    SkipBlanks();
    if (at_ != text_.size()) return Expected("the end");
    // What is in the points is known by now.
    const uint32_t extra = (has_z_ ? 1000 : 0) + (has_m_ ? 2000 : 0);
    for (const auto& [offset, kind] : heads_) Put(offset, static_cast<uint32_t>(kind) + extra);
    return std::move(wkb_);
  }

 private:
  // -- Text ---------------------------------------------------------------------------------------
  void SkipBlanks() {
    while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
  }
  Status Expected(std::string_view what) const {
    std::string shown;
    for (char c : text_.substr(at_, kShownMax)) shown += c >= ' ' && c <= '~' ? c : '?';
    if (shown.empty()) return Invalid("expected {} at byte {}, where the text ends", what, at_);
    return Invalid("expected {} at byte {}: {}", what, at_, shown);
  }
  bool Take(char wanted) {
    SkipBlanks();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  Status Need(char wanted) {
    return Take(wanted) ? Status() : Expected(fmt::format("'{}'", wanted));
  }
  // The word that begins here, in capitals; empty: none.
  std::string Word() {
    SkipBlanks();
    std::string word;
    while (at_ < text_.size() && IsLetter(text_[at_])) {
      word += static_cast<char>(text_[at_++] & ~0x20);
    }
    return word;
  }
  bool TakeEmpty() {
    const size_t begin = at_;
    if (Word() == "EMPTY") return true;
    at_ = begin;
    return false;
  }
  Status Number(double& number) {
    SkipBlanks();
    const size_t begin = at_;
    if (at_ < text_.size() && text_[at_] == '+') ++at_;
    const char* end = text_.data() + text_.size();
    const bool is_sign = at_ > begin && at_ < text_.size() && text_[at_] == '-';
    const auto read = std::from_chars(text_.data() + at_, end, number);
    if (is_sign || read.ec != std::errc() || !std::isfinite(number)) {
      at_ = begin;
      return Expected("a finite number");
    }
    at_ = static_cast<size_t>(read.ptr - text_.data());
    return {};
  }

  // -- Bytes --------------------------------------------------------------------------------------
  void Append(const void* bytes, size_t count) {
    wkb_.append(static_cast<const char*>(bytes), count);
  }
  void Put(size_t offset, uint32_t number) {
    std::memcpy(wkb_.data() + offset, &number, sizeof(number));
  }
  void Head(WkbKind kind) {
    wkb_ += '\1';
    heads_.emplace_back(wkb_.size(), kind);
    Append("\0\0\0", sizeof(uint32_t));
  }
  // A place for a count, which Put fills in.
  size_t Count() {
    Append("\0\0\0", sizeof(uint32_t));
    return wkb_.size() - sizeof(uint32_t);
  }

  // -- Points -------------------------------------------------------------------------------------
  Status SetLayout(bool has_z, bool has_m) {
    if (is_layout_known_ && (has_z != has_z_ || has_m != has_m_)) {
      return Invalid("all points of a geometry have the same numbers, at byte {}", at_);
    }
    is_layout_known_ = true;
    has_z_ = has_z;
    has_m_ = has_m;
    return {};
  }
  Status Point() {
    std::array<double, model::kWkbNumbersMax> numbers;
    size_t count = 0;
    while (count < numbers.size()) {
      SkipBlanks();
      const bool is_end = at_ < text_.size() && (text_[at_] == ',' || text_[at_] == ')');
      if (count >= 2 && is_end) break;
      TRY(Number(numbers[count]));
      ++count;
    }
    // Three numbers without a word are x, y and z.
    const bool is_measured = is_layout_known_ && has_m_ && !has_z_ && count == 3;
    TRY(SetLayout(count == 4 || (count == 3 && !is_measured), count == 4 || is_measured));
    Append(numbers.data(), count * sizeof(double));
    return {};
  }
  void EmptyPoint() {
    is_layout_known_ = true;  // Its numbers are written, so those that follow have as many.
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const int numbers = 2 + (has_z_ ? 1 : 0) + (has_m_ ? 1 : 0);
    for (int i = 0; i < numbers; ++i) Append(&nan, sizeof(nan));
  }
  std::array<double, 2> XyAt(size_t offset) const {
    std::array<double, 2> xy;
    std::memcpy(xy.data(), wkb_.data() + offset, sizeof(xy));
    return xy;
  }
  // "(x y, x y ...)".
  Status Points(bool is_ring) {
    TRY(Need('('));
    const size_t count_at = Count();
    const size_t begin = wkb_.size();
    uint32_t count = 0;
    do {
      TRY(Point());
      ++count;
    } while (Take(','));
    TRY(Need(')'));
    Put(count_at, count);
    if (!is_ring) {
      return count >= 2 ? Status() : Invalid("a line has two points or more, at byte {}", at_);
    }
    const size_t last = wkb_.size() - (wkb_.size() - begin) / count;
    if (count >= 4 && XyAt(begin) == XyAt(last)) return {};
    return Invalid("a ring has four points or more and ends where it begins, at byte {}", at_);
  }

  // -- Shapes -------------------------------------------------------------------------------------
  // Items between parentheses, or EMPTY, behind their count.
  template <class Item>
  Status List(Item item) {
    const size_t count_at = Count();
    if (TakeEmpty()) return {};
    TRY(Need('('));
    uint32_t count = 0;
    do {
      TRY(item());
      ++count;
    } while (Take(','));
    Put(count_at, count);
    return Need(')');
  }
  Status PointBody() {
    if (TakeEmpty()) {
      EmptyPoint();
      return {};
    }
    TRY(Need('('));
    TRY(Point());
    return Need(')');
  }
  // A point of several, with parentheses around it or without.
  Status BarePoint() {
    Head(WkbKind::kPoint);
    SkipBlanks();
    const bool is_bare = at_ < text_.size() && text_[at_] != '(' && !IsLetter(text_[at_]);
    return is_bare ? Point() : PointBody();
  }
  Status LineBody() {
    if (!TakeEmpty()) return Points(/*is_ring=*/false);
    Count();
    return {};
  }
  Status PolygonBody() {
    return List([this] { return Points(/*is_ring=*/true); });
  }

  // The tag, with what it says of the points.
  Result<WkbKind> Tag() {
    const size_t begin = at_;
    std::string word = Word();
    std::optional<WkbKind> kind;
    std::string layout;
    for (size_t i = 0; i < kTags.size() && !kind; ++i) {
      if (!word.starts_with(kTags[i])) continue;
      layout = word.substr(kTags[i].size());
      if (!layout.empty() && layout != "Z" && layout != "M" && layout != "ZM") continue;
      kind = static_cast<WkbKind>(i + 1);
    }
    if (!kind) {
      at_ = begin;
      SkipBlanks();
      return Expected("the name of a geometry");
    }
    if (layout.empty()) {
      const size_t behind = at_;
      layout = Word();
      if (layout != "Z" && layout != "M" && layout != "ZM") {
        at_ = behind;
        layout.clear();
      }
    }
    if (!layout.empty()) TRY(SetLayout(layout[0] == 'Z', layout.back() == 'M'));
    return *kind;
  }

  Status Shape(int depth) {
    if (depth > model::kWkbDepthMax) {
      return Invalid("collections nest deeper than {} levels", model::kWkbDepthMax);
    }
    TRY_ASSIGN(const WkbKind kind, Tag());
    Head(kind);
    switch (kind) {
      case WkbKind::kPoint:
        return PointBody();
      case WkbKind::kLineString:
        return LineBody();
      case WkbKind::kPolygon:
        return PolygonBody();
      case WkbKind::kMultiPoint:
        return List([this] { return BarePoint(); });
      case WkbKind::kMultiLineString:
        return List([this] {
          Head(WkbKind::kLineString);
          return LineBody();
        });
      case WkbKind::kMultiPolygon:
        return List([this] {
          Head(WkbKind::kPolygon);
          return PolygonBody();
        });
      case WkbKind::kGeometryCollection:
        return List([this, depth] { return Shape(depth + 1); });
    }
    return {};
  }

  const std::string_view text_;
  size_t at_ = 0;
  std::string wkb_;
  std::vector<std::pair<size_t, WkbKind>> heads_;  // Where the kinds stand.
  bool is_layout_known_ = false;
  bool has_z_ = false;
  bool has_m_ = false;
};

}  // namespace

Result<std::string> ReadWkt(std::string_view text) { return WktReader(text).Run(); }

}  // namespace elanus::geometry
