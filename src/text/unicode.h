// Characters of UTF-8 texts and what they are.
#pragma once

#include <unicode/uchar.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace elanus::text {

/// Reads the character at `at` and moves behind it. Bytes that are no UTF-8 read as U+FFFD each.
inline char32_t NextCharacter(std::string_view text, size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC2 ? 1 : 0;
  if (more == 0 || at + more > text.size() || lead > 0xF4) return 0xFFFD;
  char32_t c = lead & (0x3Fu >> more);
  for (size_t i = 0; i < more; ++i) {
    const auto next = static_cast<unsigned char>(text[at + i]);
    if ((next & 0xC0) != 0x80) return 0xFFFD;
    c = c << 6 | (next & 0x3F);
  }
  at += more;
  return c;
}

void AppendCharacter(char32_t c, std::string& to);

/// Letters and numbers of any script.
inline bool IsAlphanumeric(char32_t c) {
  if (c < 0x80) return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
  if (u_isUAlphabetic(static_cast<UChar32>(c)) != 0) return true;
  return (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_N_MASK) != 0;
}
inline bool IsAsciiSpace(char32_t c) { return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v'); }
bool IsHan(char32_t c);
bool IsPunctuation(char32_t c);
/// Appends the lower case of `c`, usually one character.
void AppendLower(char32_t c, std::string& to);
bool HasAlphanumeric(std::string_view text);
/// Whether all bytes are ASCII.
bool IsAscii(std::string_view text);
size_t CountCharacters(std::string_view text);

}  // namespace elanus::text
