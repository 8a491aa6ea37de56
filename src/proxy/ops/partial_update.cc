// Partial updates.
#include "proxy/ops/partial_update.h"

#include <algorithm>
#include <set>

#include "proxy/json_merge.h"
#include "proxy/ops/fetch.h"
#include "proxy/ops/search_plan.h"

namespace elanus::proxy {
namespace {

using model::Column;
using model::ColumnView;
using model::DataType;
using model::FieldOp;
using model::FieldSchema;

const FieldOp* OpOn(const std::vector<FieldOp>& ops, std::string_view field) {
  for (const FieldOp& op : ops) {
    if (op.field == field && op.kind != FieldOp::Kind::kReplace) return &op;
  }
  return nullptr;
}

Status CheckArrayOp(const model::CollectionSchema& schema, const FieldOp& op,
                    const model::WriteRequest& request) {
  const FieldSchema* field = schema.FindField(op.field);
  if (schema.FindStruct(op.field) != nullptr) {
    return Invalid("field operation on the struct field {} is not supported", op.field);
  }
  if (field == nullptr) return Invalid("field operation on unknown field {}", op.field);
  if (field->is_primary_key) {
    return Invalid("field operation on the primary key {} is not supported", op.field);
  }
  if (field->type != DataType::kArray) {
    return Invalid("field operation on {} needs an array field, it is {}", op.field,
                   NameOf(field->type));
  }
  const auto payload = std::find_if(request.columns.begin(), request.columns.end(),
                                    [&](const Column& column) { return column.name == op.field; });
  const bool has_list = payload != request.columns.end() &&
                        (payload->type == DataType::kArray || payload->type == DataType::kNone);
  if (!has_list) {  // Nulls alone have no type.
    return Invalid("field operation on {} has no array data in the request", op.field);
  }
  if (op.element_type != DataType::kNone && op.element_type != field->element_type) {
    return Invalid("field operation on {} has elements of type {}, want {}", op.field,
                   NameOf(op.element_type), NameOf(field->element_type));
  }
  return {};
}

// One row of a fixed-width array without the elements that `removed` has. NaN equals nothing.
template <class T>
std::string Without(std::string_view row, std::string_view removed) {
  const auto at = [](std::string_view bytes, size_t i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    return value;
  };
  std::set<T> gone;
  for (size_t i = 0; i < removed.size() / sizeof(T); ++i) {
    const T value = at(removed, i);
    if (value == value) gone.insert(value);
  }
  std::string kept;
  for (size_t i = 0; i < row.size() / sizeof(T); ++i) {
    const T value = at(row, i);
    if (value == value && gone.contains(value)) continue;
    kept.append(row.substr(i * sizeof(T), sizeof(T)));
  }
  return kept;
}

std::string TextsWithout(std::string_view row, std::string_view removed) {
  const std::vector<std::string_view> list = model::ArrayTexts(removed);
  const std::set<std::string_view> gone(list.begin(), list.end());
  std::vector<std::string_view> kept;
  for (std::string_view text : model::ArrayTexts(row)) {
    if (!gone.contains(text)) kept.push_back(text);
  }
  return model::PackTexts(kept);
}

std::string Removed(DataType element_type, std::string_view row, std::string_view removed) {
  if (row.empty() || removed.empty()) return std::string(row);
  switch (element_type) {
    case DataType::kBool:
    case DataType::kInt8:
      return Without<int8_t>(row, removed);
    case DataType::kInt16:
      return Without<int16_t>(row, removed);
    case DataType::kInt32:
      return Without<int32_t>(row, removed);
    case DataType::kInt64:
      return Without<int64_t>(row, removed);
    case DataType::kFloat:
      return Without<float>(row, removed);
    case DataType::kDouble:
      return Without<double>(row, removed);
    default:
      return TextsWithout(row, removed);
  }
}

std::string Appended(DataType element_type, std::string_view row, std::string_view more) {
  if (model::WidthOf(element_type) != 0) return std::string(row) + std::string(more);
  std::vector<std::string_view> texts;
  if (!row.empty()) texts = model::ArrayTexts(row);
  if (!more.empty()) {
    for (std::string_view text : model::ArrayTexts(more)) texts.push_back(text);
  }
  return model::PackTexts(texts);
}

// The rows of one update, and where each value of them comes from.
class Update {
 public:
  Update(const ProxyOptions& options, const model::CollectionSchema& schema,
         const std::vector<FieldOp>& ops)
      : options_(options), schema_(schema), ops_(ops) {}

