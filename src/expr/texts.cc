// Leaves over text columns. The texts of a batch lie one after the other, so what a pattern must
// hold is looked for in all of them at once.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>

#include "base/extent.h"
#include "base/prefetch.h"
#include "expr/batch.h"
#include "expr/constant.h"
#include "expr/regex.h"
#include "expr/value_set.h"
#include "simd/filter_kernels.h"

namespace elanus::expr {
namespace {

// As ColumnView::Bytes, of a column that is known to be of texts.
std::string_view TextOf(const model::ColumnView& column, size_t row) {
  const Extent text = ExtentOf(column.offsets + row, column.offsets + row + 1);
  return {reinterpret_cast<const char*>(column.data) + text.begin, text.bytes};
}

// When fewer of the rows are active, they are looked at one by one.
constexpr size_t kTogetherShare = 8;

// Where some texts lie is read before the first of them is: they are fetched together.
template <class Fn>
void FillFewTexts(const model::ColumnView& column, std::span<const uint16_t> places, Words& yes,
                  Fn test) {
  std::array<std::string_view, 64> texts;
  for (; !places.empty(); places = places.subspan(std::min(places.size(), texts.size()))) {
    const size_t count = std::min(places.size(), texts.size());
    for (size_t i = 0; i < count; ++i) {
      texts[i] = TextOf(column, places[i]);
      Prefetch(texts[i].data());
    }
    for (size_t i = 0; i < count; ++i) {
      if (test(texts[i])) SetBit(yes, places[i]);
    }
  }
}

// Bits of test(text of row i) for the active rows.
template <class Fn>
void FillTexts(const model::ColumnView& column, const BatchRows& rows, Words& yes, Fn test) {
  if (const FewRows few(rows, kTogetherShare); few.are_few()) {
    return FillFewTexts(column, few.places(), yes, test);
  }
  for (size_t w = 0; w * 64 < rows.count; ++w) {
    const uint64_t active = (*rows.active)[w];
    if (active == 0) continue;
    uint64_t word = 0;
    if (std::popcount(active) > 32) {
      const size_t n = std::min<size_t>(64, rows.count - w * 64);
      for (size_t j = 0; j < n; ++j) word |= uint64_t{test(TextOf(column, w * 64 + j))} << j;
    } else {
      for (uint64_t rest = active; rest != 0; rest &= rest - 1) {
        const auto j = static_cast<size_t>(std::countr_zero(rest));
        word |= uint64_t{test(TextOf(column, w * 64 + j))} << j;
      }
    }
    yes[w] = word;
  }
}

// Begins with a short prefix: eight bytes as a number against the prefix as one. Only where eight
// bytes may be read.
void FillPrefix(const std::string& prefix, const model::ColumnView& column, const BatchRows& rows,
                Words& yes) {
  const char* end = reinterpret_cast<const char*>(column.data) + column.offsets[column.rows];
  if (prefix.empty() || prefix.size() > 8) {
    return FillTexts(column, rows, yes,
                     [&](std::string_view text) { return text.starts_with(prefix); });
  }
  uint64_t wanted = 0;
  std::memcpy(&wanted, prefix.data(), prefix.size());
  const uint64_t mask = prefix.size() == 8 ? ~uint64_t{0} : (uint64_t{1} << 8 * prefix.size()) - 1;
  FillTexts(column, rows, yes, [&](std::string_view text) {
    if (end - text.data() < 8) return text.starts_with(prefix);
    uint64_t lead;
    std::memcpy(&lead, text.data(), sizeof(lead));
    return ((lead ^ wanted) & mask) == 0 && text.size() >= prefix.size();
  });
}

void FillEqual(const std::string& wanted, const model::ColumnView& column, const BatchRows& rows,
               Words& yes) {
  FillTexts(column, rows, yes, [&](std::string_view text) {
    return text.size() == wanted.size() &&
           std::memcmp(text.data(), wanted.data(), wanted.size()) == 0;
  });
}

// Rows that hold `word`, active or not. Offsets of a mapped page that fails meanwhile become zeros:
// then no row is found any more, or a wrong one, but none behind the last.
void FillInfix(const std::string& word, const model::ColumnView& column, size_t count, Words& yes) {
  const auto find = simd::Filters().find;
  const char* bytes = reinterpret_cast<const char*>(column.data);
  const uint64_t* offsets = column.offsets;
  const Extent all = ExtentOf(offsets, offsets + count);
  uint64_t at = all.begin;
  const uint64_t end = all.begin + all.bytes;
  size_t row = 0;
  while (row < count && at <= end) {
    const size_t found = find(bytes + at, end - at, word.data(), word.size());
    if (found == SIZE_MAX) return;
    at += found;
    // The row it begins in; few rows lie between two finds that are near.
    while (row < count && offsets[row + 1] <= at) ++row;
    if (row == count) return;
    if (at + word.size() <= offsets[row + 1]) {
      SetBit(yes, row);
      at = offsets[++row];
    } else {
      ++at;
    }
  }
}

// A test of a whole text, run on the rows that hold the longest literal it asks for.
void FillPattern(const model::TextTest& test, const model::ColumnView& column,
                 const BatchRows& rows, Words& yes) {
  const auto run = [&](const BatchRows& on) {
    FillTexts(column, on, yes, [&](std::string_view text) { return test.Matches(text); });
  };
  const auto& literals = test.literals();
  if (literals.empty() || FewRows(rows, kTogetherShare).are_few()) return run(rows);
  const auto longest =
      std::max_element(literals.begin(), literals.end(),
                       [](const auto& a, const auto& b) { return a.size() < b.size(); });
  Words candidates{};
  FillInfix(*longest, column, rows.count, candidates);
  if (test.is_infix()) {
    yes = candidates;
    return;
  }
  for (size_t w = 0; w < kBatchWords; ++w) candidates[w] &= (*rows.active)[w];
  // Word by word of 64 rows, most of which hold one row or none.
  run({.count = rows.count, .active = &candidates});
  for (size_t w = 0; w < kBatchWords; ++w) yes[w] &= candidates[w];
}

void FillCompared(const Test& test, const model::ColumnView& column, const BatchRows& rows,
                  Words& yes) {
  const std::string& constant = test.values[0].as_string();
  using model::Compare;
  if (test.op == Compare::kEq) return FillEqual(constant, column, rows, yes);
  if (test.op == Compare::kNe) {
    FillEqual(constant, column, rows, yes);
    for (size_t w = 0; w * 64 < rows.count; ++w) yes[w] = (*rows.active)[w] & ~yes[w];
    return;
  }
  // Most texts differ in their first byte.
  const auto lead = static_cast<unsigned char>(constant.empty() ? 0 : constant[0]);
  FillTexts(column, rows, yes, [&](std::string_view text) {
    const auto first = static_cast<unsigned char>(text.empty() ? 0 : text[0]);
    if (first != lead) return Holds(test.op, first < lead ? -1 : 1);
    const int order = text.compare(constant);
    return Holds(test.op, order < 0 ? -1 : order > 0);
  });
}

}  // namespace

void TestTexts(const Test& test, const model::ColumnView& column, const BatchRows& rows,
               Words& yes) {
  switch (test.kind) {
    case Test::Kind::kCompare:
      return FillCompared(test, column, rows, yes);
    case Test::Kind::kLike:
      if (test.like->kind() == LikePattern::Kind::kPrefix) {
        return FillPrefix(test.like->literal(), column, rows, yes);
      }
      return FillPattern(*test.like, column, rows, yes);
    case Test::Kind::kRegex:
      return FillPattern(*test.regex, column, rows, yes);
    default:
      FillTexts(column, rows, yes, [&](std::string_view text) { return TestText(test, text); });
  }
}

}  // namespace elanus::expr
