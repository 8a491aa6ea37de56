// The kernel of MinHash agrees with its formula.
#include "simd/min_hash_kernel.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace elanus::simd {
namespace {

uint32_t ValueAt(uint64_t factor, uint64_t offset, uint32_t x) {
  constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;
  return static_cast<uint32_t>((factor * x + offset) % kPrime);
}

TEST(LowerMinHashes, AgreesWithItsFormulaAtTheEdgesToo) {
  constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;
  std::mt19937_64 rng(7);
  for (size_t functions : {size_t{16}, size_t{48}, size_t{256}}) {
    std::vector<uint64_t> factors(functions);
    std::vector<uint64_t> offsets(functions);
    for (size_t f = 0; f < functions; ++f) {
      factors[f] = rng() % (kPrime - 1) + 1;
      offsets[f] = rng() % kPrime;
    }
    // Values that are a multiple of the prime, and just below and above.
    factors[0] = 1;
    offsets[0] = kPrime - 5;
    factors[1] = kPrime - 1;
    offsets[1] = 1;
    factors[2] = 8;
    offsets[2] = ~uint64_t{0};
    for (size_t count : {size_t{0}, size_t{1}, size_t{300}}) {
      std::vector<uint32_t> members = {5, 4, 6, 0, 1, 0xFFFFFFFF};
      while (members.size() < count) members.push_back(static_cast<uint32_t>(rng()));
      members.resize(count);
      std::vector<uint32_t> minima(functions, 0xFFFFFFFF);
      LowerMinHashes(members.data(), count, factors.data(), offsets.data(), functions,
                     minima.data());
      for (size_t f = 0; f < functions; ++f) {
        uint32_t least = 0xFFFFFFFF;
        for (uint32_t x : members) least = std::min(least, ValueAt(factors[f], offsets[f], x));
        EXPECT_EQ(minima[f], least) << f << " of " << functions << " over " << count;
      }
    }
  }
}

}  // namespace
}  // namespace elanus::simd
