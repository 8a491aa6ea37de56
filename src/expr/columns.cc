// Leaves over plain columns and arrays: one typed loop a leaf and batch.
#include <algorithm>
#include <bit>

#include "expr/array_row.h"
#include "expr/batch.h"
#include "expr/constant.h"
#include "expr/intervals.h"
#include "expr/value_set.h"
#include "simd/filter_kernels.h"

namespace elanus::expr {
namespace {

using model::Compare;
using model::DataType;
using model::Scalar;

// Bits of fn(i) for the rows of the batch, 64 at a time so that the compiler can vectorise the
// inner loop; or for the few that are active.
template <class Fn>
void Fill(const FewRows& few, size_t count, Words& out, Fn fn) {
  if (few.are_few()) return TestFew(few.places(), out, fn);
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

// Bits of fn(i) without branches: the filter of a set passes few rows, which are then looked up.
template <class KeyAt>
void FillBySet(const ValueSet& set, const FewRows& few, size_t count, Words& out, KeyAt key_at) {
  if (few.are_few()) {
    return TestFew(few.places(), out, [&](size_t i) { return set.Has(key_at(i)); });
  }
  for (size_t w = 0; w * 64 < count; ++w) {
    const size_t base = w * 64;
    const size_t n = std::min<size_t>(64, count - base);
    uint64_t word = 0;
    for (size_t j = 0; j < n; ++j) {
      word |= uint64_t{set.MayHave(ValueSet::HashOf(key_at(base + j)))} << j;
    }
    uint64_t found = 0;
    for (uint64_t rest = word; rest != 0; rest &= rest - 1) {
      const auto j = static_cast<size_t>(std::countr_zero(rest));
      if (set.Has(key_at(base + j))) found |= uint64_t{1} << j;
    }
    out[w] = found;
  }
}

// When fewer of the rows are active, each is tested alone: a kernel tests them all.
constexpr size_t kKernelShare = 24;

template <class T>
void TestFixed(const Test& test, const T* values, const BatchRows& rows, Words& out) {
  const size_t count = rows.count;
  const FewRows few(rows, kKernelShare);
  switch (test.kind) {
    case Test::Kind::kCompare:
    case Test::Kind::kRange: {
      const Interval<T> interval = IntervalOf<T>(test);
      if (few.are_few()) {
        // Both sides always: a guess that fails would wait for the value.
        return TestFew(few.places(), out, [&](size_t i) {
          const T value = values[i];
          const int is_inside = int{interval.low <= value} & int{value <= interval.high};
          return is_inside != int{interval.negated};
        });
      }
      simd::RangeKernel<T>()(values, count, interval.low, interval.high, out.data());
      if (!interval.negated) return;
      for (size_t w = 0; w * 64 < count; ++w) out[w] = ~out[w];
      if (count % 64 != 0) out[count / 64] &= (uint64_t{1} << count % 64) - 1;
      return;
    }
    case Test::Kind::kArith:
      if constexpr (std::is_floating_point_v<T>) {
        Fill(few, count, out, [&](size_t i) { return TestArithDouble(test, values[i]); });
      } else {
        Fill(few, count, out, [&](size_t i) { return TestArithInt(test, values[i]); });
      }
      return;
    case Test::Kind::kShift:
      Fill(few, count, out, [&](size_t i) {
        const int64_t moment =
            model::Shifted(static_cast<int64_t>(values[i]), test.duration, test.duration_sign);
        const int64_t wanted = test.values[0].as_int();
        return Holds(test.op, moment < wanted ? -1 : moment > wanted);
      });
      return;
    default:
      break;
  }
  if constexpr (std::is_floating_point_v<T>) {
    // NaN has keys of its own, which no set holds.
    if (test.set != nullptr) {
      FillBySet(*test.set, few, count, out,
                [&](size_t i) { return ValueSet::KeyOf(static_cast<double>(values[i])); });
    } else {
      Fill(few, count, out, [&](size_t i) { return TestDouble(test, values[i]); });
    }
  } else if (test.set != nullptr) {
    FillBySet(*test.set, few, count, out,
              [&](size_t i) { return ValueSet::KeyOf(int64_t{values[i]}); });
  } else {
    Fill(few, count, out, [&](size_t i) { return TestInt(test, values[i]); });
  }
}

// What null rows give: unknown.
void MaskNulls(const model::ColumnView& column, size_t count, Tri& out) {
  if (column.valid == nullptr) return;
  simd::RangeKernel<int8_t>()(reinterpret_cast<const int8_t*>(column.valid), count, 0, 0,
                              out.unknown.data());
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
      TestFixed(node.test, column.values<int8_t>(), rows, out.yes);
      break;
    case DataType::kInt16:
      TestFixed(node.test, column.values<int16_t>(), rows, out.yes);
      break;
    case DataType::kInt32:
      TestFixed(node.test, column.values<int32_t>(), rows, out.yes);
      break;
    case DataType::kInt64:
    case DataType::kTimestamptz:
      TestFixed(node.test, column.values<int64_t>(), rows, out.yes);
      break;
    case DataType::kFloat:
      TestFixed(node.test, column.values<float>(), rows, out.yes);
      break;
    case DataType::kDouble:
      TestFixed(node.test, column.values<double>(), rows, out.yes);
      break;
    default:
      TestTexts(node.test, column, rows, out.yes);
  }
  MaskNulls(column, rows.count, out);
}

void CompareColumns(const Node& node, const model::ColumnView& left, const model::ColumnView& right,
                    const BatchRows& rows, Tri& out) {
  const bool is_text = left.type == DataType::kVarChar;
  const bool is_real = model::IsFloating(left.type) || model::IsFloating(right.type);
  Fill(FewRows(rows, kKernelShare), rows.count, out.yes, [&](size_t i) {
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
