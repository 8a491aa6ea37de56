// Boosting hits.
#include "segment/boost.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

namespace elanus::segment {
namespace {

// Some rows of a segment as a filter sees them: what it costs hangs on the hits, not on the rows.
class HitSource final : public expr::ColumnSource {
 public:
  HitSource(const SegmentView& segment, std::span<const uint32_t> rows)
      : segment_(segment), rows_(rows) {}
  size_t rows() const override { return rows_.size(); }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    auto found = columns_.find(field);
    if (found == columns_.end()) {
      const model::FieldSchema* schema = segment_.schema().FindField(field);
      if (schema == nullptr) {
        return Error(ErrorCode::kFieldNotFound, "field not found[field={}]", field.value());
      }
      model::Column column =
          model::MakeColumn(field, schema->name, schema->type, schema->element_type, schema->dim());
      TRY(AppendValues(segment_, field, rows_, column));
      found = columns_.emplace(field, std::move(column)).first;
    }
    return found->second.view().Slice(begin, count);
  }

 private:
  const SegmentView& segment_;
  const std::span<const uint32_t> rows_;
  mutable std::map<FieldId, model::Column> columns_;  // Read so far.
};

// The finaliser of MurmurHash3: each bit of the input changes half of those of the output.
uint64_t Mix(uint64_t bits) {
  bits = (bits ^ (bits >> 33)) * 0xFF51AFD7ED558CCDULL;
  bits = (bits ^ (bits >> 33)) * 0xC4CEB9FE1A85EC53ULL;
  return bits ^ (bits >> 33);
}

// A number in [0, 1).
double Draw(uint64_t value, int64_t seed) {
  return static_cast<double>(Mix(value ^ Mix(static_cast<uint64_t>(seed))) >> 11) * 0x1.0p-53;
}

Result<double> FactorOf(const SegmentView& segment, const model::Boost& boost,
                        const HitSource& source, size_t hit, uint32_t row) {
  if (!boost.is_random) return boost.weight;
  uint64_t value = Mix(static_cast<uint64_t>(segment.id().value())) + row;
  if (boost.random_field != FieldId()) {
    TRY_ASSIGN(const model::ColumnView values, source.Read(boost.random_field, hit, 1));
    value = values.IsValid(0) ? static_cast<uint64_t>(values.Get<int64_t>(0)) : 0;
  }
  return boost.weight * Draw(value, boost.seed);
}

}  // namespace

void SortHits(const model::ShardSearch& search, size_t begin, size_t count, SegmentHits& hits) {
  struct Hit {
    float key;  // Smaller is better.
    uint32_t row;
    uint32_t element;
    bool operator<(const Hit& o) const {
      return std::tie(key, row, element) < std::tie(o.key, o.row, o.element);
    }
  };
  const float scale = model::LargerIsBetter(search.metric) ? -1.0f : 1.0f;
  const size_t slots = search.hits_max();
  std::vector<Hit> sorted;
  for (size_t q = begin; q < begin + count; ++q) {
    sorted.clear();
    for (size_t i = q * slots; i < (q + 1) * slots && hits.rows[i] != index::kNoRow; ++i) {
      sorted.push_back({.key = scale * hits.scores[i],
                        .row = hits.rows[i],
                        .element = hits.elements.empty() ? 0 : hits.elements[i]});
    }
    std::sort(sorted.begin(), sorted.end());
    for (size_t i = 0; i < sorted.size(); ++i) {
      hits.rows[q * slots + i] = sorted[i].row;
      hits.scores[q * slots + i] = scale * sorted[i].key;
      if (!hits.elements.empty()) hits.elements[q * slots + i] = sorted[i].element;
    }
  }
}

Result<std::vector<std::vector<double>>> BoostFactors(Context& ctx, const SegmentView& segment,
                                                      std::span<const model::Boost> boosts,
                                                      const std::string& timezone,
                                                      std::span<const uint32_t> rows) {
  const HitSource source(segment, rows);
  std::vector<std::vector<double>> factors;
  for (const model::Boost& boost : boosts) {
    TRY_ASSIGN(const expr::Plan plan, expr::Bind(boost.filter, segment.schema(), {}, timezone));
    Bitset passed;
    TRY(expr::Evaluate(ctx, plan, source, passed));
    auto& of_boost = factors.emplace_back(rows.size(), std::numeric_limits<double>::quiet_NaN());
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!passed.Test(i)) continue;
      TRY_ASSIGN(of_boost[i], FactorOf(segment, boost, source, i, rows[i]));
    }
  }
  return factors;
}

Status BoostHits(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                 size_t begin, size_t count, SegmentHits& hits) {
  const std::span<uint32_t> slots =
      std::span(hits.rows).subspan(begin * search.hits_max(), count * search.hits_max());
  const std::span<float> scores =
      std::span(hits.scores).subspan(begin * search.hits_max(), count * search.hits_max());
  std::vector<uint32_t> rows;
  for (uint32_t row : slots) {
    if (row != index::kNoRow) rows.push_back(row);
  }
  const model::Boosting& boosting = search.boosting;
  std::vector<double> factors(rows.size(), boosting.sums_boosts ? 0 : 1);
  std::vector<uint8_t> matched(rows.size(), 0);
  TRY_ASSIGN(const auto of_boosts,
             BoostFactors(ctx, segment, boosting.boosts, search.read.timezone, rows));
  for (const std::vector<double>& of_boost : of_boosts) {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (std::isnan(of_boost[i])) continue;
      matched[i] = 1;
      factors[i] = boosting.sums_boosts ? factors[i] + of_boost[i] : factors[i] * of_boost[i];
    }
  }
  size_t at = 0;
  for (size_t slot = 0; slot < slots.size(); ++slot) {
    if (slots[slot] == index::kNoRow) continue;
    const size_t hit = at++;
    if (matched[hit] == 0) continue;
    const double score = scores[slot];
    scores[slot] =
        static_cast<float>(boosting.sums_score ? score + factors[hit] : score * factors[hit]);
  }
  SortHits(search, begin, count, hits);
  return {};
}

}  // namespace elanus::segment
