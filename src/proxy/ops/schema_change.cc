// Fields, structs and functions that come and go while their collection lives.
#include <algorithm>

#include "model/time_to_live.h"
#include "proxy/checks.h"
#include "proxy/functions.h"
#include "proxy/ops.h"
#include "proxy/ops/change_schema.h"

namespace elanus::proxy {
namespace {

using model::CollectionSchema;
using model::DataType;
using model::FieldSchema;

// $meta is the last.
auto PlaceOfParts(CollectionSchema& schema) {
  return std::find_if(schema.fields.begin(), schema.fields.end(),
                      [](const FieldSchema& field) { return field.is_dynamic; });
}

Status CheckNewField(const ProxyOptions& options, const CollectionSchema& schema,
                     const FieldSchema& field) {
  TRY(CheckFieldCount(options, schema, 1));
  TRY(CheckNewName(schema, field.name));
  if (field.type == DataType::kText && field.default_value) {
    return Invalid("a field of type Text cannot be added with a default value: {}", field.name);
  }
  const auto refuse = [&](std::string_view what) {
    return Invalid("not support to add {}, field name = {}", what, field.name);
  };
  if (field.is_primary_key) return refuse("a primary key field");
  if (field.auto_id) return refuse("a field with autoID");
  if (field.is_partition_key) return refuse("a partition key field");
  if (field.is_dynamic) return refuse("a dynamic field");
  const bool has_clustering_key =
      std::any_of(schema.fields.begin(), schema.fields.end(),
                  [](const FieldSchema& known) { return known.is_clustering_key; });
  if (field.is_clustering_key && has_clustering_key) return refuse("a second clustering key field");
  if (!field.nullable) {
    return Invalid("added field must be nullable, please check it, field name = {}", field.name);
  }
  return {};
}

const FieldSchema* FieldOf(const CollectionSchema& schema, const model::SchemaDrop& drop) {
  return drop.field.empty() ? schema.FindField(FieldId(drop.field_id))
                            : schema.FindField(drop.field);
}

const model::StructSchema* StructOf(const CollectionSchema& schema, const model::SchemaDrop& drop) {
  if (!drop.field.empty()) return schema.FindStruct(drop.field);
  for (const model::StructSchema& known : schema.structs) {
    if (known.id == FieldId(drop.field_id)) return &known;
  }
  return nullptr;
}

Status CheckVectorIsLeft(const CollectionSchema& schema) {
  const bool is_left =
      std::any_of(schema.fields.begin(), schema.fields.end(),
                  [](const FieldSchema& field) { return model::IsVector(field.type); });
  if (is_left) return {};
  return Invalid("cannot drop the last vector field of collection {}", schema.name);
}

Status CheckDroppable(const model::CollectionInfo& collection, const FieldSchema& field) {
  const auto refuse = [&](std::string_view what) {
    return Invalid("cannot drop {}: {}", what, field.name);
  };
  if (field.is_primary_key) return refuse("the primary key field");
  if (field.is_partition_key) return refuse("the partition key field");
  if (field.is_clustering_key) return refuse("the clustering key field");
  if (field.is_dynamic) return refuse("the dynamic field");
  if (field.is_sub_field()) return refuse("a sub-field of a struct");
  const std::string* expiry = model::Find(collection.properties, model::kExpiryFieldKey);
  if (expiry != nullptr && *expiry == field.name) return refuse("the field that ttl_field names");
  for (const model::FunctionSchema& function : collection.schema.functions) {
    const auto has = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), field.name) != names.end();
    };
    if (has(function.inputs) || has(function.outputs)) {
      return Invalid("cannot drop field {}, function {} uses it", field.name, function.name);
    }
  }
  return {};
}

