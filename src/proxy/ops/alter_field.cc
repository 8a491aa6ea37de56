// Parameters of fields and indexes that may change while their collection lives.
#include <algorithm>

#include "proxy/checks.h"
#include "proxy/ops.h"
#include "proxy/ops/change_schema.h"

namespace elanus::proxy {
namespace {

constexpr std::string_view kMapKey = "mmap.enabled";
constexpr std::string_view kDescriptionKey = "field.description";

// How the field's column is held, which can change only while nothing of it is.
bool IsLoadKey(std::string_view key) { return key == kMapKey || key.starts_with("warmup"); }

Status CheckLoadValue(const model::KeyValue& param) {
  if (param.key == kMapKey) return ParseBool(param.key, param.value).status();
  if (param.value == "disable" || param.value == "sync" || param.value == "async") return {};
  return Invalid("{} should be one of disable, sync, async, got {}", param.key, param.value);
}

Status CheckReleased(const model::CollectionInfo& collection, std::string_view what) {
  if (!collection.loaded) return {};
  return Error(ErrorCode::kCollectionLoaded,
               "{}[collection={}]: {} can be altered once it is released",
               InfoOf(ErrorCode::kCollectionLoaded).name, collection.schema.name, what);
}

bool HoldsTexts(const model::FieldSchema& field) {
  return field.type == model::DataType::kVarChar ||
         (field.type == model::DataType::kArray && field.element_type == model::DataType::kVarChar);
}

Status CheckFieldParam(const ProxyOptions& options, const model::FieldSchema& field,
                       const model::KeyValue& param) {
  if (param.key == kDescriptionKey) return {};
  if (IsLoadKey(param.key)) return CheckLoadValue(param);
  const bool is_length = param.key == "max_length";
  if (!is_length && param.key != "max_capacity") {
    return Invalid("{} does not allow update in collection field param: {}", param.key, field.name);
  }
  if (is_length && !HoldsTexts(field)) {
    return Invalid("{} can not modify the maxlength for non-string types", field.name);
  }
  const bool is_array =
      field.type == model::DataType::kArray || field.type == model::DataType::kArrayOfVector;
  if (!is_length && !is_array) {
    return Invalid("{} can not modify the maxcapacity for non-array types", field.name);
  }
  TRY_ASSIGN(const int64_t value, ParseInt(param.key, param.value));
  const int64_t limit = is_length ? options.varchar_bytes_max : options.array_capacity_max;
  // A length may shrink: rows that are there stay as they are.
  if (value > limit || value < 1) {
    return Invalid("invalid {}: {} of field {}: should be in range 1 ~ {}", param.key, value,
                   field.name, limit);
  }
  return {};
}

// One spelling of each key, and of each number: "+5" and "0x10" are read in a request only.
model::ParamChange Spelled(const model::ParamChange& change) {
  model::ParamChange spelled = change;
  for (model::KeyValue& param : spelled.set) {
    if (param.key == "mmap_enabled") param.key = kMapKey;
    if (param.key != "max_length" && param.key != "max_capacity") continue;
    if (const auto number = ParseInt(param.key, param.value); number.ok()) {
      param.value = std::to_string(*number);
    }
  }
  for (std::string& key : spelled.remove) {
    if (key == "mmap_enabled") key = kMapKey;
  }
  return spelled;
}

void Apply(const model::ParamChange& change, model::FieldSchema& field) {
  for (const model::KeyValue& param : change.set) {
    if (param.key == kDescriptionKey) {
      field.description = param.value;
      continue;
    }
    // One spelling of each.
    if (param.key == kMapKey) {
      std::erase_if(field.type_params, [](const auto& kv) { return kv.key == "mmap_enabled"; });
    }
    model::Put(field.type_params, param.key, param.value);
  }
  for (const std::string& key : change.remove) {
    std::erase_if(field.type_params, [&](const auto& kv) {
      return kv.key == key || (key == kMapKey && kv.key == "mmap_enabled");
    });
  }
}

// The parts of a struct have as many elements as each other, so also one limit.
bool HasMaxCapacity(const model::ParamChange& change) {
  return std::any_of(change.set.begin(), change.set.end(),
                     [](const auto& param) { return param.key == "max_capacity"; });
}

Status AlterFieldOf(const ProxyOptions& options, const model::CollectionInfo& collection,
                    const std::string& name, const model::ParamChange& change,
                    model::CollectionSchema& schema) {
  const auto found = std::find_if(schema.fields.begin(), schema.fields.end(),
                                  [&](const auto& field) { return field.name == name; });
  if (found == schema.fields.end()) {
    return Error(ErrorCode::kFieldNotFound, "{}[field={}]", InfoOf(ErrorCode::kFieldNotFound).name,
                 name);
  }
  const auto is_load_key = [](const auto& kv) { return IsLoadKey(kv.key); };
  if (std::any_of(change.set.begin(), change.set.end(), is_load_key) || !change.remove.empty()) {
    TRY(CheckReleased(collection, "mmap and warmup of a field"));
  }
  for (const model::KeyValue& param : change.set) TRY(CheckFieldParam(options, *found, param));
  Apply(change, *found);
  if (found->is_sub_field() && HasMaxCapacity(change)) {
    const std::string capacity = *model::Find(found->type_params, "max_capacity");
    for (model::FieldSchema& field : schema.fields) {
      if (field.struct_name == found->struct_name)
        model::Put(field.type_params, "max_capacity", capacity);
    }
  }
  return CheckChangedSchema(options, collection, schema);
}

}  // namespace

Status AlterField(Context& ctx, Services& services, const model::CollectionName& name,
                  const std::string& field, const model::ParamChange& wanted) {
  if (!wanted.set.empty() && !wanted.remove.empty()) {
    return Invalid("cannot provide both properties and delete keys at the same time");
  }
  if (wanted.set.empty() && wanted.remove.empty()) {
    return Invalid("no properties or delete keys provided");
  }
  const model::ParamChange change = Spelled(wanted);
  for (const std::string& key : change.remove) {
    if (!IsLoadKey(key)) return Invalid("{} is not allowed to drop in collection field param", key);
  }
  return ChangeSchema(
      ctx, services, name,
      [&](const model::CollectionInfo& collection, model::CollectionSchema& schema) {
        return AlterFieldOf(services.options, collection, field, change, schema);
      });
}

Status AlterIndex(Context& ctx, Services& services, const model::CollectionName& name,
                  const std::string& index, const model::ParamChange& change) {
  if (!change.set.empty() && !change.remove.empty()) {
    return Invalid("cannot provide both extra params and delete keys at the same time");
  }
  if (change.set.empty() && change.remove.empty()) {
    return Invalid("no extra params or delete keys provided");
  }
  constexpr std::string_view kCacheKey = "indexoffsetcache.enabled";
  const auto check_key = [&](std::string_view key) -> Status {
    if (key == kMapKey || key == kCacheKey || key == "warmup") return {};
    return Invalid("{} is not a configable index property", key);
  };
  for (const model::KeyValue& param : change.set) {
    TRY(check_key(param.key));
    if (param.key == kCacheKey) {
      TRY(ParseBool(param.key, param.value).status());
    } else {
      TRY(CheckLoadValue(param));
    }
  }
  for (const std::string& key : change.remove) TRY(check_key(key));
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  if (index.empty()) return Invalid("index name should not be empty");
  TRY(CheckReleased(*collection, "an index"));
  return services.coord.catalog.AlterIndex(ctx, collection->id, index, change.set, change.remove);
}

}  // namespace elanus::proxy
