// The order of lists. With centroid c = m + s * n + r (mean, steps, signed codes, what is left
// over) and query q' = q - m, of which s * q' = t * w + v is rounded to bytes w: <q', c - m> is t *
// <w, n> but for <v, n> + <q', r>, which is at most |v||n| + |q'||r|. A list whose key by bytes is
// further than twice that from the last asked one is not among the asked ones.
#include "index/cells/list_order.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/clock.h"
#include "base/context.h"
#include "index/cells/k_means.h"
#include "index/codes/dense_rows.h"
#include "index/top_k.h"
#include "simd/rounding.h"
#include "simd/select.h"

namespace elanus::index {
namespace {

// Fewer lists are scored exactly at once.
constexpr size_t kCodedListsMin = 64;
// More of the lists than one in so many cost as much as all, in order.
constexpr size_t kCandidateShare = 4;
// Centroids are grouped from so many bytes and lists on: what does not fit the second cache.
constexpr size_t kGroupedBytesMin = 512 << 10;
constexpr size_t kGroupedListsMin = 512;
// Opening groups them, which takes time as the square of their number.
constexpr size_t kGroupedListsMax = 4096;
// They pay where of this sample's lists so many of the nearest others are met.
constexpr size_t kSampleLists = 64;
constexpr uint32_t kSampleNearest = 8;
constexpr double kMetMin = 0.985;
constexpr double kPanelsMax = 0.6;
constexpr size_t kListsPerGroup = 32;
// Of all lists one in so many is met, and so many for each asked one.
constexpr std::array<size_t, 3> kGroupedShares = {16, 8, 4};
constexpr size_t kGroupedPerList = 12;
// Queries that come together share the reading of all lists, unless all are so many times those of
// one.
constexpr size_t kGroupedTogether = 3;
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

CodedCentroids::CodedCentroids(const float* values, size_t lists, size_t dim, bool is_l2,
                               Groups groups)
    : values_(values), lists_(lists), dim_(dim), is_l2_(is_l2) {
  if (is_l2) {
    squares_.resize(lists);
    for (size_t l = 0; l < lists; ++l) {
      squares_[l] = simd::Best().ip(values + l * dim, values + l * dim, dim);
    }
  }
  if (groups == Groups::kWherePays && lists * dim >= kGroupedBytesMin &&
      lists >= kGroupedListsMin && lists <= kGroupedListsMax) {
    Group();
  }
  if (lists >= kCodedListsMin) Encode();
}

// Groups stand in an order in which the next one is near, so that those that a query wants share
// panels.
void CodedCentroids::Group() {
  const VectorBlock rows{.data = values_, .rows = lists_, .dim = static_cast<uint32_t>(dim_)};
  SystemClock clock;
  Context ctx(clock);  // Nobody waits that could leave.
  const size_t count = lists_ / kListsPerGroup;
  auto trained = TrainCentroids(ctx, rows, count, nullptr);
  if (!trained.ok()) return;
  const auto group_of = AssignRows(ctx, rows, *trained, nullptr);
  if (!group_of.ok()) return;
  std::vector<std::vector<uint32_t>> members(count);
  for (uint32_t l = 0; l < lists_; ++l) members[(*group_of)[l]].push_back(l);
  const ElementDistance distance(ElementType::kFloat32, static_cast<uint32_t>(dim_), true);
  std::vector<bool> is_placed(count, false);
  size_t group = 0;
  for (size_t placed = 0; placed < count; ++placed) {
    const float* centroid = trained->data() + group * dim_;
    is_placed[group] = true;
    group_starts_.push_back(static_cast<uint32_t>(list_at_.size()));
    group_values_.insert(group_values_.end(), centroid, centroid + dim_);
    list_at_.insert(list_at_.end(), members[group].begin(), members[group].end());
    float least = std::numeric_limits<float>::infinity();
    for (size_t other = 0; other < count; ++other) {
      if (is_placed[other]) continue;
      const float key = distance.One(centroid, trained->data() + other * dim_);
      if (key >= least) continue;
      least = key;
      group = other;
    }
  }
  group_starts_.push_back(static_cast<uint32_t>(lists_));
  list_at_.resize((lists_ + simd::kBytePanelRows - 1) / simd::kBytePanelRows * simd::kBytePanelRows,
                  static_cast<uint32_t>(lists_));
  groups_ = std::make_shared<CodedCentroids>(group_values_.data(), count, dim_, is_l2_);
  for (const size_t share : kGroupedShares) {
    grouped_share_ = share;
    if (GroupsPay()) return;
  }
  groups_ = nullptr;
  list_at_ = {};
  group_values_ = {};
  group_starts_ = {};
}

void CodedCentroids::AddPanels(ListOrder& groups, size_t wanted,
                               std::vector<bool>& is_wanted) const {
  size_t met = 0;
  for (size_t g = 0; g < groups.size() && met < wanted; ++g) {
    const uint32_t group = groups.at(g);
    const uint32_t begin = group_starts_[group];
    const uint32_t end = group_starts_[group + 1];
    for (size_t panel = begin / simd::kBytePanelRows; panel * simd::kBytePanelRows < end; ++panel) {
      is_wanted[panel] = true;
    }
    met += end - begin;
  }
}

// Whether nearly all of the lists nearest to one are met by a query there, in few panels.
bool CodedCentroids::GroupsPay() const {
  const ElementDistance distance(ElementType::kFloat32, static_cast<uint32_t>(dim_), is_l2_);
  std::vector<uint32_t> panel_of(lists_);
  for (uint32_t place = 0; place < lists_; ++place) {
    panel_of[list_at_[place]] = place / simd::kBytePanelRows;
  }
  const size_t all_panels = list_at_.size() / simd::kBytePanelRows;
  ListOrder groups(*groups_, 1);
  size_t met = 0;
  size_t panels = 0;
  for (size_t sample = 0; sample < kSampleLists; ++sample) {
    const size_t list = sample * lists_ / kSampleLists;
    const float* query = values_ + list * dim_;
    TopK nearest(kSampleNearest);
    for (uint32_t l = 0; l < lists_; ++l) {
      if (l != list) nearest.Push(distance.One(query, values_ + l * dim_), l);
    }
    groups.Score(query, 1);
    groups.Choose(0, 1);
    std::vector<bool> is_wanted(all_panels, false);
    AddPanels(groups, lists_ / grouped_share_, is_wanted);
    panels += static_cast<size_t>(std::count(is_wanted.begin(), is_wanted.end(), true));
    nearest.ForEach([&](float, uint32_t l) { met += is_wanted[panel_of[l]] ? 1 : 0; });
  }
  const auto samples = static_cast<double>(kSampleLists);
  return static_cast<double>(met) >= kMetMin * samples * kSampleNearest &&
         static_cast<double>(panels) <= kPanelsMax * samples * static_cast<double>(all_panels);
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
  const size_t panels = is_grouped() ? list_at_.size() / simd::kBytePanelRows
                                     : (lists_ + simd::kBytePanelRows - 1) / simd::kBytePanelRows;
  codes_.assign(panels * simd::BytePanelSize(dim_), 0);
  terms_.assign(panels * simd::kBytePanelRows, std::numeric_limits<float>::infinity());
  for (size_t place = 0; place < terms_.size(); ++place) {
    const size_t l = ListAt(place);
    if (l >= lists_) continue;
    uint8_t* panel = codes_.data() + place / simd::kBytePanelRows * simd::BytePanelSize(dim_);
    double centred = 0, coded = 0, lost = 0;
    for (size_t d = 0; d < dim_; ++d) {
      const float value = values_[l * dim_ + d] - mean_[d];
      const float number = std::clamp(std::nearbyint(value / step_[d]), -reach, reach);
      const float left = value - step_[d] * number;
      panel[simd::BytePanelPlace(place % simd::kBytePanelRows, d)] =
          static_cast<uint8_t>(number + static_cast<float>(middle));
      centred += static_cast<double>(value) * value;
      coded += static_cast<double>(number) * number;
      lost += static_cast<double>(left) * left;
    }
    terms_[place] = is_l2_ ? static_cast<float>(centred) : 0.0f;
    centred_length_ = std::max(centred_length_, static_cast<float>(std::sqrt(centred)));
    code_length_ = std::max(code_length_, static_cast<float>(std::sqrt(coded)));
    lost_length_ = std::max(lost_length_, static_cast<float>(std::sqrt(lost)));
  }
}

size_t CodedCentroids::memory_bytes() const {
  return codes_.size() +
         (squares_.size() + mean_.size() + step_.size() + terms_.size() + list_at_.size() +
          group_values_.size() + group_starts_.size()) *
             4 +
         (is_grouped() ? groups_->memory_bytes() : 0);
}

ListOrder::ListOrder(const CodedCentroids& centroids, size_t at_once)
    : centroids_(centroids),
      centred_(centroids.dim()),
      rounded_(at_once * centroids.width_, 0),
      keys_(at_once * centroids.terms_.size()),
      candidates_(centroids.terms_.size()),
      products_(centroids.lists()),
      order_(centroids.lists()) {
  if (!centroids.is_grouped()) return;
  groups_ = std::make_unique<ListOrder>(*centroids.groups_, at_once);
  lists_met_.resize(keys_.size());
}

void ListOrder::Score(const float* queries, size_t count, size_t asked) {
  const CodedCentroids& c = centroids_;
  queries_ = queries;
  if (c.codes_.empty()) return;
  const float products = c.is_l2_ ? 2.0f : 1.0f;  // In a key.
  for (size_t i = 0; i < count; ++i) {
    const float* query = queries + i * c.dim_;
    for (size_t d = 0; d < c.dim_; ++d) centred_[d] = query[d] - c.mean_[d];
    const simd::RoundedBytes rounded =
        simd::RoundToBytes(centred_.data(), c.step_.data(), c.dim_, rounded_.data() + i * c.width_);
    factors_[i] = -products * rounded.scale;
    const float length = std::sqrt(kernels_.ip(centred_.data(), centred_.data(), c.dim_));
    const float by_bytes = rounded.lost * c.code_length_ + length * c.lost_length_;
    const float by_floats = c.centred_length_ * (length + c.centred_length_);
    const float rounding = kFloatError * std::sqrt(static_cast<float>(c.dim_));
    errors_[i] = products * by_bytes * (1 + rounding) + rounding * by_floats;
  }
  met_.assign(count, c.terms_.size());
  const size_t wanted = std::max(c.lists_ / c.grouped_share_, kGroupedPerList * asked);
  has_met_groups_ =
      c.is_grouped() && asked > 0 && wanted * (count == 1 ? 1 : kGroupedTogether) <= c.lists_;
  if (has_met_groups_) {
    MeetGroups(queries, count, wanted);
    return;
  }
  // Codes are taken as they are, too large by their middle: that moves all keys of a query alike.
  panels_.keys(rounded_.data(), count, c.width_, factors_, c.codes_.data(),
               c.terms_.size() / simd::kBytePanelRows, c.terms_.data(), keys_.data(),
               c.terms_.size());
}

// The keys of the panels that hold the groups nearest to each query, with so many lists.
void ListOrder::MeetGroups(const float* queries, size_t count, size_t wanted) {
  const CodedCentroids& c = centroids_;
  const size_t stride = c.terms_.size();
  groups_->Score(queries, count);
  for (size_t i = 0; i < count; ++i) {
    groups_->Choose(i, std::max<size_t>(1, c.groups_->lists() / c.grouped_share_));
    std::vector<bool> is_wanted(stride / simd::kBytePanelRows, false);
    c.AddPanels(*groups_, wanted, is_wanted);
    size_t met = 0;
    for (size_t panel = 0; panel < is_wanted.size();) {
      size_t end = panel;
      while (end < is_wanted.size() && is_wanted[end]) ++end;
      const size_t first = panel * simd::kBytePanelRows;
      const size_t rows = (end - panel) * simd::kBytePanelRows;
      panels_.keys(rounded_.data() + i * c.width_, 1, c.width_, factors_ + i,
                   c.codes_.data() + panel * simd::BytePanelSize(c.dim_), end - panel,
                   c.terms_.data() + first, keys_.data() + i * stride + met, stride);
      std::copy_n(c.list_at_.data() + first, rows, lists_met_.data() + i * stride + met);
      met += rows;
      panel = end + 1;
    }
    met_[i] = met;
  }
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
    const size_t met = met_[i];
    // Keys of padding are infinite.
    const float bound = std::min(select.bound(keys, met, std::min(sorted_, met)) + 2 * errors_[i],
                                 std::numeric_limits<float>::max());
    const size_t count = select.positions(keys, met, bound, candidates_.data());
    if (c.is_grouped()) {
      const uint32_t* lists =
          has_met_groups_ ? lists_met_.data() + i * c.terms_.size() : c.list_at_.data();
      for (size_t at = 0; at < count; ++at) candidates_[at] = lists[candidates_[at]];
    }
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
  if (c.codes_.empty() || c.is_grouped()) {
    Choose(i, c.lists_);
    return;
  }
  const float* keys = keys_.data() + i * c.terms_.size();
  for (uint32_t l = 0; l < c.lists_; ++l) order_[l] = Sortable(keys[l], l);
  has_all_keys_ = true;
  sorted_ = 0;
}

uint32_t ListOrder::NearestRoughly(size_t i) {
  const float* keys = keys_.data() + i * centroids_.terms_.size();
  const simd::SelectKernels& select = simd::Select();
  const size_t count =
      select.positions(keys, met_[i], select.bound(keys, met_[i], 1), candidates_.data());
  const uint32_t* place =
      std::min_element(candidates_.data(), candidates_.data() + count,
                       [&](uint32_t a, uint32_t b) { return keys[a] < keys[b]; });
  return centroids_.ListAt(*place);
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
