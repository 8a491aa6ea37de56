// Every set of bit kernels against a loop over bits, for every length and alignment.
#include "simd/binary_kernels.h"

#include <gtest/gtest.h>

#include <sys/mman.h>

#include <memory>
#include <random>
#include <vector>

namespace elanus::simd {
namespace {

constexpr size_t kBytesMax = 256;
constexpr size_t kPage = 4096;

// Memory that ends where the process may read no further: a byte too many ends the test.
class Fenced {
 public:
  Fenced()
      : base_(static_cast<uint8_t*>(::mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    EXPECT_NE(base_, MAP_FAILED);
    EXPECT_EQ(::mprotect(base_ + kPage, kPage, PROT_NONE), 0);
  }
  ~Fenced() { ::munmap(base_, 2 * kPage); }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;
  // Random bytes that end `shift` bytes before the fence.
  uint8_t* Draw(size_t bytes, size_t shift, std::mt19937& rng) {
    uint8_t* at = base_ + kPage - shift - bytes;
    // Full and empty bytes often: they are what overflows.
    for (size_t i = 0; i < bytes; ++i) {
      at[i] = static_cast<uint8_t>(rng() % 4 == 0 ? 255 * (rng() % 2) : rng() % 256);
    }
    return at;
  }

 private:
  uint8_t* base_;
};

uint32_t CountBits(const uint8_t* a, const uint8_t* b, size_t bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < 8 * bytes; ++i) {
    const bool in_a = (a[i / 8] >> (i % 8) & 1) != 0;
    const bool in_b = b != nullptr && (b[i / 8] >> (i % 8) & 1) != 0;
    sum += in_a != in_b ? 1 : 0;
  }
  return sum;
}

TEST(BinaryKernels, AreExactForEveryLengthAndAlignmentAndReadNothingBehind) {
  const BinaryKernels* all[4];
  const size_t sets = AllBinary(all);
  std::mt19937 rng(1);
  Fenced query_memory;
  Fenced row_memory[4];
  for (size_t bytes = 0; bytes <= kBytesMax; ++bytes) {
    for (size_t shift : {size_t{0}, size_t{1}, 1 + bytes % 63}) {
      const uint8_t* query = query_memory.Draw(bytes, shift, rng);
      const uint8_t* rows[4];
      for (size_t r = 0; r < 4; ++r)
        rows[r] = row_memory[r].Draw(bytes, (shift * (r + 1)) % 64, rng);
      for (size_t i = 0; i < sets; ++i) {
        const BinaryKernels& k = *all[i];
        uint32_t four[4];
        k.differ_x4(query, rows, bytes, four);
        for (size_t r = 0; r < 4; ++r) {
          const uint32_t want = CountBits(query, rows[r], bytes);
          ASSERT_EQ(four[r], want) << k.name << " bytes " << bytes << " shift " << shift;
          ASSERT_EQ(k.differ(query, rows[r], bytes), want) << k.name << " bytes " << bytes;
        }
        ASSERT_EQ(k.ones(query, bytes), CountBits(query, nullptr, bytes)) << k.name;
      }
    }
  }
}

TEST(BinaryKernels, CountRowsThatLieOneAfterTheOther) {
  const BinaryKernels* all[4];
  const size_t sets = AllBinary(all);
  std::mt19937 rng(2);
  Fenced query_memory;
  Fenced row_memory;
  for (size_t bytes = 1; bytes <= kBytesMax; ++bytes) {
    for (size_t count = 0; count <= 9; ++count) {
      const uint8_t* query = query_memory.Draw(bytes, 0, rng);
      const uint8_t* rows = row_memory.Draw(count * bytes, 0, rng);
      for (size_t i = 0; i < sets; ++i) {
        std::vector<uint32_t> got(count + 1, 77);
        all[i]->differ_rows(query, rows, count, bytes, got.data());
        for (size_t r = 0; r < count; ++r) {
          ASSERT_EQ(got[r], CountBits(query, rows + r * bytes, bytes)) << all[i]->name;
        }
        ASSERT_EQ(got[count], 77u) << all[i]->name;
      }
    }
  }
}

TEST(BinaryKernels, CountTheLongestRowsWithoutOverflow) {
  constexpr size_t kBytes = 32768 + 5;  // Dimension 262,144 and an odd end.
  const std::vector<uint8_t> ones(kBytes, 255);
  const std::vector<uint8_t> zeros(kBytes, 0);
  const BinaryKernels* all[4];
  const size_t sets = AllBinary(all);
  for (size_t i = 0; i < sets; ++i) {
    EXPECT_EQ(all[i]->differ(ones.data(), zeros.data(), kBytes), 8 * kBytes) << all[i]->name;
    EXPECT_EQ(all[i]->differ(ones.data(), ones.data(), kBytes), 0u) << all[i]->name;
    EXPECT_EQ(all[i]->ones(ones.data(), kBytes), 8 * kBytes) << all[i]->name;
  }
}

}  // namespace
}  // namespace elanus::simd
