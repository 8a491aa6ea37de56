// Functions of a schema: their rules, and the fields they fill when rows are written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/column.h"
#include "model/requests/search.h"
#include "model/schema.h"
#include "proxy/services.h"

namespace elanus::proxy {

/// The rules of functions, of analyzers and of match. Errors: kInvalidParameter, kMissingParameter,
/// kSegcore (an analyzer).
Status CheckFunctions(const model::CollectionSchema& schema);

/// Asks the model service of the function for a vector, when it has one. Errors: those of
/// functions::Models; kInvalidParameter when the vector does not fit its field.
Status ProbeFunction(Context& ctx, Services& services, const model::CollectionSchema& schema,
                     const model::FunctionSchema& function);

/// As ProbeFunction for each function, unless the collection's properties spare that.
Status ProbeFunctions(Context& ctx, Services& services, const model::CollectionSchema& schema,
                      const std::vector<model::KeyValue>& properties);

/// Sets is_function_output of every field as the functions say.
void MarkFunctionOutputs(model::CollectionSchema& schema);

/// Whether a write may bring rows of `field` itself. kInvalidParameter when a function makes them
/// and the collection does not allow that.
Status CheckMayBeGiven(const model::CollectionInfo& collection, const model::FieldSchema& field);

/// Appends the fields that functions make of `columns`, which are those of a whole write; not those
/// that are there. Errors: functions::kFunctionFailed (a model service, for any reason).
Status RunFunctions(Context& ctx, Services& services, const model::CollectionSchema& schema,
                    std::vector<model::Column>& columns);

/// Asks the model service of the function that makes `field` for the vectors of texts that are
/// searched for. Errors: those of functions::Models.
Result<model::Column> EmbedTexts(Context& ctx, Services& services,
                                 const model::CollectionSchema& schema,
                                 const model::FieldSchema& field, const model::ColumnView& texts);

/// Makes queries what is searched in `field`: of a BM25 field texts become term counts, by the
/// analyzer that `analyzer_name` names where the text field has several; of a MinHash field they
/// become signatures; of an embedding function's field they stay texts, since vectors cost a call
/// (EmbedTexts). Errors: kInvalidParameter (texts for a field without a function, vectors for
/// BM25).
Status FitTextQueries(const model::CollectionSchema& schema, const model::FieldSchema& field,
                      std::string_view analyzer_name, model::Column& queries);

/// What makes the words of fields that enable match searchable: an index each, which users do not
/// see.
std::vector<model::FieldIndex> WordIndexesOf(const model::CollectionSchema& schema);

/// Whether an index is one that users do not see.
bool IsHidden(const model::IndexInfo& index);

/// The model services of this process. kUnimplemented when it has none.
Result<functions::Models*> ModelsOf(Services& services);

}  // namespace elanus::proxy
