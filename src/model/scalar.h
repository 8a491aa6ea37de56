// One typed constant: a default value, a primary key, a filter's template value, a literal.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace elanus::model {

struct Scalar;
using ScalarList = std::vector<Scalar>;

/// monostate is null. A list may nest.
struct Scalar {
  using Variant = std::variant<std::monostate, bool, int64_t, double, std::string, ScalarList>;
  Variant value;

  Scalar() = default;
  Scalar(bool v) : value(v) {}                    // NOLINT: implicit by design.
  Scalar(int64_t v) : value(v) {}                 // NOLINT
  Scalar(double v) : value(v) {}                  // NOLINT
  Scalar(std::string v) : value(std::move(v)) {}  // NOLINT
  Scalar(ScalarList v) : value(std::move(v)) {}   // NOLINT

  bool is_null() const { return value.index() == 0; }
  bool is_bool() const { return value.index() == 1; }
  bool is_int() const { return value.index() == 2; }
  bool is_double() const { return value.index() == 3; }
  bool is_string() const { return value.index() == 4; }
  bool is_list() const { return value.index() == 5; }
  bool as_bool() const { return std::get<bool>(value); }
  int64_t as_int() const { return std::get<int64_t>(value); }
  double as_double() const { return std::get<double>(value); }
  const std::string& as_string() const { return std::get<std::string>(value); }
  const ScalarList& as_list() const { return std::get<ScalarList>(value); }
  /// The number as a double; only for int and double.
  double number() const { return is_int() ? static_cast<double>(as_int()) : as_double(); }

  bool operator==(const Scalar&) const = default;

  template <class V>
  void Fields(V& v) {
    int kind = static_cast<int>(value.index());
    v(1, "kind", kind);
    bool b = is_bool() ? as_bool() : false;
    int64_t i = is_int() ? as_int() : 0;
    double d = is_double() ? as_double() : 0;
    std::string s = is_string() ? as_string() : std::string();
    ScalarList l = is_list() ? as_list() : ScalarList();
    v(2, "bool", b);
    v(3, "int", i);
    v(4, "double", d);
    v(5, "string", s);
    v(6, "list", l);
    // Decoding calls Fields once per tag, so the kind comes first and fixes the alternative; each
    // later call refreshes its content.
    switch (kind) {
      case 1:
        value = b;
        break;
      case 2:
        value = i;
        break;
      case 3:
        value = d;
        break;
      case 4:
        value = std::move(s);
        break;
      case 5:
        value = std::move(l);
        break;
      default:
        value = std::monostate();
        break;
    }
  }
};

}  // namespace elanus::model
