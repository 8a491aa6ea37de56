// For tests of whoever asks a role: roles that do nothing. A test overrides what it asks of one.
#pragma once

#include <string>
#include <vector>

#include "roles/data.h"
#include "roles/query.h"
#include "roles/streaming.h"

namespace elanus::roles {

inline Status NotInThisTest() { return Status(ErrorCode::kUnimplemented, "not in this test"); }

/// Holds no segment and no term; what it is told to do succeeds.
class StandInQuery : public Query {
 public:
  Status LoadSegments(Context&, const std::vector<model::SegmentInfo>&,
                      const model::CollectionInfo&, const std::vector<model::DeltaInfo>&) override {
    return {};
  }
  Status SetSchema(Context&, CollectionId, const model::CollectionSchema&) override { return {}; }
  Status ReleaseSegment(Context&, SegmentId) override { return {}; }
  Status ApplyDeletes(Context&, const std::vector<SegmentId>&, const model::Deletes&) override {
    return {};
  }
  Result<std::vector<model::ServedSegment>> Describe(Context&,
                                                     const std::vector<SegmentId>&) override {
    return std::vector<model::ServedSegment>();
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

class StandInStreaming : public Streaming {
 public:
  Result<Timestamp> Append(Context&, model::ShardWrite) override { return NotInThisTest(); }
  Result<Timestamp> ReadMoment(Context&, const std::string&, Timestamp) override {
    return NotInThisTest();
  }
  Result<model::PartialHits> Search(Context&, model::ShardSearch) override {
    return NotInThisTest();
  }
  Result<model::TermTotals> CountTerms(Context&, const model::ShardSearch&) override {
    return NotInThisTest();
  }
  Result<model::PartialRows> Query(Context&, model::ShardQuery) override { return NotInThisTest(); }
  Status OpenChannels(Context&, CollectionId) override { return NotInThisTest(); }
  Status CloseChannels(Context&, CollectionId) override { return NotInThisTest(); }
  Status Truncate(Context&, CollectionId) override { return NotInThisTest(); }
  Result<SealResult> Seal(Context&, CollectionId) override { return NotInThisTest(); }
  Result<bool> IsFlushed(Context&, CollectionId, Timestamp) override { return NotInThisTest(); }
  Status SyncLoaded(Context&, CollectionId) override { return NotInThisTest(); }
  Status SyncSchema(Context&, CollectionId) override { return NotInThisTest(); }
  Status LoadFailure(Context&, CollectionId) override { return {}; }
  Result<int64_t> LoadProgress(Context&, CollectionId) override { return NotInThisTest(); }
  Result<int64_t> GrowingRows(Context&, CollectionId, PartitionId) override {
    return NotInThisTest();
  }
  Result<std::vector<model::ServedSegment>> ServedSegments(Context&, CollectionId) override {
    return NotInThisTest();
  }
  Result<std::vector<SegmentId>> FreshSegments(Context&, CollectionId) override {
    return NotInThisTest();
  }
};

}  // namespace elanus::roles
