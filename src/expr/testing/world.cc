// Random rows for tests.
#include "expr/testing/world.h"

#include <cmath>

#include "base/check.h"
#include "expr/testing/spatial_reference.h"
#include "geometry/text.h"

namespace elanus::expr::testing {

using model::DataType;

Datum DrawValue(Dice& dice, DataType type) {
  const bool is_edge = dice.OneIn(12);
  const int64_t small = static_cast<int64_t>(dice.Below(9)) - 4;
  switch (type) {
    case DataType::kBool:
      return Datum::Bool(small > 0);
    case DataType::kInt8:
      return Datum::Int(is_edge ? (small > 0 ? 127 : -128) : small);
    case DataType::kInt16:
      return Datum::Int(is_edge ? (small > 0 ? INT16_MAX : INT16_MIN) : small);
    case DataType::kInt32:
      return Datum::Int(is_edge ? (small > 0 ? INT32_MAX : INT32_MIN) : small);
    case DataType::kTimestamptz: {
      const int64_t moments[] = {0, -500'000, 1'709'208'000'000'001, 1'709'294'400'000'001};
      if (is_edge) return Datum::Int(253'402'300'799'999'999);
      return Datum::Int(dice.Pick(moments) + small % 2);
    }
    case DataType::kInt64:
      return Datum::Int(is_edge ? (small > 0 ? INT64_MAX : INT64_MIN) : small);
    case DataType::kFloat:
      return Datum::Real(static_cast<float>(static_cast<double>(small) / 10));
    case DataType::kDouble:
      return Datum::Real(static_cast<double>(small) / 4);
    default: {
      static const std::string kPieces[] = {"a", "b", "%", "_", "\\", "é", "中", "\""};
      std::string text;
      for (size_t i = dice.Below(5); i > 0; --i) text += dice.Pick(kPieces);
      return Datum::Text(text);
    }
  }
}

Datum DrawJson(Dice& dice, int depth) {
  const size_t kind = dice.Below(depth > 0 ? 9 : 6);
  if (kind == 0) return Datum::Null();
  if (kind == 1) return DrawValue(dice, DataType::kBool);
  if (kind == 2) return DrawValue(dice, DataType::kDouble);
  if (kind == 3) return DrawValue(dice, DataType::kVarChar);
  if (kind < 6) return DrawValue(dice, DataType::kInt64);
  if (kind == 6) {
    std::vector<Datum> items;
    for (size_t i = dice.Below(4); i > 0; --i) items.push_back(DrawJson(dice, depth - 1));
    return Datum::List(std::move(items));
  }
  std::vector<DatumMember> members;
  for (const char* key : {"a", "b", "0"}) {
    if (!dice.OneIn(3)) members.push_back({key, DrawJson(dice, depth - 1)});
  }
  return Datum::Object(std::move(members));
}

World::World(uint64_t seed, size_t rows, bool answers) : answers_(answers) {
  schema_.name = "world";
  schema_.enable_dynamic_field = true;
  AddField("id", DataType::kInt64, false);
  schema_.fields.back().is_primary_key = true;
  AddField("flag", DataType::kBool, false);
  AddField("n8", DataType::kInt8, true);
  AddField("n16", DataType::kInt16, false);
  AddField("n32", DataType::kInt32, false);
  AddField("n64", DataType::kInt64, true);
  AddField("f32", DataType::kFloat, false);
  AddField("f64", DataType::kDouble, true);
  AddField("s", DataType::kVarChar, true);
  AddField("numbers", DataType::kArray, true, DataType::kInt64);
  AddField("small", DataType::kArray, false, DataType::kInt8);
  AddField("reals", DataType::kArray, false, DataType::kFloat);
  AddField("words", DataType::kArray, true, DataType::kVarChar);
  AddField("j", DataType::kJson, true);
  AddField("g", DataType::kGeometry, true);
  AddField("t", DataType::kTimestamptz, true);
  AddField("v", DataType::kFloatVector, false);
  columns_.back().dim = 2;
  AddField("$meta", DataType::kJson, false);
  schema_.fields.back().is_dynamic = true;
  Dice dice(seed);
  for (size_t i = 0; i < rows; ++i) {
    Row& row = table_.emplace_back();
    for (const model::FieldSchema& field : schema_.fields) {
      Datum& value = row[field.name];
      if (field.is_primary_key) {
        value = Datum::Int(static_cast<int64_t>(i));
      } else if (field.type == DataType::kArray) {
        std::vector<Datum> items;
        for (size_t n = dice.Below(4); n > 0; --n) {
          items.push_back(DrawValue(dice, field.element_type));
        }
        value = Datum::List(std::move(items));
      } else if (field.type == DataType::kJson) {
        do value = DrawJson(dice, 3);
        while (field.is_dynamic && !value.Is(Datum::Kind::kObject));
      } else if (field.type == DataType::kGeometry) {
        value = DrawShape(dice);
      } else if (field.type == DataType::kDouble && dice.OneIn(12)) {
        const double edges[] = {NAN, INFINITY, -INFINITY, -0.0};
        value = Datum::Real(dice.Pick(edges));
      } else if (field.type != DataType::kFloatVector) {
        value = DrawValue(dice, field.type);
      }
      if (field.nullable && dice.OneIn(5)) value = Datum();
      AppendValue(field, value);
    }
  }
}

World::World(const Documents& documents) : answers_(false) {
  schema_.enable_dynamic_field = true;
  AddField("id", DataType::kInt64, false);
  schema_.fields.back().is_primary_key = true;
  AddField("$meta", DataType::kJson, false);
  schema_.fields.back().is_dynamic = true;
  for (size_t i = 0; i < documents.size(); ++i) {
    AppendValue(schema_.fields[0], Datum::Int(static_cast<int64_t>(i)));
    columns_[1].AppendBytes(documents[i]);
  }
}

void World::AddField(const char* name, DataType type, bool nullable, DataType element) {
  model::FieldSchema field;
  field.id = FieldId(100 + static_cast<int64_t>(schema_.fields.size()));
  field.name = name;
  field.type = type;
  field.element_type = element;
  field.nullable = nullable;
  columns_.push_back(model::MakeColumn(field.id, name, type, element, 0));
  schema_.fields.push_back(std::move(field));
}

// The bytes of a number in a column of `type`.
std::string BytesOf(DataType type, const Datum& value) {
  const auto bytes = [](const auto& number) {
    return std::string(reinterpret_cast<const char*>(&number), sizeof(number));
  };
  if (type == DataType::kFloat) return bytes(static_cast<float>(value.real));
  if (type == DataType::kDouble) return bytes(value.real);
  // Little-endian: the first bytes are the narrow value.
  const int64_t number = value.Is(Datum::Kind::kBool) ? value.flag : value.integer;
  return bytes(number).substr(0, model::WidthOf(type));
}

void World::AppendValue(const model::FieldSchema& field, const Datum& value) {
  model::Column& column = columns_[static_cast<size_t>(field.id.value() - 100)];
  if (field.type == DataType::kFloatVector) {
    const float vector[] = {0, 1};
    return column.AppendFixed(vector);
  }
  if (!value.has_value() && field.nullable && value.Is(Datum::Kind::kMissing)) {
    return column.AppendNull();
  }
  if (field.type == DataType::kJson) return column.AppendBytes(JsonOf(value));
  if (field.type == DataType::kVarChar) return column.AppendBytes(value.text);
  if (field.type == DataType::kGeometry) {
    return column.AppendBytes(geometry::ReadWkt(WktOf(value)).value());
  }
  if (field.type != DataType::kArray) {
    return column.AppendFixed(BytesOf(field.type, value).data());
  }
  if (field.element_type == DataType::kVarChar) {
    std::vector<std::string_view> texts;
    for (const Datum& item : value.items) texts.push_back(item.text);
    return column.AppendBytes(model::PackTexts(texts));
  }
  std::string bytes;
  for (const Datum& item : value.items) bytes += BytesOf(field.element_type, item);
  column.AppendBytes(bytes);
}

Result<model::ColumnView> World::Read(FieldId field, size_t begin, size_t count) const {
  CHECK(count <= kBatchRows);
  for (const model::Column& column : columns_) {
    if (column.field_id == field) return column.view().Slice(begin, count);
  }
  return Status(ErrorCode::kFieldNotFound, "no such field");
}

model::IndexPromise World::Estimate(const model::Predicate& predicate) const {
  const model::FieldSchema* field = schema_.FindField(predicate.field);
  // Of a spatial test a predicate knows only boxes.
  const bool is_known = answers_ && predicate.path.empty() && field != nullptr &&
                        field->type != DataType::kJson &&
                        predicate.kind != model::Predicate::Kind::kShape;
  // So cheap that it is always taken.
  return {.coverage = is_known ? model::Coverage::kExact : model::Coverage::kNone,
          .cost_ns = -1e12};
}

Result<model::Coverage> World::Answer(Context&, const model::Predicate& predicate, Bitset& matches,
                                      Bitset* unknown) const {
  const model::FieldSchema* field = schema_.FindField(predicate.field);
  const bool is_array = field->type == DataType::kArray;
  CHECK((is_array ? field->element_type : field->type) == predicate.type);
  CHECK(matches.size() == rows());
  for (size_t i = 0; i < table_.size(); ++i) {
    const Datum& value = table_[i].at(field->name);
    if (Answers(value, predicate)) matches.Set(i);
    if (unknown != nullptr && !value.has_value()) unknown->Set(i);
  }
  return model::Coverage::kExact;
}

}  // namespace elanus::expr::testing
