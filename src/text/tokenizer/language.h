// Tells the language of a text.
#pragma once

#include <string_view>

namespace elanus::text {

struct Language {
  std::string_view code;  // ISO 639; empty: unknown.
  double confidence = 0;  // In [0, 1].
};

/// By CLD2 (Sites 2013). Thread-safe.
Language DetectLanguage(std::string_view text);

/// The English name that analyzers' users know the language by: as the identifier "whatlang" says
/// it, or as "lingua" does. The code where there is none.
std::string_view LanguageName(std::string_view code, bool as_lingua);

}  // namespace elanus::text
