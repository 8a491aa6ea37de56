// Rules of scalar indexes.
#include "proxy/scalar_index.h"

#include "expr/json_path.h"
#include "expr/json_terms.h"
#include "index/scalar_index.h"

namespace elanus::proxy {
namespace {

using model::DataType;
using Texts = std::map<std::string, std::string>;

constexpr const char* kCardinalityLimit = "bitmap_cardinality_limit";

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
  const std::string cast_name = UpperTrimmed(TakeParam(texts, "json_cast_type"));
  if (!has_cast) {
    return Status(ErrorCode::kMissingParameter,
                  "json index must specify cast type[missing_param=json_cast_type]");
  }
  // All below the place is as an array of texts to the index types.
  const auto cast =
      cast_name == expr::kWholeDocument
          ? expr::JsonCast{.type = DataType::kArray, .element_type = DataType::kVarChar}
          : expr::JsonCastOf(cast_name);
  if (!cast || cast_name == expr::kStringToDouble) {
    return Invalid("json_cast_type {} is not supported", cast_name);
  }
  const std::string function = UpperTrimmed(TakeParam(texts, "json_cast_function"));
  if (!function.empty()) {
    if (function != "STRING_TO_DOUBLE" || cast_name != "DOUBLE") {
      return Invalid("json_cast_function {} cannot be used with json_cast_type {}", function,
                     cast_name);
    }
  }
  const std::string path = TakeParam(texts, "json_path");
  TRY_ASSIGN(expr::JsonPlace place, expr::ParseJsonPlace(path.empty() ? asked : path, schema));
  if (place.field != field.id) {
    return Invalid("json_path {} is not in the field {} of the index", path, asked);
  }
  info.json_path = std::move(place.path);
  info.json_cast_type = function.empty() ? cast_name : std::string(expr::kStringToDouble);
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
  if (type == nullptr || (type->is_internal && !automatic)) {
    return Invalid("index type {} cannot be built on a {} field", name, NameOf(field.type));
  }
  return type;
}

}  // namespace

std::string TakeParam(std::map<std::string, std::string>& texts, const char* key) {
  const auto found = texts.find(key);
  if (found == texts.end()) return {};
  std::string value = std::move(found->second);
  texts.erase(found);
  return value;
}

Status ResolveScalarIndex(const ProxyOptions& options, const model::CollectionSchema& schema,
                          const model::FieldSchema& field, const std::string& asked, Texts texts,
                          model::IndexInfo& info) {
  index::ScalarShape shape{.type = field.type,
                           .element_type = field.element_type,
                           .is_primary_key = field.is_primary_key};
  const std::string name = TakeParam(texts, "index_type");
  if (field.type == DataType::kJson) {
    TRY_ASSIGN([[maybe_unused]] const auto* named,
               FindType(name, field, {.type = DataType::kBool}));
    TRY(ResolvePlace(schema, field, asked, texts, info, shape));
  }
  TRY_ASSIGN(const index::ScalarIndexType* type, FindType(name, field, shape));
  if (info.json_cast_type == expr::kWholeDocument) {
    if (name == "AUTOINDEX" || name.empty()) type = index::FindScalarType("INVERTED");
    if (type->name != "INVERTED") {
      return Invalid("json_cast_type JSON is for INVERTED indexes, got {}", type->name);
    }
  }
  // In the order of their values are elements too, in the index of arrays.
  const bool has_order = field.element_type == DataType::kVarChar ||
                         model::IsInteger(field.element_type) ||
                         model::IsFloating(field.element_type);
  if (type->name == "STL_SORT" && field.is_sub_field() && has_order) {
    type = index::FindScalarType("INVERTED");
  }
  if (!type->Supports(shape)) {
    const std::string on = info.json_cast_type.empty()
                               ? std::string(NameOf(field.type))
                               : fmt::format("JSON ({})", info.json_cast_type);
    return Invalid("{} index cannot be built on a {} field{}: {}", type->name, on,
                   field.is_primary_key ? ", or not on the primary key" : "", field.name);
  }
  // Only what AUTOINDEX makes has it.
  texts.emplace(kCardinalityLimit, std::to_string(options.bitmap_cardinality_limit));
  const auto parsed = index::ParseParams(type->params, index::Phase::kBuild, texts);
  if (!parsed.ok()) return parsed.status();
  if (type->CheckParams != nullptr) TRY(type->CheckParams(*parsed));
  info.type = type->name;
  // Clients read the type out of what they are told, so it is there when they left it out.
  if (name.empty()) model::Put(info.user_params, "index_type", "AUTOINDEX");
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
