// Values in order, as they lie in the file of a scalar index, and the places of them where a
// predicate is true.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "model/data_type.h"
#include "model/predicate.h"

namespace elanus::index {

/// Whether values of this type have an order here: Bool, integers, floating numbers, VarChar,
/// Timestamptz.
bool IsOrdered(model::DataType type);
bool IsNan(const model::Scalar& constant);

/// Immutable; thread-safe. Borrows the file. Equal values may follow each other. NaN is not among
/// them.
class OrderedValues {
 public:
  virtual ~OrderedValues() = default;
  virtual size_t size() const = 0;
  /// The first place whose value is not below `constant`.
  virtual size_t LowerBound(const model::Scalar& constant) const = 0;
  /// The first place at or behind `low`, a lower bound, whose value is above `constant`.
  virtual size_t UpperBound(size_t low, const model::Scalar& constant) const = 0;
  /// Appends the places in [begin, end) whose texts pass `test`, as ranges. Of VarChar only.
  virtual void Match(size_t begin, size_t end, const model::TextTest& test,
                     std::vector<std::pair<size_t, size_t>>& ranges) const = 0;
};

/// Fixed-width values one after the other; `bytes` holds count of them.
std::unique_ptr<OrderedValues> MakeOrderedNumbers(model::DataType type, const char* bytes,
                                                  size_t count);
/// Texts: count + 1 u64 `offsets` into `bytes`.
std::unique_ptr<OrderedValues> MakeOrderedTexts(const char* offsets, const char* bytes,
                                                size_t count);
/// Whether count + 1 u64 offsets begin at 0, never fall and end at `bytes`.
bool AreOffsets(const char* offsets, size_t count, uint64_t bytes);

/// Where a predicate is true: places in OrderedValues, and whether NaN rows pass too.
struct Places {
  std::vector<std::pair<size_t, size_t>> ranges;  // [begin, end), apart from each other.
  bool nan = false;
};

/// False: `predicate` (kCompare, kIn, kRange, kPrefix, kText or kContains, of the values' type) is
/// none that an order answers; of kText one without a prefix, unless `tests_all`.
bool FindPlaces(const OrderedValues& values, const model::Predicate& predicate, bool tests_all,
                Places& places);

}  // namespace elanus::index
