// Changes of a collection's schema and of what its indexes are held by.
#include <algorithm>

#include "base/fields.h"
#include "coord/catalog/impl.h"

namespace elanus::coord {
namespace {

// Ids for what has none; ids of what was dropped are not given again: files may still have it.
void AssignNewIds(model::CollectionSchema& schema, int64_t highest) {
  for (model::FieldSchema& field : schema.fields) {
    if (field.id == FieldId() && !field.is_sub_field()) field.id = FieldId(++highest);
  }
  for (model::StructSchema& known : schema.structs) {
    if (known.id != FieldId()) continue;
    known.id = FieldId(++highest);
    for (model::FieldSchema& field : schema.fields) {
      if (field.struct_name == known.name) field.id = FieldId(++highest);
    }
  }
  schema.max_field_id = highest;
  int64_t function_id = model::kFirstUserFieldId - 1;
  for (const model::FunctionSchema& function : schema.functions) {
    function_id = std::max(function_id, function.id);
  }
  for (model::FunctionSchema& function : schema.functions) {
    if (function.id == 0) function.id = ++function_id;
  }
}

}  // namespace

Status Catalog::ChangeSchema(Context& ctx, CollectionId collection, model::CollectionSchema schema,
                             model::IndexChange indexes) {
  Impl::Turn turn(*impl_);
  TRY_ASSIGN(const auto entry, impl_->FindEntry(collection));
  const model::CollectionSchema& old = entry->info->schema;
  if (schema.version != old.version) {
    return Error(ErrorCode::kSchemaMismatch, "{}[collection={}]: version {} was changed, {} is now",
                 InfoOf(ErrorCode::kSchemaMismatch).name, old.name, schema.version, old.version);
  }
  TRY(impl_->CheckResources(schema));
  AssignNewIds(schema, old.highest_field_id());
  ++schema.version;
  schema.name = old.name;
  model::CollectionInfo info = *entry->info;
  info.schema = std::move(schema);
  TRY_ASSIGN(info.updated, impl_->oracle.Now(ctx));
  auto next = std::make_shared<Entry>(*entry);
  store::MetaTxn txn;
  std::vector<std::string> unused;
  for (const model::IndexInfo& index : entry->info->indexes) {
    const bool is_dropped = std::find(indexes.dropped.begin(), indexes.dropped.end(), index.name) !=
                            indexes.dropped.end();
    if (!is_dropped && info.schema.FindField(index.field) != nullptr) continue;
    impl_->ForgetIndex(index.id, *next, txn, unused);
    std::erase_if(info.indexes, [&](const auto& other) { return other.id == index.id; });
  }
  TRY(impl_->Discard(ctx, std::move(unused), txn));
  TRY(impl_->AddIndexes(ctx, std::move(indexes.added), info));
  txn.puts.emplace_back(CollectionKey(info.id), Encode(info));
  next->info = std::make_shared<const model::CollectionInfo>(std::move(info));
  return impl_->Commit(ctx, txn, std::move(next));
}

Status Catalog::AlterIndex(Context& ctx, CollectionId collection, const std::string& index_name,
                           const std::vector<model::KeyValue>& set,
                           const std::vector<std::string>& remove) {
  Impl::Turn turn(*impl_);
  TRY_ASSIGN(const auto entry, impl_->FindEntry(collection));
  model::CollectionInfo info = *entry->info;
  const auto found = std::find_if(info.indexes.begin(), info.indexes.end(),
                                  [&](const auto& index) { return index.name == index_name; });
  if (found == info.indexes.end()) {
    return Error(ErrorCode::kIndexNotFound, "{}[indexName={}]",
                 InfoOf(ErrorCode::kIndexNotFound).name, index_name);
  }
  const std::vector<model::KeyValue> before = found->user_params;
  for (const model::KeyValue& param : set) model::Put(found->user_params, param.key, param.value);
  std::erase_if(found->user_params, [&](const model::KeyValue& param) {
    return std::find(remove.begin(), remove.end(), param.key) != remove.end();
  });
  if (found->user_params == before) return {};
  return impl_->CommitInfo(ctx, *entry, std::move(info));
}

}  // namespace elanus::coord
