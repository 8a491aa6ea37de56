// What a request for a scalar index means: its type, its parameters and, in JSON, its place.
#pragma once

#include <map>
#include <string>

#include "base/status.h"
#include "model/requests/collection.h"
#include "model/schema.h"
#include "proxy/options.h"

namespace elanus::proxy {

/// Takes a parameter out of those of a request; empty when it is not among them.
std::string TakeParam(std::map<std::string, std::string>& texts, const char* key);

/// Fills in type, build parameters and, for a place in JSON, path and cast of `info`, whose field
/// is `field`. `asked` is the field's name as the request has it, which for a dynamic key is the
/// key; `texts` are the request's parameters. Errors: kInvalidParameter, kMissingParameter;
/// kUnimplemented for what is not built, by name.
Status ResolveScalarIndex(const ProxyOptions& options, const model::CollectionSchema& schema,
                          const model::FieldSchema& field, const std::string& asked,
                          std::map<std::string, std::string> texts, model::IndexInfo& info);

/// The field that describe_index names for an index: of one on a dynamic key the key.
std::string ShownField(const model::IndexInfo& info, const model::FieldSchema& field);

}  // namespace elanus::proxy