  // Of the fields whose stored values are needed.
  std::vector<FieldId> FieldsToRead(const GivenRows& given) const {
    std::vector<FieldId> fields;
    for (const FieldSchema& field : schema_.fields) {
      if (IsMadeAnew(field, given)) continue;
      const bool is_given = given.columns.contains(field.name);
      const bool is_merged = field.is_dynamic || OpOn(ops_, field.name) != nullptr;
      if (!is_given || is_merged) fields.push_back(field.id);
    }
    return fields;
  }

  Result<UpdatedRows> Run(const GivenRows& given, const Fetched& stored) {
    Order(given.rows, stored.missing);
    if (existing_ < order_.size()) {
      if (const FieldSchema* missing = FindMissing(schema_, given)) {
        return Invalid("fieldSchema({}) has no corresponding fieldData pass in", missing->name);
      }
    }
    UpdatedRows updated;
    updated.rows.rows = given.rows;
    updated.existing = static_cast<int64_t>(existing_);
    for (const FieldSchema& field : schema_.fields) {
      if (IsMadeAnew(field, given)) continue;
      TRY_ASSIGN(Column column, ColumnOf(field, given, stored));
      updated.rows.columns.emplace(field.name, std::move(column));
    }
    return updated;
  }

 private:
  // Of what it is made of, by its function. A model service is asked only when that has changed.
  bool IsMadeAnew(const FieldSchema& field, const GivenRows& given) const {
    if (!field.is_function_output || given.columns.contains(field.name)) return false;
    const model::FunctionSchema* function = schema_.FunctionOf(field);
    return function != nullptr && (function->type != model::FunctionType::kTextEmbedding ||
                                   given.columns.contains(function->inputs[0]));
  }

  // Rows that are stored come first.
  void Order(uint64_t rows, const std::vector<size_t>& missing) {
    std::vector<uint8_t> is_missing(rows, 0);
    for (size_t row : missing) is_missing[row] = 1;
    for (size_t row = 0; row < rows; ++row) {
      if (is_missing[row] == 0) order_.push_back(row);
    }
    existing_ = order_.size();
    order_.insert(order_.end(), missing.begin(), missing.end());
  }

  Result<Column> ColumnOf(const FieldSchema& field, const GivenRows& given,
                          const Fetched& stored) const {
    const auto value = given.columns.find(field.name);
    const auto kept =
        std::find_if(stored.columns.begin(), stored.columns.end(),
                     [&](const Column& column) { return column.field_id == field.id; });
    const bool is_given = value != given.columns.end();
    Column column =
        model::MakeColumn(field.id, field.name, field.type, field.element_type, field.dim());
    column.is_dynamic = field.is_dynamic;
    if (is_given && kept != stored.columns.end()) {
      TRY(Merge(field, value->second.view(), kept->view(), column));
      return column;
    }
    if (is_given) {
      for (size_t row : order_) column.AppendRow(value->second.view(), row);
      return column;
    }
    for (size_t i = 0; i < existing_; ++i) column.AppendRow(kept->view(), order_[i]);
    if (order_.size() > existing_) {
      column.AppendAll(FilledRows(field, order_.size() - existing_).view());
    }
    return column;
  }

