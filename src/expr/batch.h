// One batch of rows under evaluation: three-valued results as words of bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "expr/node.h"
#include "model/column.h"

namespace elanus::expr {

inline constexpr size_t kBatchWords = kBatchRows / 64;
using Words = std::array<uint64_t, kBatchWords>;

/// yes and unknown never overlap; what is in neither is false.
struct Tri {
  Words yes{};
  Words unknown{};
};

/// The rows a leaf need look at. Results of other rows are ignored.
struct BatchRows {
  size_t count = 0;
  const Words* active = nullptr;
  bool IsActive(size_t i) const { return ((*active)[i >> 6] >> (i & 63)) & 1; }
};

inline void SetBit(Words& words, size_t i) { words[i >> 6] |= uint64_t{1} << (i & 63); }

/// Sets for each active row of `column` what `test(i)` says; null rows are unknown.
template <class Fn>
void ForEachActive(const model::ColumnView& column, const BatchRows& rows, Tri& out, Fn test) {
  for (size_t i = 0; i < rows.count; ++i) {
    if (!rows.IsActive(i)) continue;
    if (!column.IsValid(i)) {
      SetBit(out.unknown, i);
    } else if (test(i)) {
      SetBit(out.yes, i);
    }
  }
}

/// Tests of a plain column, a whole array or an array element. `column` holds the batch.
void TestColumn(const Node& node, const model::ColumnView& column, const BatchRows& rows, Tri& out);
/// The texts of a VarChar column; null rows get any value.
void TestTexts(const Test& test, const model::ColumnView& column, const BatchRows& rows,
               Words& yes);
void CompareColumns(const Node& node, const model::ColumnView& left, const model::ColumnView& right,
                    const BatchRows& rows, Tri& out);
void TestArray(const Node& node, const model::ColumnView& column, const BatchRows& rows, Tri& out);
/// Leaves over JSON: tests, exists.
void TestJson(const Node& node, const model::ColumnView& column, const BatchRows& rows, Tri& out);

/// Whether a text passes a test of kind compare, in, range, like or regex against strings.
bool TestText(const Test& test, std::string_view text);
/// Whether a number passes; ints are exact.
bool TestInt(const Test& test, int64_t value);
bool TestDouble(const Test& test, double value);
/// `value arith operand` under the test's comparison.
bool TestArithInt(const Test& test, int64_t value);
bool TestArithDouble(const Test& test, double value);

}  // namespace elanus::expr
