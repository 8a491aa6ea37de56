// Functions that come with the field they fill, to a collection that has rows.
#include <algorithm>

#include "proxy/functions.h"
#include "proxy/ops.h"
#include "proxy/ops/change_schema.h"
#include "proxy/ops/resolve_index.h"

namespace elanus::proxy {
namespace {

using model::CollectionSchema;
using model::FunctionType;

// A model service would have to be asked about every old row, at somebody's expense.
Status CheckFunction(const CollectionSchema& schema, const model::NewFunctionField& added) {
  const model::FunctionSchema& function = added.function;
  if (function.type != FunctionType::kBm25 && function.type != FunctionType::kMinHash) {
    return Invalid(
        "only BM25 and MinHash functions can be added together with their output field: {}",
        function.name);
  }
  if (function.outputs != std::vector<std::string>{added.field.name}) {
    return Invalid("function {} should have one output field, the added field {}", function.name,
                   added.field.name);
  }
  for (const std::string& input : function.inputs) {
    const model::FieldSchema* field = schema.FindField(input);
    if (field == nullptr || field->type != model::DataType::kText) continue;
    return Invalid("function {} cannot be added to an existing field of type Text: {}",
                   function.name, input);
  }
  return {};
}

// The rules of the others are those of a new schema.
Status CheckField(const ProxyOptions& options, const CollectionSchema& schema,
                  const model::FieldSchema& field) {
  TRY(CheckFieldCount(options, schema, 1));
  TRY(CheckNewName(schema, field.name));
  if (!field.is_dynamic) return {};
  return Invalid("not support to add a dynamic field, field name = {}", field.name);
}

// A field without an index would keep the collection from being loaded again.
Result<model::IndexInfo> IndexOf(const ProxyOptions& options,
                                 const model::CollectionInfo& collection,
                                 const CollectionSchema& schema,
                                 const model::CreateIndexRequest& request) {
  const std::string* type = model::Find(request.extra_params, "index_type");
  if (type == nullptr || type->empty() || *type == "AUTOINDEX") {
    return Invalid("the index of an added function output field needs an explicit index_type: {}",
                   request.field);
  }
  TRY_ASSIGN(model::IndexInfo info, ResolveIndex(options, schema, request));
  const std::string& name = request.index_name.empty() ? request.field : request.index_name;
  const auto& indexes = collection.indexes;
  if (std::none_of(indexes.begin(), indexes.end(),
                   [&](const auto& index) { return index.name == name; })) {
    return info;
  }
  return Invalid("at most one distinct index is allowed per field, index name: {}", name);
}

}  // namespace

Status AddFunctionField(Context& ctx, Services& services, const model::CollectionName& name,
                        const model::NewFunctionField& added) {
  const model::CreateIndexRequest index{.name = name,
                                        .field = added.field.name,
                                        .index_name = added.index_name,
                                        .extra_params = added.index_params};
  // Before there is anything to fill, so that nothing stays unfilled.
  TRY(services.compaction.FillFields(ctx));
  TRY(ChangeSchemaAndIndexes(
      ctx, services, name,
      [&](const model::CollectionInfo& collection, CollectionSchema& schema,
          model::IndexChange& indexes) -> Status {
        TRY(CheckFunction(schema, added));
        TRY(CheckField(services.options, schema, added.field));
        schema.fields.insert(PlaceOfFields(schema), added.field);
        schema.functions.push_back(added.function);
        TRY(CheckFunctions(schema));
        MarkFunctionOutputs(schema);
        TRY(CheckChangedSchema(services.options, collection, schema));
        TRY_ASSIGN(auto info, IndexOf(services.options, collection, schema, index));
        indexes.added.push_back({.field = added.field.name, .info = std::move(info)});
        return {};
      }));
  return services.compaction.FillFields(ctx);
}

}  // namespace elanus::proxy
