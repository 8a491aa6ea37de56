// Counting and listing bits with the processor's instructions, where it has them: portable code
// calls a function for every word, and every search under a filter of a million rows counts them.
#include "base/bitset.h"

namespace elanus {
namespace {

size_t CountPlain(const uint64_t* words, size_t count) {
  size_t n = 0;
  for (size_t w = 0; w < count; ++w) n += static_cast<size_t>(std::popcount(words[w]));
  return n;
}

constexpr size_t kAtOnce = 4;  // Places written without a look at how many there are.
static_assert(kListBitsRoom == 64 + kAtOnce);

// kAtOnce places at a time, of which the last ones may be of no bit.
__attribute__((always_inline)) inline size_t ListWord(uint64_t word, size_t count, uint32_t base,
                                                      uint32_t* places) {
  const auto one = [&](size_t at) {
    places[at] = base + static_cast<uint32_t>(std::countr_zero(word));
    word &= word - 1;
  };
  for (size_t written = 0; written < count; written += kAtOnce) {
    one(written);
    one(written + 1);
    one(written + 2);
    one(written + 3);
  }
  return count;
}

__attribute__((always_inline)) inline size_t ListWith(BitsetView bits, size_t& next,
                                                      uint32_t* places, size_t room) {
  const size_t words = bits.word_count();
  const uint64_t* at = bits.words;
  size_t kept = 0;
  size_t w = next;
  for (; w < words && kept + kListBitsRoom <= room; ++w) {
    if (at[w] == 0) continue;
    kept += ListWord(at[w], static_cast<size_t>(std::popcount(at[w])),
                     static_cast<uint32_t>(w * 64), places + kept);
  }
  next = w;
  return kept;
}

size_t ListPlain(BitsetView bits, size_t& next, uint32_t* places, size_t room) {
  return ListWith(bits, next, places, room);
}

#if defined(__x86_64__)
__attribute__((target("popcnt"))) size_t CountFast(const uint64_t* words, size_t count) {
  size_t n = 0;
  for (size_t w = 0; w < count; ++w) n += static_cast<size_t>(__builtin_popcountll(words[w]));
  return n;
}
__attribute__((target("popcnt,bmi"))) size_t ListFast(BitsetView bits, size_t& next,
                                                      uint32_t* places, size_t room) {
  return ListWith(bits, next, places, room);
}
const bool kHasInstruction = (__builtin_cpu_init(), __builtin_cpu_supports("popcnt") != 0);
const bool kHasListing = kHasInstruction && __builtin_cpu_supports("bmi") != 0;
#else
constexpr bool kHasInstruction = false;
constexpr bool kHasListing = false;
constexpr auto CountFast = CountPlain;
constexpr auto ListFast = ListPlain;
#endif

}  // namespace

size_t CountBits(const uint64_t* words, size_t count) {
  return kHasInstruction ? CountFast(words, count) : CountPlain(words, count);
}

size_t ListBits(BitsetView bits, size_t& next, uint32_t* places, size_t room) {
  return kHasListing ? ListFast(bits, next, places, room) : ListPlain(bits, next, places, room);
}

}  // namespace elanus
