// Rows of one segment with an index over their vectors, for tests of what a search does with it.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "segment/segment.h"

namespace elanus::segment {

/// A segment whose vectors lie in one block and have an index.
class IndexedView final : public SegmentView {
 public:
  IndexedView(std::shared_ptr<const SegmentView> rows, index::VectorBlock block, FieldIndex index)
      : rows_(std::move(rows)), block_(block), index_(std::move(index)) {}
  SegmentId id() const override { return rows_->id(); }
  PartitionId partition() const override { return rows_->partition(); }
  size_t rows() const override { return rows_->rows(); }
  const model::CollectionSchema& schema() const override { return rows_->schema(); }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    return rows_->Read(field, begin, count);
  }
  Result<std::vector<index::VectorBlock>> Vectors(FieldId) const override {
    return std::vector<index::VectorBlock>{block_};
  }
  const uint64_t* RowTimestamps(size_t begin) const override { return rows_->RowTimestamps(begin); }
  Visible VisibleAt(Timestamp read_at) const override { return rows_->VisibleAt(read_at); }
  Visible RowsWithVector(FieldId field) const override { return rows_->RowsWithVector(field); }
  Result<const FieldIndex*> IndexOf(FieldId) const override { return &index_; }

 private:
  const std::shared_ptr<const SegmentView> rows_;
  const index::VectorBlock block_;
  const FieldIndex index_;
};

}  // namespace elanus::segment
