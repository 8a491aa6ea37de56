// Which fields of old rows functions are still to fill.
#pragma once

#include <vector>

#include "model/requests/data.h"
#include "model/schema.h"

namespace elanus::model {

/// The function that makes the field of a text of the same row and nothing else, BM25 or MinHash:
/// whoever has the text can make it. Null: there is none.
const FunctionSchema* TextFunctionOf(const CollectionSchema& schema, const FieldSchema& field);

/// The fields that are to be made in the rows of a flushed segment: those of such functions that it
/// has no files of, since they came later. Of a segment of an early build, which does not say what
/// it has, all.
std::vector<FieldId> FieldsToFill(const CollectionSchema& schema, const SegmentInfo& segment);

}  // namespace elanus::model
