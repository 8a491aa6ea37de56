// Search for single vectors of lists: a search of plain vectors, whose hits are then found in their
// rows.
#include "segment/element_search.h"

#include <algorithm>

#include "index/embedding_list.h"
#include "index/search_params.h"
#include "index/top_k.h"

namespace elanus::segment {
namespace {

class ElementSearcher {
 public:
  ElementSearcher(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                  const Allowed& allowed)
      : ctx_(ctx), segment_(segment), search_(search), allowed_(allowed) {}

  Status Run(size_t begin, size_t count, SegmentHits& hits) {
    request_.queries = index::BlockOf(search_.queries.view()).Slice(begin, count);
    if (search_.has_radius) request_.range.radius = static_cast<float>(search_.radius);
    if (search_.has_range_filter) {
      request_.range.range_filter = static_cast<float>(search_.range_filter);
    }
    const FieldIndex* index = nullptr;
    if (!search_.exact) {
      TRY_ASSIGN(index, segment_.IndexOf(search_.vector_field));
    }
    const auto specs = index != nullptr ? index->type->params
                                        : index::ExactParams(KindOf(request_.queries.element));
    TRY_ASSIGN(request_.params, index::ParseSearchParams(specs, search_.params));
    best_ = std::vector<index::TopK>(count, index::TopK(search_.k));
    TRY_ASSIGN(const auto blocks, segment_.Vectors(search_.vector_field));
    size_t first_row = 0;
    for (const index::VectorBlock& block : blocks) {
      if (block.rows > 0) {
        // A segment with an index is one block.
        TRY(SearchBlock({.block = block, .first_row = first_row},
                        index != nullptr ? index->index.get() : nullptr));
      }
      first_row += block.rows;
    }
    Write(begin, hits);
    return {};
  }

 private:
  struct Element {
    uint32_t row;
    uint32_t place;
  };

  Status SearchBlock(const ListBlock& lists, const index::VectorIndex* index) {
    const index::VectorBlock flat = lists.block.Flat();
    const auto k = static_cast<uint32_t>(std::min<size_t>(search_.k, flat.rows));
    if (k == 0) return {};
    Bitset vectors;
    const bool takes_all = allowed_.all && allowed_.elements.empty();
    if (!takes_all && !AllowVectors(lists, allowed_, vectors)) return {};
    request_.k = k;
    request_.allowed = takes_all ? BitsetView() : vectors.view();
    std::vector<uint32_t> found(best_.size() * k, index::kNoRow);
    std::vector<float> scores(best_.size() * k);
    const index::Hits hits{.rows = found.data(), .scores = scores.data()};
    TRY(index != nullptr ? index->Search(ctx_, request_, hits)
                         : index::SearchExact(ctx_, flat, search_.metric, request_, hits));
    const float scale = model::LargerIsBetter(search_.metric) ? -1.0f : 1.0f;
    for (size_t q = 0; q < best_.size(); ++q) {
      for (size_t i = q * k; i < (q + 1) * k && found[i] != index::kNoRow; ++i) {
        const size_t row = lists.block.OwnerOf(found[i]);
        best_[q].Push(scale * scores[i], static_cast<uint32_t>(elements_.size()));
        elements_.push_back(
            {.row = static_cast<uint32_t>(lists.first_row + row),
             .place = static_cast<uint32_t>(found[i] - lists.block.FirstVector(row))});
      }
    }
    return {};
  }

  void Write(size_t begin, SegmentHits& hits) {
    const float scale = model::LargerIsBetter(search_.metric) ? -1.0f : 1.0f;
    for (size_t q = 0; q < best_.size(); ++q) {
      const size_t first = (begin + q) * search_.k;
      best_[q].WriteTo({.rows = hits.rows.data() + first, .scores = hits.scores.data() + first}, 0,
                       scale);
      for (size_t i = first; i < first + search_.k && hits.rows[i] != index::kNoRow; ++i) {
        const Element& element = elements_[hits.rows[i]];
        hits.rows[i] = element.row;
        hits.elements[i] = element.place;
      }
    }
  }

  Context& ctx_;
  const SegmentView& segment_;
  const model::ShardSearch& search_;
  const Allowed& allowed_;
  index::SearchRequest request_;
  std::vector<index::TopK> best_;  // Of numbers in `elements_`, by query.
  std::vector<Element> elements_;
};

}  // namespace

bool KeepsElement(const Allowed& allowed, size_t chunk, size_t element) {
  const Bitset& kept = allowed.elements[chunk];
  return element < kept.size() && kept.Test(element);
}

bool AllowVectors(const ListBlock& lists, const Allowed& allowed, Bitset& vectors) {
  const index::VectorBlock& block = lists.block;
  vectors.Resize(block.Flat().rows);
  bool any = false;
  for (size_t row = 0; row < block.rows; ++row) {
    const size_t in_segment = lists.first_row + row;
    if (!allowed.all && !allowed.view().Test(in_segment)) continue;
    // Blocks begin at whole chunks, and hold whole ones but for the last.
    const size_t chunk = in_segment / kChunkRows;
    const size_t chunk_begin = block.FirstVector(chunk * kChunkRows - lists.first_row);
    for (size_t v = block.FirstVector(row); v < block.FirstVector(row + 1); ++v) {
      if (!allowed.elements.empty() && !KeepsElement(allowed, chunk, v - chunk_begin)) continue;
      vectors.Set(v);
      any = true;
    }
  }
  return any;
}

Status SearchElements(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                      const Allowed& allowed, size_t begin, size_t count, SegmentHits& hits) {
  return ElementSearcher(ctx, segment, search, allowed).Run(begin, count, hits);
}

}  // namespace elanus::segment
