// Scalar quantisation: each dimension in 8, 6 or 4 bits between bounds of its own. With x = low +
// step * code, the inner product with a query is a constant of the query plus the sum of (step *
// query) * code; step * query is rounded to 8 bits once, and the sum is an integer dot product. The
// squared norm of each row, kept beside it, makes a distance of it.
//
// Row: the planes of planes.h.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "index/codes/codecs.h"
#include "index/codes/planes.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

constexpr size_t kSampleRows = 65536;

int BitsOf(CodeKind kind) { return kind == CodeKind::kSq8 ? 8 : kind == CodeKind::kSq6 ? 6 : 4; }

// Half the width of the uniform quantiser that loses least on a normal distribution, in standard
// deviations (Max 1960, "Quantizing for minimum distortion").
float LoadingOf(int bits) { return bits == 8 ? 3.94f : bits == 6 ? 3.33f : 2.68f; }

struct Bounds {
  std::vector<float> low;   // dim
  std::vector<float> step;  // dim; never zero.
};

void DecodeInto(const Planes& planes, const Bounds& bounds, const char* code, float* row) {
  const size_t dim = bounds.low.size();
  if (planes.bits() == 8) {  // One plane: the bytes themselves.
    const auto* bytes = reinterpret_cast<const uint8_t*>(code);
    for (size_t d = 0; d < dim; ++d) {
      row[d] = bounds.low[d] + bounds.step[d] * static_cast<float>(bytes[d]);
    }
    return;
  }
  for (size_t d = 0; d < dim; ++d) {
    const uint32_t value = planes.Get(reinterpret_cast<const uint8_t*>(code), d);
    row[d] = bounds.low[d] + bounds.step[d] * static_cast<float>(value);
  }
}

class ScalarScorer final : public Scorer {
 public:
  ScalarScorer(const Planes& planes, const Bounds& bounds, PackedRows rows, bool is_l2)
      : planes_(planes),
        bounds_(bounds),
        rows_(rows),
        is_l2_(is_l2),
        dim_(bounds.low.size()),
        rounded_(planes.padded()),
        decoded_(dim_) {}

  void SetQuery(const float* query) override {
    query_ = query;
    rounded_.Round(query, bounds_.step.data(), dim_);
    const float centre = static_cast<float>(1 << (planes_.bits() - 1));
    double constant = 0;
    // Codes are taken from their middle: so the rounding of the query shifts no row as a whole.
    for (size_t d = 0; d < dim_; ++d) {
      constant += static_cast<double>(bounds_.low[d] + centre * bounds_.step[d]) * query[d];
    }
    offset_ = static_cast<float>(constant - static_cast<double>(rounded_.scale * centre) *
                                                static_cast<double>(rounded_.sum));
    square_ = is_l2_ ? simd::Best().ip(query, query, dim_) : 0.0f;
  }

  void Score(const uint32_t* rows, size_t count, float* keys) override {
    ScoreFours(count, keys, [&](size_t i) { return size_t{rows[i]}; });
  }
  void ScoreRange(size_t begin, size_t count, float* keys) override {
    ScoreFours(count, keys, [&](size_t i) { return begin + i; });
  }
  float ScoreExact(uint32_t row) override {
    DecodeInto(planes_, bounds_, rows_.codes + row * planes_.row_bytes(), decoded_.data());
    return is_l2_ ? simd::Best().l2(query_, decoded_.data(), dim_)
                  : -simd::Best().ip(query_, decoded_.data(), dim_);
  }

 private:
  template <class RowAt>
  void ScoreFours(size_t count, float* keys, RowAt row_at) const {
    const auto* base = reinterpret_cast<const uint8_t*>(rows_.codes);
    const size_t stride = planes_.row_bytes();
    for (size_t i = 0; i < count; i += 4) {
      const size_t group = std::min<size_t>(4, count - i);
      const uint8_t* pointers[4];
      for (size_t j = 0; j < 4; ++j)
        pointers[j] = base + row_at(i + std::min(j, group - 1)) * stride;
      int32_t sums[4];
      planes_.Dot(rounded_.numbers.data(), pointers, sums);
      for (size_t j = 0; j < group; ++j) {
        const float product = offset_ + rounded_.scale * static_cast<float>(sums[j]);
        // Of residuals a key may be below zero: it lacks the product with the centroid.
        keys[i + j] = is_l2_ ? square_ + rows_.terms[row_at(i + j)] - 2 * product : -product;
      }
    }
  }

  const Planes& planes_;
  const Bounds& bounds_;
  const PackedRows rows_;
  const bool is_l2_;
  const size_t dim_;
  const float* query_ = nullptr;
  RoundedQuery rounded_;
  std::vector<float> decoded_;
  float offset_ = 0;
  float square_ = 0;
};

