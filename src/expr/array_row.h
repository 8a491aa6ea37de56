// One row of an array column, element by element.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "model/column.h"
#include "model/scalar.h"

namespace elanus::expr {

/// Borrows the row's bytes.
class ArrayRow {
 public:
  ArrayRow(model::DataType type, std::string_view row)
      : type_(type), row_(row), size_(model::ArraySize(type, row)) {
    if (type == model::DataType::kVarChar) texts_ = model::ArrayTexts(row);
  }
  size_t size() const { return size_; }

  /// Element `at`, which must be below size().
  model::Scalar operator[](size_t at) const {
    using model::DataType;
    switch (type_) {
      case DataType::kBool:
        return Get<int8_t>(at) != 0;
      case DataType::kInt8:
        return int64_t{Get<int8_t>(at)};
      case DataType::kInt16:
        return int64_t{Get<int16_t>(at)};
      case DataType::kInt32:
        return int64_t{Get<int32_t>(at)};
      case DataType::kInt64:
        return Get<int64_t>(at);
      case DataType::kFloat:
        return static_cast<double>(Get<float>(at));
      case DataType::kDouble:
        return Get<double>(at);
      default:
        return std::string(texts_[at]);
    }
  }

  bool Contains(const model::Scalar& wanted) const {
    for (size_t i = 0; i < size_; ++i) {
      if ((*this)[i] == wanted) return true;
    }
    return false;
  }

 private:
  template <class T>
  T Get(size_t at) const {
    T value;
    std::memcpy(&value, row_.data() + at * sizeof(T), sizeof(T));
    return value;
  }

  model::DataType type_;
  std::string_view row_;
  size_t size_;
  std::vector<std::string_view> texts_;
};

}  // namespace elanus::expr
