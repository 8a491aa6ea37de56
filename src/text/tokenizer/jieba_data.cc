// Unpacks the linked-in files that scripts/pack_text_data.py wrote.
//
// jieba.words: of each word, ascending: u8 bytes shared with the one before, u8 length of the rest,
// the rest, varint count. jieba.model: float32 start of each state, float32 steps from each to
// each, of each state u32 count and that many (u32 character, float32).
#include "text/tokenizer/jieba_data.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/partition_point.h"

// NOLINTBEGIN(hicpp-no-assembler): the way to link a file in that costs no compile time.
asm(R"(
  .section .rodata
  .global elanus_jieba_words
  .global elanus_jieba_words_end
  .global elanus_jieba_model
  .balign 8
elanus_jieba_words:
  .incbin ")" ELANUS_TEXT_DATA R"(/jieba.words"
elanus_jieba_words_end:
  .byte 0
  .balign 8
elanus_jieba_model:
  .incbin ")" ELANUS_TEXT_DATA R"(/jieba.model"
  .byte 0
  .previous
)");
// NOLINTEND(hicpp-no-assembler)

extern "C" {
extern const unsigned char elanus_jieba_words[];
extern const unsigned char elanus_jieba_words_end[];
extern const unsigned char elanus_jieba_model[];
}

namespace elanus::text {
namespace {

std::vector<std::pair<std::string, uint32_t>> UnpackWords() {
  std::vector<std::pair<std::string, uint32_t>> words;
  std::string word;
  for (const unsigned char* at = elanus_jieba_words; at < elanus_jieba_words_end;) {
    const size_t shared = *at++;
    const size_t more = *at++;
    CHECK(shared <= word.size());
    word.resize(shared);
    word.append(reinterpret_cast<const char*>(at), more);
    at += more;
    uint32_t count = 0;
    for (int shift = 0;; shift += 7) {
      const unsigned char byte = *at++;
      count |= uint32_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) break;
    }
    words.emplace_back(word, count);
  }
  return words;
}

template <class T>
T Take(const unsigned char*& at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  at += sizeof(value);
  return value;
}

}  // namespace

constexpr uint32_t kAscii = 0x80;
constexpr uint32_t kHanBegin = 0x4E00;
constexpr uint32_t kHanEnd = 0xA000;
constexpr size_t kFirstPlaces = kAscii + (kHanEnd - kHanBegin);

// The bytes of a character that by_first_ knows.
size_t FirstBytes(size_t place) { return place < kAscii ? 1 : 3; }

size_t WordList::FirstPlace(std::string_view text) const {
  if (by_first_.empty()) return 0;
  const auto byte = [&](size_t i) { return uint32_t{static_cast<unsigned char>(text[i])}; };
  if (byte(0) < kAscii) return byte(0);
  if (text.size() < 3 || byte(0) < 0xE4 || byte(0) > 0xE9) return by_first_.size();
  const uint32_t c = (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  return c < kHanBegin || c >= kHanEnd ? by_first_.size() : kAscii + (c - kHanBegin);
}

void WordList::Assign(std::vector<std::pair<std::string, uint32_t>> words) {
  std::stable_sort(words.begin(), words.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  bytes_.clear();
  starts_ = {0};
  counts_.clear();
  by_first_.clear();
  total_ = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].first.empty()) continue;
    if (i + 1 < words.size() && words[i + 1].first == words[i].first) continue;
    bytes_ += words[i].first;
    starts_.push_back(static_cast<uint32_t>(bytes_.size()));
    counts_.push_back(words[i].second);
    total_ += words[i].second;
  }
  if (counts_.empty()) return;
  by_first_.assign(kFirstPlaces, {0, 0});
  for (uint32_t i = 0; i < counts_.size(); ++i) {
    const size_t place = FirstPlace(Word(i));
    if (place == by_first_.size()) continue;
    Range& range = by_first_[place];
    if (range.empty()) range.begin = i;
    range.end = i + 1;
  }
}

WordList::Range WordList::Narrow(Range range, size_t depth, std::string_view bytes) const {
  if (depth == 0 && range.end == counts_.size() && range.begin == 0 && !bytes.empty()) {
    const size_t place = FirstPlace(bytes);
    if (place < by_first_.size()) {
      range = by_first_[place];
      if (range.empty() || bytes.size() == FirstBytes(place)) return range;
    }
  }
  const auto part = [&](uint32_t i) {
    const std::string_view word = Word(i);
    return word.size() <= depth ? std::string_view() : word.substr(depth, bytes.size());
  };
  const auto find = [&](uint32_t low, uint32_t high, bool after) {
    return PartitionPoint(low, high, [&](uint32_t i) {
      const int order = part(i).compare(bytes);
      return after ? order <= 0 : order < 0;
    });
  };
  const uint32_t begin = find(range.begin, range.end, false);
  // Few words share a beginning, so the end is near.
  uint32_t step = 1;
  uint32_t near = begin;
  while (near + step < range.end && part(near + step) <= bytes) {
    near += step;
    step *= 2;
  }
  return {begin, find(near, std::min(range.end, near + step), true)};
}

std::vector<std::pair<std::string, uint32_t>> WordList::words() const {
  std::vector<std::pair<std::string, uint32_t>> words;
  for (uint32_t i = 0; i < counts_.size(); ++i) words.emplace_back(Word(i), counts_[i]);
  return words;
}

const WordList& DefaultWords() {
  static const WordList kWords = [] {
    WordList words;
    words.Assign(UnpackWords());
    return words;
  }();
  return kWords;
}

const WordModel& DefaultWordModel() {
  static const WordModel kModel = [] {
    WordModel model;
    const unsigned char* at = elanus_jieba_model;
    for (float& start : model.start) start = Take<float>(at);
    for (auto& from : model.step) {
      for (float& step : from) step = Take<float>(at);
    }
    for (auto& emit : model.emit) {
      const auto count = Take<uint32_t>(at);
      for (uint32_t i = 0; i < count; ++i) {
        const auto character = Take<uint32_t>(at);
        emit.emplace(character, Take<float>(at));
      }
    }
    return model;
  }();
  return kModel;
}

}  // namespace elanus::text
