// Reading JSON rows: parse, follow a path, compare a value with a constant.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

#include "expr/batch.h"
#include "expr/node.h"

namespace elanus::expr {

enum class Outcome { kNo, kYes, kUnknown };
inline Outcome From(bool yes) { return yes ? Outcome::kYes : Outcome::kNo; }

/// Parses one document at a time. Thread-compatible.
class JsonReader {
 public:
  /// What `path` leads to in the document `text`; valid until the next call. False: `text` is no
  /// JSON or has no such place.
  bool Find(std::string_view text, const std::vector<PathStep>& path,
            simdjson::dom::element& value);

 private:
  simdjson::dom::parser parser_;
  std::string buffer_;
};

/// The calling thread's own.
JsonReader& ThreadReader();

/// The finite number that a text begins with, blanks before it aside; false: it begins with none.
bool LeadingNumber(std::string_view text, double& number);

/// A JSON number as a double; false: it is none.
bool NumberOf(const simdjson::dom::element& value, double& number);

/// Whether a JSON value equals a constant: numbers by value, never across the classes number, text,
/// bool and array.
bool EqualsJson(const simdjson::dom::element& value, const model::Scalar& constant);

/// Sets for each active row what `test(value)` says of the value at the path of `node`; rows
/// without it are unknown.
template <class Fn>
void TestJsonValues(const Node& node, const model::ColumnView& column, const BatchRows& rows,
                    Tri& out, Fn test) {
  JsonReader& reader = ThreadReader();
  ForEachActive(rows, [&](size_t i) {
    simdjson::dom::element value;
    const bool found = column.IsValid(i) && reader.Find(column.Bytes(i), node.source.path, value);
    const Outcome outcome = found ? test(value) : Outcome::kUnknown;
    if (outcome == Outcome::kYes) SetBit(out.yes, i);
    if (outcome == Outcome::kUnknown) SetBit(out.unknown, i);
  });
}

}  // namespace elanus::expr
