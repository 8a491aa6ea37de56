// What a query node answers: it holds sealed segments and searches them.
#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "base/timestamp.h"
#include "model/requests/shard.h"
#include "model/requests/term_totals.h"

namespace elanus::roles {

/// Thread-safe.
class Query {
 public:
  virtual ~Query() = default;
  /// Opens flushed segments of a collection and applies the delete logs to them; of those that are
  /// open already, only opens what they have new: index files, fields added to the schema. After an
  /// error some may be loaded.
  virtual Status LoadSegments(Context& ctx, const std::vector<model::SegmentInfo>& segments,
                              const model::CollectionInfo& collection,
                              const std::vector<model::DeltaInfo>& deltas) = 0;
  /// A new version of the collection's schema: from now on segments of the collection have its
  /// fields, and reads of this version may come. Reads of older versions go on.
  virtual Status SetSchema(Context& ctx, CollectionId collection,
                           const model::CollectionSchema& schema) = 0;
  /// Forgets a segment; unknown ids succeed.
  virtual Status ReleaseSegment(Context& ctx, SegmentId segment) = 0;
  /// Hides older rows of the keys in those of the given segments whose partition they reach.
  virtual Status ApplyDeletes(Context& ctx, const std::vector<SegmentId>& segments,
                              const model::Deletes& deletes) = 0;
  /// What is served of the given segments; those that are not here are left out.
  virtual Result<std::vector<model::ServedSegment>> Describe(
      Context& ctx, const std::vector<SegmentId>& segments) = 0;
  /// Searches the given segments, all of them loaded, and reduces to k hits a query.
  /// kSegmentNotFound.
  virtual Result<model::PartialHits> Search(Context& ctx, const std::vector<SegmentId>& segments,
                                            const model::ShardSearch& search) = 0;
  /// What BM25 needs of a field of the given segments, deleted rows too. kSegmentNotFound.
  virtual Result<model::TermTotals> CountTerms(Context& ctx, const std::vector<SegmentId>& segments,
                                               FieldId field,
                                               const std::vector<uint32_t>& terms) = 0;
  virtual Result<model::PartialRows> Retrieve(Context& ctx, const std::vector<SegmentId>& segments,
                                              const model::ShardQuery& query) = 0;
};

}  // namespace elanus::roles
