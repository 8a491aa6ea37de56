// A leaf of a filter as plain data: what a scalar index is asked, and how far it can answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "model/box.h"
#include "model/data_type.h"
#include "model/scalar.h"

namespace elanus::model {

enum class Compare { kEq, kNe, kLt, kLe, kGt, kGe };

/// A test of whole texts that an index may run on the texts it knows. Immutable; thread-safe.
class TextTest {
 public:
  virtual ~TextTest() = default;
  virtual bool Matches(std::string_view text) const = 0;
  /// What every matching text begins with; may be empty.
  virtual std::string_view prefix() const = 0;
  /// Byte strings that every matching text holds, the prefix among them; none of them empty.
  virtual const std::vector<std::string>& literals() const = 0;
  /// Whether to hold literals()[0] anywhere is all it asks.
  virtual bool is_infix() const = 0;
};

/// What a filter asks of the words of a text, as the field's analyzer gives them.
struct WordQuery {
  enum class Kind { kSome, kFuzzy, kPhrase };
  Kind kind = Kind::kSome;
  std::vector<std::string> words;   // One that comes twice counts twice. None: no row matches.
  std::vector<uint32_t> positions;  // Of each word.
  uint32_t at_least = 1;            // kSome: so many of the words must be there.
  uint32_t edits = 0;               // kFuzzy: a word within so many of one of them.
  uint32_t slop = 0;                // kPhrase: how far they may stand from their places, together.
};

/// The `path` of the predicates that ask words, which indexes of words have too.
inline constexpr std::string_view kWordsPath = "$words";

/// One condition on one column, on the elements of an Array column, or on a place in a JSON column.
/// Values are already cast to `type`: int64_t for integers, double for floating, string for
/// VarChar, bool for Bool.
struct Predicate {
  enum class Kind { kCompare, kIn, kRange, kPrefix, kText, kContains, kWords, kShape, kIsNull };
  Kind kind = Kind::kCompare;
  FieldId field;
  /// The column's or its elements'; of a place in JSON the class of value that is tested, one of
  /// kBool, kDouble and kVarChar.
  DataType type = DataType::kNone;
  std::string path;            // Of a place in JSON, as expr::PathText writes it; else empty.
  Compare op = Compare::kEq;   // kCompare.
  std::vector<Scalar> values;  // kCompare, kPrefix: one. kIn: sorted, unique. kRange: lower, upper.
                               // kContains: at least one.
  bool lower_inclusive = false;  // kRange.
  bool upper_inclusive = false;
  bool all = false;                        // kContains: all of the values, not one.
  std::shared_ptr<const TextTest> text;    // kText.
  std::shared_ptr<const WordQuery> words;  // kWords.
  BoxQuery boxes;                          // kShape.
};

/// How far an index answers a predicate.
enum class Coverage : uint8_t {
  kNone,        // Not at all: scan.
  kExact,       // The rows where it is true.
  kCandidates,  // Those and perhaps others: each must be looked at.
};

/// What an index would do for a predicate, told without doing it.
struct IndexPromise {
  Coverage coverage = Coverage::kNone;
  uint64_t rows = 0;  // At most these come back; an estimate for kCandidates.
  double cost_ns = 0;
  std::string_view index = {};  // Who would do it, as users name it: "INVERTED", "primary key".
};

}  // namespace elanus::model
