// RaBitQ: a randomly rotated residual r in 1 bit a dimension (Gao and Long 2024, arXiv:2405.12497),
// or in more of them (Gao et al. 2024, arXiv:2409.09913). With v the vector the code stands for,
// f * <v, q> with f = |r|^2 / <v, r> estimates <r, q> without bias. Around the centroid c the
// estimate is of q - c, which is shorter than q: <x, q> ~ <c, q> + (<r, c> - f <v, c>) + f <v, q>.
// The bracket is known when a row is packed; <c, q> is what the lists add.
//
// Row: the planes of the code, then f and the bracket as float32.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "index/codes/codecs.h"
#include "index/codes/direction.h"
#include "index/codes/planes.h"
#include "index/codes/rotation.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

constexpr int kBitsMax = 9;
// The estimate's standard deviation by the row's factor f and |q - c|, for 1 bit: sqrt(1 - o^2) / 2
// with the expected o = <v, r> / (|v| |r|) = sqrt(2 / pi).
constexpr float kSpread = 0.3014f;
constexpr size_t kRowsAtOnce = 32;

struct Factors {
  float scale;     // f
  float constant;  // The bracket.
};

class RabitqScorer final : public Scorer {
 public:
  RabitqScorer(const Planes& planes, const Rotation& rotation, size_t row_bytes, size_t dim,
               PackedRows rows, bool is_l2, LeastKeys least = {})
      : planes_(planes),
        rotation_(rotation),
        row_bytes_(row_bytes),
        rows_(rows),
        is_l2_(is_l2),
        least_(least),
        rotated_(dim),
        rounded_(planes.padded()) {}

