// Rules of scalar indexes.
#include "proxy/scalar_index.h"

#include "expr/json_path.h"
#include "index/scalar_index.h"

namespace elanus::proxy {
namespace {

using model::DataType;
using Texts = std::map<std::string, std::string>;

std::string Take(Texts& texts, const char* key) {
  const auto found = texts.find(key);
  if (found == texts.end()) return {};
  std::string value = std::move(found->second);
  texts.erase(found);
  return value;
}

std::string UpperTrimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "";
  std::string upper(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

// Path and cast of an index on a place in a JSON field.
Status ResolvePlace(const model::CollectionSchema& schema, const model::FieldSchema& field,
                    const std::string& asked, Texts& texts, model::IndexInfo& info,
                    index::ScalarShape& shape) {
  const bool has_cast = texts.count("json_cast_type") > 0;
  const std::string cast_name = UpperTrimmed(Take(texts, "json_cast_type"));
  if (!has_cast) {
    return Status(ErrorCode::kMissingParameter,
                  "json index must specify cast type[missing_param=json_cast_type]");
  }
  if (cast_name == "JSON") {
    return Status(ErrorCode::kUnimplemented,
                  "an index on a whole JSON value (json_cast_type JSON) is not supported yet");
  }
  const auto cast = expr::JsonCastOf(cast_name);
  if (!cast) return Invalid("json_cast_type {} is not supported", cast_name);
  const std::string function = UpperTrimmed(Take(texts, "json_cast_function"));
  if (!function.empty()) {
    if (function != "STRING_TO_DOUBLE" || cast_name != "DOUBLE") {
      return Invalid("json_cast_function {} cannot be used with json_cast_type {}", function,
                     cast_name);
    }
    return Error(ErrorCode::kUnimplemented, "json_cast_function {} is not supported yet", function);
  }
  const std::string path = Take(texts, "json_path");
  TRY_ASSIGN(expr::JsonPlace place, expr::ParseJsonPlace(path.empty() ? asked : path, schema));
  if (place.field != field.id) {
    return Invalid("json_path {} is not in the field {} of the index", path, asked);
  }
  info.json_path = std::move(place.path);
  info.json_cast_type = cast_name;
  shape = {.type = cast->type, .element_type = cast->element_type, .is_json_path = true};
  return {};
}

// The type that a request names, or what AUTOINDEX means.
Result<const index::ScalarIndexType*> FindType(const std::string& name,
                                               const model::FieldSchema& field,
                                               const index::ScalarShape& shape) {
  const bool automatic = name.empty() || name == "AUTOINDEX";
  const bool is_old_name = name == "SORTED";
  const index::ScalarIndexType* type = automatic     ? index::ResolveScalarAutoIndex(shape)
                                       : is_old_name ? nullptr
                                                     : index::FindScalarType(name);
  if (type == nullptr && field.type == DataType::kGeometry && (automatic || name == "RTREE")) {
    return Error(ErrorCode::kUnimplemented, "index type RTREE is not supported yet");
  }
  if (type == nullptr || (type->is_internal && !automatic)) {
    return Invalid("index type {} cannot be built on a {} field", name, NameOf(field.type));
  }
  return type;
}

}  // namespace

Status ResolveScalarIndex(const model::CollectionSchema& schema, const model::FieldSchema& field,
                          const std::string& asked, Texts texts, model::IndexInfo& info) {
  index::ScalarShape shape{.type = field.type,
                           .element_type = field.element_type,
                           .is_primary_key = field.is_primary_key};
  const std::string name = Take(texts, "index_type");
  if (field.type == DataType::kJson) {
    TRY_ASSIGN([[maybe_unused]] const auto* named,
               FindType(name, field, {.type = DataType::kBool}));
    TRY(ResolvePlace(schema, field, asked, texts, info, shape));
  }
  TRY_ASSIGN(const index::ScalarIndexType* type, FindType(name, field, shape));
  if (!type->Supports(shape)) {
    const std::string on = info.json_cast_type.empty()
                               ? std::string(NameOf(field.type))
                               : fmt::format("JSON ({})", info.json_cast_type);
    return Invalid("{} index cannot be built on a {} field{}: {}", type->name, on,
                   field.is_primary_key ? ", or not on the primary key" : "", field.name);
  }
  const auto parsed = index::ParseParams(type->params, index::Phase::kBuild, texts);
  if (!parsed.ok()) return parsed.status();
  if (type->CheckParams != nullptr) TRY(type->CheckParams(*parsed));
  info.type = type->name;
  for (const index::ParamSpec& spec : type->params) {
    const auto found = texts.find(std::string(spec.name));
    if (found != texts.end()) info.build_params.push_back({found->first, found->second});
  }
  return {};
}

std::string ShownField(const model::IndexInfo& info, const model::FieldSchema& field) {
  if (!field.is_dynamic || info.json_path.empty()) return field.name;
  std::string key;
  for (size_t i = 1; i < info.json_path.size() && info.json_path[i] != '/'; ++i) {
    const bool is_escape = info.json_path[i] == '~' && i + 1 < info.json_path.size();
    if (!is_escape) {
      key += info.json_path[i];
    } else if (info.json_path[++i] != '2') {
      key += info.json_path[i] == '1' ? '/' : '~';
    }
  }
  return key;
}

}  // namespace elanus::proxy
