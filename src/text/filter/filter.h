// The later parts of an analyzer: each changes, drops or adds tokens.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/status.h"
#include "text/token.h"

namespace elanus::text {

/// Immutable; thread-safe.
class Filter {
 public:
  virtual ~Filter() = default;
  /// Changes tokens in place. Positions of dropped ones stay free.
  virtual void Apply(Tokens& tokens) const = 0;
};

using FilterPtr = std::unique_ptr<const Filter>;

FilterPtr MakeLowercase();
/// Latin letters with marks, ligatures and wide forms as ASCII. Null: ICU lacks its table.
Result<FilterPtr> MakeAsciiFolding();
/// Keeps tokens of ASCII letters and digits alone.
FilterPtr MakeAlphanumOnly();
/// Keeps tokens with a Han character.
FilterPtr MakeChineseOnly();
/// Keeps tokens with a Han character or an ASCII letter or digit.
FilterPtr MakeChineseAlphanumOnly();
/// Drops tokens with punctuation or white space.
FilterPtr MakeRemovePunctuation();
/// Digits of all scripts as 0 to 9.
FilterPtr MakeDecimalDigit();
/// Forms of alef, teh marbuta and alef maksura as one letter each, without marks and tatweel.
FilterPtr MakeArabicNormalization();
/// Drops tokens of more than `max` bytes.
FilterPtr MakeLength(uint64_t max);
/// Drops these tokens; "_english_" stands for that language's words.
FilterPtr MakeStop(std::vector<std::string> words);
/// Stems of Snowball. Errors: kSegcore (unknown language).
Result<FilterPtr> MakeStemmer(std::string language);
/// Cuts a token into words of the list where they cover it wholly.
FilterPtr MakeDecompounder(std::vector<std::string> words);
/// Keeps tokens with a match. Errors: kSegcore (bad expression).
Result<FilterPtr> MakeRegex(const std::string& expression);
/// Rows "a, b" and "a => b". Errors: kSegcore (bad row).
Result<FilterPtr> MakeSynonym(const std::vector<std::string>& rows, bool expand);

struct PinyinOptions {
  bool keep_original = true;
  bool keep_full_pinyin = true;
  bool keep_joined_full_pinyin = false;
  bool keep_separate_first_letter = false;
};
/// Adds how Chinese tokens are spoken, at the token's place.
Result<FilterPtr> MakePinyin(const PinyinOptions& options);

/// The stop words of "_language_", or null.
const std::vector<std::string>* StopWordsOf(const std::string& name);

/// A filter from its name or its object; null for an item that is neither. Errors: kSegcore,
/// kUnimplemented.
Result<FilterPtr> MakeFilter(const nlohmann::json& wanted);

}  // namespace elanus::text
