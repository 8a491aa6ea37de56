// A segment as its filter sees it.
#pragma once

#include "expr/expr.h"
#include "segment/segment.h"

namespace elanus::segment {

/// Borrows the segment.
class FilterSource final : public expr::ColumnSource {
 public:
  explicit FilterSource(const SegmentView& segment) : segment_(segment) {}
  size_t rows() const override { return segment_.rows(); }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    return segment_.Read(field, begin, count);
  }
  std::string_view NameOf(FieldId field) const override {
    const model::FieldSchema* known = segment_.schema().FindField(field);
    return known == nullptr ? std::string_view() : std::string_view(known->name);
  }
  model::IndexPromise Estimate(const model::Predicate& predicate) const override {
    return segment_.Estimate(predicate);
  }
  Result<model::Coverage> Answer(Context& ctx, const model::Predicate& predicate, Bitset& matches,
                                 Bitset* unknown) const override {
    return segment_.Answer(ctx, predicate, matches, unknown);
  }
  const model::BlockStats* Stats(FieldId field, size_t begin) const override {
    return segment_.Stats(field, begin);
  }

 private:
  const SegmentView& segment_;
};
static_assert(kChunkRows == expr::kBatchRows, "a batch of the filter must lie in one chunk");

}  // namespace elanus::segment
