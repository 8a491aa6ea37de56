// Scores lists of vectors tile by tile: a tile of the row's vectors meets all of the query's while
// it is in the cache.
#include "index/embedding_list/max_sim.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "index/binary/scorer.h"
#include "index/codes/dense_rows.h"
#include "index/flat/exact.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

constexpr size_t kTileRows = 256;
constexpr size_t kQueriesPerKernel = 4;

// The best key that each vector of the query has met.
class BestKeys {
 public:
  void Reset(size_t queries) { best_.assign(queries, std::numeric_limits<float>::infinity()); }
  void Meet(size_t query, float key) { best_[query] = std::min(best_[query], key); }
  size_t size() const { return best_.size(); }
  float Sum() const {
    double sum = 0;  // A query may have thousands of vectors.
    for (float key : best_) sum += key;
    return static_cast<float>(sum);
  }

 private:
  std::vector<float> best_;
};

class FloatScorer final : public MaxSimScorer {
 public:
  FloatScorer(VectorBlock vectors, model::Metric metric)
      : vectors_(vectors),
        is_cosine_(metric == model::Metric::kCosine),
        sign_(metric == model::Metric::kL2 ? 1.0f : -1.0f),
        block_(metric == model::Metric::kL2 ? simd::Best().l2_block : simd::Best().ip_block) {}

  void SetQuery(VectorBlock vectors) override {
    query_ = vectors;
    if (!is_cosine_) return;
    unit_ = Normalised(vectors);
    query_.data = unit_.data();
  }

  float Key(size_t begin, size_t count) override {
    best_.Reset(query_.rows);
    for (size_t done = 0; done < count; done += kTileRows) {
      ScoreTile(begin + done, std::min(kTileRows, count - done));
    }
    return best_.Sum();
  }

 private:
  void ScoreTile(size_t begin, size_t tile) {
    for (size_t r = 0; r < tile; ++r) {
      scale_[r] = sign_ * (is_cosine_ ? InverseNorm(vectors_.row(begin + r), vectors_.dim) : 1.0f);
    }
    for (size_t q = 0; q < query_.rows; q += kQueriesPerKernel) {
      const size_t group = std::min(kQueriesPerKernel, query_.rows - q);
      block_(query_.row(q), group, vectors_.row(begin), tile, vectors_.dim, keys_.data(),
             kTileRows);
      for (size_t i = 0; i < group; ++i) {
        const float* keys = keys_.data() + i * kTileRows;
        float least = std::numeric_limits<float>::infinity();
        for (size_t r = 0; r < tile; ++r) least = std::min(least, keys[r] * scale_[r]);
        best_.Meet(q + i, least);
      }
    }
  }

  const VectorBlock vectors_;
  const bool is_cosine_;
  const float sign_;
  decltype(simd::Kernels::l2_block) const block_;
  VectorBlock query_;
  std::vector<float> unit_;
  BestKeys best_;
  std::array<float, kTileRows> scale_{};
  std::array<float, kQueriesPerKernel * kTileRows> keys_{};
};

// float16, bfloat16 and int8.
class ElementScorer final : public MaxSimScorer {
 public:
  ElementScorer(VectorBlock vectors, model::Metric metric)
      : vectors_(vectors),
        is_cosine_(metric == model::Metric::kCosine),
        distance_(vectors.element, vectors.dim, metric == model::Metric::kL2) {}

  void SetQuery(VectorBlock vectors) override {
    scratch_.resize(vectors.rows);
    prepared_.clear();
    query_scale_.clear();
    for (size_t q = 0; q < vectors.rows; ++q) {
      const void* row = RowOf(vectors, q);
      prepared_.push_back(distance_.Prepare(row, scratch_[q]));
      query_scale_.push_back(is_cosine_ ? InverseNorm(vectors.element, row, vectors.dim) : 1.0f);
    }
  }

  float Key(size_t begin, size_t count) override {
    best_.Reset(prepared_.size());
    for (size_t done = 0; done < count; done += 4) {
      ScoreFour(begin + done, std::min<size_t>(4, count - done));
    }
    return best_.Sum();
  }

 private:
  void ScoreFour(size_t begin, size_t held) {
    const void* rows[4];
    float scale[4];
    for (size_t i = 0; i < 4; ++i) {
      rows[i] = RowOf(vectors_, begin + std::min(i, held - 1));
      scale[i] = is_cosine_ ? InverseNorm(vectors_.element, rows[i], vectors_.dim) : 1.0f;
    }
    float keys[4];
    for (size_t q = 0; q < prepared_.size(); ++q) {
      distance_.Four(prepared_[q], rows, keys);
      for (size_t i = 0; i < held; ++i) best_.Meet(q, keys[i] * scale[i] * query_scale_[q]);
    }
  }

  const VectorBlock vectors_;
  const bool is_cosine_;
  const ElementDistance distance_;
  std::vector<std::vector<float>> scratch_;
  std::vector<const void*> prepared_;
  std::vector<float> query_scale_;
  BestKeys best_;
};

class BitsScorer final : public MaxSimScorer {
 public:
  BitsScorer(VectorBlock vectors, model::Metric metric) : bits_(vectors, nullptr, metric) {}

  void SetQuery(VectorBlock vectors) override { query_ = vectors; }

  float Key(size_t begin, size_t count) override {
    best_.Reset(query_.rows);
    for (size_t q = 0; q < query_.rows; ++q) {
      bits_.SetQuery(query_.row(q));
      for (size_t done = 0; done < count; done += kTileRows) {
        const size_t tile = std::min(kTileRows, count - done);
        bits_.ScoreRange(begin + done, tile, keys_.data());
        best_.Meet(q, *std::min_element(keys_.data(), keys_.data() + tile));
      }
    }
    return best_.Sum();
  }

 private:
  BitScorer bits_;
  BinaryBlock query_;
  BestKeys best_;
  std::array<float, BinaryScorer::kTileRows> keys_{};
};

}  // namespace

std::unique_ptr<MaxSimScorer> MakeMaxSimScorer(VectorBlock vectors, model::Metric metric) {
  if (vectors.element == ElementType::kBit) return std::make_unique<BitsScorer>(vectors, metric);
  if (vectors.element == ElementType::kFloat32) {
    return std::make_unique<FloatScorer>(vectors, metric);
  }
  return std::make_unique<ElementScorer>(vectors, metric);
}

}  // namespace elanus::index
