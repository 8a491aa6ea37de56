// Search inside one segment, and the merge of several segments' hits into rows of an answer.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "expr/expr.h"
#include "index/exact_batch.h"
#include "model/requests/shard.h"
#include "segment/segment.h"

namespace elanus::segment {

/// The rows a read may return: visible at the moment, and passing the filter.
struct Allowed {
  Bitset bits;                           // Meaningful when neither flag is set.
  std::shared_ptr<const Bitset> shared;  // Set instead of `bits` when there is no filter.
  bool all = false;                      // Every row.
  bool none = false;                     // No row.
  /// Of a search by element under an element_filter: for every kChunkRows rows the elements that
  /// may be found, of all these rows one after the other. Else empty.
  std::vector<Bitset> elements = {};
  /// Of a search whose filter is asked later (iterative_filter.h): it has no say in the rows above.
  std::optional<expr::Plan> filter = std::nullopt;

  BitsetView view() const {
    if (all) return {};
    return shared != nullptr ? shared->view() : bits.view();
  }
};

/// Evaluates `plan` over the rows visible at `read_at` and not past their time to live.
Result<Allowed> AllowedRows(Context& ctx, const SegmentView& segment, const expr::Plan& plan,
                            const model::ShardRead& read, Timestamp read_at);

/// nq x hits_max() slots, best first, unused ones kNoRow.
struct SegmentHits {
  std::vector<uint32_t> rows;
  std::vector<float> scores;
  std::vector<uint32_t> elements = {};  // Of a search by element: which of its row's a hit is.
  std::vector<float> own_scores = {};   // Of a page: the scores, see model::kScoreField.
};

/// As AllowedRows, without the rows that have no vector in the field that is searched; with the
/// elements that an element_filter keeps.
Result<Allowed> SearchableRows(Context& ctx, const SegmentView& segment, const expr::Plan& plan,
                               const model::ShardSearch& search, Timestamp read_at);

/// As many slots as `search` needs, all unused.
SegmentHits NoHits(const model::ShardSearch& search);

/// As index::SharesExactBatch, of a search of this segment. Errors: as SearchQueries.
Result<bool> SharesBatch(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                         const Allowed& allowed);

/// Answers queries [begin, begin + count) into their slots of `hits`: the best `search.k` rows for
/// each, inside the radius when one is given and past the cursor; grouped, boosted and rounded when
/// asked. `search.queries` is of the vector field's type and dim, `allowed` as SearchableRows says.
/// Several threads at once may answer queries that are not the same. With `helpers` SharesBatch
/// must have said so. Errors: kSegcore (index search parameters), kSegcoreUnsupported (grouping),
/// kCanceled, kDeadlineExceeded.
Status SearchQueries(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                     const Allowed& allowed, size_t begin, size_t count, SegmentHits& hits,
                     const index::Helpers& helpers = {});

/// All queries, one after the other.
Result<SegmentHits> Search(Context& ctx, const SegmentView& segment, const expr::Plan& plan,
                           const model::ShardSearch& search, Timestamp read_at);

/// The rows of one segment for one query, by element their vectors, the best first, as far as
/// somebody asks: what iterators and grouping search with. None comes twice, and every allowed one
/// in the range comes in the end; without an index exactly in order (equal scores: the smaller
/// row), else nearly so. Takes a few bytes a row. Not thread-safe.
class SegmentStream {
 public:
  ~SegmentStream();
  /// A stream over the rows that `plan` allows at `read_at`, for row `query` of search.queries; in
  /// the search's range, with its parameters, whatever its k. `search` must outlive it. Errors: as
  /// Search, kSegcoreUnsupported (an index that gives no stream).
  static Result<std::unique_ptr<SegmentStream>> Open(Context& ctx,
                                                     std::shared_ptr<const SegmentView> segment,
                                                     const expr::Plan& plan,
                                                     const model::ShardSearch& search, size_t query,
                                                     Timestamp read_at);
  /// As above over rows that are known already, those without a vector not among them. `segment`
  /// and `allowed` must outlive the stream.
  static Result<std::unique_ptr<SegmentStream>> Open(Context& ctx, const SegmentView& segment,
                                                     const Allowed& allowed,
                                                     const model::ShardSearch& search,
                                                     size_t query);
  /// The next best rows with their scores, which are not rounded; fewer than `count`: these were
  /// the last. Errors: kCanceled, kDeadlineExceeded.
  Result<SegmentHits> Next(Context& ctx, size_t count);

 private:
  static constexpr size_t kRowsAtOnce = 16;
  /// An index's stream, or that of one block of a segment without.
  struct Part {
    std::unique_ptr<index::HitStream> hits;
    uint32_t first_row = 0;
    std::optional<index::VectorBlock> lists = {};  // By element: the rows, of which hits are parts.
    std::unique_ptr<Bitset> vectors = {};          // By element: which may be found.
    std::vector<uint32_t> rows = {};               // Read ahead; given up to `next`.
    std::vector<float> scores = {};
    std::vector<uint32_t> elements = {};
    size_t next = 0;
    bool last = false;  // What is read ahead is all there is.

    Status Fill(Context& ctx);
    /// From what the index calls a row to the segment's, and to the element.
    void Place(std::span<uint32_t> found, std::vector<uint32_t>& elements) const;
    bool ended() const { return next == rows.size(); }
    float score() const { return scores[next]; }
  };
  SegmentStream();
  Status OpenParts(Context& ctx, const SegmentView& segment, const Allowed& allowed,
                   const model::ShardSearch& search, size_t query);

  std::shared_ptr<const SegmentView> segment_;  // Outlives the parts; may be the caller's own.
  Allowed allowed_;                             // Likewise.
  bool larger_is_better_ = false;
  std::vector<Part> parts_;
};

/// One segment with its hits.
struct Found {
  std::shared_ptr<const SegmentView> segment;
  SegmentHits hits;
};

/// The best k hits of each query over all segments, one row a key, ties to the smaller key; with
/// the values of `output_fields`. Of a grouped search the best k groups.
Result<model::PartialHits> MergeHits(Context& ctx, std::span<const Found> found,
                                     const model::ShardSearch& search,
                                     const model::CollectionSchema& schema, Timestamp read_at);

/// Appends rows of a field to a column: the last step of every read.
Status AppendValues(const SegmentView& segment, FieldId field, std::span<const uint32_t> rows,
                    model::Column& to);

}  // namespace elanus::segment
