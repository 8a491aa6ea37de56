// Chains over the hits of a segment.
#include "segment/chain_hits.h"

#include <algorithm>

#include "model/groups.h"
#include "model/score_chain.h"
#include "segment/boost.h"
#include "trees/chain_models.h"

namespace elanus::segment {
namespace {

// The values of fields for the rows, in the order of the fields.
Result<std::vector<model::Column>> ValuesOf(const SegmentView& segment,
                                            const std::vector<FieldId>& fields,
                                            std::span<const uint32_t> rows) {
  std::vector<model::Column> columns;
  for (FieldId id : fields) {
    const model::FieldSchema* field = segment.schema().FindField(id);
    if (field == nullptr)
      return Error(ErrorCode::kFieldNotFound, "field not found[field={}]", id.value());
    columns.push_back(
        model::MakeColumn(id, field->name, field->type, field->element_type, field->dim()));
    TRY(AppendValues(segment, id, rows, columns.back()));
  }
  return columns;
}

}  // namespace

Status ChainHits(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                 size_t begin, size_t count, SegmentHits& hits) {
  const model::CollectionSchema& schema = segment.schema();
  TRY_ASSIGN(const auto chain,
             model::ScoreChain::Compile(search.chain, model::ChainStage::kSegment, schema));
  TRY_ASSIGN(const auto predict, trees::PredictorOf(chain));
  const size_t slots = search.hits_max();
  for (size_t q = begin; q < begin + count; ++q) {
    TRY(ctx.CheckAlive());
    const size_t first = q * slots;
    const auto found = std::span(hits.rows).subspan(first, slots);
    const auto end = std::find(found.begin(), found.end(), index::kNoRow);
    const std::vector<uint32_t> rows(found.begin(), end);
    std::vector<float> scores(hits.scores.begin() + static_cast<ptrdiff_t>(first),
                              hits.scores.begin() + static_cast<ptrdiff_t>(first + rows.size()));
    TRY_ASSIGN(const auto keys, ValuesOf(segment, {schema.primary_key().id}, rows));
    TRY_ASSIGN(const auto fields, ValuesOf(segment, chain.fields(), rows));
    TRY_ASSIGN(auto factors,
               BoostFactors(ctx, segment, chain.boosts(), search.read.timezone, rows));
    std::vector<uint32_t> places(rows.size());
    for (uint32_t i = 0; i < places.size(); ++i) places[i] = i;
    std::vector<uint32_t> elements;
    if (!hits.elements.empty()) {
      const auto own = std::span(hits.elements).subspan(first, rows.size());
      elements.assign(own.begin(), own.end());
    }
    TRY(chain.Run({.keys = keys[0].view(),
                   .fields = model::ViewsOf(fields),
                   .segment_rows = rows,
                   .groups = {},
                   .factors = std::move(factors),
                   .ask = {},
                   .predict = predict},
                  places, scores));
    for (size_t i = 0; i < slots; ++i) {
      const bool is_used = i < places.size();
      hits.rows[first + i] = is_used ? rows[places[i]] : index::kNoRow;
      hits.scores[first + i] = is_used ? scores[places[i]] : 0.0f;
      if (is_used && !elements.empty()) hits.elements[first + i] = elements[places[i]];
    }
  }
  SortHits(search, begin, count, hits);
  return {};
}

}  // namespace elanus::segment
