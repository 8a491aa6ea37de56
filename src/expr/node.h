// The bound plan: a tree of conditions over columns.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "expr/expr.h"
#include "expr/like.h"
#include "expr/path_step.h"
#include "model/predicate.h"
#include "model/timestamptz.h"
#include "text/analyzer.h"

namespace elanus::geometry {
class SpatialTest;
}

namespace elanus::expr {

class RegexPattern;
class ValueSet;

enum class ArithOp { kNone, kAdd, kSub, kMul, kDiv, kMod, kAnd, kOr, kXor };

/// What a value is taken from: a plain column, a path into JSON, an element of an array, or the
/// whole array.
struct Source {
  enum class Kind { kColumn, kJson, kElement, kArray };
  Kind kind = Kind::kColumn;
  FieldId field;
  model::DataType type =
      model::DataType::kNone;  // Of the value: the column's, or the array's elements'.
  bool nullable = false;
  bool is_primary_key = false;
  bool has_match = false;      // Of a text field: text_match may be asked of it.
  std::string analyzer;        // Of such a field: its analyzer_params.
  std::vector<PathStep> path;  // kJson.
  bool reads_texts = false;    // kJson: texts count as the numbers they begin with, among numbers.
  uint64_t index = 0;          // kElement.
};

/// A test of one value.
struct Test {
  enum class Kind { kCompare, kIn, kRange, kLike, kRegex, kArith, kShift };
  Kind kind = Kind::kCompare;
  model::Compare op = model::Compare::kEq;
  std::vector<model::Scalar> values;  // As model::Predicate; kArith: the right side.
  bool is_sorted = false;  // kIn: values are of one kind, sorted and unique; always but over JSON.
  bool lower_inclusive = false;
  bool upper_inclusive = false;
  std::shared_ptr<const LikePattern> like;
  std::shared_ptr<const RegexPattern> regex;
  std::shared_ptr<const ValueSet> set;  // kIn with many values, when they are sorted.
  ArithOp arith = ArithOp::kNone;
  model::Scalar arith_operand;
  model::Duration duration;  // kShift: the moment and this, by its sign, compared with values[0].
  int duration_sign = 1;
};

struct Node;
struct BatchRows;
struct Tri;
/// Evaluates a leaf over one batch of its source's column.
using EvaluateLeaf = void (*)(const Node& node, const model::ColumnView& column,
                              const BatchRows& rows, Tri& out);

struct Node {
  enum class Kind {
    kAnd,
    kOr,
    kNot,
    kConstant,
    kTest,      // source, test
    kColumns,   // source op other
    kIsNull,    // source: a column
    kExists,    // source: JSON
    kFunction,  // evaluate: over source, with what of test, values and all the function uses
    kSample,    // fraction
    kElements,  // source: a sub-field of a struct; whether as many of its elements as `op` and
                // values[0] say, or all of them, pass `element`
  };
  Kind kind = Kind::kConstant;
  bool constant = false;
  std::vector<std::shared_ptr<const Node>> children;
  Source source;
  Source other;
  Test test;
  model::Compare op = model::Compare::kEq;
  std::vector<model::Scalar> values;    // kFunction; of `in` over the primary key: keys as written.
  bool all = false;                     // kFunction, kElements.
  bool keeps_elements = false;          // kElements: it is an element_filter.
  std::shared_ptr<const Node> element;  // kElements: a condition over sub-fields, as plain columns.
  bool is_contains = false;         // kFunction: whether elements hold `values`, or one of them.
  double fraction = 0;              // kSample.
  EvaluateLeaf evaluate = nullptr;  // kFunction.
  std::shared_ptr<const model::WordQuery> words;         // kFunction that asks for words, and what
  std::shared_ptr<const text::Analyzer> analyzer;        // makes words of a row.
  std::shared_ptr<const geometry::SpatialTest> spatial;  // kFunction that asks of geometries.
  std::shared_ptr<const model::Predicate> predicate;     // A leaf as indexes know it, or null.
  /// Rising with the work a row costs; conjuncts run cheap ones first.
  int cost = 0;
};

using NodePtr = std::shared_ptr<const Node>;

}  // namespace elanus::expr