  void SetQuery(const float* query) override {
    rotation_.Apply(query, rotated_.data());
    rounded_.Round(rotated_.data(), nullptr, rotated_.size());
    const float half = static_cast<float>((1 << planes_.bits()) - 1) / 2;
    shift_ = half * static_cast<float>(rounded_.sum);
    square_ = is_l2_ ? simd::Best().ip(query, query, rotated_.size()) : 0.0f;
    if (least_.centre == nullptr) return;
    const size_t dim = rotated_.size();
    centre_product_ = simd::Best().ip(query, least_.centre, dim);
    slack_ = least_.deviations * kSpread * std::sqrt(simd::Best().l2(query, least_.centre, dim));
  }
  void Score(const uint32_t* rows, size_t count, float* keys) override {
    if (planes_.bits() != 1) {
      ScoreFours(count, keys, [&](size_t i) { return size_t{rows[i]}; });
      return;
    }
    const auto* base = reinterpret_cast<const uint8_t*>(rows_.codes);
    for (size_t begin = 0; begin < count; begin += kRowsAtOnce) {
      const size_t some = std::min(kRowsAtOnce, count - begin);
      int32_t sums[kRowsAtOnce];
      planes_.DotRows(rounded_.numbers.data(), base, row_bytes_, rows + begin, some, sums);
      for (size_t i = 0; i < some; ++i) keys[begin + i] = KeyOf(rows[begin + i], sums[i]);
    }
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
  // With <v + half, q> in `sum`.
  float KeyOf(size_t row, int32_t sum) const {
    Factors factors;
    std::memcpy(&factors, rows_.codes + row * row_bytes_ + planes_.row_bytes(), sizeof(factors));
    const float along = rounded_.scale * (static_cast<float>(sum) - shift_) + slack_;
    const float product = centre_product_ + factors.constant + factors.scale * along;
    return is_l2_ ? square_ + rows_.terms[row] - 2 * product : -product;
  }

  template <class RowAt>
  void ScoreFours(size_t count, float* keys, RowAt row_at) const {
    const auto* base = reinterpret_cast<const uint8_t*>(rows_.codes);
    for (size_t i = 0; i < count; i += 4) {
      const size_t group = std::min<size_t>(4, count - i);
      const uint8_t* pointers[4];
      for (size_t j = 0; j < 4; ++j) {
        pointers[j] = base + row_at(i + std::min(j, group - 1)) * row_bytes_;
      }
      int32_t sums[4];
      planes_.Dot(rounded_.numbers.data(), pointers, sums);
      for (size_t j = 0; j < group; ++j) keys[i + j] = KeyOf(row_at(i + j), sums[j]);
    }
  }

  const Planes& planes_;
  const Rotation& rotation_;
  const size_t row_bytes_;
  const PackedRows rows_;
  const bool is_l2_;
  const LeastKeys least_;
  std::vector<float> rotated_;
  RoundedQuery rounded_;
  float centre_product_ = 0;
  float slack_ = 0;
  float shift_ = 0;
  float square_ = 0;
};

class RabitqCodec final : public Codec {
 public:
  RabitqCodec(int bits, uint32_t dim, bool is_l2)
      : dim_(dim), is_l2_(is_l2), planes_(bits, dim), rotation_(dim) {}
  CodeKind kind() const override { return CodeKind::kRabitq; }
  size_t row_bytes() const override { return planes_.row_bytes() + sizeof(Factors); }
  bool has_terms() const override { return is_l2_; }
  bool has_exact_terms() const override { return true; }
  void Encode(const float* row, char* code) const override {
    const std::vector<float> origin(dim_, 0.0f);
    EncodeResidual(row, origin.data(), code);
  }
  void EncodeResidual(const float* residual, const float* centroid, char* code) const override {
    std::vector<float> rotated(dim_);
    std::vector<float> centre(dim_);
    std::vector<uint32_t> codes;
    rotation_.Apply(residual, rotated.data());
    rotation_.Apply(centroid, centre.data());
    DirectionCodes(planes_.bits(), rotated.data(), dim_, codes);
    std::memset(code, 0, row_bytes());
    const double half = static_cast<double>((1 << planes_.bits()) - 1) / 2;
    double square = 0, along = 0, code_centre = 0, residual_centre = 0;
    for (size_t d = 0; d < dim_; ++d) {
      planes_.Set(reinterpret_cast<uint8_t*>(code), d, codes[d]);
      const double v = static_cast<double>(codes[d]) - half;
      square += static_cast<double>(rotated[d]) * rotated[d];
      along += v * rotated[d];
      code_centre += v * centre[d];
      residual_centre += static_cast<double>(rotated[d]) * centre[d];
    }
    const double scale = along > 0 ? square / along : 0;
    const Factors factors{static_cast<float>(scale),
                          static_cast<float>(residual_centre - scale * code_centre)};
    std::memcpy(code + planes_.row_bytes(), &factors, sizeof(factors));
  }
  // The rotated residual; for looking at, nothing scores by it.
  void Decode(const char* code, float* row) const override {
    Factors factors;
    std::memcpy(&factors, code + planes_.row_bytes(), sizeof(factors));
    const float half = static_cast<float>((1 << planes_.bits()) - 1) / 2;
    for (size_t d = 0; d < dim_; ++d) {
      row[d] = factors.scale *
               (static_cast<float>(planes_.Get(reinterpret_cast<const uint8_t*>(code), d)) - half);
    }
  }
  std::string Save() const override { return std::string(1, static_cast<char>(planes_.bits())); }
  std::unique_ptr<Scorer> NewScorer(PackedRows rows) const override {
    return std::make_unique<RabitqScorer>(planes_, rotation_, row_bytes(), dim_, rows, is_l2_);
  }
  std::unique_ptr<Scorer> NewLeastScorer(PackedRows rows, LeastKeys least) const {
    return std::make_unique<RabitqScorer>(planes_, rotation_, row_bytes(), dim_, rows, is_l2_,
                                          least);
  }

 private:
  const size_t dim_;
  const bool is_l2_;
  const Planes planes_;
  const Rotation rotation_;
};

}  // namespace

std::unique_ptr<Codec> MakeRabitqCodec(int bits, uint32_t dim, bool is_l2) {
  return std::make_unique<RabitqCodec>(bits, dim, is_l2);
}

Result<std::unique_ptr<Codec>> OpenRabitqCodec(uint32_t dim, bool is_l2, std::string_view saved) {
  if (saved.size() != 1 || saved[0] < 1 || saved[0] > kBitsMax) {
    return Status(ErrorCode::kIntegrity, "a RaBitQ index has a number of bits that cannot be");
  }
  return MakeRabitqCodec(saved[0], dim, is_l2);
}

std::unique_ptr<Scorer> NewLeastScorer(const Codec& codec, PackedRows rows, LeastKeys least) {
  return static_cast<const RabitqCodec&>(codec).NewLeastScorer(rows, least);
}

size_t RabitqRowBytes(int bits, uint32_t dim) {
  return Planes(bits, dim).row_bytes() + sizeof(Factors) + sizeof(float);
}

}  // namespace elanus::index
