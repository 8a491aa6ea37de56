// Word boundaries: the published test of the standard, and ICU as an oracle on texts of chance.
#include "text/tokenizer/word_break.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unicode/brkiter.h>
#include <unicode/utext.h>

#include <fstream>
#include <random>
#include <sstream>
#include <vector>

#include "text/unicode.h"

namespace elanus::text {
namespace {

std::vector<size_t> Boundaries(std::string_view text) {
  std::vector<size_t> found;
  for (size_t at = 0; at < text.size(); found.push_back(at)) at = NextWordBoundary(text, at);
  return found;
}

TEST(WordBreak, PassesTheTestOfTheStandard) {
  std::ifstream in(ELANUS_TEXT_DATA "/word_break_test.txt");
  size_t lines = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    ++lines;
    std::istringstream parts(line);
    std::string text;
    std::vector<size_t> wanted;
    for (std::string part; parts >> part;) {
      if (part == "÷") {
        if (!text.empty()) wanted.push_back(text.size());
      } else if (part != "×") {
        AppendCharacter(static_cast<char32_t>(std::stoul(part, nullptr, 16)), text);
      }
    }
    EXPECT_EQ(Boundaries(text), wanted) << line;
  }
  EXPECT_EQ(lines, 1823u);
}

TEST(WordBreak, FindsWhatIcuFinds) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> icu(
      icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), status));
  ASSERT_NE(U_SUCCESS(status), 0);
  // Several of each kind; none of the scripts that ICU has dictionaries for, and no colon, which
  // ICU takes as part of a word in Swedish and Finnish only.
  constexpr char32_t kCharacters[] = {
      'a',  'Z',  0xE9,   0x3B1,  0x5D0,  0x5EA,   '1',     '7',     0x661,   '_',    0x203F,
      ',',  ';',  0x37E,  '.',    0x2018, 0xB7,    '\'',    '"',     ' ',     0x3000, 0x2003,
      '\n', '\r', '\v',   0x85,   0x2028, 0x308,   0x301,   0x200D,  0xAD,    0x200E, '-',
      '!',  '$',  0x2764, 0xFE0F, 0x20E3, 0x1F6D1, 0x1F469, 0x1F3FD, 0x1F1E9, 0x1F1EA};
  std::mt19937 chance(7);
  std::uniform_int_distribution<size_t> which(0, std::size(kCharacters) - 1);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (int i = 0; i < 12; ++i) AppendCharacter(kCharacters[which(chance)], text);
    UText opened = UTEXT_INITIALIZER;
    utext_openUTF8(&opened, text.data(), static_cast<int64_t>(text.size()), &status);
    icu->setText(&opened, status);
    std::vector<size_t> wanted;
    icu->first();
    for (int32_t at = icu->next(); at != icu::BreakIterator::DONE; at = icu->next()) {
      wanted.push_back(static_cast<size_t>(at));
    }
    utext_close(&opened);
    ASSERT_EQ(Boundaries(text), wanted) << round << ": " << text;
  }
}

TEST(WordBreak, EndsWithTheTextWhateverItsBytes) {
  EXPECT_EQ(Boundaries(""), std::vector<size_t>());
  std::mt19937 chance(8);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 20; ++i) text += static_cast<char>(chance());
    const std::vector<size_t> found = Boundaries(text);
    EXPECT_EQ(found.back(), text.size());
  }
}

}  // namespace
}  // namespace elanus::text
