// Elements that an element_filter keeps.
#include "segment/kept_elements.h"

#include <algorithm>

#include "expr/element_filter.h"
#include "segment/filter_source.h"

namespace elanus::segment {

Result<const KeptElements::Chunk*> KeptElements::ChunkOf(size_t segment, size_t begin) {
  const auto [place, is_new] = chunks_.try_emplace({segment, begin});
  Chunk& chunk = place->second;
  if (!is_new) return &chunk;
  const SegmentView& view = *segments_[segment];
  const size_t count = std::min(kChunkRows, view.rows() - begin);
  TRY(expr::EvaluateElementFilter(ctx_, plan_, FilterSource(view), begin, count, chunk.kept));
  TRY_ASSIGN(const model::ColumnView lists, view.Read(sub_field_, begin, count));
  chunk.begins.push_back(0);
  for (size_t row = 0; row < count; ++row) {
    const size_t size = lists.IsValid(row) ? model::ElementCount(lists, row) : 0;
    chunk.begins.push_back(chunk.begins.back() + size);
  }
  return &chunk;
}

Status KeptElements::Append(size_t segment, size_t row, model::Column& places) {
  const size_t begin = row / kChunkRows * kChunkRows;
  TRY_ASSIGN(const Chunk* chunk, ChunkOf(segment, begin));
  std::vector<int64_t> kept;
  const size_t first = chunk->begins[row - begin];
  // Of a mapped file that has failed meanwhile the filter may have seen fewer elements.
  const size_t end = std::min(chunk->begins[row - begin + 1], chunk->kept.size());
  for (size_t element = first; element < end; ++element) {
    if (chunk->kept.Test(element)) kept.push_back(static_cast<int64_t>(element - first));
  }
  places.AppendBytes({reinterpret_cast<const char*>(kept.data()), kept.size() * sizeof(int64_t)});
  return {};
}

}  // namespace elanus::segment
