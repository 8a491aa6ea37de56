// The words of the texts of a growing segment: each row is analyzed once, when a filter first asks
// for it, instead of once a search.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/context.h"
#include "index/scalar_index.h"
#include "model/column.h"
#include "model/predicate.h"
#include "model/schema.h"
#include "text/analyzer.h"

namespace elanus::segment {

class SegmentView;

/// Of one text field. Whole pieces of rows have an index of their words; the few rows behind them
/// are analyzed for each filter. Thread-safe.
class GrowingWords {
 public:
  GrowingWords(FieldId field, text::AnalyzerPtr analyzer)
      : field_(field), analyzer_(std::move(analyzer)) {}

  /// For the first `rows` rows.
  model::IndexPromise Estimate(size_t rows) const;
  /// As ScalarIndex::Answer over the rows of `view`; `unknown`, when not null, takes the rows
  /// without a text. Errors: those of analysis, kCanceled, kDeadlineExceeded.
  Result<model::Coverage> Answer(Context& ctx, const SegmentView& view,
                                 const model::Predicate& predicate, Bitset& matches,
                                 Bitset* unknown);
  size_t memory_bytes() const;

 private:
  using Piece = std::shared_ptr<const index::ScalarIndex>;

  Result<std::vector<Piece>> PiecesFor(Context& ctx, const SegmentView& view);
  Status AnswerRest(const SegmentView& view, const model::Predicate& predicate, size_t begin,
                    Bitset& matches) const;

  const FieldId field_;
  const text::AnalyzerPtr analyzer_;
  mutable std::mutex mutex_;   // Guards the pieces; held while they are copied only.
  std::mutex growing_mutex_;   // Held by the one who makes pieces; taken before mutex_.
  std::vector<Piece> pieces_;  // In row order.
  size_t bytes_ = 0;           // Of their files; guarded by mutex_ too.
};

/// Of the fields of a segment that can be matched, by field id.
using WordsOfFields = std::map<int64_t, std::shared_ptr<GrowingWords>>;

/// Of each field of the schema that can be matched. One whose analyzer cannot be made is left out:
/// filters on it say why.
WordsOfFields MakeGrowingWords(const model::CollectionSchema& schema);

}  // namespace elanus::segment
