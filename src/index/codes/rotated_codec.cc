// With c the mean of all rows, r = R(x - c) the rotated rest of a row and v its codes less 7.5,
// f <v, p> estimates <r, p> with f = |r|^2 / <v, r>, which errs to no side (Gao and Long 2024,
// arXiv:2405.12497). With p the rotated rest of the query, which is shorter than the query, a
// distance is |r|^2 + |p|^2 - 2 <r, p>, an inner product <x, c> + <q - c, c> + <r, p>. A row has
// its own |r|: what a few long rows need of a grid takes nothing from the others.
//
// Row: half_bytes() bytes, dimension j in the low half of byte j and dimension half_bytes() + j in
// its high half; then 4 bytes, in the upper 20 bits a float32 without its sign and its last 11
// bits, in the lower 12 one more number. L2: |r|, and f sqrt(dim) / |r| in 3 bits of exponent and 9
// of mantissa from 1/16 on. Inner product: f sqrt(dim), and <r, Rc> as 1/256 of f sqrt(dim) |c|,
// 2048 too large.
#include "index/codes/rotated_codec.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/prefetch.h"
#include "index/codes/direction.h"
#include "index/codes/planes.h"
#include "index/codes/rotation.h"
#include "simd/half_byte_kernels.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

constexpr int kBits = 4;
constexpr float kMiddle = 7.5f;  // Of the codes.
constexpr size_t kFactorBytes = sizeof(uint32_t);
constexpr int kLargeDropped = 11;                      // Bits of a float32.
constexpr uint32_t kLargeMost = (0xffu << 12) - 1;     // Below what is no number.
constexpr int kSmallDropped = 14;                      // Bits of a float32.
constexpr uint32_t kSmallLeast = uint32_t{123} << 23;  // 1/16 as a float32.
constexpr uint32_t kSmallMost = (1u << 12) - 1;
constexpr float kProductStep = 1.0f / 256;
constexpr float kProductMiddle = 2048;
// Rows whose codes are on their way into the cache while others are scored.
constexpr size_t kRowsAhead = 8;

size_t HalfBytes(size_t dim) { return (dim + 1) / 2; }

float LargeOf(uint32_t packed) { return std::bit_cast<float>(packed >> 12 << kLargeDropped); }
uint32_t SmallOf(uint32_t packed) { return packed & kSmallMost; }
float SmallFloatOf(uint32_t packed) {
  return std::bit_cast<float>((SmallOf(packed) << kSmallDropped) + kSmallLeast);
}

uint32_t BitsOf(double value) { return std::bit_cast<uint32_t>(static_cast<float>(value)); }
uint32_t PackLarge(double value) {
  const uint32_t bits = std::min(BitsOf(value), kLargeMost << kLargeDropped);
  return std::min((bits + (1u << (kLargeDropped - 1))) >> kLargeDropped, kLargeMost) << 12;
}
uint32_t PackSmallFloat(double value) {
  const uint32_t bits = std::max(BitsOf(value), kSmallLeast) - kSmallLeast;
  return std::min((bits + (1u << (kSmallDropped - 1))) >> kSmallDropped, kSmallMost);
}
uint32_t PackSmall(double value) {
  return static_cast<uint32_t>(std::lrint(std::clamp(value, 0.0, static_cast<double>(kSmallMost))));
}

uint32_t PackedFactors(const char* code, size_t half_bytes) {
  uint32_t packed;
  std::memcpy(&packed, code + half_bytes, sizeof(packed));
  return packed;
}

class RotatedScorer final : public Scorer {
 public:
  RotatedScorer(const std::vector<float>& mean, const Rotation& rotation, PackedRows rows,
                bool is_l2)
      : mean_(mean),
        rotation_(rotation),
        rows_(rows),
        is_l2_(is_l2),
        half_bytes_(HalfBytes(mean.size())),
        row_bytes_(half_bytes_ + kFactorBytes),
        rotated_(mean.size()),
        rounded_(2 * half_bytes_) {}

