// Leaves over JSON. Each active row is parsed once a leaf; types are matched as they are: a bool
// never equals a number, a string never equals a number, and a missing path, a null or another
// class of value is unknown.
#include "expr/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "expr/constant.h"

namespace elanus::expr {
namespace {

namespace dom = simdjson::dom;
using model::Compare;
using model::Scalar;
using Type = dom::element_type;

bool Follow(dom::element& at, const std::vector<PathStep>& path) {
  for (const PathStep& step : path) {
    if (at.is_object()) {
      if (at.get_object().at_key(step.key).get(at) != simdjson::SUCCESS) return false;
    } else if (at.is_array() && step.is_index) {
      if (at.get_array().at(step.index).get(at) != simdjson::SUCCESS) return false;
    } else {
      return false;
    }
  }
  return true;
}

bool IsNumber(const dom::element& e) {
  return e.type() == Type::INT64 || e.type() == Type::UINT64 || e.type() == Type::DOUBLE;
}
double NumberOf(const dom::element& e) {
  switch (e.type()) {
    case Type::INT64:
      return static_cast<double>(int64_t(e));
    case Type::UINT64:
      return static_cast<double>(uint64_t(e));
    default:
      return double(e);
  }
}

// Orders a JSON value against a constant of the same class; kUnknown classes return false.
bool OrderOf(const dom::element& e, const Scalar& constant, int& order) {
  if (constant.is_string() && e.is_string()) {
    const int compared = std::string_view(e).compare(constant.as_string());
    order = compared < 0 ? -1 : compared > 0;
    return true;
  }
  if (constant.is_bool() && e.is_bool()) {
    order = int(bool(e)) - int(constant.as_bool());
    return true;
  }
  if (!IsNumber(e) || !(constant.is_int() || constant.is_double())) return false;
  if (constant.is_int() && e.type() == Type::INT64) {
    const int64_t value = e;
    order = value < constant.as_int() ? -1 : value > constant.as_int();
  } else {
    const double value = NumberOf(e);
    order = value < constant.number() ? -1 : value == constant.number() ? 0 : 1;
  }
  return true;
}

}  // namespace

bool JsonReader::Find(std::string_view text, const std::vector<PathStep>& path,
                      dom::element& value) {
  if (buffer_.size() < text.size() + simdjson::SIMDJSON_PADDING) {
    buffer_.resize(2 * text.size() + simdjson::SIMDJSON_PADDING);
  }
  std::memcpy(buffer_.data(), text.data(), text.size());
  return parser_.parse(buffer_.data(), text.size(), /*realloc_if_needed=*/false).get(value) ==
             simdjson::SUCCESS &&
         Follow(value, path);
}

JsonReader& ThreadReader() {
  thread_local JsonReader reader;
  return reader;
}

bool NumberOf(const dom::element& value, double& number) {
  if (!IsNumber(value)) return false;
  number = NumberOf(value);
  return true;
}

bool LeadingNumber(std::string_view text, double& number) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && std::isfinite(number);
}

bool EqualsJson(const dom::element& e, const Scalar& constant) {
  if (constant.is_list()) {
    if (!e.is_array()) return false;
    const model::ScalarList& list = constant.as_list();
    size_t i = 0;
    for (dom::element item : e.get_array()) {
      if (i == list.size() || !EqualsJson(item, list[i])) return false;
      ++i;
    }
    return i == list.size();
  }
  int order;
  return OrderOf(e, constant, order) && order == 0;
}

