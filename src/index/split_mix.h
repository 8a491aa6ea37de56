// Numbers that look random, drawn from a place and not from a sequence: what is built with them
// does not depend on the number of threads.
#pragma once

#include <cstdint>

namespace elanus::index {

/// splitmix64 (Steele, Lea and Flood 2014).
constexpr uint64_t SplitMix(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

}  // namespace elanus::index
