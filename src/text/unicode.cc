// Classes of characters, by ICU's tables.
#include "text/unicode.h"

#include <unicode/uscript.h>

#include <cstring>

namespace elanus::text {

void AppendCharacter(char32_t c, std::string& to) {
  if (c < 0x80) {
    to += static_cast<char>(c);
  } else if (c < 0x800) {
    to += static_cast<char>(0xC0 | c >> 6);
    to += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    to += static_cast<char>(0xE0 | c >> 12);
    to += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    to += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    to += static_cast<char>(0xF0 | c >> 18);
    to += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    to += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    to += static_cast<char>(0x80 | (c & 0x3F));
  }
}

bool IsHan(char32_t c) {
  if (c < 0x2E80) return false;
  UErrorCode failed = U_ZERO_ERROR;
  return uscript_getScript(static_cast<UChar32>(c), &failed) == USCRIPT_HAN;
}

bool IsPunctuation(char32_t c) {
  if (c < 0x80) return c > ' ' && c < 0x7F && !IsAlphanumeric(c);
  return u_ispunct(static_cast<UChar32>(c)) != 0;
}

void AppendLower(char32_t c, std::string& to) {
  if (c < 0x80) {
    to += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  } else if (c == 0x130) {
    to += "i\xCC\x87";  // The one letter whose lower case is two characters.
  } else {
    AppendCharacter(static_cast<char32_t>(u_tolower(static_cast<UChar32>(c))), to);
  }
}

bool HasAlphanumeric(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (IsAlphanumeric(NextCharacter(text, at))) return true;
  }
  return false;
}

bool IsAscii(std::string_view text) {
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if ((word & 0x8080808080808080u) != 0) return false;
  }
  for (; i < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i]) >= 0x80) return false;
  }
  return true;
}

size_t CountCharacters(std::string_view text) {
  size_t count = 0;
  for (char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

}  // namespace elanus::text
