// What the tests of sparse search share: made rows and room for hits.
#pragma once

#include <bit>
#include <map>
#include <random>
#include <string_view>
#include <vector>

#include "index/sparse/sparse_block.h"
#include "index/vector_index.h"

namespace elanus::index {

using Vector = std::map<uint32_t, float>;

struct Sparse {
  std::vector<uint64_t> bounds = {0};
  std::vector<uint32_t> words;  // Of each row its dimensions, then the bits of its values.
  void Add(const Vector& vector) {
    for (const auto& [dim, value] : vector) words.push_back(dim);
    for (const auto& [dim, value] : vector) words.push_back(std::bit_cast<uint32_t>(value));
    bounds.push_back(words.size() * 4);
  }
  VectorBlock block() const {
    return {.data = words.data(),
            .rows = bounds.size() - 1,
            .element = ElementType::kSparse,
            .bounds = bounds.data()};
  }
};

struct Found {
  std::vector<uint32_t> rows;
  std::vector<float> scores;
  Found(size_t nq, uint32_t k) : rows(nq * k), scores(nq * k) {}
  Hits hits() { return {.rows = rows.data(), .scores = scores.data()}; }
};

// Small terms are frequent, so that there are bitmaps and lists; some rows are empty, some equal.
inline Sparse MakeRows(uint32_t seed, size_t rows, size_t per_row, bool counts) {
  std::mt19937 rng(seed);
  Sparse made;
  Vector last;
  for (size_t r = 0; r < rows; ++r) {
    Vector row;
    if (r % 97 == 5) {
      made.Add(row);
      continue;
    }
    if (r % 53 == 7) row = last;
    while (row.size() < per_row / 2 + rng() % (per_row + 1)) {
      const double u = (rng() % 10000 + 1) / 10000.0;
      const auto dim = static_cast<uint32_t>(2000 * u * u * u);
      const float value =
          counts ? static_cast<float>(1 + rng() % 4) : static_cast<float>(rng() % 1000) / 500.0f;
      row.emplace(dim == 1999 ? kSparseDimMax : dim * 7, value);
    }
    made.Add(row);
    last = row;
  }
  return made;
}

}  // namespace elanus::index
