// Rows as they are (float32), or as 16-bit floats.
#include <algorithm>
#include <cstring>
#include <vector>

#include "base/prefetch.h"
#include "index/codes/codecs.h"
#include "simd/half_kernels.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

constexpr size_t kPrefetchBytes = 512;  // The processor fetches the rest of a row by itself.

// Calls four(rows of four) and one(row) over the rows of a list; `Element` is what a row holds.
template <class Element, class Four, class One>
void ByFours(const Element* base, size_t dim, const uint32_t* rows, size_t count, float* keys,
             bool negate, Four four, One one) {
  const size_t bytes = std::min(dim * sizeof(Element), kPrefetchBytes);
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    // Rows lie anywhere: four are on their way while four are scored.
    for (size_t j = i + 4; j < std::min(count, i + 8); ++j) {
      PrefetchBytes(base + rows[j] * dim, bytes);
    }
    const Element* const pointers[4] = {base + rows[i] * dim, base + rows[i + 1] * dim,
                                        base + rows[i + 2] * dim, base + rows[i + 3] * dim};
    four(pointers, keys + i);
  }
  for (; i < count; ++i) keys[i] = one(base + rows[i] * dim);
  if (!negate) return;
  for (size_t j = 0; j < count; ++j) keys[j] = -keys[j];
}

class FloatScorer final : public Scorer {
 public:
  FloatScorer(const float* base, size_t dim, bool is_l2) : base_(base), dim_(dim), is_l2_(is_l2) {}
  void SetQuery(const float* query) override { query_ = query; }
  void Score(const uint32_t* rows, size_t count, float* keys) override {
    const auto four = is_l2_ ? kernels_.l2_x4 : kernels_.ip_x4;
    const auto one = is_l2_ ? kernels_.l2 : kernels_.ip;
    ByFours(
        base_, dim_, rows, count, keys, !is_l2_,
        [&](const float* const pointers[4], float* out) { four(query_, pointers, dim_, out); },
        [&](const float* row) { return one(query_, row, dim_); });
  }
  void ScoreRange(size_t begin, size_t count, float* keys) override {
    (is_l2_ ? kernels_.l2_block : kernels_.ip_block)(query_, 1, base_ + begin * dim_, count, dim_,
                                                     keys, count);
    if (is_l2_) return;
    for (size_t i = 0; i < count; ++i) keys[i] = -keys[i];
  }
  float ScoreExact(uint32_t row) override {
    float key;
    Score(&row, 1, &key);
    return key;
  }

 private:
  const simd::Kernels& kernels_ = simd::Best();
  const float* base_;
  const size_t dim_;
  const bool is_l2_;
  const float* query_ = nullptr;
};

class FloatCodec final : public Codec {
 public:
  FloatCodec(uint32_t dim, bool is_l2) : dim_(dim), is_l2_(is_l2) {}
  CodeKind kind() const override { return CodeKind::kFloat32; }
  size_t row_bytes() const override { return dim_ * sizeof(float); }
  bool has_terms() const override { return false; }
  void Encode(const float* row, char* code) const override { std::memcpy(code, row, row_bytes()); }
  void Decode(const char* code, float* row) const override { std::memcpy(row, code, row_bytes()); }
  std::string Save() const override { return {}; }
  std::unique_ptr<Scorer> NewScorer(PackedRows rows) const override {
    return std::make_unique<FloatScorer>(reinterpret_cast<const float*>(rows.codes), dim_, is_l2_);
  }

 private:
  const size_t dim_;
  const bool is_l2_;
};

class HalfScorer final : public Scorer {
 public:
  HalfScorer(const simd::HalfKernels& kernels, const uint16_t* base, size_t dim, bool is_l2)
      : kernels_(kernels), base_(base), dim_(dim), is_l2_(is_l2) {}
  void SetQuery(const float* query) override { query_ = query; }
  void Score(const uint32_t* rows, size_t count, float* keys) override {
    const auto four = is_l2_ ? kernels_.l2_x4 : kernels_.ip_x4;
    const auto one = is_l2_ ? kernels_.l2 : kernels_.ip;
    ByFours(
        base_, dim_, rows, count, keys, !is_l2_,
        [&](const uint16_t* const pointers[4], float* out) { four(query_, pointers, dim_, out); },
        [&](const uint16_t* row) { return one(query_, row, dim_); });
  }
  void ScoreRange(size_t begin, size_t count, float* keys) override {
    const auto one = is_l2_ ? kernels_.l2 : kernels_.ip;
    for (size_t i = 0; i < count; ++i) {
      const float value = one(query_, base_ + (begin + i) * dim_, dim_);
      keys[i] = is_l2_ ? value : -value;
    }
  }
  float ScoreExact(uint32_t row) override {
    float key;
    Score(&row, 1, &key);
    return key;
  }

 private:
  const simd::HalfKernels& kernels_;
  const uint16_t* base_;
  const size_t dim_;
  const bool is_l2_;
  const float* query_ = nullptr;
};

class HalfCodec final : public Codec {
 public:
  HalfCodec(CodeKind kind, uint32_t dim, bool is_l2)
      : kind_(kind),
        kernels_(kind == CodeKind::kFloat16 ? simd::Float16Kernels() : simd::BFloat16Kernels()),
        dim_(dim),
        is_l2_(is_l2) {}
  CodeKind kind() const override { return kind_; }
  size_t row_bytes() const override { return dim_ * sizeof(uint16_t); }
  bool has_terms() const override { return false; }
  void Encode(const float* row, char* code) const override {
    kernels_.encode(row, dim_, reinterpret_cast<uint16_t*>(code));
  }
  void Decode(const char* code, float* row) const override {
    kernels_.decode(reinterpret_cast<const uint16_t*>(code), dim_, row);
  }
  std::string Save() const override { return {}; }
  std::unique_ptr<Scorer> NewScorer(PackedRows rows) const override {
    return std::make_unique<HalfScorer>(kernels_, reinterpret_cast<const uint16_t*>(rows.codes),
                                        dim_, is_l2_);
  }

 private:
  const CodeKind kind_;
  const simd::HalfKernels& kernels_;
  const size_t dim_;
  const bool is_l2_;
};

}  // namespace

std::unique_ptr<Codec> MakeFloatCodec(uint32_t dim, bool is_l2) {
  return std::make_unique<FloatCodec>(dim, is_l2);
}

std::unique_ptr<Codec> MakeHalfCodec(CodeKind kind, uint32_t dim, bool is_l2) {
  return std::make_unique<HalfCodec>(kind, dim, is_l2);
}

}  // namespace elanus::index
