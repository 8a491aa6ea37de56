// Tokenizers on ICU's word boundaries: icu and thai.
#include <unicode/brkiter.h>
#include <unicode/utext.h>

#include <mutex>
#include <vector>

#include "text/tokenizer/tokenizer.h"
#include "text/unicode.h"

namespace elanus::text {
namespace {

// Break iterators keep a state, so each text borrows one; as many are made as run at once.
class IteratorPool {
 public:
  explicit IteratorPool(std::unique_ptr<icu::BreakIterator> first) : model_(std::move(first)) {}

  std::unique_ptr<icu::BreakIterator> Take() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.empty()) return std::unique_ptr<icu::BreakIterator>(model_->clone());
    auto taken = std::move(idle_.back());
    idle_.pop_back();
    return taken;
  }
  void Give(std::unique_ptr<icu::BreakIterator> iterator) {
    std::lock_guard<std::mutex> lock(mutex_);
    idle_.push_back(std::move(iterator));
  }

 private:
  std::mutex mutex_;  // Guards the members below.
  std::unique_ptr<icu::BreakIterator> model_;
  std::vector<std::unique_ptr<icu::BreakIterator>> idle_;
};

class WordTokenizer final : public Tokenizer {
 public:
  WordTokenizer(std::unique_ptr<icu::BreakIterator> words, bool keeps_all)
      : words_(std::move(words)), keeps_all_(keeps_all) {}

  void Tokenize(std::string_view text, Tokens& tokens) const override {
    UErrorCode status = U_ZERO_ERROR;
    UText opened = UTEXT_INITIALIZER;
    utext_openUTF8(&opened, text.data(), static_cast<int64_t>(text.size()), &status);
    auto words = words_.Take();
    if (words != nullptr) words->setText(&opened, status);
    if (words != nullptr && U_SUCCESS(status) != 0) Walk(text, *words, tokens);
    if (words != nullptr) words_.Give(std::move(words));
    utext_close(&opened);
  }

 private:
  void Walk(std::string_view text, icu::BreakIterator& words, Tokens& tokens) const {
    uint32_t position = 0;
    int32_t begin = words.first();
    for (int32_t end = words.next(); end != icu::BreakIterator::DONE;
         begin = end, end = words.next()) {
      const std::string_view word =
          text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
      if (keeps_all_ || HasAlphanumeric(word)) {
        tokens.push_back({.text = std::string(word),
                          .begin = static_cast<uint32_t>(begin),
                          .end = static_cast<uint32_t>(end),
                          .position = position});
      }
      position += static_cast<uint32_t>(CountCharacters(word));
    }
  }

  mutable IteratorPool words_;
  const bool keeps_all_;
};

Result<TokenizerPtr> Make(const icu::Locale& locale, bool keeps_all) {
  UErrorCode status = U_ZERO_ERROR;
  std::unique_ptr<icu::BreakIterator> words(icu::BreakIterator::createWordInstance(locale, status));
  if (U_FAILURE(status) != 0 || words == nullptr) {
    return Error(ErrorCode::kSegcore, "ICU has no word boundaries: {}", u_errorName(status));
  }
  return TokenizerPtr(std::make_unique<WordTokenizer>(std::move(words), keeps_all));
}

}  // namespace

Result<TokenizerPtr> MakeIcuTokenizer() { return Make(icu::Locale::getRoot(), true); }
Result<TokenizerPtr> MakeThaiTokenizer() { return Make(icu::Locale("th"), false); }

}  // namespace elanus::text
