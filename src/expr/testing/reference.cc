// The reference, and a few tests of it: who checks must be right.
#include "expr/testing/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace elanus::expr::testing {

using model::Compare;
using Kind = Datum::Kind;

namespace {

Datum Made(Kind kind) {
  Datum datum;
  datum.kind = kind;
  return datum;
}

template <class T>
bool Compared(const T& a, Compare op, const T& b) {
  switch (op) {
    case Compare::kEq:
      return a == b;
    case Compare::kNe:
      return a != b;
    case Compare::kLt:
      return a < b;
    case Compare::kLe:
      return a <= b;
    case Compare::kGt:
      return a > b;
    case Compare::kGe:
      return a >= b;
  }
  return false;
}

Truth From(bool value) { return value ? Truth::kTrue : Truth::kFalse; }

bool SameClass(const Datum& a, const Datum& b) {
  return a.kind == b.kind || (a.is_number() && b.is_number());
}

bool SameJson(const Datum& a, const Datum& b) {
  if (!a.Is(Kind::kList) || !b.Is(Kind::kList)) {
    return CompareJson(a, Compare::kEq, b) == Truth::kTrue;
  }
  return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), SameJson);
}

// Splits UTF-8 into code points.
std::vector<std::string> Points(std::string_view text) {
  std::vector<std::string> points;
  for (char c : text) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    if (continues && !points.empty()) {
      points.back() += c;
    } else {
      points.emplace_back(1, c);
    }
  }
  return points;
}

bool Matches(const std::vector<std::string>& text, size_t at,
             const std::vector<std::string>& pattern, size_t p) {
  if (p == pattern.size()) return at == text.size();
  if (pattern[p] == "%") {
    for (size_t next = at; next <= text.size(); ++next) {
      if (Matches(text, next, pattern, p + 1)) return true;
    }
    return false;
  }
  if (at == text.size()) return false;
  if (pattern[p] == "_") return Matches(text, at + 1, pattern, p + 1);
  const size_t literal = pattern[p] == "\\" ? p + 1 : p;
  return text[at] == pattern[literal] && Matches(text, at + 1, pattern, literal + 1);
}

