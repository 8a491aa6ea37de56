// The tokenizers that need no dictionary: standard, whitespace, char_group.
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "text/tokenizer/tokenizer.h"
#include "text/unicode.h"

namespace elanus::text {
namespace {

// Cuts where `is_separator` holds; pieces are never empty.
template <class IsSeparator>
void Split(std::string_view text, Tokens& tokens, IsSeparator is_separator) {
  uint32_t position = 0;
  size_t begin = std::string_view::npos;
  const auto close = [&](size_t end) {
    if (begin == std::string_view::npos) return;
    tokens.push_back({.text = std::string(text.substr(begin, end - begin)),
                      .begin = static_cast<uint32_t>(begin),
                      .end = static_cast<uint32_t>(end),
                      .position = position++});
    begin = std::string_view::npos;
  };
  for (size_t at = 0; at < text.size();) {
    const size_t here = at;
    if (is_separator(NextCharacter(text, at))) {
      close(here);
    } else if (begin == std::string_view::npos) {
      begin = here;
    }
  }
  close(text.size());
}

class StandardTokenizer final : public Tokenizer {
 public:
  void Tokenize(std::string_view text, Tokens& tokens) const override {
    Split(text, tokens, [](char32_t c) { return !IsAlphanumeric(c); });
  }
};

class WhitespaceTokenizer final : public Tokenizer {
 public:
  void Tokenize(std::string_view text, Tokens& tokens) const override {
    Split(text, tokens, IsAsciiSpace);
  }
};

using IsInGroup = bool (*)(char32_t c);

bool IsSymbol(char32_t c) { return (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_S_MASK) != 0; }

constexpr std::pair<std::string_view, IsInGroup> kGroups[] = {
    {"whitespace", [](char32_t c) { return u_isUWhiteSpace(static_cast<UChar32>(c)) != 0; }},
    {"letter", [](char32_t c) { return u_isUAlphabetic(static_cast<UChar32>(c)) != 0; }},
    {"digit",
     [](char32_t c) { return (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_N_MASK) != 0; }},
    {"punctuation", [](char32_t c) { return u_ispunct(static_cast<UChar32>(c)) != 0; }},
    {"symbol", IsSymbol},
    {"ascii_whitespace", IsAsciiSpace},
    {"ascii_letter", [](char32_t c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80; }},
    {"ascii_digit", [](char32_t c) { return c >= '0' && c <= '9'; }},
    {"ascii_punctuation", [](char32_t c) { return c < 0x80 && IsPunctuation(c); }},
};

class CharGroupTokenizer final : public Tokenizer {
 public:
  CharGroupTokenizer(std::array<bool, 128> ascii, std::vector<IsInGroup> groups)
      : ascii_(ascii), groups_(std::move(groups)) {}
  void Tokenize(std::string_view text, Tokens& tokens) const override {
    Split(text, tokens, [&](char32_t c) {
      if (c < 128 && ascii_[c]) return true;
      for (IsInGroup is_in : groups_) {
        if (is_in(c)) return true;
      }
      return false;
    });
  }

 private:
  std::array<bool, 128> ascii_;
  std::vector<IsInGroup> groups_;
};

}  // namespace

Result<TokenizerPtr> MakeStandardTokenizer(const nlohmann::json& params) {
  constexpr uint64_t kLongest = 1 << 20;
  uint64_t characters_max = 255;
  const auto uax29 = params.find("uax29");
  if (uax29 != params.end() && !uax29->is_boolean()) {
    return Status(ErrorCode::kSegcore, "standard tokenizer uax29 must be boolean");
  }
  const bool is_uax29 = uax29 != params.end() && uax29->get<bool>();
  if (const auto longest = params.find("max_token_length"); longest != params.end()) {
    if (!is_uax29) {
      return Status(ErrorCode::kSegcore,
                    "standard tokenizer max_token_length is for uax29 only, which is not true");
    }
    characters_max = longest->is_number_unsigned() ? longest->get<uint64_t>() : 0;
    if (characters_max < 1 || characters_max > kLongest) {
      return Error(ErrorCode::kSegcore,
                   "standard tokenizer max_token_length must be an integer of 1 to {}, got {}",
                   kLongest, longest->dump());
    }
  }
  if (is_uax29) return MakeUax29Tokenizer(characters_max);
  return TokenizerPtr(std::make_unique<StandardTokenizer>());
}
TokenizerPtr MakeWhitespaceTokenizer() { return std::make_unique<WhitespaceTokenizer>(); }

Result<TokenizerPtr> MakeCharGroupTokenizer(const nlohmann::json& params) {
  const auto found = params.find("delimiters");
  if (found == params.end() || !found->is_array()) {
    return Status(ErrorCode::kSegcore, "char_group tokenizer delimiters must be array");
  }
  std::array<bool, 128> ascii{};
  std::vector<IsInGroup> groups;
  for (const auto& item : *found) {
    if (!item.is_string()) {
      return Status(ErrorCode::kSegcore, "char_group tokenizer delimiter must be string");
    }
    const auto& name = item.get_ref<const std::string&>();
    if (name.size() == 1 && static_cast<unsigned char>(name[0]) < 128) {
      ascii[static_cast<unsigned char>(name[0])] = true;
      continue;
    }
    IsInGroup group = nullptr;
    for (const auto& [known, is_in] : kGroups) {
      if (name == known) group = is_in;
    }
    if (group == nullptr) {
      return Error(ErrorCode::kSegcore, "char_group tokenizer has an unknown delimiter: {}", name);
    }
    groups.push_back(group);
  }
  return TokenizerPtr(std::make_unique<CharGroupTokenizer>(ascii, std::move(groups)));
}

}  // namespace elanus::text
