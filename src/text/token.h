// What an analyzer makes of a text: its tokens.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace elanus::text {

struct Token {
  std::string text;
  uint32_t begin = 0;     // Byte of the text that was analyzed,
  uint32_t end = 0;       // and the one past the last.
  uint32_t position = 0;  // What phrases count: words, or characters; the tokenizer says.
  uint32_t length = 1;    // In positions.
  bool operator==(const Token&) const = default;
};

using Tokens = std::vector<Token>;

}  // namespace elanus::text