std::string RealText(double value) {
  std::string text = fmt::format("{}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

template <class Item>
std::string Joined(const std::vector<Datum>& items, Item item) {
  std::string text;
  for (const Datum& one : items) text += (text.empty() ? "" : ", ") + item(one);
  return "[" + text + "]";
}

}  // namespace

Datum Datum::Null() { return Made(Kind::kNull); }
Datum Datum::Bool(bool value) {
  Datum datum = Made(Kind::kBool);
  datum.flag = value;
  return datum;
}
Datum Datum::Int(int64_t value) {
  Datum datum = Made(Kind::kInt);
  datum.integer = value;
  return datum;
}
Datum Datum::Real(double value) {
  Datum datum = Made(Kind::kReal);
  datum.real = value;
  return datum;
}
Datum Datum::Text(std::string value) {
  Datum datum = Made(Kind::kText);
  datum.text = std::move(value);
  return datum;
}
Datum Datum::List(std::vector<Datum> values) {
  Datum datum = Made(Kind::kList);
  datum.items = std::move(values);
  return datum;
}
Datum Datum::Object(std::vector<DatumMember> values) {
  Datum datum = Made(Kind::kObject);
  datum.members = std::move(values);
  return datum;
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string LiteralOf(const Datum& datum) {
  switch (datum.kind) {
    case Kind::kBool:
      return datum.flag ? "true" : "False";
    case Kind::kInt:
      return fmt::format("{}", datum.integer);
    case Kind::kReal:
      return RealText(datum.real);
    case Kind::kText:
      return Quoted(datum.text);
    default:
      return Joined(datum.items, LiteralOf);
  }
}

std::string JsonOf(const Datum& datum) {
  switch (datum.kind) {
    case Kind::kBool:
      return datum.flag ? "true" : "false";
    case Kind::kList:
      return Joined(datum.items, JsonOf);
    case Kind::kObject: {
      std::string text;
      for (const auto& [key, value] : datum.members) {
        text += (text.empty() ? "" : ", ") + Quoted(key) + ": " + JsonOf(value);
      }
      return "{" + text + "}";
    }
    case Kind::kNull:
      return "null";
    default:
      return LiteralOf(datum);
  }
}

model::Scalar ScalarOf(const Datum& datum) {
  switch (datum.kind) {
    case Kind::kBool:
      return datum.flag;
    case Kind::kInt:
      return datum.integer;
    case Kind::kReal:
      return datum.real;
    case Kind::kText:
      return datum.text;
    default: {
      model::ScalarList list;
      for (const Datum& item : datum.items) list.push_back(ScalarOf(item));
      return list;
    }
  }
}

Datum DatumOf(const model::Scalar& scalar) {
  if (scalar.is_bool()) return Datum::Bool(scalar.as_bool());
  if (scalar.is_int()) return Datum::Int(scalar.as_int());
  if (scalar.is_double()) return Datum::Real(scalar.as_double());
  return Datum::Text(scalar.as_string());
}

Truth And(Truth a, Truth b) {
  if (a == Truth::kFalse || b == Truth::kFalse) return Truth::kFalse;
  return a == Truth::kTrue && b == Truth::kTrue ? Truth::kTrue : Truth::kUnknown;
}
Truth Not(Truth a) {
  if (a == Truth::kUnknown) return a;
  return a == Truth::kTrue ? Truth::kFalse : Truth::kTrue;
}
Truth Or(Truth a, Truth b) { return Not(And(Not(a), Not(b))); }

Truth CompareColumn(const Datum& value, Compare op, const Datum& constant) {
  if (!value.has_value()) return Truth::kUnknown;
  if (value.Is(Kind::kText)) return From(Compared(value.text, op, constant.text));
  if (value.Is(Kind::kBool)) return From(Compared(value.flag, op, constant.flag));
  if (value.Is(Kind::kInt) && constant.Is(Kind::kInt)) {
    return From(Compared(value.integer, op, constant.integer));
  }
  return From(Compared(value.number(), op, constant.number()));
}

Truth CompareJson(const Datum& value, Compare op, const Datum& constant) {
  if (!SameClass(value, constant)) return Truth::kUnknown;
  if (value.Is(Kind::kList)) return From(SameJson(value, constant) == (op == Compare::kEq));
  return CompareColumn(value, op, constant);
}

Truth InColumn(const Datum& value, const std::vector<Datum>& list) {
  if (!value.has_value()) return Truth::kUnknown;
  return From(std::any_of(list.begin(), list.end(), [&](const Datum& one) {
    return CompareColumn(value, Compare::kEq, one) == Truth::kTrue;
  }));
}

Truth InJson(const Datum& value, std::vector<Datum> list) {
  if (list.empty()) return Truth::kFalse;
  const auto has = [&](Kind kind) {
    return std::any_of(list.begin(), list.end(), [&](const Datum& d) { return d.Is(kind); });
  };
  if (has(Kind::kInt) && has(Kind::kReal)) {
    for (Datum& one : list) {
      if (one.is_number()) one = Datum::Real(one.number());
    }
  }
  Truth answer = Truth::kUnknown;
  for (const Datum& one : list) {
    const Truth equal = CompareJson(value, Compare::kEq, one);
    if (equal == Truth::kTrue) return equal;
    if (equal == Truth::kFalse) answer = equal;
  }
  return answer;
}

Truth Arithmetic(const Datum& value, char sign, const Datum& operand, Compare op,
                 const Datum& right) {
  if (!value.is_number()) return Truth::kUnknown;
  if (value.Is(Kind::kInt) && operand.Is(Kind::kInt) && right.Is(Kind::kInt)) {
    const __int128 a = value.integer;
    const __int128 b = operand.integer;
    const __int128 wide = sign == '+'   ? a + b
                          : sign == '-' ? a - b
                          : sign == '*' ? a * b
                          : sign == '/' ? a / b
                          : sign == '%' ? a % b
                          : sign == '&' ? (a & b)
                          : sign == '|' ? (a | b)
                                        : (a ^ b);
    return From(Compared(static_cast<int64_t>(wide), op, right.integer));
  }
  const double a = value.number();
  const double b = operand.number();
  switch (sign) {
    case '+':
      return From(Compared(a + b, op, right.number()));
    case '-':
      return From(Compared(a - b, op, right.number()));
    case '*':
      return From(Compared(a * b, op, right.number()));
    case '/':
      return From(Compared(a / b, op, right.number()));
    default:
      return Truth::kUnknown;
  }
}

Truth Like(const Datum& value, std::string_view pattern) {
  if (!value.Is(Kind::kText)) return Truth::kUnknown;
  return From(Matches(Points(value.text), 0, Points(pattern), 0));
}

Truth Contains(const Datum& value, const std::vector<Datum>& wanted, bool all) {
  if (wanted.empty()) return From(all);
  if (!value.Is(Kind::kList)) return Truth::kUnknown;
  const auto has = [&](const Datum& one) {
    return std::any_of(value.items.begin(), value.items.end(),
                       [&](const Datum& item) { return SameJson(item, one); });
  };
  return From(all ? std::all_of(wanted.begin(), wanted.end(), has)
                  : std::any_of(wanted.begin(), wanted.end(), has));
}

Truth Length(const Datum& value, Compare op, int64_t constant) {
  if (!value.Is(Kind::kList)) return Truth::kUnknown;
  return From(Compared(static_cast<int64_t>(value.items.size()), op, constant));
}

Datum At(const Datum& document, const std::vector<std::string>& path) {
  Datum at = document;
  for (const std::string& step : path) {
    Datum next;
    for (const auto& [key, value] : at.members) {
      if (key == step) next = value;
    }
    const bool is_index = step.find_first_not_of("0123456789") == std::string::npos;
    if (at.Is(Kind::kList) && is_index) {
      const size_t index = std::stoul(step);
      if (index < at.items.size()) next = at.items[index];
    }
    at = next;
  }
  return at;
}

bool Exists(const Datum& value) {
  if (value.Is(Kind::kList)) {
    return std::any_of(value.items.begin(), value.items.end(), Exists);
  }
  if (value.Is(Kind::kObject)) {
    return std::any_of(value.members.begin(), value.members.end(),
                       [](const auto& member) { return Exists(member.value); });
  }
  return value.has_value();
}

bool Answers(const Datum& value, const model::Predicate& predicate) {
  using PredicateKind = model::Predicate::Kind;
  const auto compare = [&](Compare op, size_t at) {
    return CompareColumn(value, op, DatumOf(predicate.values[at])) == Truth::kTrue;
  };
  switch (predicate.kind) {
    case PredicateKind::kIsNull:
      return !value.has_value();
    case PredicateKind::kCompare:
      return compare(predicate.op, 0);
    case PredicateKind::kIn:
      for (size_t i = 0; i < predicate.values.size(); ++i) {
        if (compare(Compare::kEq, i)) return true;
      }
      return false;
    case PredicateKind::kRange:
      return compare(predicate.lower_inclusive ? Compare::kGe : Compare::kGt, 0) &&
             compare(predicate.upper_inclusive ? Compare::kLe : Compare::kLt, 1);
    case PredicateKind::kPrefix:
      return value.text.starts_with(predicate.values[0].as_string()) && value.has_value();
    case PredicateKind::kText:
      return value.has_value() && predicate.text->Matches(value.text);
    case PredicateKind::kContains: {
      std::vector<Datum> wanted;
      for (const model::Scalar& item : predicate.values) wanted.push_back(DatumOf(item));
      return Contains(value, wanted, predicate.all) == Truth::kTrue;
    }
    case PredicateKind::kWords:  // The world has no index that knows words or boxes.
    case PredicateKind::kShape:
      return false;
  }
  return false;
}

}  // namespace elanus::expr::testing
