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
    // Decoding calls Fields once per tag, so the kind comes first and fixes the alternative. Only
    // that writes to the value: scalars that threads share are encoded.
    int kind = static_cast<int>(value.index());
    v(1, "kind", kind);
    if (kind != static_cast<int>(value.index())) value = OfKind(kind);
    if (bool* b = std::get_if<bool>(&value)) v(2, "bool", *b);
    if (int64_t* i = std::get_if<int64_t>(&value)) v(3, "int", *i);
    if (double* d = std::get_if<double>(&value)) v(4, "double", *d);
    if (std::string* s = std::get_if<std::string>(&value)) v(5, "string", *s);
    if (ScalarList* l = std::get_if<ScalarList>(&value)) v(6, "list", *l);
  }

 private:
  static Variant OfKind(int kind) {
    switch (kind) {
      case 1:
        return false;
      case 2:
        return int64_t{0};
      case 3:
        return 0.0;
      case 4:
        return std::string();
      case 5:
        return ScalarList();
      default:
        return std::monostate();
    }
  }
};

}  // namespace elanus::model
