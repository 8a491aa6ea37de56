// Rows for the codecs' tests, packed as an index packs them, and their keys in plain arithmetic.
#pragma once

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "index/codes/codec.h"

namespace elanus::index {

struct Sample {
  uint32_t dim = 0;
  std::vector<float> values;
  size_t count() const { return values.size() / dim; }
  const float* row(size_t i) const { return values.data() + i * dim; }
  VectorBlock block() const { return {.data = values.data(), .rows = count(), .dim = dim}; }
};

enum class Shape { kNormal, kConstant, kExtreme };

/// kExtreme: zero rows, rows with a single number, numbers of very different sizes; all of them
/// fit a 16-bit float.
inline Sample Draw(Shape shape, size_t rows, uint32_t dim, uint32_t seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal;
  Sample sample{.dim = dim, .values = std::vector<float>(rows * dim, 0.0f)};
  for (size_t r = 0; r < rows; ++r) {
    float* row = sample.values.data() + r * dim;
    const float scale = shape == Shape::kNormal ? 1.0f : r % 4 == 2 ? 1e4f : 1e-3f;
    for (uint32_t d = 0; d < dim; ++d) {
      if (shape == Shape::kConstant) {
        row[d] = 3.25f;
      } else if (shape == Shape::kNormal || r % 4 >= 2) {
        row[d] = scale * normal(rng);
      } else if (r % 4 == 1) {
        row[d] = d == r % dim ? -1000.0f : 0.0f;
      }
    }
  }
  return sample;
}

inline double Product(const float* a, const float* b, size_t dim) {
  double sum = 0;
  for (size_t d = 0; d < dim; ++d) sum += static_cast<double>(a[d]) * b[d];
  return sum;
}

/// As Scorer's keys.
inline double KeyOf(bool is_l2, const float* query, const float* row, size_t dim) {
  if (!is_l2) return -Product(query, row, dim);
  double sum = 0;
  for (size_t d = 0; d < dim; ++d) {
    const double difference = static_cast<double>(query[d]) - row[d];
    sum += difference * difference;
  }
  return sum;
}

/// The sizes that meet in a key: rounding errors of float32 are a small part of it.
inline double SizeOf(const float* query, const float* row, size_t dim) {
  return Product(query, query, dim) + Product(row, row, dim) + 1e-30;
}

struct Packed {
  std::vector<char> codes;
  std::vector<float> terms;
  size_t count = 0;
  PackedRows rows() const {
    return {.codes = codes.data(), .terms = terms.empty() ? nullptr : terms.data(), .rows = count};
  }
};

inline std::string Encoded(const Codec& codec, const float* row) {
  std::string code(codec.row_bytes(), '\0');
  codec.Encode(row, code.data());
  return code;
}
inline std::vector<float> Decoded(const Codec& codec, const float* row, size_t dim) {
  std::vector<float> decoded(dim);
  codec.Decode(Encoded(codec, row).data(), decoded.data());
  return decoded;
}

inline Packed Pack(const Codec& codec, VectorBlock rows) {
  const size_t block = codec.block_rows();
  const size_t blocks = (rows.rows + block - 1) / block;
  const size_t block_bytes = block * codec.row_bytes();
  Packed packed{.codes = std::vector<char>(blocks * block_bytes, '\0'), .count = blocks * block};
  if (codec.has_terms()) packed.terms.assign(packed.count, 0.0f);
  for (size_t b = 0; b < blocks; ++b) {
    std::string codes(block_bytes, '\0');
    for (size_t i = 0; i < block && b * block + i < rows.rows; ++i) {
      const float* row = rows.row(b * block + i);
      codec.Encode(row, codes.data() + i * codec.row_bytes());
      if (!codec.has_terms()) continue;
      const std::vector<float> decoded = Decoded(codec, row, rows.dim);
      const float* scored = codec.has_exact_terms() ? row : decoded.data();
      packed.terms[b * block + i] = static_cast<float>(Product(scored, scored, rows.dim));
    }
    codec.Interleave(codes.data(), packed.codes.data() + b * block_bytes);
  }
  return packed;
}

}  // namespace elanus::index
