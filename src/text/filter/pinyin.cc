// How Chinese tokens are spoken, by ICU's table of readings.
#include <unicode/translit.h>

#include "text/filter/filter.h"
#include "text/unicode.h"

namespace elanus::text {
namespace {

class Pinyin final : public Filter {
 public:
  Pinyin(std::unique_ptr<icu::Transliterator> reader, const PinyinOptions& options)
      : reader_(std::move(reader)), options_(options) {}

  void Apply(Tokens& tokens) const override {
    Tokens out;
    for (Token& token : tokens) {
      const std::vector<std::string> spoken = Spoken(token.text);
      const auto add = [&](std::string text) {
        Token other = token;
        other.text = std::move(text);
        out.push_back(std::move(other));
      };
      if (spoken.empty()) {
        out.push_back(std::move(token));
        continue;
      }
      std::string joined;
      std::string letters;
      for (const std::string& syllable : spoken) {
        if (options_.keep_full_pinyin) add(syllable);
        joined += syllable;
        letters += syllable[0];
      }
      if (options_.keep_joined_full_pinyin) add(joined);
      if (options_.keep_separate_first_letter) {
        for (char letter : letters) add(std::string(1, letter));
      }
      if (options_.keep_original) out.push_back(std::move(token));
    }
    tokens = std::move(out);
  }

 private:
  // One syllable for each Han character.
  std::vector<std::string> Spoken(std::string_view text) const {
    std::vector<std::string> spoken;
    for (size_t at = 0; at < text.size();) {
      const char32_t c = NextCharacter(text, at);
      if (!IsHan(c)) continue;
      icu::UnicodeString one(static_cast<UChar32>(c));
      reader_->transliterate(one);
      std::string syllable;
      one.toUTF8String(syllable);
      if (!syllable.empty() && IsAscii(syllable)) spoken.push_back(std::move(syllable));
    }
    return spoken;
  }

  const std::unique_ptr<icu::Transliterator> reader_;
  const PinyinOptions options_;
};

}  // namespace

Result<FilterPtr> MakePinyin(const PinyinOptions& options) {
  UErrorCode status = U_ZERO_ERROR;
  std::unique_ptr<icu::Transliterator> reader(
      icu::Transliterator::createInstance("Han-Latin; Latin-ASCII", UTRANS_FORWARD, status));
  if (U_FAILURE(status) != 0 || reader == nullptr) {
    return Error(ErrorCode::kSegcore, "ICU has no table Han-Latin: {}", u_errorName(status));
  }
  return FilterPtr(std::make_unique<Pinyin>(std::move(reader), options));
}

}  // namespace elanus::text