class ScalarCodec final : public Codec {
 public:
  ScalarCodec(CodeKind kind, uint32_t dim, bool is_l2, Bounds bounds)
      : kind_(kind), planes_(BitsOf(kind), dim), is_l2_(is_l2), bounds_(std::move(bounds)) {}
  CodeKind kind() const override { return kind_; }
  size_t row_bytes() const override { return planes_.row_bytes(); }
  bool has_terms() const override { return is_l2_; }
  void Encode(const float* row, char* code) const override {
    std::memset(code, 0, row_bytes());
    const float most = static_cast<float>((1 << planes_.bits()) - 1);
    for (size_t d = 0; d < bounds_.low.size(); ++d) {
      const float at = std::clamp((row[d] - bounds_.low[d]) / bounds_.step[d], 0.0f, most);
      planes_.Set(reinterpret_cast<uint8_t*>(code), d, static_cast<uint32_t>(std::lrint(at)));
    }
  }
  void Decode(const char* code, float* row) const override {
    DecodeInto(planes_, bounds_, code, row);
  }
  std::string Save() const override {
    const size_t bytes = bounds_.low.size() * sizeof(float);
    std::string saved(2 * bytes, '\0');
    std::memcpy(saved.data(), bounds_.low.data(), bytes);
    std::memcpy(saved.data() + bytes, bounds_.step.data(), bytes);
    return saved;
  }
  std::unique_ptr<Scorer> NewScorer(PackedRows rows) const override {
    return std::make_unique<ScalarScorer>(planes_, bounds_, rows, is_l2_);
  }

 private:
  const CodeKind kind_;
  const Planes planes_;
  const bool is_l2_;
  const Bounds bounds_;
};

}  // namespace

// Bounds: what lies between the mean and the best loading of a normal distribution, and never more
// than the values themselves span.
std::unique_ptr<Codec> TrainScalarCodec(CodeKind kind, const FloatRows& rows, bool is_l2) {
  const size_t dim = rows.dim();
  const size_t every = std::max<size_t>(1, rows.rows() / kSampleRows);
  std::vector<float> scratch(dim);
  std::vector<double> sum(dim, 0), square(dim, 0);
  std::vector<float> least(dim, 0), most(dim, 0);
  size_t count = 0;
  for (size_t r = 0; r < rows.rows(); r += every, ++count) {
    const float* row = rows.Read(r, 1, scratch.data());
    for (size_t d = 0; d < dim; ++d) {
      sum[d] += row[d];
      square[d] += static_cast<double>(row[d]) * row[d];
      least[d] = count == 0 ? row[d] : std::min(least[d], row[d]);
      most[d] = count == 0 ? row[d] : std::max(most[d], row[d]);
    }
  }
  const int bits = BitsOf(kind);
  const float levels = static_cast<float>((1 << bits) - 1);
  Bounds bounds{.low = std::vector<float>(dim), .step = std::vector<float>(dim)};
  for (size_t d = 0; d < dim; ++d) {
    const double mean = count == 0 ? 0 : sum[d] / static_cast<double>(count);
    const double variance =
        count == 0 ? 0 : std::max(0.0, square[d] / static_cast<double>(count) - mean * mean);
    const double reach = LoadingOf(bits) * std::sqrt(variance);
    const float low = std::max(least[d], static_cast<float>(mean - reach));
    const float high = std::min(most[d], static_cast<float>(mean + reach));
    bounds.low[d] = low;
    // A dimension that never changes still needs a step to divide by.
    bounds.step[d] = std::max((high - low) / levels, std::max(std::abs(low), 1.0f) * 1e-9f);
  }
  return std::make_unique<ScalarCodec>(kind, rows.dim(), is_l2, std::move(bounds));
}

Result<std::unique_ptr<Codec>> OpenScalarCodec(CodeKind kind, uint32_t dim, bool is_l2,
                                               std::string_view saved) {
  if (saved.size() != size_t{dim} * 2 * sizeof(float)) {
    return Status(ErrorCode::kIntegrity, "the bounds of a scalar quantiser have the wrong size");
  }
  Bounds bounds{.low = std::vector<float>(dim), .step = std::vector<float>(dim)};
  std::memcpy(bounds.low.data(), saved.data(), saved.size() / 2);
  std::memcpy(bounds.step.data(), saved.data() + saved.size() / 2, saved.size() / 2);
  for (size_t d = 0; d < dim; ++d) {
    if (!std::isfinite(bounds.low[d]) || !(bounds.step[d] > 0) || !std::isfinite(bounds.step[d])) {
      return Status(ErrorCode::kIntegrity, "the bounds of a scalar quantiser are no numbers");
    }
  }
  return std::unique_ptr<Codec>(std::make_unique<ScalarCodec>(kind, dim, is_l2, std::move(bounds)));
}

size_t ScalarRowBytes(CodeKind kind, uint32_t dim) { return Planes(BitsOf(kind), dim).row_bytes(); }

}  // namespace elanus::index
