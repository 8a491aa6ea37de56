// The standard tokenizer in its mode uax29: words and emoji by Unicode's word boundaries.
#include "text/tokenizer/tokenizer.h"
#include "text/tokenizer/word_break.h"
#include "text/unicode.h"

namespace elanus::text {
namespace {

bool Has(char32_t c, UProperty property) {
  return u_hasBinaryProperty(static_cast<UChar32>(c), property) != 0;
}

// What is shown as an emoji of itself, or because the variation selector 16 says so (UTS #51).
bool HasEmoji(std::string_view text) {
  constexpr char32_t kAsEmoji = 0xFE0F;
  bool may_be = false;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = NextCharacter(text, at);
    if (c == kAsEmoji ? may_be : c >= 0x80 && Has(c, UCHAR_EMOJI_PRESENTATION)) return true;
    may_be = Has(c, UCHAR_EMOJI);
  }
  return false;
}

class Uax29Tokenizer final : public Tokenizer {
 public:
  explicit Uax29Tokenizer(uint64_t characters_max) : characters_max_(characters_max) {}

  void Tokenize(std::string_view text, Tokens& tokens) const override {
    uint32_t position = 0;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = NextWordBoundary(text, begin);
      const std::string_view word = text.substr(begin, end - begin);
      if (HasAlphanumeric(word) || HasEmoji(word)) Append(text, begin, end, position, tokens);
      begin = end;
    }
  }

 private:
  // A longer word as several.
  void Append(std::string_view text, size_t begin, size_t end, uint32_t& position,
              Tokens& tokens) const {
    while (begin < end) {
      size_t at = begin;
      // No character has less than a byte.
      if (end - begin <= characters_max_) {
        at = end;
      } else {
        for (uint64_t i = 0; i < characters_max_ && at < end; ++i) NextCharacter(text, at);
      }
      tokens.push_back({.text = std::string(text.substr(begin, at - begin)),
                        .begin = static_cast<uint32_t>(begin),
                        .end = static_cast<uint32_t>(at),
                        .position = position++});
      begin = at;
    }
  }

  const uint64_t characters_max_;
};

}  // namespace

TokenizerPtr MakeUax29Tokenizer(uint64_t characters_max) {
  return std::make_unique<Uax29Tokenizer>(characters_max);
}

}  // namespace elanus::text
