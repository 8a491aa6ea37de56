// Moments as clients see them.
#include "proxy/moments.h"

namespace elanus::proxy {
namespace {

using model::Column;
using model::DataType;

constexpr std::string_view kPartsKey = "time_fields";

Result<std::vector<model::TimePart>> ReadParts(std::string_view text) {
  std::vector<model::TimePart> parts;
  constexpr std::string_view kBetween = ", \t\r\n";
  for (size_t at = text.find_first_not_of(kBetween); at != std::string_view::npos;
       at = text.find_first_not_of(kBetween, at)) {
    const std::string_view name = text.substr(at, text.find_first_of(kBetween, at) - at);
    const auto part = model::TimePartOf(name);
    if (!part) return Invalid("{} has the unknown part {}", kPartsKey, name);
    parts.push_back(*part);
    at += name.size();
  }
  return parts;
}

Column EmptyShown(const Column& column, DataType type, DataType element_type) {
  return model::MakeColumn(column.field_id, column.name, type, element_type, 0);
}

Column ShownAsText(const TimeZone& zone, const Column& column) {
  Column shown = EmptyShown(column, DataType::kVarChar, DataType::kTimestamptz);
  const model::ColumnView view = column.view();
  for (size_t i = 0; i < view.rows; ++i) {
    if (view.IsValid(i))
      shown.AppendBytes(model::FormatTimestamptz(view.Get<int64_t>(i), zone));
    else
      shown.AppendNull();
  }
  return shown;
}

Column ShownAsParts(const MomentForm& form, const Column& column) {
  Column shown = EmptyShown(column, DataType::kArray, DataType::kInt64);
  const model::ColumnView view = column.view();
  std::vector<int64_t> numbers(form.parts.size());
  for (size_t i = 0; i < view.rows; ++i) {
    if (!view.IsValid(i)) {
      shown.AppendNull();
      continue;
    }
    for (size_t p = 0; p < numbers.size(); ++p) {
      numbers[p] = model::PartOf(view.Get<int64_t>(i), form.zone, form.parts[p]);
    }
    shown.AppendBytes({reinterpret_cast<const char*>(numbers.data()), numbers.size() * 8});
  }
  return shown;
}

}  // namespace

Result<TimeZone> ZoneOf(const std::vector<model::KeyValue>& properties) {
  const std::string* name = model::Find(properties, kTimeZoneKey);
  return name == nullptr ? TimeZone() : TimeZone::Of(*name);
}

Status ReadMoments(const model::FieldSchema& field, const TimeZone& zone, Column& column) {
  if (column.type == DataType::kTimestamptz) return {};
  if (column.type != DataType::kVarChar) {
    return Invalid("the data type of field {} does not match: got {}, want text of a timestamptz",
                   field.name, NameOf(column.type));
  }
  Column moments =
      model::MakeColumn(field.id, field.name, DataType::kTimestamptz, DataType::kNone, 0);
  const model::ColumnView view = column.view();
  for (size_t i = 0; i < view.rows; ++i) {
    if (!view.IsValid(i)) {
      moments.AppendNull();
      continue;
    }
    const auto moment = model::ParseTimestamptz(view.Bytes(i), zone);
    if (!moment.ok()) {
      return Invalid("got invalid timestamptz string for field {}, row number: {}: {}", field.name,
                     i, moment.status().message());
    }
    moments.AppendFixed(&*moment);
  }
  column = std::move(moments);
  return {};
}

Status ReadDefaultMoments(const TimeZone& zone, model::CollectionSchema& schema) {
  for (model::FieldSchema& field : schema.fields) {
    if (field.type != DataType::kTimestamptz || !field.default_value) continue;
    if (!field.default_value->is_string()) continue;
    const auto moment = model::ParseTimestamptz(field.default_value->as_string(), zone);
    if (!moment.ok()) {
      return Invalid("the default value of field {} is no timestamptz: {}", field.name,
                     moment.status().message());
    }
    field.default_value = model::Scalar(*moment);
  }
  return {};
}

Result<MomentForm> MomentFormOf(const std::vector<model::KeyValue>& params,
                                const model::CollectionInfo& collection) {
  MomentForm form;
  const std::string* asked = model::Find(params, kTimeZoneKey);
  const bool is_asked = asked != nullptr && !asked->empty();
  TRY_ASSIGN(form.zone, is_asked ? TimeZone::Of(*asked) : ZoneOf(collection.properties));
  if (const std::string* parts = model::Find(params, kPartsKey)) {
    TRY_ASSIGN(form.parts, ReadParts(*parts));
  }
  return form;
}

void ShowMoments(const MomentForm& form, std::vector<Column>& columns) {
  for (Column& column : columns) {
    if (column.type != DataType::kTimestamptz) continue;
    column = form.parts.empty() ? ShownAsText(form.zone, column) : ShownAsParts(form, column);
  }
}

}  // namespace elanus::proxy
