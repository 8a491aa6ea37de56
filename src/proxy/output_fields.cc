// Output fields.
#include "proxy/output_fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/left_out.h"
#include "proxy/ops/query_aggregates.h"

namespace elanus::proxy {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// The key of `$meta["key"]`, or empty.
std::string_view MetaKey(std::string_view text) {
  constexpr std::string_view kOpen = "$meta[";
  if (!text.starts_with(kOpen) || !text.ends_with("]")) return {};
  text.remove_prefix(kOpen.size());
  text.remove_suffix(1);
  if (text.size() < 3 || (text.front() != '"' && text.front() != '\'') ||
      text.back() != text.front()) {
    return {};
  }
  text = text.substr(1, text.size() - 2);
  return text.find_first_of("[]\"'") == std::string_view::npos ? text : std::string_view();
}

}  // namespace

Result<OutputFields> ResolveOutput(const model::CollectionSchema& schema,
                                   const std::vector<std::string>& wanted) {
  OutputFields output;
  bool whole_dynamic = false;
  const auto add = [&](const model::FieldSchema& field, std::string_view name) {
    output.has_primary_key = output.has_primary_key || field.is_primary_key;
    if (std::find(output.ids.begin(), output.ids.end(), field.id) == output.ids.end()) {
      output.ids.push_back(field.id);
    }
    if (std::find(output.names.begin(), output.names.end(), name) == output.names.end()) {
      output.names.emplace_back(name);
    }
  };
  for (const std::string& item : wanted) {
    const std::string_view name = Trim(item);
    if (name == "*") {
      for (const model::FieldSchema& field : schema.fields) {
        if (schema.IsBm25Output(field)) continue;  // Term counts are nothing to read.
        add(field, field.is_sub_field() ? field.struct_name : field.name);
      }
      whole_dynamic = true;
      continue;
    }
    const model::FieldSchema* field = schema.FindField(name);
    if (field != nullptr && schema.IsBm25Output(*field)) {
      return Invalid("not allowed to retrieve raw data of field {}", name);
    }
    if (field != nullptr) {
      whole_dynamic = whole_dynamic || field->is_dynamic;
      add(*field, field->is_sub_field() ? field->struct_name : name);
      continue;
    }
    if (schema.FindStruct(name) != nullptr) {
      for (const model::FieldSchema& part : schema.fields) {
        if (part.struct_name == name) add(part, name);
      }
      continue;
    }
    if (model::IsLeftOut(schema, name)) return Invalid("field {} is not loaded", name);
    // Those of queries never come here.
    if (IsAggregate(name)) return Invalid("a search cannot answer the aggregate {}", name);
    const model::FieldSchema* dynamic = schema.dynamic_field();
    const std::string_view key = name.starts_with("$meta") ? MetaKey(name) : name;
    const bool nested = key.empty() || key.find_first_of("[]\"'") != std::string_view::npos;
    if (dynamic == nullptr || nested) return Invalid("field {} not exist", name);
    add(*dynamic, name);
    output.dynamic_keys.emplace_back(key);
  }
  if (whole_dynamic) output.dynamic_keys.clear();
  return output;
}

void CutDynamic(const OutputFields& output, model::Column& column) {
  if (output.dynamic_keys.empty()) return;
  model::Column cut =
      model::MakeColumn(column.field_id, column.name, column.type, column.element_type, 0);
  cut.is_dynamic = true;
  const model::ColumnView view = column.view();
  for (size_t i = 0; i < column.rows; ++i) {
    const auto json = nlohmann::json::parse(view.Bytes(i), nullptr, /*allow_exceptions=*/false);
    nlohmann::json kept = nlohmann::json::object();
    for (const std::string& key : output.dynamic_keys) {
      if (json.is_object() && json.contains(key)) kept[key] = json[key];
    }
    cut.AppendBytes(kept.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  column = std::move(cut);
}

}  // namespace elanus::proxy
