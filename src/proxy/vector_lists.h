// Lists of vectors, in rows of struct fields and in queries.
#pragma once

#include "base/status.h"
#include "model/column.h"
#include "model/schema.h"

namespace elanus::proxy {

/// Makes an ArrayOfVector column of a write one of the field's: vectors of its type (float32 ones
/// become half-precision), dim and most `max_capacity` a row, finite. Null rows keep nothing.
/// Errors: kInvalidParameter, naming the field.
Status AcceptVectorLists(const model::FieldSchema& field, model::Column& column);

/// What a search with a metric between lists cannot be: in a range, paged by an iterator, grouped.
struct ListSearchForm {
  bool has_range = false;
  bool is_iterator = false;
  bool is_grouped = false;
};

/// kInvalidParameter for such a search under such a metric.
Status CheckListSearch(model::Metric metric, const ListSearchForm& form);

/// Brings queries of which they or the field are lists into the form of the field's search under
/// `metric`: embedding lists, which come without a dim, for a metric between lists; plain vectors
/// of the element type for others. Errors: kInvalidParameter (lists that are empty or no whole
/// vectors, numbers that are not finite), kSegcore (queries of another kind or element type).
Status FitListQueries(const model::FieldSchema& field, model::Metric metric,
                      model::Column& queries);

/// The sub-fields of each struct, among columns of whole rows in the order of the schema's fields:
/// all null in the same rows, and of one length in each row. Errors: kInvalidParameter, naming the
/// struct and the row.
Status CheckStructs(const model::CollectionSchema& schema,
                    const std::vector<model::Column>& columns);

}  // namespace elanus::proxy
