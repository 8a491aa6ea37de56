// The rows of a field that a BM25 or MinHash function makes of the texts of another field.
#pragma once

#include <optional>

#include "model/column.h"
#include "model/schema.h"
#include "text/field.h"
#include "text/min_hash.h"

namespace elanus::text {

/// Immutable; thread-safe.
class RowMaker {
 public:
  /// Of `output`, which such a function fills (model::TextFunctionOf). Errors: kInvalidParameter
  /// (none does, parameters), kSegcore (the analyzer), kInternal (the function has lost a field).
  static Result<RowMaker> Of(const model::CollectionSchema& schema,
                             const model::FieldSchema& output);
  /// The field of the texts.
  FieldId input() const { return input_; }
  /// The field whose value names the analyzer of a row; 0: there is one for all.
  FieldId analyzer_names() const { return names_; }
  /// A row for each text; a null one counts as empty. `names` are as many rows of analyzer_names();
  /// where there is none, or a null one, the default analyzer is taken.
  model::Column Make(const model::ColumnView& texts, const model::ColumnView* names) const;

 private:
  RowMaker() = default;

  model::FieldSchema output_;
  FieldId input_;
  FieldId names_;
  std::optional<FieldAnalyzers> analyzers_;  // Of BM25.
  std::optional<MinHasher> hasher_;          // Of MinHash.
};

}  // namespace elanus::text
