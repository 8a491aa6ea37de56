// What AUTOINDEX becomes for one segment.
#pragma once

#include "model/requests/data.h"

namespace elanus::coord {

struct SegmentRows {
  int64_t segment = 0;
  int64_t collection = 0;  // Of all segments, which share the memory.
};

/// The index with a type and parameters for so many rows; others than AUTOINDEX as they are.
/// `memory_mb`: for the field, over all segments.
model::IndexInfo ChosenFor(const model::IndexInfo& index, const model::CollectionInfo& collection,
                           const SegmentRows& rows, int64_t memory_mb);

/// Notes in what was built from `chosen` what AUTOINDEX became.
void NoteChoice(const model::IndexInfo& chosen, model::SegmentIndexInfo& built);

}  // namespace elanus::coord
