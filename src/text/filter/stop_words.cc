// The stop words of languages: stop_words.txt, linked in; a line "_language_" and then its words.
#include <cstddef>
#include <map>
#include <string_view>

#include "text/filter/filter.h"

// NOLINTBEGIN(hicpp-no-assembler): the way to link a file in that costs no compile time.
asm(R"(
  .section .rodata
  .global elanus_stop_words
  .global elanus_stop_words_end
elanus_stop_words:
  .incbin ")" ELANUS_TEXT_DATA R"(/stop_words.txt"
elanus_stop_words_end:
  .byte 0
  .previous
)");
// NOLINTEND(hicpp-no-assembler)

extern "C" {
extern const char elanus_stop_words[];
extern const char elanus_stop_words_end[];
}

namespace elanus::text {
namespace {

using WordLists = std::map<std::string, std::vector<std::string>>;

WordLists ReadLists() {
  WordLists lists;
  std::string_view rest(elanus_stop_words,
                        static_cast<size_t>(elanus_stop_words_end - elanus_stop_words));
  std::vector<std::string>* list = nullptr;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '_') {
      list = &lists[std::string(line)];
    } else if (list != nullptr) {
      list->emplace_back(line);
    }
  }
  return lists;
}

}  // namespace

const std::vector<std::string>* StopWordsOf(const std::string& name) {
  static const WordLists kLists = ReadLists();
  const auto found = kLists.find(name);
  return found == kLists.end() ? nullptr : &found->second;
}

}  // namespace elanus::text
