// One batch of rows under evaluation: three-valued results as words of bits.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

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
};

inline void SetBit(Words& words, size_t i) { words[i >> 6] |= uint64_t{1} << (i & 63); }

/// Calls fn(i) for each active row, in order.
template <class Fn>
void ForEachActive(const BatchRows& rows, Fn fn) {
  for (size_t w = 0; w * 64 < rows.count; ++w) {
    for (uint64_t rest = (*rows.active)[w]; rest != 0; rest &= rest - 1) {
      fn(w * 64 + static_cast<size_t>(std::countr_zero(rest)));
    }
  }
}

/// Sets for each active row of `column` what `test(i)` says; null rows are unknown.
template <class Fn>
void ForEachActive(const model::ColumnView& column, const BatchRows& rows, Tri& out, Fn test) {
  ForEachActive(rows, [&](size_t i) {
    if (!column.IsValid(i)) {
      SetBit(out.unknown, i);
    } else if (test(i)) {
      SetBit(out.yes, i);
    }
  });
}

/// The active rows of a batch one by one, when they are few: then each is tested alone, by loops
/// whose next row waits neither for a guess nor for the memory of the one before.
class FewRows {
 public:
  /// Few: at most one in `share` (8 or more) of all.
  FewRows(const BatchRows& rows, size_t share) {
    const size_t most = rows.count / share;
    for (size_t w = 0; w * 64 < rows.count && count_ <= most; ++w) {
      for (uint64_t rest = (*rows.active)[w]; rest != 0; rest &= rest - 1) {
        places_[count_++] = static_cast<uint16_t>(w * 64 + std::countr_zero(rest));
      }
    }
    are_few_ = count_ <= most;
  }
  bool are_few() const { return are_few_; }
  /// When they are few.
  std::span<const uint16_t> places() const { return {places_.data(), count_}; }

 private:
  std::array<uint16_t, kBatchRows / 8 + 64> places_;  // A word more than may be.
  size_t count_ = 0;
  bool are_few_ = false;
};

/// Sets the bits of these rows for which `test(i)` is true.
template <class Fn>
void TestFew(std::span<const uint16_t> places, Words& yes, Fn test) {
  for (const size_t i : places) yes[i >> 6] |= uint64_t{test(i)} << (i & 63);
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
