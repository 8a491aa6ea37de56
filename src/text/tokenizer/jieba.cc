// Chinese words: the most probable path through the graph of dictionary words, and a hidden Markov
// model for what the dictionary does not know.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "text/file_param.h"
#include "text/tokenizer/jieba_data.h"
#include "text/tokenizer/tokenizer.h"
#include "text/unicode.h"

namespace elanus::text {
namespace {

constexpr float kNever = -3.14e30f;

// A character of the text with its place.
struct Place {
  char32_t character;
  uint32_t begin;
  uint32_t end;
};

bool IsAsciiWord(char32_t c) { return c < 0x80 && IsAlphanumeric(c); }
// What belongs to a block that the graph is made of.
bool IsBlock(char32_t c) {
  return IsAsciiWord(c) || IsHan(c) || (c < 0x80 && c != 0 && std::strchr("+#&._%-", char(c)));
}

/// One text: its characters and the words found so far, as ranges of characters.
class Cutter {
 public:
  Cutter(const WordList& words, bool has_model, bool is_search, std::string_view text)
      : words_(words), has_model_(has_model), is_search_(is_search), text_(text) {
    for (size_t at = 0; at < text.size();) {
      const auto begin = static_cast<uint32_t>(at);
      const char32_t c = NextCharacter(text, at);
      places_.push_back({c, begin, static_cast<uint32_t>(at)});
    }
  }

  void Run(Tokens& tokens) {
    for (size_t i = 0; i < places_.size();) {
      size_t end = i;
      while (end < places_.size() && IsBlock(places_[end].character)) ++end;
      if (end == i) {
        found_.emplace_back(i, i + 1);  // Spaces, punctuation and other scripts, one by one.
        ++i;
        continue;
      }
      Block(i, end);
      i = end;
    }
    for (const auto& [begin, end] : found_) Emit(begin, end, tokens);
  }

 private:
  std::string_view Bytes(size_t begin, size_t end) const {
    return text_.substr(places_[begin].begin, places_[end - 1].end - places_[begin].begin);
  }

  // The most probable words of a block, from its end backwards.
  void Block(size_t begin, size_t end) {
    const size_t count = end - begin;
    const double total = std::log(std::max<double>(1, static_cast<double>(words_.total())));
    std::vector<double> best(count + 1, 0.0);
    std::vector<size_t> next(count, 0);
    for (size_t i = count; i-- > 0;) {
      const size_t from = begin + i;
      // One character is always a word.
      best[i] = -std::numeric_limits<double>::infinity();
      WordList::Range range = words_.All();
      size_t depth = 0;
      for (size_t to = from; to < end; ++to) {
        const std::string_view more = Bytes(to, to + 1);
        range = words_.Narrow(range, depth, more);
        depth += more.size();
        const uint32_t occurs = words_.CountAt(range, depth);
        if (occurs > 0 || to == from) {
          const double score = std::log(std::max<double>(1, occurs)) - total + best[to + 1 - begin];
          if (score >= best[i]) {
            best[i] = score;
            next[i] = to + 1 - begin;
          }
        }
        if (range.empty()) break;
      }
    }
    Walk(begin, count, next);
  }

  // Words of the path; single characters between them are collected, and cut anew.
  void Walk(size_t begin, size_t count, const std::vector<size_t>& next) {
    size_t pending = 0;  // Where the single characters begin.
    for (size_t i = 0; i < count; i = next[i]) {
      const bool is_single =
          next[i] == i + 1 && (has_model_ || IsAsciiWord(places_[begin + i].character));
      if (is_single) continue;
      Singles(begin + pending, begin + i);
      found_.emplace_back(begin + i, begin + next[i]);
      pending = next[i];
    }
    Singles(begin + pending, begin + count);
  }

  void Singles(size_t begin, size_t end) {
    if (begin == end) return;
    if (!has_model_ || end - begin == 1) {
      found_.emplace_back(begin, end);  // Without the model: ASCII letters and digits in a row.
      return;
    }
    if (words_.CountOf(Bytes(begin, end)) > 0) {
      for (size_t i = begin; i < end; ++i) found_.emplace_back(i, i + 1);
      return;
    }
    for (size_t i = begin; i < end;) {
      size_t to = i;
      while (to < end && IsHan(places_[to].character)) ++to;
      if (to > i) {
        Viterbi(i, to);
      } else {
        while (to < end && !IsHan(places_[to].character)) ++to;
        Latin(i, to);
      }
      i = to;
    }
  }

