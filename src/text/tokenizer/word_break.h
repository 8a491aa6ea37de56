// Where words begin and end by Unicode's Standard Annex 29, without a dictionary.
#pragma once

#include <cstddef>
#include <string_view>

namespace elanus::text {

/// The next word boundary behind `begin`, which is one and not the end of `text`: rules WB1 to
/// WB999 of UAX #29, Unicode 15. Every Han and Hiragana character and every letter of Thai and its
/// like is a word of its own. Bytes that are no UTF-8 are characters of no kind.
size_t NextWordBoundary(std::string_view text, size_t begin);

}  // namespace elanus::text
