// Filters that know whole words: stop, stemmer, decompounder, regex.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <libstemmer.h>
#include <pcre2.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <unordered_set>

#include "text/filter/filter.h"

namespace elanus::text {
namespace {

using WordSet = std::unordered_set<std::string>;

class Stop final : public Filter {
 public:
  explicit Stop(WordSet words) : words_(std::move(words)) {}
  void Apply(Tokens& tokens) const override {
    std::erase_if(tokens, [&](const Token& token) { return words_.count(token.text) > 0; });
  }

 private:
  const WordSet words_;
};

// Stemmers keep a buffer, so each call borrows one; as many are made as run at once.
class Stemmer final : public Filter {
 public:
  explicit Stemmer(std::string language) : language_(std::move(language)) {}
  ~Stemmer() override {
    for (sb_stemmer* stemmer : idle_) sb_stemmer_delete(stemmer);
  }
  void Apply(Tokens& tokens) const override {
    sb_stemmer* stemmer = Take();
    for (Token& token : tokens) {
      const auto* stem =
          sb_stemmer_stem(stemmer, reinterpret_cast<const sb_symbol*>(token.text.data()),
                          static_cast<int>(token.text.size()));
      if (stem == nullptr) continue;  // Out of memory: the word as it is.
      const auto length = static_cast<size_t>(sb_stemmer_length(stemmer));
      token.text.assign(reinterpret_cast<const char*>(stem), length);
    }
    std::lock_guard<std::mutex> lock(mutex_);
    idle_.push_back(stemmer);
  }

 private:
  sb_stemmer* Take() const {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!idle_.empty()) {
        sb_stemmer* stemmer = idle_.back();
        idle_.pop_back();
        return stemmer;
      }
    }
    return sb_stemmer_new(language_.c_str(), nullptr);
  }

  const std::string language_;
  mutable std::mutex mutex_;  // Guards `idle_`.
  mutable std::vector<sb_stemmer*> idle_;
};

class Decompounder final : public Filter {
 public:
  explicit Decompounder(std::set<std::string, std::less<>> words) : words_(std::move(words)) {
    for (const std::string& word : words_) longest_ = std::max(longest_, word.size());
  }
  void Apply(Tokens& tokens) const override {
    Tokens out;
    std::vector<std::string_view> parts;
    for (Token& token : tokens) {
      if (!Cover(token.text, parts)) {
        out.push_back(std::move(token));
        continue;
      }
      for (std::string_view part : parts) {
        Token piece = token;
        piece.text = part;
        out.push_back(std::move(piece));
      }
    }
    tokens = std::move(out);
  }

 private:
  // The longest word at each place, one behind the other.
  bool Cover(std::string_view text, std::vector<std::string_view>& parts) const {
    parts.clear();
    for (size_t at = 0; at < text.size(); at += parts.back().size()) {
      size_t length = std::min(longest_, text.size() - at);
      while (length > 0 && words_.find(text.substr(at, length)) == words_.end()) --length;
      if (length == 0) return false;
      parts.push_back(text.substr(at, length));
    }
    return !parts.empty();
  }

  const std::set<std::string, std::less<>> words_;
  size_t longest_ = 0;
};

class Regex final : public Filter {
 public:
  explicit Regex(pcre2_code* code) : code_(code) {}
  ~Regex() override { pcre2_code_free(code_); }
  void Apply(Tokens& tokens) const override {
    pcre2_match_data* match = pcre2_match_data_create(1, nullptr);
    pcre2_match_context* limits = pcre2_match_context_create(nullptr);
    pcre2_set_match_limit(limits, kStepsMax);
    std::erase_if(tokens, [&](const Token& token) {
      const int found = pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(token.text.data()),
                                    token.text.size(), 0, 0, match, limits);
      return found < 0;
    });
    pcre2_match_context_free(limits);
    pcre2_match_data_free(match);
  }

 private:
  static constexpr uint32_t kStepsMax = 100'000;  // A token that takes more has no match.
  pcre2_code* const code_;
};

bool IsLanguage(const std::string& name) {
  static constexpr std::string_view kLanguages[] = {
      "arabic",   "danish",  "dutch",     "english", "finnish",   "french",
      "german",   "greek",   "hungarian", "italian", "norwegian", "portuguese",
      "romanian", "russian", "spanish",   "swedish", "tamil",     "turkish"};
  return std::find(std::begin(kLanguages), std::end(kLanguages), name) != std::end(kLanguages);
}

}  // namespace

FilterPtr MakeStop(std::vector<std::string> words) {
  WordSet set;
  for (std::string& word : words) {
    const std::vector<std::string>* list = StopWordsOf(word);
    if (list != nullptr)
      set.insert(list->begin(), list->end());
    else
      set.insert(std::move(word));
  }
  return std::make_unique<Stop>(std::move(set));
}

Result<FilterPtr> MakeStemmer(std::string language) {
  for (char& c : language) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  sb_stemmer* first = IsLanguage(language) ? sb_stemmer_new(language.c_str(), nullptr) : nullptr;
  if (first == nullptr) {
    return Error(ErrorCode::kSegcore, "create stemmer failed : unsupport language: {}", language);
  }
  sb_stemmer_delete(first);
  return FilterPtr(std::make_unique<Stemmer>(std::move(language)));
}

FilterPtr MakeDecompounder(std::vector<std::string> words) {
  std::set<std::string, std::less<>> set;
  for (std::string& word : words) {
    if (!word.empty()) set.insert(std::move(word));
  }
  return std::make_unique<Decompounder>(std::move(set));
}

Result<FilterPtr> MakeRegex(const std::string& expression) {
  int code = 0;
  PCRE2_SIZE at = 0;
  pcre2_code* compiled =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                    PCRE2_UTF | PCRE2_UCP, &code, &at, nullptr);
  if (compiled == nullptr) {
    char text[256] = {};
    pcre2_get_error_message(code, reinterpret_cast<PCRE2_UCHAR*>(text), sizeof(text));
    return Error(ErrorCode::kSegcore, "regex expression invalid, at {}: {}", at, text);
  }
  return FilterPtr(std::make_unique<Regex>(compiled));
}

}  // namespace elanus::text