  // Runs of letters and digits, with a fraction and a percent sign; what is between stays together.
  void Latin(size_t begin, size_t end) {
    const auto at = [&](size_t i) { return i < end ? places_[i].character : 0; };
    const auto is_digit = [&](size_t i) { return at(i) >= '0' && at(i) <= '9'; };
    for (size_t i = begin; i < end;) {
      size_t to = i;
      if (IsAsciiWord(at(i))) {
        while (IsAsciiWord(at(to))) ++to;
        if (at(to) == '.' && is_digit(to + 1)) {
          ++to;
          while (is_digit(to)) ++to;
        }
        if (at(to) == '%') ++to;
      } else {
        while (to < end && !IsAsciiWord(at(to))) ++to;
      }
      found_.emplace_back(i, to);
      i = to;
    }
  }

  void Viterbi(size_t begin, size_t end) {
    const WordModel& model = DefaultWordModel();
    const size_t count = end - begin;
    const auto emit = [&](size_t i, size_t state) {
      const auto found = model.emit[state].find(places_[begin + i].character);
      return found == model.emit[state].end() ? kNever : found->second;
    };
    using Row = std::array<float, kStates>;
    std::vector<Row> score(count);
    std::vector<std::array<uint8_t, kStates>> from(count);
    for (size_t s = 0; s < kStates; ++s) score[0][s] = model.start[s] + emit(0, s);
    for (size_t i = 1; i < count; ++i) {
      for (size_t s = 0; s < kStates; ++s) {
        float best = -std::numeric_limits<float>::infinity();
        for (size_t p = 0; p < kStates; ++p) {
          if (model.step[p][s] <= kNever / 2) continue;
          const float way = score[i - 1][p] + model.step[p][s];
          if (way > best) {
            best = way;
            from[i][s] = static_cast<uint8_t>(p);
          }
        }
        score[i][s] = best + emit(i, s);
      }
    }
    // A word ends with the run.
    std::vector<uint8_t> state(count);
    state[count - 1] = score[count - 1][kEnd] > score[count - 1][kSingle] ? kEnd : kSingle;
    for (size_t i = count - 1; i > 0; --i) state[i - 1] = from[i][state[i]];
    size_t word = 0;
    for (size_t i = 0; i < count; ++i) {
      if (state[i] == kBegin || state[i] == kSingle) word = i;
      if (state[i] == kEnd || state[i] == kSingle) {
        found_.emplace_back(begin + word, begin + i + 1);
        word = i + 1;
      }
    }
    if (word < count) found_.emplace_back(begin + word, end);
  }

  void Emit(size_t begin, size_t end, Tokens& tokens) const {
    if (is_search_) {
      for (size_t gram : {2, 3}) {
        if (end - begin <= gram) break;
        for (size_t i = begin; i + gram <= end; ++i) {
          if (words_.CountOf(Bytes(i, i + gram)) > 0) Push(i, i + gram, tokens);
        }
      }
    }
    Push(begin, end, tokens);
  }
  void Push(size_t begin, size_t end, Tokens& tokens) const {
    tokens.push_back({.text = std::string(Bytes(begin, end)),
                      .begin = places_[begin].begin,
                      .end = places_[end - 1].end,
                      .position = static_cast<uint32_t>(begin),
                      .length = static_cast<uint32_t>(end - begin)});
  }

  const WordList& words_;
  const bool has_model_;
  const bool is_search_;
  const std::string_view text_;
  std::vector<Place> places_;
  std::vector<std::pair<size_t, size_t>> found_;
};

class JiebaTokenizer final : public Tokenizer {
 public:
  std::optional<WordList> own_words;  // Empty: the default list.
  bool has_model = true;
  bool is_search = true;

