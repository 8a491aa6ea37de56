// Where a page of an iterator over elements begins: inside of a row.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/requests/collection.h"
#include "model/requests/shard.h"

namespace elanus::proxy {

/// The row with the key was given up to this element of it.
struct ElementCursor {
  std::string key;
  int64_t element = 0;
};

/// `query_iter_last_pk` and `query_iter_last_element_offset`; nothing without them. Errors:
/// kInvalidParameter (one without the other, or without an iterator; an element that is no number).
Result<std::optional<ElementCursor>> ParseElementCursor(const std::vector<model::KeyValue>& list,
                                                        bool iterator);

/// Takes the elements that were given out of the row of the cursor, and the row if none is left.
/// The last column of `rows` is that of the elements.
void DropGiven(const ElementCursor& cursor, model::PartialRows& rows);

}  // namespace elanus::proxy
