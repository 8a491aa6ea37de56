// The last step of a search on codes: candidates scored anew, the best of them answered.
#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include "index/codes/codec.h"
#include "index/codes/raw_scorer.h"
#include "index/key_range.h"
#include "index/top_k.h"

namespace elanus::index {

/// Whether the scorer of such codes rounds the query, so that its ScoreExact knows better.
constexpr bool RoundsQuery(CodeKind kind) {
  return kind != CodeKind::kFloat32 && kind != CodeKind::kRaw;
}

/// Candidates of one query: where their code lies, the row of the segment, the key so far.
struct Candidates {
  std::vector<uint32_t> places;
  std::vector<uint32_t> rows;
  std::vector<float> keys;
  void Clear() {
    places.clear();
    rows.clear();
    keys.clear();
  }
  void Add(uint32_t place, uint32_t row, float key) {
    places.push_back(place);
    rows.push_back(row);
    keys.push_back(key);
  }
};

/// What knows better than the codes of a scan: of rows or of places, or null for nothing.
struct Refiner {
  std::unique_ptr<Scorer> scorer;
  bool by_row = false;
};

/// By `codec`'s codes, by `rows` as they are when it is null and the kind is kFloat32, or by
/// nothing.
inline Refiner MakeRefiner(CodeKind kind, const Codec* codec, PackedRows packed, VectorBlock rows,
                           model::Metric metric) {
  if (codec != nullptr) return {.scorer = codec->NewScorer(packed)};
  if (kind != CodeKind::kFloat32) return {};
  return {.scorer = std::make_unique<RawScorer>(rows, metric), .by_row = true};
}

/// Scores candidates anew, for one call.
class Rescorer {
 public:
  /// `scan` scored the candidates; when `scan_rounds`, its keys are of a rounded query and it can
  /// do better.
  Rescorer(Refiner refiner, Scorer& scan, bool scan_rounds)
      : scan_(scan),
        scan_rounds_(scan_rounds),
        refine_(std::move(refiner.scorer)),
        by_row_(refiner.by_row) {}

  /// After the scan's own SetQuery. Borrowed until the next call.
  void SetQuery(const QueryVector& query) {
    if (refine_ == nullptr) return;
    refine_->SetQuery(refine_->takes_plain_query() ? query.plain() : query.unit());
  }
  /// Whether it scores by something else than the scan's codes, which then need not be right.
  bool refines() const { return refine_ != nullptr; }
  /// Whether KeyOf knows better than the scan.
  bool rescores() const { return refine_ != nullptr || scan_rounds_; }
  /// The final key of one candidate.
  float KeyOf(uint32_t place, uint32_t row, float key) {
    if (refine_ != nullptr) return refine_->ScoreExact(by_row_ ? row : place);
    return scan_rounds_ ? scan_.ScoreExact(place) : key;
  }

  /// Pushes the rows whose final keys lie in the range; `k` are wanted.
  void Run(size_t k, const KeyRange& range, Candidates& candidates, TopK& best) {
    std::vector<float>& keys = candidates.keys;
    const size_t count = keys.size();
    const auto push = [&](float key, uint32_t row) {
      if (!range.bounds() || range.Holds(key)) best.Push(key, row);
    };
    if (refine_ != nullptr) {
      refine_->Score(by_row_ ? candidates.rows.data() : candidates.places.data(), count,
                     keys.data());
    }
    if (by_row_ || (refine_ == nullptr && !scan_rounds_)) {
      for (size_t i = 0; i < count; ++i) push(keys[i], candidates.rows[i]);
      return;
    }
    // A rounded query is good enough to choose by, not to answer with. What a range's lower end
    // leaves out may be among the best: then all are scored.
    order_.resize(count);
    std::iota(order_.begin(), order_.end(), 0u);
    const size_t kept = range.has_low() ? count : std::min(k, count);
    std::partial_sort(order_.begin(), order_.begin() + static_cast<ptrdiff_t>(kept), order_.end(),
                      [&](uint32_t a, uint32_t b) { return keys[a] < keys[b]; });
    for (size_t i = 0; i < kept; ++i) {
      const uint32_t at = order_[i];
      push((refine_ != nullptr ? *refine_ : scan_).ScoreExact(candidates.places[at]),
           candidates.rows[at]);
    }
  }

 private:
  Scorer& scan_;
  const bool scan_rounds_;
  const std::unique_ptr<Scorer> refine_;
  const bool by_row_;
  std::vector<uint32_t> order_;
};

}  // namespace elanus::index
