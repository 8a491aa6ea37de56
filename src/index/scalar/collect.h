// The distinct values of a column with their rows: what dictionaries and postings are made from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "index/scalar/postings.h"
#include "model/column.h"

namespace elanus::index {

/// Terms in order: fixed-width values packed in `values`, texts as views into the column.
struct Collected {
  std::string values;
  std::vector<std::string_view> texts;
  TermRows rows;
  std::vector<uint32_t> nan;
  std::vector<uint32_t> null;
  size_t terms() const { return rows.starts.size() - 1; }
};

/// Of an Array column the distinct elements; a row is with each of its elements once. NaN is no
/// term. Errors: kIndexNotSupported for types without an order; kCanceled.
Result<Collected> Collect(Context& ctx, const model::ColumnView& column);

}  // namespace elanus::index
