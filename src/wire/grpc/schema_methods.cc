// Changes of a collection's schema.
#include <array>

#include "milvus.pb.h"
#include "proxy/ops.h"
#include "wire/grpc/schema_codec.h"
#include "wire/grpc/unary.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::milvus;
namespace common = milvus::proto::common;
namespace schema_pb = milvus::proto::schema;

// By name, or by id when the request has no name.
template <class Request>
Result<model::CollectionName> NameOrId(Call& call, const Request& request) {
  model::CollectionName name = NameOf(call, request);
  if (!name.collection.empty() || request.collectionid() == 0) return name;
  TRY_ASSIGN(const auto info, proxy::DescribeCollection(call.ctx, call.services, name,
                                                        CollectionId(request.collectionid())));
  name.collection = info->schema.name;
  return name;
}

Status AddCollectionField(Call& call, const pb::AddCollectionFieldRequest& request,
                          common::Status&) {
  schema_pb::FieldSchema schema;
  if (!schema.ParseFromString(request.schema())) {
    return Error(ErrorCode::kUnexpected, "the schema of the field cannot be decoded");
  }
  TRY_ASSIGN(const model::CollectionName name, NameOrId(call, request));
  TRY_ASSIGN(const model::FieldSchema field, DecodeField(schema));
  return proxy::AddField(call.ctx, call.services, name, field);
}

Status AddCollectionStructField(Call& call, const pb::AddCollectionStructFieldRequest& request,
                                common::Status&) {
  TRY_ASSIGN(const model::CollectionName name, NameOrId(call, request));
  TRY_ASSIGN(const model::NewStruct added, DecodeStruct(request.struct_array_field_schema()));
  return proxy::AddStruct(call.ctx, call.services, name, added);
}

Status AddToSchema(Call& call, const model::CollectionName& name,
                   const pb::AlterCollectionSchemaRequest::AddRequest& request) {
  if (request.field_infos_size() > 1 || request.func_schema_size() > 1) {
    return Invalid("one field and one function can be added at a time, got {} and {}",
                   request.field_infos_size(), request.func_schema_size());
  }
  if (request.field_infos_size() == 0 && request.func_schema_size() == 0) {
    return Status(Invalid("neither a field nor a function is given to be added"));
  }
  if (request.func_schema_size() == 0) {
    TRY_ASSIGN(const model::FieldSchema field, DecodeField(request.field_infos(0).field_schema()));
    TRY(proxy::AddField(call.ctx, call.services, name, field));
    const auto& params = request.field_infos(0).extra_params();
    if (params.empty()) return {};
    return proxy::CreateIndex(call.ctx, call.services,
                              {.name = name,
                               .field = field.name,
                               .index_name = request.field_infos(0).index_name(),
                               .extra_params = DecodePairs(params)});
  }
  const model::FunctionSchema function = DecodeFunction(request.func_schema(0));
  if (request.field_infos_size() == 0) {
    return proxy::AddFunction(call.ctx, call.services, name, function);
  }
  const auto& info = request.field_infos(0);
  TRY_ASSIGN(model::FieldSchema field, DecodeField(info.field_schema()));
  return proxy::AddFunctionField(call.ctx, call.services, name,
                                 {.field = std::move(field),
                                  .function = function,
                                  .index_name = info.index_name(),
                                  .index_params = DecodePairs(info.extra_params())});
}

Status DropFromSchema(Call& call, const model::CollectionName& name,
                      const pb::AlterCollectionSchemaRequest::DropRequest& request) {
  return proxy::DropFromSchema(call.ctx, call.services, name,
                               {.field = request.field_name(),
                                .field_id = request.field_id(),
                                .function = request.function_name(),
                                .with_outputs = request.drop_function_output_fields()});
}

Status AlterCollectionSchema(Call& call, const pb::AlterCollectionSchemaRequest& request,
                             pb::AlterCollectionSchemaResponse& answer) {
  TRY_ASSIGN(const model::CollectionName name, NameOrId(call, request));
  answer.mutable_alter_status();
  if (request.action().has_add_request()) {
    return AddToSchema(call, name, request.action().add_request());
  }
  if (request.action().has_drop_request()) {
    return DropFromSchema(call, name, request.action().drop_request());
  }
  return Invalid("the request says neither what to add nor what to drop");
}

Status AlterCollectionField(Call& call, const pb::AlterCollectionFieldRequest& request,
                            common::Status&) {
  return proxy::AlterField(
      call.ctx, call.services, NameOf(call, request), request.field_name(),
      {.set = DecodePairs(request.properties()),
       .remove = {request.delete_keys().begin(), request.delete_keys().end()}});
}

Status AddCollectionFunction(Call& call, const pb::AddCollectionFunctionRequest& request,
                             common::Status&) {
  if (!request.has_functionschema()) return Invalid("function schema is empty");
  TRY_ASSIGN(const model::CollectionName name, NameOrId(call, request));
  return proxy::AddFunction(call.ctx, call.services, name,
                            DecodeFunction(request.functionschema()));
}

Status AlterCollectionFunction(Call& call, const pb::AlterCollectionFunctionRequest& request,
                               common::Status&) {
  if (!request.has_functionschema()) return Invalid("function schema is empty");
  TRY_ASSIGN(const model::CollectionName name, NameOrId(call, request));
  return proxy::AlterFunction(call.ctx, call.services, name, request.function_name(),
                              DecodeFunction(request.functionschema()));
}

Status DropCollectionFunction(Call& call, const pb::DropCollectionFunctionRequest& request,
                              common::Status&) {
  TRY_ASSIGN(const model::CollectionName name, NameOrId(call, request));
  return proxy::DropFunction(call.ctx, call.services, name, request.function_name());
}

constexpr auto kMethods = std::to_array<Method>({
    {"AddCollectionField",
     Unary<pb::AddCollectionFieldRequest, common::Status, AddCollectionField>},
    {"AddCollectionStructField",
     Unary<pb::AddCollectionStructFieldRequest, common::Status, AddCollectionStructField>},
    {"AlterCollectionSchema", Unary<pb::AlterCollectionSchemaRequest,
                                    pb::AlterCollectionSchemaResponse, AlterCollectionSchema>},
    {"AlterCollectionField",
     Unary<pb::AlterCollectionFieldRequest, common::Status, AlterCollectionField>},
    {"AddCollectionFunction",
     Unary<pb::AddCollectionFunctionRequest, common::Status, AddCollectionFunction>},
    {"AlterCollectionFunction",
     Unary<pb::AlterCollectionFunctionRequest, common::Status, AlterCollectionFunction>},
    {"DropCollectionFunction",
     Unary<pb::DropCollectionFunctionRequest, common::Status, DropCollectionFunction>},
});

}  // namespace

std::span<const Method> SchemaMethods() { return kMethods; }

}  // namespace elanus::wire
