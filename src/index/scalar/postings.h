// The rows of each term of a dictionary: as lists of row numbers, or as compressed sets.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bitset.h"
#include "base/status.h"

namespace elanus::index {

/// Immutable; thread-safe. Borrows the file.
class Postings {
 public:
  virtual ~Postings() = default;
  virtual size_t terms() const = 0;
  /// How many rows the terms [begin, end) have together; a row counts once for each.
  virtual uint64_t Count(size_t begin, size_t end) const = 0;
  /// Sets the rows of the terms [begin, end).
  virtual void SetRows(size_t begin, size_t end, Bitset& rows) const = 0;
  /// Appends the rows of a term, ascending.
  virtual void AppendRows(size_t term, std::vector<uint32_t>& rows) const = 0;
  /// Drops from `rows`, ascending, those that the term is not in.
  virtual void KeepRows(size_t term, std::vector<uint32_t>& rows) const = 0;
  /// Nanoseconds that SetRows takes for a row, about.
  virtual double row_ns() const = 0;
};

/// What the files hold: `starts` has terms + 1 places in `rows`, and the rows of a term rise.
struct TermRows {
  std::vector<uint64_t> starts;
  std::vector<uint32_t> rows;
};

/// The rows of a term in one block of 65536 rows, as they lie in a file.
struct Container {
  uint64_t offset;
  uint32_t block;
  uint32_t rows;
};

/// Lists. Two sections: u64 starts (terms + 1); u32 rows.
std::vector<std::string> EncodeRowLists(const TermRows& rows);
/// Sets of rows in containers of 65536: 2 bytes a row, or 8192 bytes where more than 4096 rows are
/// in one (as in Roaring bitmaps: Chambi, Lemire, Kaser and Godin 2016, "Better bitmap performance
/// with Roaring bitmaps"). Three sections: u64 starts (terms + 1, in rows); u64 first container of
/// each term (terms + 1); containers as u64 offset into the last section, u32 block, u32 rows; and
/// the last section.
std::vector<std::string> EncodeRowSets(const TermRows& rows);

/// Writes row sets of terms that come up while rows are read, in the memory that the sets take.
/// Thread-compatible.
class RowSetWriter {
 public:
  /// `row` is at or above every row of the term so far; the same row again adds nothing. Terms are
  /// numbered from 0.
  void Add(size_t term, uint32_t row);
  /// The sections, with the terms in this order.
  std::vector<std::string> Finish(std::span<const uint32_t> order);

 private:
  struct Term {
    std::vector<uint32_t> pending;  // Of one block.
    std::vector<Container> containers;
    std::string bytes;
    uint64_t rows = 0;
  };
  static void Flush(Term& term);
  std::vector<Term> terms_;
};

/// Sections as the encoders made them, `row_count` rows in the segment. Errors: kIntegrity when
/// something leads out of the sections or a row is not below `row_count`.
Result<std::unique_ptr<Postings>> OpenRowLists(std::span<const std::string_view> sections,
                                               uint64_t row_count);
Result<std::unique_ptr<Postings>> OpenRowSets(std::span<const std::string_view> sections,
                                              uint64_t row_count);

inline constexpr size_t kRowListSections = 2;
inline constexpr size_t kRowSetSections = 4;

}  // namespace elanus::index