// The field that says how a text of this one is analyzed goes only with it.
Status CheckNotAnalyzerField(const CollectionSchema& schema, const FieldSchema& dropped) {
  for (const FieldSchema& field : schema.fields) {
    const std::string* by = model::Find(field.type_params, "multi_analyzer_params");
    if (by != nullptr && by->find('"' + dropped.name + '"') != std::string::npos) {
      return Invalid("cannot drop field {}, the analyzers of field {} are chosen by it",
                     dropped.name, field.name);
    }
  }
  return {};
}

Status DropFromFields(const model::CollectionInfo& collection, const model::SchemaDrop& drop,
                      CollectionSchema& schema) {
  if (IsSystemName(drop.field)) return Invalid("cannot drop the system field: {}", drop.field);
  if (const model::StructSchema* known = StructOf(schema, drop)) {
    const std::string name = known->name;
    std::erase_if(schema.structs, [&](const auto& other) { return other.name == name; });
    std::erase_if(schema.fields, [&](const auto& field) { return field.struct_name == name; });
    return CheckVectorIsLeft(schema);
  }
  const FieldSchema* field = FieldOf(schema, drop);
  if (field == nullptr) {
    return Invalid("field not found in collection {}: {}", schema.name,
                   drop.field.empty() ? std::to_string(drop.field_id) : drop.field);
  }
  TRY(CheckDroppable(collection, *field));
  TRY(CheckNotAnalyzerField(schema, *field));
  const FieldId id = field->id;
  std::erase_if(schema.fields, [&](const auto& other) { return other.id == id; });
  return CheckVectorIsLeft(schema);
}

Status DropFunctionOf(const model::SchemaDrop& drop, CollectionSchema& schema) {
  const auto found =
      std::find_if(schema.functions.begin(), schema.functions.end(),
                   [&](const auto& function) { return function.name == drop.function; });
  if (found == schema.functions.end()) {
    return Invalid("function {} not found in collection {}", drop.function, schema.name);
  }
  const model::FunctionSchema function = *found;
  const bool is_made_here =
      function.type == model::FunctionType::kBm25 || function.type == model::FunctionType::kMinHash;
  if (drop.with_outputs && !is_made_here) {
    return Invalid("only BM25 and MinHash functions can be dropped with their output fields: {}",
                   function.name);
  }
  if (!drop.with_outputs && function.type == model::FunctionType::kBm25) {
    return Invalid("a BM25 function must be dropped together with its output field: {}",
                   function.name);
  }
  schema.functions.erase(found);
  if (!drop.with_outputs) {
    MarkFunctionOutputs(schema);
    return {};
  }
  std::erase_if(schema.fields, [&](const FieldSchema& field) {
    return std::find(function.outputs.begin(), function.outputs.end(), field.name) !=
           function.outputs.end();
  });
  return CheckVectorIsLeft(schema);
}

model::FunctionSchema* FindFunction(CollectionSchema& schema, std::string_view name) {
  const auto found = std::find_if(schema.functions.begin(), schema.functions.end(),
                                  [&](const auto& function) { return function.name == name; });
  return found == schema.functions.end() ? nullptr : &*found;
}

Status NoBm25(const model::FunctionSchema& function, std::string_view what) {
  if (function.type != model::FunctionType::kBm25) return {};
  return Invalid("currently does not support {} BM25 function: {}", what, function.name);
}

}  // namespace

Status AddField(Context& ctx, Services& services, const model::CollectionName& name,
                const model::FieldSchema& field) {
  return ChangeSchemaAndIndexes(
      ctx, services, name,
      [&](const model::CollectionInfo& collection, CollectionSchema& schema,
          model::IndexChange& indexes) -> Status {
        TRY(CheckNewField(services.options, schema, field));
        schema.fields.insert(PlaceOfFields(schema), field);
        TRY(CheckChangedSchema(services.options, collection, schema));
        // Its analyzer, where it is used.
        indexes.added = WordIndexesOf(schema);
        return CheckFunctions(schema);
      });
}

