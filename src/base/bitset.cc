// Counting bits with the processor's instruction, where it has one: portable code calls a function
// for every word, and a filter of a million rows is counted by every search under it.
#include "base/bitset.h"

namespace elanus {
namespace {

size_t CountPlain(const uint64_t* words, size_t count) {
  size_t n = 0;
  for (size_t w = 0; w < count; ++w) n += static_cast<size_t>(std::popcount(words[w]));
  return n;
}

#if defined(__x86_64__)
__attribute__((target("popcnt"))) size_t CountFast(const uint64_t* words, size_t count) {
  size_t n = 0;
  for (size_t w = 0; w < count; ++w) n += static_cast<size_t>(__builtin_popcountll(words[w]));
  return n;
}
const bool kHasInstruction = (__builtin_cpu_init(), __builtin_cpu_supports("popcnt") != 0);
#else
constexpr bool kHasInstruction = false;
constexpr auto CountFast = CountPlain;
#endif

}  // namespace

size_t CountBits(const uint64_t* words, size_t count) {
  return kHasInstruction ? CountFast(words, count) : CountPlain(words, count);
}

}  // namespace elanus
