// The filter language once more, row by row and as plainly as can be: what tests hold the evaluator
// against. Shares no code with it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/data_type.h"
#include "model/predicate.h"
#include "model/scalar.h"

namespace elanus::expr::testing {

enum class Truth { kFalse, kTrue, kUnknown };

/// Any value a row or a filter can hold.
struct DatumMember;

struct Datum {
  enum class Kind { kMissing, kNull, kBool, kInt, kReal, kText, kList, kObject };
  Kind kind = Kind::kMissing;
  bool flag = false;
  int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<Datum> items;
  std::vector<DatumMember> members;

  static Datum Null();
  static Datum Bool(bool value);
  static Datum Int(int64_t value);
  static Datum Real(double value);
  static Datum Text(std::string value);
  static Datum List(std::vector<Datum> values);
  static Datum Object(std::vector<DatumMember> values);

  bool Is(Kind k) const { return kind == k; }
  bool is_number() const { return kind == Kind::kInt || kind == Kind::kReal; }
  double number() const { return kind == Kind::kInt ? static_cast<double>(integer) : real; }
  bool has_value() const { return kind != Kind::kMissing && kind != Kind::kNull; }
};

/// One key of an object with its value.
struct DatumMember {
  std::string key;
  Datum value;
};

/// One row: its values by field, a JSON document as what it means.
using Row = std::map<std::string, Datum>;

/// As literals of the filter language, and as JSON.
std::string Quoted(std::string_view text);
std::string LiteralOf(const Datum& datum);
std::string JsonOf(const Datum& datum);
model::Scalar ScalarOf(const Datum& datum);
Datum DatumOf(const model::Scalar& scalar);

Truth And(Truth a, Truth b);
Truth Or(Truth a, Truth b);
Truth Not(Truth a);

/// `value op constant` of a column or array element. Numbers mix; a null or missing value is
/// unknown.
Truth CompareColumn(const Datum& value, model::Compare op, const Datum& constant);
/// The same of a value out of JSON, where other classes than the constant's are unknown.
Truth CompareJson(const Datum& value, model::Compare op, const Datum& constant);
/// `value in list` of a column: NaN is in no list.
Truth InColumn(const Datum& value, const std::vector<Datum>& list);
/// Of JSON: a list of ints and floats is one of floats.
Truth InJson(const Datum& value, std::vector<Datum> list);
/// `value sign operand op right`, sign one of + - * / % & | ^.
Truth Arithmetic(const Datum& value, char sign, const Datum& operand, model::Compare op,
                 const Datum& right);
Truth Like(const Datum& value, std::string_view pattern);
/// Whether the elements of `value`, a list, include one of `wanted`, or all of them.
Truth Contains(const Datum& value, const std::vector<Datum>& wanted, bool all);
Truth Length(const Datum& value, model::Compare op, int64_t constant);

/// What `path`, keys and (as digits) indexes, leads to.
Datum At(const Datum& document, const std::vector<std::string>& path);
bool Exists(const Datum& value);

/// Whether an index answers `predicate` with this value.
bool Answers(const Datum& value, const model::Predicate& predicate);

}  // namespace elanus::expr::testing
