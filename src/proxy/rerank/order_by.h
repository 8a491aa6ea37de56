// `order_by_fields` of a request: which values, in which direction, and the order of hits by them.
#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "model/requests/shard.h"
#include "model/schema.h"

namespace elanus::proxy {

struct OrderTerm {
  model::OrderField order;  // Of the field itself, or of the JSON column.
  bool is_json = false;
  std::string path;  // As expr::JsonPlace.
};

/// "f1:asc,f2:desc:nulls_last". Without words: ascending; nulls last ascending, first descending.
/// `takes_json`: places in JSON and dynamic keys too. Errors: kInvalidParameter.
Result<std::vector<OrderTerm>> ParseOrderBy(const std::string& text,
                                            const model::CollectionSchema& schema, bool takes_json);

/// Orders units (hits, or groups by their first hit) that are in some order already by the terms;
/// equal ones stay as they are. `columns` holds the terms' columns, one each; `units` are places in
/// them. Errors: kCanceled.
Status SortUnits(Context& ctx, const std::vector<OrderTerm>& terms,
                 const std::vector<const model::Column*>& columns,
                 std::vector<std::vector<uint32_t>>& units);

}  // namespace elanus::proxy
