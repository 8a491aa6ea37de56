// Leaving segments out.
#include "segment/prune.h"

#include <map>

namespace elanus::segment {
namespace {

// A segment as one row of which only ranges are known. What the ranges do not settle cannot be
// read, which ends the evaluation: then nothing is known.
class RangesOnly final : public expr::ColumnSource {
 public:
  explicit RangesOnly(const SegmentView& segment) : segment_(segment) {}
  size_t rows() const override { return 1; }
  Result<model::ColumnView> Read(FieldId, size_t, size_t) const override {
    return Status(ErrorCode::kFieldNotFound, "only the range is known");
  }
  const model::BlockStats* Stats(FieldId field, size_t) const override {
    const auto known = segment_.WholeStats(field);
    if (!known) return nullptr;
    return &(stats_[field.value()] = *known);
  }

 private:
  const SegmentView& segment_;
  mutable std::map<int64_t, model::BlockStats> stats_;
};

}  // namespace

bool CannotMatch(Context& ctx, const SegmentView& segment, const expr::Plan& plan) {
  if (plan.always_true() || segment.rows() == 0) return false;
  Bitset matches;
  Context part(ctx, nullptr);  // What it does to ranges says nothing about rows.
  const Status status = expr::Evaluate(part, plan, RangesOnly(segment), matches);
  return status.ok() && !matches.Any();
}

}  // namespace elanus::segment
