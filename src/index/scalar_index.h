// Answers filter leaves on one scalar column without scanning it.
#pragma once

#include <memory>
#include <string>

#include "base/bitset.h"
#include "base/blob.h"
#include "base/context.h"
#include "base/status.h"
#include "model/column.h"
#include "model/predicate.h"

namespace elanus::index {

/// Immutable; thread-safe.
class ScalarIndex {
 public:
  virtual ~ScalarIndex() = default;
  /// Sets the bits of the rows where `predicate` is true (null rows never, but for kIsNull) in
  /// `matches`, which has one zero bit for each row. False: this index cannot answer, scan instead.
  virtual Result<bool> Answer(Context& ctx, const model::Predicate& predicate,
                              Bitset& matches) const = 0;
  virtual size_t memory_bytes() const = 0;
};

/// Values in order with their rows: comparisons, ranges, `in`, prefix. Serves the names INVERTED,
/// STL_SORT and scalar AUTOINDEX for Bool, Int8-64, Float, Double and VarChar. Returns the file's
/// bytes.
Result<std::string> BuildSortedIndex(Context& ctx, const model::ColumnView& column);
/// kIntegrity when the file is damaged. Keeps the blob.
Result<std::unique_ptr<ScalarIndex>> OpenSortedIndex(Blob file);

}  // namespace elanus::index
