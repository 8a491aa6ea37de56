// What BM25 must know of many rows at once, for the terms of a query.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace elanus::model {

struct TermTotals {
  uint64_t rows = 0;
  double tokens = 0;
  std::vector<uint64_t> with_term;  // Rows that hold each of the terms asked for.

  /// Both are of the same terms.
  void Add(const TermTotals& other) {
    rows += other.rows;
    tokens += other.tokens;
    with_term.resize(other.with_term.size());
    for (size_t i = 0; i < with_term.size(); ++i) with_term[i] += other.with_term[i];
  }
  double mean_length() const { return rows == 0 ? 0 : tokens / static_cast<double>(rows); }

  template <class V>
  void Fields(V& v) {
    v(1, "rows", rows);
    v(2, "tokens", tokens);
    v(3, "with_term", with_term);
  }
};

}  // namespace elanus::model