  void SetQuery(const float* query) override {
    const size_t dim = mean_.size();
    const simd::Kernels& kernels = simd::Best();
    for (size_t d = 0; d < dim; ++d) rotated_[d] = query[d] - mean_[d];
    const float square = kernels.ip(mean_.data(), mean_.data(), dim);
    constant_ = is_l2_ ? kernels.ip(rotated_.data(), rotated_.data(), dim)
                       : -square - kernels.ip(rotated_.data(), mean_.data(), dim);
    product_step_ = kProductStep * std::sqrt(square);
    rotation_.Apply(rotated_.data(), rotated_.data());
    rounded_.Round(rotated_.data(), nullptr, dim);
    scale_ = rounded_.scale / std::sqrt(static_cast<float>(dim));
    shift_ = kMiddle * static_cast<float>(rounded_.sum);
  }
  void Score(const uint32_t* rows, size_t count, float* keys) override {
    ScoreFours(count, keys, [&](size_t i) { return size_t{rows[i]}; });
  }
  void ScoreRange(size_t begin, size_t count, float* keys) override {
    ScoreFours(count, keys, [&](size_t i) { return begin + i; });
  }
  float ScoreExact(uint32_t row) override {
    float key;
    Score(&row, 1, &key);
    return key;
  }

 private:
  const uint8_t* Code(size_t row) const {
    return reinterpret_cast<const uint8_t*>(rows_.codes) + row * row_bytes_;
  }
  void Prefetch(size_t row) const { PrefetchBytes(Code(row), row_bytes_); }
  float Key(int32_t sum, const uint8_t* code) const {
    const uint32_t packed = PackedFactors(reinterpret_cast<const char*>(code), half_bytes_);
    const float product = scale_ * (static_cast<float>(sum) - shift_);
    const float large = LargeOf(packed);
    if (is_l2_) {
      return std::max(0.0f, constant_ + large * (large - 2 * SmallFloatOf(packed) * product));
    }
    const float centre = static_cast<float>(SmallOf(packed)) - kProductMiddle;
    return constant_ - large * (product + centre * product_step_);
  }

  template <class RowAt>
  void ScoreFours(size_t count, float* keys, RowAt row_at) const {
    for (size_t i = 0; i < std::min(count, kRowsAhead); ++i) Prefetch(row_at(i));
    const int8_t* low = rounded_.numbers.data();
    for (size_t i = 0; i < count; i += 4) {
      const size_t group = std::min<size_t>(4, count - i);
      const size_t ahead = i + kRowsAhead;
      for (size_t j = ahead; j < std::min(count, ahead + 4); ++j) Prefetch(row_at(j));
      const uint8_t* codes[4];
      for (size_t j = 0; j < 4; ++j) codes[j] = Code(row_at(i + std::min(j, group - 1)));
      int32_t sums[4];
      dots_(low, low + half_bytes_, codes, half_bytes_, sums);
      for (size_t j = 0; j < group; ++j) keys[i + j] = Key(sums[j], codes[j]);
    }
  }

  const simd::HalfByteDots dots_ = simd::BestHalfByteDots();
  const std::vector<float>& mean_;
  const Rotation& rotation_;
  const PackedRows rows_;
  const bool is_l2_;
  const size_t half_bytes_;
  const size_t row_bytes_;
  std::vector<float> rotated_;
  RoundedQuery rounded_;
  float constant_ = 0;  // What of a key is the query's alone.
  float product_step_ = 0;
  float scale_ = 1;
  float shift_ = 0;
};

