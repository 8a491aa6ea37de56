// A dictionary of distinct values with the rows of each: what INVERTED, BITMAP and Trie are, each
// with another dictionary or other postings.
#pragma once

#include <memory>
#include <string>

#include "index/scalar/collect.h"
#include "index/scalar_index.h"

namespace elanus::index {

/// How the parts of a dictionary index lie in its file.
struct TermLayout {
  std::string_view magic;
  std::string_view name;          // For messages.
  bool has_sets = false;          // Else lists.
  bool has_front_coding = false;  // Of texts; else they lie whole.
  bool asks_elements = false;     // Of arrays: any predicate is one on their elements.
};

/// Writes the file. Errors: as Collect.
Result<std::string> BuildTermIndex(Context& ctx, const model::ColumnView& column,
                                   const TermLayout& layout);
/// Writes what has been collected from `column`.
std::string WriteTermIndex(const model::ColumnView& column, const Collected& collected,
                           const TermLayout& layout);
/// Errors: kIntegrity.
Result<std::unique_ptr<ScalarIndex>> OpenTermIndex(Blob file, const TermLayout& layout);

}  // namespace elanus::index
