// The order of lists. With centroid c = m + s * n + r (mean, steps, signed codes, what is left
// over) and query q' = q - m, of which s * q' = t * w + v is rounded to bytes w: <q', c - m> is t *
// <w, n> but for <v, n> + <q', r>, which is at most |v||n| + |q'||r|. A list whose key by bytes is
// further than twice that from the last asked one is not among the asked ones.
#include "index/cells/list_order.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "simd/rounding.h"
#include "simd/select.h"

namespace elanus::index {
namespace {

// Fewer lists are scored exactly at once.
constexpr size_t kCodedListsMin = simd::kPanelRows;
// More of the lists than one in so many cost as much as all, in order.
constexpr size_t kCandidateShare = 4;
// Sorted lists come to so many times as many when the next one is asked for.
constexpr size_t kSortedMore = 3;
constexpr size_t kSortedMin = 64;
// Of sums of float32 numbers, as a share of what is added up, times the root of their number.
constexpr float kFloatError = 1e-6f;

// A key and a list as one number that sorts by the key: a float's bits sort as an integer's once
// negative ones are turned over.
uint64_t Sortable(float key, uint32_t list) {
  const auto bits = std::bit_cast<uint32_t>(key);
  const uint32_t turned = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  return static_cast<uint64_t>(turned) << 32 | list;
}

}  // namespace

CodedCentroids::CodedCentroids(const float* values, size_t lists, size_t dim, bool is_l2)
    : values_(values), lists_(lists), dim_(dim), is_l2_(is_l2) {
  if (is_l2) {
    squares_.resize(lists);
    for (size_t l = 0; l < lists; ++l) {
      squares_[l] = simd::Best().ip(values + l * dim, values + l * dim, dim);
    }
  }
  if (lists >= kCodedListsMin) Encode();
}

void CodedCentroids::Encode() {
  const int middle = (simd::BestBytePanels().code_max + 1) / 2;
  const auto reach = static_cast<float>(middle - 1);
  mean_.assign(dim_, 0.0f);
  step_.assign(dim_, 0.0f);
  if (is_l2_) {
    std::vector<double> sums(dim_, 0.0);
    for (size_t i = 0; i < lists_ * dim_; ++i) sums[i % dim_] += values_[i];
    for (size_t d = 0; d < dim_; ++d) {
      mean_[d] = static_cast<float>(sums[d] / static_cast<double>(lists_));
    }
  }
  for (size_t i = 0; i < lists_ * dim_; ++i) {
    step_[i % dim_] = std::max(step_[i % dim_], std::abs(values_[i] - mean_[i % dim_]));
  }
  for (float& step : step_) step = std::max(step / reach, 1e-30f);
  width_ = (dim_ + 3) / 4 * 4;
  const size_t panels = (lists_ + simd::kPanelRows - 1) / simd::kPanelRows;
  codes_.assign(panels * simd::BytePanelSize(dim_), 0);
  terms_.assign(panels * simd::kPanelRows, std::numeric_limits<float>::infinity());
  for (size_t l = 0; l < lists_; ++l) {
    uint8_t* panel = codes_.data() + l / simd::kPanelRows * simd::BytePanelSize(dim_);
    double centred = 0, coded = 0, lost = 0;
    for (size_t d = 0; d < dim_; ++d) {
      const float value = values_[l * dim_ + d] - mean_[d];
      const float number = std::clamp(std::nearbyint(value / step_[d]), -reach, reach);
      const float left = value - step_[d] * number;
      panel[simd::BytePanelPlace(l % simd::kPanelRows, d)] =
          static_cast<uint8_t>(number + static_cast<float>(middle));
      centred += static_cast<double>(value) * value;
      coded += static_cast<double>(number) * number;
      lost += static_cast<double>(left) * left;
    }
    terms_[l] = is_l2_ ? static_cast<float>(centred) : 0.0f;
    centred_length_ = std::max(centred_length_, static_cast<float>(std::sqrt(centred)));
    code_length_ = std::max(code_length_, static_cast<float>(std::sqrt(coded)));
    lost_length_ = std::max(lost_length_, static_cast<float>(std::sqrt(lost)));
  }
}

size_t CodedCentroids::memory_bytes() const {
  return codes_.size() + (squares_.size() + mean_.size() + step_.size() + terms_.size()) * 4;
}

ListOrder::ListOrder(const CodedCentroids& centroids)
    : centroids_(centroids),
      centred_(centroids.dim()),
      rounded_(kQueriesAtOnce * centroids.width_, 0),
      keys_(kQueriesAtOnce * centroids.terms_.size()),
      candidates_(centroids.terms_.size()),
      products_(centroids.lists()),
      order_(centroids.lists()) {}

void ListOrder::Score(const float* queries, size_t count) {
  const CodedCentroids& c = centroids_;
  queries_ = queries;
  if (c.codes_.empty()) return;
  float factors[kQueriesAtOnce];
  const float products = c.is_l2_ ? 2.0f : 1.0f;  // In a key.
  for (size_t i = 0; i < count; ++i) {
    const float* query = queries + i * c.dim_;
    for (size_t d = 0; d < c.dim_; ++d) centred_[d] = query[d] - c.mean_[d];
    const simd::RoundedBytes rounded =
        simd::RoundToBytes(centred_.data(), c.step_.data(), c.dim_, rounded_.data() + i * c.width_);
    factors[i] = -products * rounded.scale;
    const float length = std::sqrt(kernels_.ip(centred_.data(), centred_.data(), c.dim_));
    const float by_bytes = rounded.lost * c.code_length_ + length * c.lost_length_;
    const float by_floats = c.centred_length_ * (length + c.centred_length_);
    const float rounding = kFloatError * std::sqrt(static_cast<float>(c.dim_));
    errors_[i] = products * by_bytes * (1 + rounding) + rounding * by_floats;
  }
  // Codes are taken as they are, too large by their middle: that moves all keys of a query alike.
  panels_.keys(rounded_.data(), count, c.width_, factors, c.codes_.data(),
               c.terms_.size() / simd::kPanelRows, c.terms_.data(), keys_.data(), c.terms_.size());
}

uint64_t ListOrder::KeyOf(uint32_t list) const {
  const float product = products_[list];
  return Sortable(centroids_.is_l2_ ? centroids_.squares_[list] - 2 * product : -product, list);
}

void ListOrder::Choose(size_t i, size_t sorted) {
  const CodedCentroids& c = centroids_;
  query_ = queries_ + i * c.dim_;
  sorted_ = std::clamp<size_t>(sorted, 1, c.lists_);
  has_all_keys_ = false;
  if (!c.codes_.empty() && sorted_ * kCandidateShare <= c.lists_) {
    const simd::SelectKernels& select = simd::Select();
    const float* keys = keys_.data() + i * c.terms_.size();
    const float bound = select.bound(keys, c.lists_, sorted_) + 2 * errors_[i];
    const size_t count = select.positions(keys, c.lists_, bound, candidates_.data());
    if (count >= sorted_ && count * kCandidateShare <= c.lists_) {
      ChooseAmong(count);
      return;
    }
  }
  ScoreExactly();
  for (uint32_t l = 0; l < c.lists_; ++l) order_[l] = KeyOf(l);
  has_all_keys_ = true;
  sorted_ = 0;
  SortMore(sorted);
}

void ListOrder::ChooseRoughly(size_t i) {
  const CodedCentroids& c = centroids_;
  query_ = queries_ + i * c.dim_;
  if (c.codes_.empty()) {
    Choose(i, c.lists_);
    return;
  }
  const float* keys = keys_.data() + i * c.terms_.size();
  for (uint32_t l = 0; l < c.lists_; ++l) order_[l] = Sortable(keys[l], l);
  has_all_keys_ = true;
  sorted_ = 0;
}

// So that the first `count` are in order.
void ListOrder::SortMore(size_t count) {
  count = std::clamp<size_t>(count, 1, order_.size());
  const auto begin = order_.begin() + static_cast<ptrdiff_t>(sorted_);
  const auto middle = order_.begin() + static_cast<ptrdiff_t>(count);
  if (middle != order_.end()) std::nth_element(begin, middle, order_.end());
  std::sort(begin, middle);
  sorted_ = count;
}

// The first `count` candidates by their exact keys.
void ListOrder::ChooseAmong(size_t count) {
  const CodedCentroids& c = centroids_;
  const auto centroid = [&](size_t at) { return c.values_ + size_t{candidates_[at]} * c.dim_; };
  for (size_t at = 0; at < count; at += 4) {
    const size_t group = std::min<size_t>(4, count - at);
    const float* rows[4];
    for (size_t j = 0; j < 4; ++j) rows[j] = centroid(at + std::min(j, group - 1));
    float products[4];
    kernels_.ip_x4(query_, rows, c.dim_, products);
    for (size_t j = 0; j < group; ++j) {
      products_[candidates_[at + j]] = products[j];
      order_[at + j] = KeyOf(candidates_[at + j]);
    }
  }
  const auto begin = order_.begin();
  std::partial_sort(begin, begin + static_cast<ptrdiff_t>(sorted_),
                    begin + static_cast<ptrdiff_t>(count));
}

void ListOrder::ScoreExactly() {
  kernels_.ip_block(query_, 1, centroids_.values_, centroids_.lists_, centroids_.dim_,
                    products_.data(), products_.size());
}

uint32_t ListOrder::at(size_t place) {
  if (place >= sorted_ && has_all_keys_) {
    SortMore(std::max({place + 1, kSortedMore * sorted_, kSortedMin}));
  } else if (place >= sorted_) {
    // The ones in order stay where they are, whatever another order of additions makes of them.
    std::vector<uint8_t> is_sorted(order_.size(), 0);
    for (size_t i = 0; i < sorted_; ++i) is_sorted[static_cast<uint32_t>(order_[i])] = 1;
    ScoreExactly();
    size_t next = sorted_;
    for (uint32_t l = 0; l < order_.size(); ++l) {
      if (is_sorted[l] == 0) order_[next++] = KeyOf(l);
    }
    std::sort(order_.begin() + static_cast<ptrdiff_t>(sorted_), order_.end());
    sorted_ = order_.size();
  }
  return static_cast<uint32_t>(order_[place]);
}

}  // namespace elanus::index
