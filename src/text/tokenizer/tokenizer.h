// The first part of an analyzer: cuts a text into tokens.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "text/token.h"

namespace elanus::text {

/// Immutable; thread-safe.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  /// Appends the tokens of `text`.
  virtual void Tokenize(std::string_view text, Tokens& tokens) const = 0;
};

using TokenizerPtr = std::unique_ptr<const Tokenizer>;

/// Maximal runs of letters and numbers of any script; positions count tokens. {"uax29": true}:
/// words and emoji between the boundaries of Unicode's Standard Annex 29, those of more than
/// {"max_token_length": 255} characters cut into several.
Result<TokenizerPtr> MakeStandardTokenizer(const nlohmann::json& params);
/// The latter.
TokenizerPtr MakeUax29Tokenizer(uint64_t characters_max);
/// What ASCII white space separates.
TokenizerPtr MakeWhitespaceTokenizer();
/// Words as ICU finds them, spaces and punctuation too; positions count characters.
Result<TokenizerPtr> MakeIcuTokenizer();
/// Thai words, without what has no letter or number; positions count characters.
Result<TokenizerPtr> MakeThaiTokenizer();
/// What lies between listed characters and groups of characters: {"delimiters": [...]}.
Result<TokenizerPtr> MakeCharGroupTokenizer(const nlohmann::json& params);
/// Chinese words: {"mode": "search" | "exact", "hmm": bool, "dict": [...], "extra_dict_file": a
/// file}. Positions count characters; in search mode words are also cut into the shorter ones they
/// hold.
Result<TokenizerPtr> MakeJiebaTokenizer(const nlohmann::json& params);

/// Leaves each text to the analyzer of its language: {"identifier": "whatlang" | "lingua" |
/// {"type": "whatlang", "confidence": 0.5}, "analyzers": {"default": {...}, "English": {...}},
/// "mapping": {"French": "English"}}.
Result<TokenizerPtr> MakeLanguageIdentifier(const nlohmann::json& params);
/// Words of Japanese, Korean and others by a dictionary in MeCab's format: {"dict_kind": "ipadic",
/// "mode": "normal" | "decompose", "filter": [...], "user_dict": a file}. Positions count words.
Result<TokenizerPtr> MakeLinderaTokenizer(const nlohmann::json& params);

/// A tokenizer from its name or its object. Errors: kSegcore, kUnimplemented.
Result<TokenizerPtr> MakeTokenizer(const nlohmann::json& wanted);

}  // namespace elanus::text