namespace {

Outcome Compared(const dom::element& e, Compare op, const Scalar& constant) {
  if (constant.is_list()) {
    if (!e.is_array()) return Outcome::kUnknown;
    return From(EqualsJson(e, constant) == (op == Compare::kEq));
  }
  int order;
  if (!OrderOf(e, constant, order)) return Outcome::kUnknown;
  if (constant.is_double()) return From(HoldsDouble(op, NumberOf(e), constant.as_double()));
  return From(Holds(op, order));
}

Outcome Arithmetic(const dom::element& e, const Test& test) {
  if (!IsNumber(e)) return Outcome::kUnknown;
  const bool ints = test.arith_operand.is_int() && test.values[0].is_int();
  if (ints && e.type() == Type::INT64) return From(TestArithInt(test, e));
  if (test.arith == ArithOp::kMod || test.arith >= ArithOp::kAnd) return Outcome::kUnknown;
  return From(TestArithDouble(test, NumberOf(e)));
}

// Per value; a class that no value of the list has is unknown, as in a comparison. The list is not
// empty.
Outcome TestedIn(const dom::element& e, const Test& test) {
  int order = 0;
  if (test.is_sorted) {
    if (!OrderOf(e, test.values[0], order)) return Outcome::kUnknown;
    const auto is_below = [&](const Scalar& value) {
      return OrderOf(e, value, order) && order > 0;
    };
    const auto at = std::partition_point(test.values.begin(), test.values.end(), is_below);
    return From(at != test.values.end() && EqualsJson(e, *at));
  }
  bool is_comparable = false;
  for (const Scalar& value : test.values) {
    const Outcome one = Compared(e, Compare::kEq, value);
    if (one == Outcome::kYes) return one;
    is_comparable = is_comparable || one == Outcome::kNo;
  }
  return is_comparable ? Outcome::kNo : Outcome::kUnknown;
}

Outcome Tested(const dom::element& e, const Test& test) {
  switch (test.kind) {
    case Test::Kind::kCompare:
      return Compared(e, test.op, test.values[0]);
    case Test::Kind::kIn:
      return TestedIn(e, test);
    case Test::Kind::kRange: {
      int low;
      int high;
      if (!OrderOf(e, test.values[0], low) || !OrderOf(e, test.values[1], high)) {
        return Outcome::kUnknown;
      }
      return From((test.lower_inclusive ? low >= 0 : low > 0) &&
                  (test.upper_inclusive ? high <= 0 : high < 0));
    }
    case Test::Kind::kArith:
      return Arithmetic(e, test);
    case Test::Kind::kShift:
      break;  // Of moments only.
    case Test::Kind::kLike:
    case Test::Kind::kRegex:
      if (!e.is_string()) return Outcome::kUnknown;
      return From(TestText(test, std::string_view(e)));
  }
  return Outcome::kUnknown;
}

// What an index that casts texts to numbers says of one.
Outcome TestedNumber(double number, const Test& test) {
  const auto compared = [&](Compare op, const Scalar& constant) {
    if (!constant.is_int() && !constant.is_double()) return Outcome::kUnknown;
    return From(HoldsDouble(op, number, constant.number()));
  };
  if (test.kind == Test::Kind::kCompare) return compared(test.op, test.values[0]);
  if (test.kind == Test::Kind::kIn) {
    Outcome found = Outcome::kUnknown;
    for (const Scalar& value : test.values) {
      const Outcome one = compared(Compare::kEq, value);
      if (one == Outcome::kYes) return one;
      if (one == Outcome::kNo) found = one;
    }
    return found;
  }
  if (test.kind != Test::Kind::kRange) return Outcome::kUnknown;
  const Outcome above =
      compared(test.lower_inclusive ? Compare::kGe : Compare::kGt, test.values[0]);
  const Outcome below =
      compared(test.upper_inclusive ? Compare::kLe : Compare::kLt, test.values[1]);
  if (above == Outcome::kUnknown || below == Outcome::kUnknown) return Outcome::kUnknown;
  return From(above == Outcome::kYes && below == Outcome::kYes);
}

// A text is itself among texts and its number among numbers.
Outcome TestedText(const dom::element& e, const Test& test) {
  const Outcome as_text = Tested(e, test);
  double number = 0;
  if (as_text == Outcome::kYes || !LeadingNumber(std::string_view(e), number)) return as_text;
  const Outcome as_number = TestedNumber(number, test);
  return as_number == Outcome::kUnknown ? as_text : as_number;
}

// Null, and objects and arrays with nothing but such members.
bool IsEmpty(const dom::element& e) {
  if (e.is_null()) return true;
  if (e.is_object()) {
    for (dom::key_value_pair member : e.get_object()) {
      if (!IsEmpty(member.value)) return false;
    }
    return true;
  }
  if (e.is_array()) {
    for (dom::element item : e.get_array()) {
      if (!IsEmpty(item)) return false;
    }
    return true;
  }
  return false;
}

}  // namespace

void TestJson(const Node& node, const model::ColumnView& column, const BatchRows& rows, Tri& out) {
  // `in []` is known for every row, even without the path.
  if (node.kind == Node::Kind::kTest && node.test.kind == Test::Kind::kIn &&
      node.test.values.empty()) {
    return;
  }
  if (node.kind == Node::Kind::kExists) {
    TestJsonValues(node, column, rows, out,
                   [](const auto& value) { return From(!IsEmpty(value)); });
    out.unknown = {};  // A path that is missing does not exist.
    return;
  }
  TestJsonValues(node, column, rows, out, [&](const auto& value) {
    const bool is_text = node.source.reads_texts && value.is_string();
    return is_text ? TestedText(value, node.test) : Tested(value, node.test);
  });
}

}  // namespace elanus::expr
