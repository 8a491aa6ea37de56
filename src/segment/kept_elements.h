// Which elements of a row an element_filter keeps, for the answers of queries.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "expr/expr.h"
#include "segment/segment.h"

namespace elanus::segment {

/// Evaluates the plan's element_filter chunk by chunk, each chunk once. The segments outlive it.
class KeptElements {
 public:
  /// The plan has an element_filter; see expr::ElementFilterField, whose value `sub_field` is.
  KeptElements(Context& ctx, std::span<const std::shared_ptr<const SegmentView>> segments,
               const expr::Plan& plan, FieldId sub_field)
      : ctx_(ctx), segments_(segments), plan_(plan), sub_field_(sub_field) {}

  /// Appends the places of the kept elements of a row of `segments[segment]`, ascending, to an
  /// Array column of Int64. Errors: those of evaluating the plan.
  Status Append(size_t segment, size_t row, model::Column& places);

 private:
  struct Chunk {
    Bitset kept;                 // Elements of all rows, one after the other.
    std::vector<size_t> begins;  // The first of each row, and one past the last.
  };
  Result<const Chunk*> ChunkOf(size_t segment, size_t begin);

  Context& ctx_;
  std::span<const std::shared_ptr<const SegmentView>> segments_;
  const expr::Plan& plan_;
  FieldId sub_field_;
  std::map<std::pair<size_t, size_t>, Chunk> chunks_;
};

}  // namespace elanus::segment
