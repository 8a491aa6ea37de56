// Every set of code kernels against plain arithmetic, for every dimension and alignment.
#include "simd/code_kernels.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace elanus::simd {
namespace {

constexpr size_t kDimMax = 1100;

// Rows and query exactly as long as what may be read, so that a sanitizer sees one byte too many.
struct Sample {
  std::vector<int8_t> query;
  std::vector<uint8_t> codes;  // One a dimension.
  std::vector<uint8_t> packed;
  int64_t dot = 0;
};

Sample Draw(size_t dim, int bits, size_t shift, std::mt19937& rng) {
  const size_t blocks = CodeBlocks(dim, bits);
  const size_t block = CodeBlock(bits);
  const size_t bytes = block * static_cast<size_t>(bits) / 8;
  Sample s;
  s.query.resize(shift + blocks * block, 0);
  s.codes.resize(blocks * block, 0);
  s.packed.resize(shift + blocks * bytes, 0);
  for (size_t d = 0; d < dim; ++d) {
    // The extremes often: they are what overflows.
    const bool extreme = rng() % 4 == 0;
    s.query[shift + d] = static_cast<int8_t>(extreme ? -128 + 255 * static_cast<int>(rng() % 2)
                                                     : static_cast<int>(rng() % 256) - 128);
    s.codes[d] = static_cast<uint8_t>(extreme ? (1u << bits) - 1 : rng() % (1u << bits));
    s.dot += static_cast<int64_t>(s.codes[d]) * s.query[shift + d];
    const size_t in_block = d % block;
    const size_t byte = bits == 1 ? in_block / 8 : in_block % bytes;
    const size_t up = bits == 1 ? in_block % 8 : in_block / bytes * static_cast<size_t>(bits);
    uint8_t& at = s.packed[shift + d / block * bytes + byte];
    at = static_cast<uint8_t>(at | s.codes[d] << up);
  }
  return s;
}

CodeKernels::One OneOf(const CodeKernels& k, int bits) {
  return bits == 8 ? k.dot8 : bits == 4 ? k.dot4 : bits == 2 ? k.dot2 : k.dot1;
}
CodeKernels::Four FourOf(const CodeKernels& k, int bits) {
  return bits == 8 ? k.dot8_x4 : bits == 4 ? k.dot4_x4 : bits == 2 ? k.dot2_x4 : k.dot1_x4;
}

TEST(CodeKernels, AreExactForEveryDimensionAlignmentAndWidth) {
  const CodeKernels* all[4];
  const size_t sets = AllCodes(all);
  std::mt19937 rng(1);
  for (size_t dim = 1; dim <= kDimMax; ++dim) {
    const size_t shift = dim % 7;
    for (int bits : {8, 4, 2, 1}) {
      const Sample s = Draw(dim, bits, shift, rng);
      for (size_t i = 0; i < sets; ++i) {
        const CodeKernels& k = *all[i];
        const auto one = OneOf(k, bits);
        ASSERT_EQ(one(s.query.data() + shift, s.packed.data() + shift, CodeBlocks(dim, bits)),
                  s.dot)
            << k.name << " dim " << dim << " bits " << bits;
      }
    }
  }
}

TEST(CodeKernels, FourRowsAtOnceAreFourTimesOne) {
  const CodeKernels* all[4];
  const size_t sets = AllCodes(all);
  std::mt19937 rng(2);
  for (size_t dim : {1u, 64u, 127u, 128u, 129u, 384u, 1000u, 65536u}) {
    for (int bits : {8, 4, 2, 1}) {
      const Sample rows[4] = {Draw(dim, bits, 0, rng), Draw(dim, bits, 1, rng),
                              Draw(dim, bits, 2, rng), Draw(dim, bits, 3, rng)};
      const uint8_t* const pointers[4] = {rows[0].packed.data(), rows[1].packed.data() + 1,
                                          rows[2].packed.data() + 2, rows[3].packed.data() + 3};
      for (size_t i = 0; i < sets; ++i) {
        const CodeKernels& k = *all[i];
        int32_t got[4];
        FourOf(k, bits)(rows[0].query.data(), pointers, CodeBlocks(dim, bits), got);
        const auto one = OneOf(*all[0], bits);
        for (int r = 0; r < 4; ++r) {
          ASSERT_EQ(got[r], one(rows[0].query.data(), pointers[r], CodeBlocks(dim, bits)))
              << k.name;
        }
      }
    }
  }
}

TEST(CodeKernels, ChosenRowsAreAsManyTimesOne) {
  const CodeKernels* all[4];
  const size_t sets = AllCodes(all);
  std::mt19937 rng(3);
  for (size_t dim : {1u, 64u, 100u, 384u, 1000u}) {
    const size_t blocks = CodeBlocks(dim, 1);
    const size_t row_bytes = blocks * CodeBlock(1) / 8 + 3;
    const Sample query = Draw(dim, 1, 0, rng);
    std::vector<uint8_t> base(10 * row_bytes);
    for (uint8_t& byte : base) byte = static_cast<uint8_t>(rng());
    for (size_t count = 0; count <= 9; ++count) {
      std::vector<uint32_t> rows(count);
      for (uint32_t& row : rows) row = static_cast<uint32_t>(rng() % 10);
      for (size_t i = 0; i < sets; ++i) {
        std::vector<int32_t> sums(count);
        all[i]->dot1_rows(query.query.data(), base.data(), row_bytes, rows.data(), count, blocks,
                          sums.data());
        for (size_t r = 0; r < count; ++r) {
          ASSERT_EQ(sums[r],
                    all[0]->dot1(query.query.data(), base.data() + rows[r] * row_bytes, blocks))
              << all[i]->name << " dim " << dim;
        }
      }
    }
  }
}

}  // namespace
}  // namespace elanus::simd