  // Values of the request put together with what is stored.
  Status Merge(const FieldSchema& field, const ColumnView& given, const ColumnView& stored,
               Column& column) const {
    for (size_t i = 0; i < order_.size(); ++i) {
      const size_t row = order_[i];
      if (i >= existing_) {
        column.AppendRow(given, row);
      } else if (field.is_dynamic) {
        TRY_ASSIGN(const std::string document,
                   MergeObjects(stored.IsValid(row) ? stored.Bytes(row) : "{}", given.Bytes(row)));
        column.AppendBytes(document);
      } else {
        AppendArray(field, given, stored, row, column);
      }
      TRY(CheckLength(field, column.view(), i));
    }
    return {};
  }

  void AppendArray(const FieldSchema& field, const ColumnView& given, const ColumnView& stored,
                   size_t row, Column& column) const {
    const bool appends = OpOn(ops_, field.name)->kind == FieldOp::Kind::kArrayAppend;
    // Nothing to add or take, or nothing to take from.
    if (!given.IsValid(row) || (!appends && !stored.IsValid(row))) {
      return column.AppendRow(stored, row);
    }
    const std::string_view before = stored.IsValid(row) ? stored.Bytes(row) : std::string_view();
    column.AppendBytes(appends ? Appended(field.element_type, before, given.Bytes(row))
                               : Removed(field.element_type, before, given.Bytes(row)));
  }

  Status CheckLength(const FieldSchema& field, const ColumnView& column, size_t row) const {
    if (!column.IsValid(row)) return {};
    if (!field.is_dynamic && model::ElementCount(column, row) > field.max_capacity()) {
      return Invalid("the length ({}) of array field {} exceeds max capacity ({}) once merged",
                     model::ElementCount(column, row), field.name, field.max_capacity());
    }
    if (field.is_dynamic &&
        column.Bytes(row).size() > static_cast<size_t>(options_.json_bytes_max)) {
      return Invalid("the length ({}) of the dynamic field exceeds max length ({}) once merged",
                     column.Bytes(row).size(), options_.json_bytes_max);
    }
    return {};
  }

  const ProxyOptions& options_;
  const model::CollectionSchema& schema_;
  const std::vector<FieldOp>& ops_;
  std::vector<size_t> order_;  // Rows of the request, as they are written.
  size_t existing_ = 0;        // The first so many of `order_` are stored.
};

}  // namespace

Status CheckFieldOps(const model::CollectionSchema& schema, const model::WriteRequest& request) {
  std::set<std::string_view> names;
  for (const FieldOp& op : request.field_ops) {
    if (op.field.empty()) {
      return Error(ErrorCode::kMissingParameter, "a field operation names no field");
    }
    if (!names.insert(op.field).second) {
      return Invalid("more than one field operation on field {}", op.field);
    }
    if (!model::StructName(op.field).empty()) {
      return Invalid("field operation on the struct sub-field {} is not supported", op.field);
    }
    if (op.kind != FieldOp::Kind::kReplace) TRY(CheckArrayOp(schema, op, request));
  }
  return {};
}

Result<UpdatedRows> UpdateRows(Context& ctx, Services& services,
                               const roles::CollectionSnapshot& collection, PartitionId partition,
                               model::WriteRequest request) {
  const model::CollectionSchema& schema = collection->schema;
  TRY(CheckFieldOps(schema, request));
  ReadScope scope{.collection = collection};
  if (partition != PartitionId()) scope.partitions = {partition};
  TRY(CheckLoaded(scope));
  const std::vector<FieldOp> ops = request.field_ops;
  TRY_ASSIGN(const GivenRows given, AcceptRows(services, *collection, std::move(request)));
  TRY_ASSIGN(const Timestamp now, services.coord.oracle.Now(ctx));
  TRY_ASSIGN(scope.moments, ReadMoments(ctx, services, *collection, now));
  scope.ends = EndsNow(services, *collection);
  Update update(services.options, schema, ops);
  const Column& keys = given.columns.find(schema.primary_key().name)->second;
  TRY_ASSIGN(const Fetched stored,
             FetchByKeys(ctx, services, scope, keys, update.FieldsToRead(given)));
  return update.Run(given, stored);
}

}  // namespace elanus::proxy
