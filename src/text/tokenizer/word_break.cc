// The rules of UAX #29, by their numbers there.
#include "text/tokenizer/word_break.h"

#include <array>
#include <cstdint>

#include "text/unicode.h"

namespace elanus::text {
namespace {

// Values of the property Word_Break; kNone: there is no character.
using Kind = uint8_t;
constexpr Kind kNone = 0xFF;

Kind LookUp(char32_t c) {
  return static_cast<Kind>(u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_WORD_BREAK));
}

Kind KindOf(char32_t c) {
  static const std::array<Kind, 128> kAscii = [] {
    std::array<Kind, 128> kinds{};
    for (char32_t i = 0; i < kinds.size(); ++i) kinds[i] = LookUp(i);
    return kinds;
  }();
  return c < kAscii.size() ? kAscii[c] : LookUp(c);
}

constexpr bool IsNewline(Kind k) { return k == U_WB_CR || k == U_WB_LF || k == U_WB_NEWLINE; }
// What WB4 does not see.
constexpr bool IsSkipped(Kind k) { return k == U_WB_EXTEND || k == U_WB_FORMAT || k == U_WB_ZWJ; }
constexpr bool IsLetter(Kind k) { return k == U_WB_ALETTER || k == U_WB_HEBREW_LETTER; }
constexpr bool IsQuoteOrDot(Kind k) { return k == U_WB_MIDNUMLET || k == U_WB_SINGLE_QUOTE; }
constexpr bool IsInLetters(Kind k) { return k == U_WB_MIDLETTER || IsQuoteOrDot(k); }
constexpr bool IsInNumbers(Kind k) { return k == U_WB_MIDNUM || IsQuoteOrDot(k); }
constexpr bool IsWord(Kind k) { return IsLetter(k) || k == U_WB_NUMERIC || k == U_WB_KATAKANA; }

// The kind of the next character at or behind `at` that WB4 sees.
Kind NextSeen(std::string_view text, size_t at) {
  while (at < text.size()) {
    const Kind kind = KindOf(NextCharacter(text, at));
    if (!IsSkipped(kind)) return kind;
  }
  return kNone;
}

// WB5 to WB999: whether `right` goes on with what `left` ends, which `before` precedes; `next()` is
// the kind behind `right`.
template <class Next>
bool Joins(Kind before, Kind left, Kind right, Next next) {
  if (IsLetter(left)) {
    if (IsLetter(right) || right == U_WB_NUMERIC) return true;                  // WB5, WB9
    if (left == U_WB_HEBREW_LETTER && right == U_WB_SINGLE_QUOTE) return true;  // WB7a
    if (IsInLetters(right)) return IsLetter(next());                            // WB6
    if (left == U_WB_HEBREW_LETTER && right == U_WB_DOUBLE_QUOTE)
      return next() == U_WB_HEBREW_LETTER;  // WB7b
  }
  if (IsInLetters(left) && IsLetter(before) && IsLetter(right)) return true;  // WB7
  if (left == U_WB_DOUBLE_QUOTE && before == U_WB_HEBREW_LETTER && right == U_WB_HEBREW_LETTER)
    return true;  // WB7c
  if (left == U_WB_NUMERIC) {
    if (right == U_WB_NUMERIC || IsLetter(right)) return true;  // WB8, WB10
    if (IsInNumbers(right)) return next() == U_WB_NUMERIC;      // WB12
  }
  if (IsInNumbers(left) && before == U_WB_NUMERIC && right == U_WB_NUMERIC) return true;  // WB11
  if (left == U_WB_KATAKANA && right == U_WB_KATAKANA) return true;                       // WB13
  if (right == U_WB_EXTENDNUMLET) return IsWord(left) || left == U_WB_EXTENDNUMLET;       // WB13a
  if (left == U_WB_EXTENDNUMLET) return IsWord(right);                                    // WB13b
  // A flag is two characters: WB15, WB16.
  return left == U_WB_REGIONAL_INDICATOR && right == left && before != left;
}

}  // namespace

size_t NextWordBoundary(std::string_view text, size_t begin) {
  size_t at = begin;
  Kind before = kNone;                          // What WB4 saw before `left`.
  Kind left = KindOf(NextCharacter(text, at));  // The latest that WB4 saw,
  Kind beside = left;                           // and the latest that is there.
  while (at < text.size()) {
    size_t behind = at;
    const char32_t c = NextCharacter(text, behind);
    const Kind right = KindOf(c);
    if (IsNewline(left) || IsNewline(right)) {
      return left == U_WB_CR && right == U_WB_LF ? behind : at;  // WB3, WB3a, WB3b
    }
    if (IsSkipped(right)) {  // WB4
      beside = right;
      at = behind;
      continue;
    }
    const bool is_joined =
        (beside == U_WB_ZWJ &&
         u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_EXTENDED_PICTOGRAPHIC) != 0) ||  // WB3c
        (beside == U_WB_WSEGSPACE && right == U_WB_WSEGSPACE) ||                             // WB3d
        Joins(before, left, right, [&] { return NextSeen(text, behind); });
    if (!is_joined) return at;
    before = left;
    left = right;
    beside = right;
    at = behind;
  }
  return at;
}

}  // namespace elanus::text
