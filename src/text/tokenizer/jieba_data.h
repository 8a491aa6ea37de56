// The Chinese dictionary and the model of unknown words that are linked into the program.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace elanus::text {

/// Words with how often they occur, ascending by bytes. Immutable once made; thread-safe.
class WordList {
 public:
  /// A range of words that share their first bytes.
  struct Range {
    uint32_t begin;
    uint32_t end;
    bool empty() const { return begin == end; }
  };

  /// Replaces the list by these words; of equal ones the last counts.
  void Assign(std::vector<std::pair<std::string, uint32_t>> words);
  Range All() const { return {0, static_cast<uint32_t>(counts_.size())}; }
  /// The words of `range`, all of which share `depth` bytes, that go on with `bytes`.
  Range Narrow(Range range, size_t depth, std::string_view bytes) const;
  /// How often the one that is `depth` bytes long occurs; 0: there is none.
  uint32_t CountAt(Range range, size_t depth) const {
    return range.empty() || Word(range.begin).size() != depth ? 0 : counts_[range.begin];
  }
  uint32_t CountOf(std::string_view word) const {
    return CountAt(Narrow(All(), 0, word), word.size());
  }
  uint64_t total() const { return total_; }
  /// Every word with its count.
  std::vector<std::pair<std::string, uint32_t>> words() const;

 private:
  std::string_view Word(uint32_t i) const {
    return std::string_view(bytes_).substr(starts_[i], starts_[i + 1] - starts_[i]);
  }
  /// Where `text`, which is not empty, begins in by_first_; its size: nowhere.
  size_t FirstPlace(std::string_view text) const;

  std::string bytes_;
  std::vector<uint32_t> starts_ = {0};
  std::vector<uint32_t> counts_;
  // The words by their first characters, ASCII and the common block of Han; empty without words.
  // Each look-up begins there: it spares most of a binary search through all words.
  std::vector<Range> by_first_;
  uint64_t total_ = 0;
};

/// States of a character in a word: Begin, End, Middle, Single.
enum WordState : uint8_t { kBegin, kEnd, kMiddle, kSingle, kStates };

/// Logarithms of probabilities.
struct WordModel {
  std::array<float, kStates> start;
  std::array<std::array<float, kStates>, kStates> step;  // From, to.
  std::array<std::unordered_map<char32_t, float>, kStates> emit;
};

/// Unpacked at the first call.
const WordList& DefaultWords();
const WordModel& DefaultWordModel();

}  // namespace elanus::text
