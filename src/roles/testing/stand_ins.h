// For tests of whoever asks a role: roles that do nothing. A test overrides what it asks of one.
#pragma once

#include <string>
#include <vector>

#include "roles/data.h"
#include "roles/query.h"

namespace elanus::roles {

inline Status NotInThisTest() { return Status(ErrorCode::kUnimplemented, "not in this test"); }

/// Holds no segment and no term; what it is told to do succeeds.
class StandInQuery : public Query {
 public:
  Status LoadSegment(Context&, const model::SegmentInfo&, const model::CollectionInfo&,
                     const std::vector<model::DeltaInfo>&) override {
    return {};
  }
  Status SetSchema(Context&, CollectionId, const model::CollectionSchema&) override { return {}; }
  Status ReleaseSegment(Context&, SegmentId) override { return {}; }
  Status ApplyDeletes(Context&, const std::vector<SegmentId>&, const model::Deletes&) override {
    return {};
  }
  Result<model::PartialHits> Search(Context&, const std::vector<SegmentId>&,
                                    const model::ShardSearch&) override {
    return NotInThisTest();
  }
  Result<model::TermTotals> CountTerms(Context&, const std::vector<SegmentId>&, FieldId,
                                       const std::vector<uint32_t>& terms) override {
    model::TermTotals none;
    none.with_term.resize(terms.size());
    return none;
  }
  Result<model::PartialRows> Retrieve(Context&, const std::vector<SegmentId>&,
                                      const model::ShardQuery&) override {
    return NotInThisTest();
  }
};

/// Writes and builds nothing.
class StandInData : public Data {
 public:
  Result<model::SegmentInfo> Flush(Context&, const FlushTask&) override { return NotInThisTest(); }
  Result<model::DeltaInfo> FlushDeletes(Context&, CollectionId, const std::string&,
                                        const model::Deletes&) override {
    return NotInThisTest();
  }
  Result<model::SegmentIndexInfo> BuildIndex(Context&, const model::SegmentInfo&,
                                             const model::CollectionInfo&, const model::IndexInfo&,
                                             BuildPace) override {
    return NotInThisTest();
  }
  Result<CompactionResult> Compact(Context&, const CompactionTask&,
                                   const model::CollectionInfo&) override {
    return NotInThisTest();
  }
  Result<int64_t> CountExpired(Context&, const model::SegmentInfo&, FieldId, int64_t) override {
    return NotInThisTest();
  }
  Result<MergeDeletesResult> MergeDeletes(Context&, const MergeDeletesTask&,
                                          const model::CollectionInfo&) override {
    return NotInThisTest();
  }
};

}  // namespace elanus::roles
