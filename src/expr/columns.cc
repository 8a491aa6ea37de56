// Leaves over plain columns and arrays: one typed loop a leaf and batch.
#include <algorithm>

#include "expr/array_row.h"
#include "expr/batch.h"
#include "expr/constant.h"

namespace elanus::expr {
namespace {

using model::Compare;
using model::DataType;
using model::Scalar;

// Bits of fn(i) for the rows of the batch, 64 at a time so that the compiler can vectorise the
// inner loop.
template <class Fn>
void Fill(size_t count, Words& out, Fn fn) {
  for (size_t w = 0; w * 64 < count; ++w) {
    const size_t base = w * 64;
    const size_t n = std::min<size_t>(64, count - base);
    uint8_t hit[64];
    for (size_t j = 0; j < n; ++j) hit[j] = fn(base + j) ? 1 : 0;
    uint64_t word = 0;
    for (size_t j = 0; j < n; ++j) word |= static_cast<uint64_t>(hit[j]) << j;
    out[w] = word;
  }
}

template <class T, class C>
void CompareLoop(Compare op, const T* values, C constant, size_t count, Words& out) {
  switch (op) {
    case Compare::kEq:
      Fill(count, out, [=](size_t i) { return values[i] == constant; });
      break;
    case Compare::kNe:
      Fill(count, out, [=](size_t i) { return values[i] != constant; });
      break;
    case Compare::kLt:
      Fill(count, out, [=](size_t i) { return values[i] < constant; });
      break;
    case Compare::kLe:
      Fill(count, out, [=](size_t i) { return values[i] <= constant; });
      break;
    case Compare::kGt:
      Fill(count, out, [=](size_t i) { return values[i] > constant; });
      break;
    case Compare::kGe:
      Fill(count, out, [=](size_t i) { return values[i] >= constant; });
      break;
  }
}

template <class T>
void TestFixed(const Test& test, const T* values, size_t count, Words& out) {
  using C = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;
  const auto constant = [](const Scalar& s) -> C {
    if constexpr (std::is_floating_point_v<T>)
      return s.number();
    else
      return s.is_bool() ? s.as_bool() : s.as_int();
  };
  switch (test.kind) {
    case Test::Kind::kCompare:
      CompareLoop<T, C>(test.op, values, constant(test.values[0]), count, out);
      break;
    case Test::Kind::kRange: {
      const C low = constant(test.values[0]);
      const C high = constant(test.values[1]);
      Words below{};
      CompareLoop<T, C>(test.lower_inclusive ? Compare::kGe : Compare::kGt, values, low, count,
                        out);
      CompareLoop<T, C>(test.upper_inclusive ? Compare::kLe : Compare::kLt, values, high, count,
                        below);
      for (size_t w = 0; w < kBatchWords; ++w) out[w] &= below[w];
      break;
    }
    case Test::Kind::kArith:
      if constexpr (std::is_floating_point_v<T>) {
        Fill(count, out, [&](size_t i) { return TestArithDouble(test, values[i]); });
      } else {
        Fill(count, out, [&](size_t i) { return TestArithInt(test, values[i]); });
      }
      break;
    default:
      if constexpr (std::is_floating_point_v<T>) {
        Fill(count, out, [&](size_t i) { return TestDouble(test, values[i]); });
      } else {
        Fill(count, out, [&](size_t i) { return TestInt(test, values[i]); });
      }
  }
}

// What null rows give: unknown.
void MaskNulls(const model::ColumnView& column, size_t count, Tri& out) {
  if (column.valid == nullptr) return;
  Fill(count, out.unknown, [&](size_t i) { return column.valid[i] == 0; });
  for (size_t w = 0; w < kBatchWords; ++w) out.yes[w] &= ~out.unknown[w];
}

template <class T>
double AsDouble(const model::ColumnView& column, size_t i) {
  return static_cast<double>(column.Get<T>(i));
}
double NumberAt(const model::ColumnView& column, size_t i) {
  switch (column.type) {
    case DataType::kInt8:
      return AsDouble<int8_t>(column, i);
    case DataType::kInt16:
      return AsDouble<int16_t>(column, i);
    case DataType::kInt32:
      return AsDouble<int32_t>(column, i);
    case DataType::kInt64:
      return AsDouble<int64_t>(column, i);
    case DataType::kFloat:
      return AsDouble<float>(column, i);
    default:
      return column.Get<double>(i);
  }
}
int64_t IntAt(const model::ColumnView& column, size_t i) {
  switch (column.type) {
    case DataType::kBool:
    case DataType::kInt8:
      return column.Get<int8_t>(i);
    case DataType::kInt16:
      return column.Get<int16_t>(i);
    case DataType::kInt32:
      return column.Get<int32_t>(i);
    default:
      return column.Get<int64_t>(i);
  }
}

bool TestScalar(const Test& test, const Scalar& value) {
  if (value.is_string()) return TestText(test, value.as_string());
  if (value.is_double()) {
    return test.kind == Test::Kind::kArith ? TestArithDouble(test, value.as_double())
                                           : TestDouble(test, value.as_double());
  }
  const int64_t number = value.is_bool() ? int64_t{value.as_bool()} : value.as_int();
  return test.kind == Test::Kind::kArith ? TestArithInt(test, number) : TestInt(test, number);
}

bool EqualsList(const ArrayRow& row, const model::ScalarList& wanted) {
  bool equal = wanted.size() == row.size();
  for (size_t i = 0; equal && i < wanted.size(); ++i) equal = row[i] == wanted[i];
  return equal;
}

}  // namespace

void TestColumn(const Node& node, const model::ColumnView& column, const BatchRows& rows,
                Tri& out) {
  switch (column.type) {
    case DataType::kBool:
    case DataType::kInt8:
      TestFixed(node.test, column.values<int8_t>(), rows.count, out.yes);
      break;
    case DataType::kInt16:
      TestFixed(node.test, column.values<int16_t>(), rows.count, out.yes);
      break;
    case DataType::kInt32:
      TestFixed(node.test, column.values<int32_t>(), rows.count, out.yes);
      break;
    case DataType::kInt64:
      TestFixed(node.test, column.values<int64_t>(), rows.count, out.yes);
      break;
    case DataType::kFloat:
      TestFixed(node.test, column.values<float>(), rows.count, out.yes);
      break;
    case DataType::kDouble:
      TestFixed(node.test, column.values<double>(), rows.count, out.yes);
      break;
    default:
      Fill(rows.count, out.yes,
           [&](size_t i) { return rows.IsActive(i) && TestText(node.test, column.Bytes(i)); });
  }
  MaskNulls(column, rows.count, out);
}

void CompareColumns(const Node& node, const model::ColumnView& left, const model::ColumnView& right,
                    const BatchRows& rows, Tri& out) {
  const bool is_text = left.type == DataType::kVarChar;
  const bool is_real = model::IsFloating(left.type) || model::IsFloating(right.type);
  Fill(rows.count, out.yes, [&](size_t i) {
    if (is_text) {
      const int order = left.Bytes(i).compare(right.Bytes(i));
      return Holds(node.op, order < 0 ? -1 : order > 0);
    }
    if (is_real) {
      return HoldsDouble(node.op, NumberAt(left, i), NumberAt(right, i));
    }
    const int64_t a = IntAt(left, i);
    const int64_t b = IntAt(right, i);
    return Holds(node.op, a < b ? -1 : a > b);
  });
  Tri other;
  other.yes = out.yes;
  MaskNulls(left, rows.count, out);
  MaskNulls(right, rows.count, other);
  for (size_t w = 0; w < kBatchWords; ++w) {
    out.unknown[w] |= other.unknown[w];
    out.yes[w] &= ~out.unknown[w];
  }
}

void TestArray(const Node& node, const model::ColumnView& column, const BatchRows& rows, Tri& out) {
  const bool is_whole = node.source.kind == Source::Kind::kArray;
  ForEachActive(column, rows, out, [&](size_t i) {
    const ArrayRow row(column.element_type, column.Bytes(i));
    if (is_whole)
      return EqualsList(row, node.test.values[0].as_list()) == (node.test.op == Compare::kEq);
    if (node.source.index < row.size()) return TestScalar(node.test, row[node.source.index]);
    SetBit(out.unknown, i);
    return false;
  });
}

}  // namespace elanus::expr
