// Answers filter leaves on one scalar column without scanning it, and how a scalar index type makes
// itself known.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bitset.h"
#include "base/blob.h"
#include "base/context.h"
#include "base/status.h"
#include "index/params.h"
#include "model/column.h"
#include "model/predicate.h"

namespace elanus::index {

/// An immutable, opened index over the rows of one segment; thread-safe.
class ScalarIndex {
 public:
  virtual ~ScalarIndex() = default;
  /// How Answer would answer; a few searches.
  virtual model::IndexPromise Estimate(const model::Predicate& predicate) const = 0;
  /// Sets the bits of the rows where `predicate` is true (null rows never, but for kIsNull) in
  /// `matches`, which has one zero bit for each row; of kCandidates perhaps others too, but no null
  /// row. kNone: this index cannot answer and set nothing. Errors: kIntegrity when `matches` is of
  /// another number of rows; kCanceled, kDeadlineExceeded.
  virtual Result<model::Coverage> Answer(Context& ctx, const model::Predicate& predicate,
                                         Bitset& matches) const = 0;
  /// Sets the bits of the rows without a value.
  virtual void SetNulls(Bitset& rows) const = 0;
  virtual size_t memory_bytes() const = 0;
};

/// What an index is to be built on: a column of one value a row, or of arrays of them. A place in
/// JSON is a column of what its values are cast to.
struct ScalarShape {
  model::DataType type = model::DataType::kNone;
  model::DataType element_type = model::DataType::kNone;  // Of an Array.
  bool is_primary_key = false;
  bool is_json_path = false;
};

/// All that elanus knows about a scalar index type. Plain functions, so that a type is one
/// constant.
struct ScalarIndexType {
  std::string_view name;   // As users write it.
  std::string_view magic;  // Of its files; empty: it writes those of other types.
  std::span<const ParamSpec> params;
  bool is_internal = false;  // Users may not name it.
  bool (*Supports)(const ScalarShape& shape);
  /// What two parameters must be to each other, or that one must be given; null: nothing.
  Status (*CheckParams)(const Params& params);
  /// The file's bytes. `column` is whole. Errors: kIndexNotSupported for shapes it does not
  /// support; kCanceled.
  Result<std::string> (*Build)(Context& ctx, const model::ColumnView& column, const Params& params);
  /// Keeps the blob and reads in it. kIntegrity when it is damaged. Null when `magic` is empty.
  Result<std::unique_ptr<ScalarIndex>> (*Open)(Blob file);
};

/// The list; tests run over it.
std::span<const ScalarIndexType* const> AllScalarTypes();
/// The type that users call `name`, or null. TRIE is Trie; SORTED, which older catalogs hold, is
/// STL_SORT.
const ScalarIndexType* FindScalarType(std::string_view name);
/// An INVERTED index on whole JSON documents, which is none of the list: over an Array column of
/// texts it answers any predicate on texts, for the rows that have one for which it is true.
const ScalarIndexType& JsonTermsType();
/// What AUTOINDEX means for a column of this shape; null: nothing is built on it.
const ScalarIndexType* ResolveScalarAutoIndex(const ScalarShape& shape);
/// The type of a file, which its first bytes tell, or null.
const ScalarIndexType* TypeOfFile(std::string_view bytes);
/// Opens a file of any type, which its first bytes tell. Errors: kIntegrity.
Result<std::unique_ptr<ScalarIndex>> OpenScalarIndex(Blob file);

}  // namespace elanus::index
