// Checking the rows of a write against the schema, and completing them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "proxy/services.h"

namespace elanus::proxy {

/// Columns of a write by the names of their fields, in the schema's types.
struct GivenRows {
  uint64_t rows = 0;
  std::map<std::string, model::Column, std::less<>> columns;
};

/// Checks the columns that the request has: their fields, counts and values. Types are narrowed,
/// nulls of fields with a default filled. Fields that are left out and must not be are
/// kInvalidParameter, unless the request is a partial update. Integer columns of narrow fields
/// arrive as Int32, arrays of them with Int32 elements, texts and moments as VarChar.
Result<GivenRows> AcceptRows(const Services& services, const model::CollectionInfo& collection,
                             model::WriteRequest request);

/// The field that a write must have and `given` has not, or null.
const model::FieldSchema* FindMissing(const model::CollectionSchema& schema,
                                      const GivenRows& given);

/// `rows` rows of a field that a write may leave out: its defaults, else nulls.
model::Column FilledRows(const model::FieldSchema& field, uint64_t rows);

/// All fields of the rows, in the schema's order: what was left out is filled, keys of an auto-id
/// collection are generated for an upsert or when none are given, functions are run. Errors:
/// kInvalidParameter (the parts of a struct differ in length), those of the oracle.
Result<std::vector<model::Column>> FinishRows(Context& ctx, Services& services,
                                              const model::CollectionInfo& collection,
                                              GivenRows given, bool is_upsert);

}  // namespace elanus::proxy
