// How pieces are held.
#include "segment/load_rules.h"

#include <initializer_list>

namespace elanus::segment {
namespace {

constexpr std::string_view kMapKey = "mmap.enabled";
constexpr std::string_view kOldMapKey = "mmap_enabled";
constexpr std::string_view kWarmUpKey = "warmup";

using KeyValues = std::vector<model::KeyValue>;

bool IsYes(const std::string& text) {
  return text == "true" || text == "True" || text == "TRUE" || text == "t" || text == "T" ||
         text == "1";
}

WarmUp WarmUpOf(const std::string& text) {
  if (text == "sync") return WarmUp::kSync;
  return text == "async" ? WarmUp::kAsync : WarmUp::kDisable;
}

const std::string* MapWish(const KeyValues& list) {
  const std::string* wish = model::Find(list, kMapKey);
  return wish != nullptr ? wish : model::Find(list, kOldMapKey);
}

// The first of the wishes that is one.
const std::string* First(std::initializer_list<const std::string*> wishes) {
  for (const std::string* wish : wishes) {
    if (wish != nullptr) return wish;
  }
  return nullptr;
}

LoadRule RuleOf(const std::string* map, const std::string* warm_up, bool default_map,
                const std::string& default_warm_up) {
  return {.is_mapped = map == nullptr ? default_map : IsYes(*map),
          .warm_up = WarmUpOf(warm_up == nullptr ? default_warm_up : *warm_up)};
}

}  // namespace

LoadRule RuleOfField(const LoadOptions& options, const model::CollectionInfo& collection,
                     const model::FieldSchema& field) {
  const KeyValues& all = collection.properties;
  const bool is_vector = field.vector_type() != model::DataType::kNone;
  return RuleOf(First({MapWish(field.type_params), MapWish(all)}),
                First({model::Find(field.type_params, kWarmUpKey),
                       model::Find(all, is_vector ? "warmup.vectorField" : "warmup.scalarField")}),
                is_vector ? options.maps_vector_fields : options.maps_scalar_fields,
                is_vector ? options.warms_vector_fields : options.warms_scalar_fields);
}

LoadRule RuleOfIndex(const LoadOptions& options, const model::CollectionInfo& collection,
                     const model::IndexInfo& index) {
  const KeyValues& all = collection.properties;
  const model::FieldSchema* field = collection.schema.FindField(index.field);
  const bool is_vector = field != nullptr && field->vector_type() != model::DataType::kNone;
  const std::string* of_field = field == nullptr ? nullptr : MapWish(field->type_params);
  return RuleOf(First({MapWish(index.user_params), of_field, MapWish(all)}),
                First({model::Find(index.user_params, kWarmUpKey),
                       model::Find(all, is_vector ? "warmup.vectorIndex" : "warmup.scalarIndex")}),
                is_vector ? options.maps_vector_indexes : options.maps_scalar_indexes,
                is_vector ? options.warms_vector_indexes : options.warms_scalar_indexes);
}

}  // namespace elanus::segment