Status AddStruct(Context& ctx, Services& services, const model::CollectionName& name,
                 const model::NewStruct& added) {
  return ChangeSchema(
      ctx, services, name,
      [&](const model::CollectionInfo& collection, CollectionSchema& schema) -> Status {
        TRY(CheckFieldCount(services.options, schema, added.fields.size() + 1));
        TRY(CheckNewName(schema, added.info.name));
        if (!added.info.nullable) {
          return Invalid("added struct field must be nullable, please check it, field name = {}",
                         added.info.name);
        }
        schema.structs.push_back(added.info);
        schema.fields.insert(PlaceOfParts(schema), added.fields.begin(), added.fields.end());
        return CheckChangedSchema(services.options, collection, schema);
      });
}

Status SetDynamicField(Context& ctx, Services& services, const model::CollectionName& name,
                       bool enabled) {
  return ChangeSchema(ctx, services, name,
                      [&](const model::CollectionInfo&, CollectionSchema& schema) -> Status {
                        if (schema.enable_dynamic_field == enabled) return {};
                        schema.enable_dynamic_field = enabled;
                        if (!enabled) {
                          schema.fields.erase(PlaceOfParts(schema));
                          return {};
                        }
                        schema.fields.push_back(model::DynamicField());
                        return {};
                      });
}

Status DropFromSchema(Context& ctx, Services& services, const model::CollectionName& name,
                      const model::SchemaDrop& drop) {
  if (drop.field.empty() && drop.field_id == 0 && drop.function.empty()) {
    return Error(ErrorCode::kMissingParameter,
                 "a field name, a field id or a function name must be given to be dropped");
  }
  return ChangeSchema(ctx, services, name,
                      [&](const model::CollectionInfo& collection, CollectionSchema& schema) {
                        return drop.function.empty() ? DropFromFields(collection, drop, schema)
                                                     : DropFunctionOf(drop, schema);
                      });
}

Status AddFunction(Context& ctx, Services& services, const model::CollectionName& name,
                   const model::FunctionSchema& function) {
  TRY(NoBm25(function, "adding"));
  return ChangeSchema(ctx, services, name,
                      [&](const model::CollectionInfo&, CollectionSchema& schema) -> Status {
                        if (FindFunction(schema, function.name) != nullptr) {
                          return Invalid("function name already exists: {}", function.name);
                        }
                        schema.functions.push_back(function);
                        TRY(CheckFunctions(schema));
                        TRY(ProbeFunction(ctx, services, schema, function));
                        MarkFunctionOutputs(schema);
                        return {};
                      });
}

Status AlterFunction(Context& ctx, Services& services, const model::CollectionName& name,
                     const std::string& function_name, const model::FunctionSchema& function) {
  if (function.name != function_name) {
    return Invalid("invalid function config, name not match: {}, {}", function_name, function.name);
  }
  TRY(NoBm25(function, "altering"));
  return ChangeSchema(ctx, services, name,
                      [&](const model::CollectionInfo&, CollectionSchema& schema) -> Status {
                        model::FunctionSchema* known = FindFunction(schema, function_name);
                        if (known == nullptr) {
                          return Invalid("function {} not found", function_name);
                        }
                        TRY(NoBm25(*known, "altering"));
                        const int64_t id = known->id;
                        *known = function;
                        known->id = id;
                        TRY(CheckFunctions(schema));
                        TRY(ProbeFunction(ctx, services, schema, function));
                        MarkFunctionOutputs(schema);
                        return {};
                      });
}

Status DropFunction(Context& ctx, Services& services, const model::CollectionName& name,
                    const std::string& function_name) {
  return ChangeSchema(
      ctx, services, name, [&](const model::CollectionInfo&, CollectionSchema& schema) -> Status {
        const model::FunctionSchema* known = FindFunction(schema, function_name);
        if (known == nullptr) return {};
        TRY(NoBm25(*known, "dropping"));
        std::erase_if(schema.functions,
                      [&](const auto& function) { return function.name == function_name; });
        MarkFunctionOutputs(schema);
        return {};
      });
}

}  // namespace elanus::proxy
