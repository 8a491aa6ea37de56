// Filters that look at the characters of a token, or change them one by one.
#include <unicode/translit.h>

#include "text/filter/filter.h"
#include "text/unicode.h"

namespace elanus::text {
namespace {

// Keeps the tokens that `keeps(text)` says.
template <class Keeps>
class KeepFilter final : public Filter {
 public:
  explicit KeepFilter(Keeps keeps) : keeps_(std::move(keeps)) {}
  void Apply(Tokens& tokens) const override {
    std::erase_if(tokens, [&](const Token& token) { return !keeps_(token.text); });
  }

 private:
  const Keeps keeps_;
};

template <class Keeps>
FilterPtr Keep(Keeps keeps) {
  return std::make_unique<KeepFilter<Keeps>>(std::move(keeps));
}

// Rewrites tokens that have characters beyond ASCII, by `append(character, text)`.
template <class Append>
class MapFilter final : public Filter {
 public:
  explicit MapFilter(Append append) : append_(append) {}
  void Apply(Tokens& tokens) const override {
    std::string mapped;
    for (Token& token : tokens) {
      if (IsAscii(token.text)) continue;
      mapped.clear();
      for (size_t at = 0; at < token.text.size();) {
        append_(NextCharacter(token.text, at), mapped);
      }
      token.text = mapped;
    }
  }

 private:
  const Append append_;
};

template <class Append>
FilterPtr Map(Append append) {
  return std::make_unique<MapFilter<Append>>(append);
}

template <class Test>
bool AnyCharacter(std::string_view text, Test test) {
  for (size_t at = 0; at < text.size();) {
    if (test(NextCharacter(text, at))) return true;
  }
  return false;
}

bool IsAsciiWord(char32_t c) { return c < 0x80 && IsAlphanumeric(c); }

class Lowercase final : public Filter {
 public:
  void Apply(Tokens& tokens) const override {
    std::string lower;
    for (Token& token : tokens) {
      bool is_ascii = true;
      for (char& c : token.text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
        is_ascii = is_ascii && static_cast<unsigned char>(c) < 0x80;
      }
      if (is_ascii) continue;
      lower.clear();
      for (size_t at = 0; at < token.text.size();)
        AppendLower(NextCharacter(token.text, at), lower);
      token.text = lower;
    }
  }
};

// By ICU's rules, of which those for the usual blocks of Latin letters, whatever stands beside
// them, are looked up: the rules themselves take a hundred times as long.
class AsciiFolding final : public Filter {
 public:
  explicit AsciiFolding(std::unique_ptr<icu::Transliterator> latin) : latin_(std::move(latin)) {
    for (char32_t c = kTableBegin; c < kTableEnd; ++c) {
      std::string letter;
      AppendCharacter(c, letter);
      table_.push_back(ByRules(letter));
    }
  }
  void Apply(Tokens& tokens) const override {
    std::string folded;
    for (Token& token : tokens) {
      if (IsAscii(token.text)) continue;
      folded.clear();
      bool needs_rules = false;
      for (size_t at = 0; at < token.text.size();) {
        char32_t c = NextCharacter(token.text, at);
        const bool is_wide = c >= 0xFF01 && c <= 0xFF5E;
        if (is_wide) c -= 0xFEE0;
        const bool is_known = c >= kTableBegin && c < kTableEnd;
        needs_rules = needs_rules || (c >= 0x80 && !is_known);
        if (is_known && !needs_rules) {
          folded += table_[c - kTableBegin];
        } else {
          AppendCharacter(c, folded);
        }
      }
      token.text = needs_rules ? ByRules(folded) : folded;
    }
  }

 private:
  // Latin-1 Supplement, Latin Extended-A and -B.
  static constexpr char32_t kTableBegin = 0x80;
  static constexpr char32_t kTableEnd = 0x250;

  std::string ByRules(const std::string& text) const {
    icu::UnicodeString unicode = icu::UnicodeString::fromUTF8(text);
    latin_->transliterate(unicode);
    std::string folded;
    unicode.toUTF8String(folded);
    return folded;
  }

  const std::unique_ptr<icu::Transliterator> latin_;
  std::vector<std::string> table_;
};

void AppendArabic(char32_t c, std::string& to) {
  const bool is_mark = (c >= 0x64B && c <= 0x65F) || c == 0x640;
  if (is_mark) return;
  if (c == 0x622 || c == 0x623 || c == 0x625 || c == 0x671) c = 0x627;
  if (c == 0x629) c = 0x647;
  if (c == 0x649) c = 0x64A;
  AppendCharacter(c, to);
}

}  // namespace

FilterPtr MakeLowercase() { return std::make_unique<Lowercase>(); }

Result<FilterPtr> MakeAsciiFolding() {
  UErrorCode status = U_ZERO_ERROR;
  std::unique_ptr<icu::Transliterator> latin(
      icu::Transliterator::createInstance("Latin-ASCII", UTRANS_FORWARD, status));
  if (U_FAILURE(status) != 0 || latin == nullptr) {
    return Error(ErrorCode::kSegcore, "ICU has no table Latin-ASCII: {}", u_errorName(status));
  }
  return FilterPtr(std::make_unique<AsciiFolding>(std::move(latin)));
}

FilterPtr MakeAlphanumOnly() {
  return Keep([](std::string_view text) {
    return !AnyCharacter(text, [](char32_t c) { return !IsAsciiWord(c); });
  });
}
FilterPtr MakeChineseOnly() {
  return Keep([](std::string_view text) { return AnyCharacter(text, IsHan); });
}
FilterPtr MakeChineseAlphanumOnly() {
  return Keep([](std::string_view text) {
    return AnyCharacter(text, [](char32_t c) { return IsAsciiWord(c) || IsHan(c); });
  });
}
FilterPtr MakeRemovePunctuation() {
  return Keep([](std::string_view text) {
    return !AnyCharacter(text, [](char32_t c) {
      return IsPunctuation(c) || u_isUWhiteSpace(static_cast<UChar32>(c)) != 0;
    });
  });
}

FilterPtr MakeDecimalDigit() {
  return Map([](char32_t c, std::string& to) {
    const bool is_digit = u_charType(static_cast<UChar32>(c)) == U_DECIMAL_DIGIT_NUMBER;
    const int32_t value = is_digit ? u_charDigitValue(static_cast<UChar32>(c)) : -1;
    AppendCharacter(value >= 0 ? static_cast<char32_t>('0' + value) : c, to);
  });
}
FilterPtr MakeArabicNormalization() { return Map(AppendArabic); }

FilterPtr MakeLength(uint64_t max) {
  return Keep([max](std::string_view text) { return text.size() <= max; });
}

}  // namespace elanus::text