  void Tokenize(std::string_view text, Tokens& tokens) const override {
    Cutter(own_words ? *own_words : DefaultWords(), has_model, is_search, text).Run(tokens);
  }
};

// How often a word must occur so that it wins against the words it is made of.
uint32_t CountToWin(const WordList& words, const std::string& word) {
  const double total = std::max<double>(1, static_cast<double>(words.total()));
  Tokens parts;
  Cutter(words, /*has_model=*/false, /*is_search=*/false, word).Run(parts);
  double share = 1;
  for (const Token& part : parts) {
    share *= std::max<double>(1, words.CountOf(part.text)) / total;
  }
  const double wanted = std::min(share * total + 1, 4e9);
  return std::max(static_cast<uint32_t>(wanted), words.CountOf(word));
}

// A word and how often it occurs; 0: as often as it takes to be found.
using CountedWord = std::pair<std::string, uint32_t>;

// Lines as in dictionaries of jieba: a word, and maybe how often it occurs, and maybe its part of
// speech, which nobody asks for here.
Result<std::vector<CountedWord>> WordsOfFile(const nlohmann::json& params) {
  static const std::string kKey = "extra_dict_file";
  TRY_ASSIGN(const std::vector<std::string> lines, FileLines(params, kKey));
  std::vector<CountedWord> words;
  for (const std::string& line : lines) {
    const size_t gap = line.find_first_of(" \t");
    CountedWord word(line.substr(0, gap), 0u);
    const size_t rest = gap == std::string::npos ? gap : line.find_first_not_of(" \t", gap);
    const bool has_count = rest != std::string::npos && line[rest] >= '0' && line[rest] <= '9';
    if (has_count) {
      const char* const end = line.data() + line.size();
      const auto read = std::from_chars(line.data() + rest, end, word.second);
      if (read.ec != std::errc() || (read.ptr != end && *read.ptr != ' ' && *read.ptr != '\t'))
        return Error(ErrorCode::kSegcore, "a line of {} is none of a dictionary: {}", kKey, line);
    }
    words.push_back(std::move(word));
  }
  return words;
}

// The words of the list `dict`. Takes the default ones when it names them or is not there.
Result<std::vector<CountedWord>> WordsOfList(const nlohmann::json& params, bool& has_default) {
  std::vector<CountedWord> added;
  const auto found = params.find("dict");
  has_default = found == params.end();
  if (found == params.end()) return added;
  if (!found->is_array()) {
    return Status(ErrorCode::kSegcore, "jieba tokenizer dict must be array");
  }
  for (const auto& item : *found) {
    if (!item.is_string()) {
      return Status(ErrorCode::kSegcore, "jieba tokenizer dict item must be string");
    }
    const auto& word = item.get_ref<const std::string&>();
    if (word == "_default_" || word == "_extend_default_") {
      if (has_default) {
        return Status(ErrorCode::kSegcore, "jieba tokenizer dict can only set one system dict");
      }
      has_default = true;
    } else if (!word.empty()) {
      added.emplace_back(word, 0u);
    }
  }
  return added;
}

Result<std::optional<WordList>> WordsOf(const nlohmann::json& params) {
  bool has_default = false;
  TRY_ASSIGN(std::vector<CountedWord> added, WordsOfList(params, has_default));
  TRY_ASSIGN(std::vector<CountedWord> of_file, WordsOfFile(params));
  std::move(of_file.begin(), of_file.end(), std::back_inserter(added));
  if (has_default && added.empty()) return std::optional<WordList>();
  const WordList none;
  const WordList& base = has_default ? DefaultWords() : none;
  auto words = base.words();
  for (auto& [word, given] : added) {
    const uint32_t count = given > 0 ? given : CountToWin(base, word);
    words.emplace_back(std::move(word), count);
  }
  std::optional<WordList> list(std::in_place);
  list->Assign(std::move(words));
  return list;
}

}  // namespace

Result<TokenizerPtr> MakeJiebaTokenizer(const nlohmann::json& params) {
  auto tokenizer = std::make_unique<JiebaTokenizer>();
  if (const auto mode = params.find("mode"); mode != params.end()) {
    if (!mode->is_string()) {
      return Status(ErrorCode::kSegcore, "jieba tokenizer mode must be string");
    }
    if (*mode != "search" && *mode != "exact") {
      return Status(ErrorCode::kSegcore, R"(jieba tokenizer mode must be "exact" or "search")");
    }
    tokenizer->is_search = *mode == "search";
  }
  if (const auto hmm = params.find("hmm"); hmm != params.end()) {
    if (!hmm->is_boolean()) {
      return Status(ErrorCode::kSegcore, "jieba tokenizer hmm must be boolean");
    }
    tokenizer->has_model = hmm->get<bool>();
  }
  TRY_ASSIGN(tokenizer->own_words, WordsOf(params));
  return TokenizerPtr(std::move(tokenizer));
}

}  // namespace elanus::text
