// JSON documents as texts, one for each value at each place: what an index on whole documents
// holds, and what it is asked.
#pragma once

#include <optional>
#include <string_view>

#include "base/context.h"
#include "base/status.h"
#include "model/column.h"
#include "model/predicate.h"

namespace elanus::expr {

/// The cast of an index on all that is at a place in JSON and below it.
inline constexpr std::string_view kWholeDocument = "JSON";

/// The terms of each document at `path` (as model::Predicate::path) and below: an Array column of
/// VarChar. Numbers, texts and bools have one for their place, elements of arrays one more for the
/// array. Texts are cut after some bytes, and places that are far down have none. Errors:
/// kCanceled.
Result<model::Column> ExtractJsonTerms(Context& ctx, const model::ColumnView& json,
                                       std::string_view path);

/// What an index of the terms below `path` is asked for `predicate`: every row for which that is
/// true has such a term, and others may have one. It does not tell for which rows the predicate is
/// unknown. Nothing when the terms say nothing of it.
std::optional<model::Predicate> AskTerms(const model::Predicate& predicate, std::string_view path);

}  // namespace elanus::expr