class RotatedCodec final : public Codec {
 public:
  RotatedCodec(std::vector<float> mean, bool is_l2)
      : mean_(std::move(mean)),
        is_l2_(is_l2),
        rotation_(mean_.size()),
        rotated_mean_(mean_.size()) {
    rotation_.Apply(mean_.data(), rotated_mean_.data());
    mean_length_ = std::sqrt(simd::Best().ip(mean_.data(), mean_.data(), mean_.size()));
  }
  CodeKind kind() const override { return CodeKind::kRotated; }
  size_t row_bytes() const override { return HalfBytes(mean_.size()) + kFactorBytes; }
  bool has_terms() const override { return false; }
  void Encode(const float* row, char* code) const override {
    const size_t dim = mean_.size();
    const size_t half_bytes = HalfBytes(dim);
    std::vector<float> rest(dim);
    for (size_t d = 0; d < dim; ++d) rest[d] = row[d] - mean_[d];
    rotation_.Apply(rest.data(), rest.data());
    std::vector<uint32_t> codes;
    DirectionCodes(kBits, rest.data(), dim, codes);
    std::memset(code, 0, row_bytes());
    double square = 0;
    double along = 0;
    double centre = 0;
    for (size_t d = 0; d < dim; ++d) {
      char& at = code[d % half_bytes];
      at = static_cast<char>(at | codes[d] << (d < half_bytes ? 0 : 4));
      square += static_cast<double>(rest[d]) * rest[d];
      along += (static_cast<double>(codes[d]) - kMiddle) * rest[d];
      centre += static_cast<double>(rest[d]) * rotated_mean_[d];
    }
    const double length = std::sqrt(square);
    const double factor = along > 0 ? std::sqrt(static_cast<double>(dim)) * length / along : 0;
    uint32_t packed = PackLarge(length) | PackSmallFloat(factor);
    if (!is_l2_) {
      const double step = std::max(length * factor * mean_length_ * kProductStep, 1e-300);
      packed = PackLarge(length * factor) | PackSmall(centre / step + kProductMiddle);
    }
    std::memcpy(code + half_bytes, &packed, sizeof(packed));
  }
  // The rotated rest; for looking at, nothing scores by it.
  void Decode(const char* code, float* row) const override {
    const size_t dim = mean_.size();
    const size_t half_bytes = HalfBytes(dim);
    const uint32_t packed = PackedFactors(code, half_bytes);
    const float scale = LargeOf(packed) * (is_l2_ ? SmallFloatOf(packed) : 1.0f);
    const float step = scale / std::sqrt(static_cast<float>(dim));
    for (size_t d = 0; d < dim; ++d) {
      const int byte = static_cast<uint8_t>(code[d % half_bytes]);
      const int value = d < half_bytes ? byte & 15 : byte >> 4;
      row[d] = step * (static_cast<float>(value) - kMiddle);
    }
  }
  bool Holds(PackedRows rows) const override {
    for (size_t r = 0; r < rows.rows; ++r) {
      const uint32_t packed = PackedFactors(rows.codes + r * row_bytes(), HalfBytes(mean_.size()));
      if (packed >> 12 > kLargeMost) return false;
    }
    return true;
  }
  std::string Save() const override {
    return {reinterpret_cast<const char*>(mean_.data()), mean_.size() * sizeof(float)};
  }
  std::unique_ptr<Scorer> NewScorer(PackedRows rows) const override {
    return std::make_unique<RotatedScorer>(mean_, rotation_, rows, is_l2_);
  }

 private:
  const std::vector<float> mean_;
  const bool is_l2_;
  const Rotation rotation_;
  std::vector<float> rotated_mean_;
  double mean_length_ = 0;
};

}  // namespace

std::unique_ptr<Codec> TrainRotatedCodec(VectorBlock rows, bool is_l2) {
  std::vector<double> sums(rows.dim, 0);
  for (size_t r = 0; r < rows.rows; ++r) {
    for (size_t d = 0; d < rows.dim; ++d) sums[d] += rows.row(r)[d];
  }
  std::vector<float> mean(rows.dim, 0.0f);
  const auto count = static_cast<double>(std::max<size_t>(rows.rows, 1));
  for (size_t d = 0; d < rows.dim; ++d) mean[d] = static_cast<float>(sums[d] / count);
  return std::make_unique<RotatedCodec>(std::move(mean), is_l2);
}

Result<std::unique_ptr<Codec>> OpenRotatedCodec(uint32_t dim, bool is_l2, std::string_view saved) {
  if (dim == 0 || saved.size() != RotatedSavedBytes(dim)) {
    return Status(ErrorCode::kIntegrity, "the mean of an index has the wrong size");
  }
  std::vector<float> mean(dim);
  std::memcpy(mean.data(), saved.data(), saved.size());
  if (!std::all_of(mean.begin(), mean.end(), [](float v) { return std::isfinite(v); })) {
    return Status(ErrorCode::kIntegrity, "the mean of an index is no number");
  }
  return std::unique_ptr<Codec>(std::make_unique<RotatedCodec>(std::move(mean), is_l2));
}

size_t RotatedRowBytes(uint32_t dim) { return HalfBytes(dim) + kFactorBytes; }
size_t RotatedSavedBytes(uint32_t dim) { return size_t{dim} * sizeof(float); }

}  // namespace elanus::index
