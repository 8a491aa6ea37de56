// Scoring by refine codes of residuals: the codec's own scorer, and the centroid's part.
#include "index/ivf/list_refiner.h"

#include <vector>

#include "simd/kernels.h"

namespace elanus::index {
namespace {

class ResidualRefiner final : public Scorer {
 public:
  ResidualRefiner(const OpenedIvf& lists, bool is_l2)
      : lists_(lists),
        codec_(*lists.codes.refine),
        is_l2_(is_l2),
        dim_(lists.header.dim),
        codes_(codec_.NewScorer(lists.refine)),
        offsets_(lists.header.lists),
        decoded_(dim_) {}

  void SetQuery(const float* query) override {
    query_ = query;
    codes_->SetQuery(query);
    if (++round_ != 0) return;
    // All the numbers that rounds can have are used up.
    for (Offset& offset : offsets_) offset.round = 0;
    round_ = 1;
  }
  void Score(const uint32_t* places, size_t count, float* keys) override {
    codes_->Score(places, count, keys);
    for (size_t i = 0; i < count; ++i) keys[i] += OffsetOf(lists_.ListOf(places[i]));
  }
  void ScoreRange(size_t begin, size_t count, float* keys) override {
    codes_->ScoreRange(begin, count, keys);
    for (size_t i = 0; i < count; ++i) {
      keys[i] += OffsetOf(lists_.ListOf(static_cast<uint32_t>(begin + i)));
    }
  }
  float ScoreExact(uint32_t place) override {
    codec_.Decode(lists_.refine.codes + place * codec_.row_bytes(), decoded_.data());
    const float* centroid = lists_.centroids + lists_.ListOf(place) * dim_;
    for (size_t d = 0; d < dim_; ++d) decoded_[d] += centroid[d];
    return is_l2_ ? simd::Best().l2(query_, decoded_.data(), dim_)
                  : -simd::Best().ip(query_, decoded_.data(), dim_);
  }

 private:
  // What the keys of a list lack, known of the query of this round.
  struct Offset {
    uint32_t round = 0;
    float value = 0;
  };

  float OffsetOf(uint32_t list) {
    Offset& offset = offsets_[list];
    if (offset.round != round_) {
      const float product = simd::Best().ip(query_, lists_.centroids + list * dim_, dim_);
      offset = {.round = round_, .value = is_l2_ ? -2 * product : -product};
    }
    return offset.value;
  }

  const OpenedIvf& lists_;
  const Codec& codec_;
  const bool is_l2_;
  const size_t dim_;
  const std::unique_ptr<Scorer> codes_;
  const float* query_ = nullptr;
  uint32_t round_ = 0;
  std::vector<Offset> offsets_;  // Of the lists.
  std::vector<float> decoded_;
};

}  // namespace

Refiner MakeListRefiner(const OpenedIvf& lists, VectorBlock rows, model::Metric metric) {
  if (!lists.codes.refines_residuals) {
    return MakeRefiner(lists.codes.refine_kind, lists.codes.refine.get(), lists.refine, rows,
                       metric);
  }
  return {.scorer = std::make_unique<ResidualRefiner>(lists, metric == model::Metric::kL2)};
}

}  // namespace elanus::index
