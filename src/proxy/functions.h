// Functions of a schema: their rules, and the fields they fill when rows are written.
#pragma once

#include <string_view>
#include <vector>

#include "model/column.h"
#include "model/schema.h"
#include "proxy/services.h"

namespace elanus::proxy {

/// The rules of functions, of analyzers and of match. Errors: kInvalidParameter, kMissingParameter,
/// kSegcore (an analyzer), kUnimplemented (functions that are not built).
Status CheckFunctions(const model::CollectionSchema& schema);

/// Sets is_function_output of every field as the functions say.
void MarkFunctionOutputs(model::CollectionSchema& schema);

/// Appends the fields that functions make of `columns`, which are those of a whole write.
Status RunFunctions(const model::CollectionSchema& schema, std::vector<model::Column>& columns);

/// Makes queries what is searched in `field`: of a BM25 field texts become term counts, by the
/// analyzer that `analyzer_name` names where the text field has several. Errors: kInvalidParameter
/// (texts for a field without a function, vectors for BM25).
Status FitTextQueries(const model::CollectionSchema& schema, const model::FieldSchema& field,
                      std::string_view analyzer_name, model::Column& queries);

/// Makes the words of fields that enable match searchable: an index each, which users do not see.
/// Repeating it changes nothing.
Status CreateWordIndexes(Context& ctx, Services& services, const model::CollectionInfo& collection);

/// Whether an index is one that users do not see.
bool IsHidden(const model::IndexInfo& index);

}  // namespace elanus::proxy
