// Lists of vectors.
#include "proxy/vector_lists.h"

#include "proxy/vector_values.h"

namespace elanus::proxy {
namespace {

using model::Column;
using model::DataType;
using model::FieldSchema;

// The vectors of all lists as a column of plain vectors, checked and converted to `field`'s; the
// lists' bounds follow.
Status FitVectors(const FieldSchema& field, Column& lists) {
  FieldSchema plain = field;
  plain.type = field.element_type;
  Column vectors =
      model::MakeColumn(field.id, field.name, lists.element_type, DataType::kNone, field.dim());
  const uint32_t given_width = vectors.width();
  vectors.data = std::move(lists.data);
  Status good = ConvertToField(plain, vectors);
  if (good.ok()) good = CheckVectorValues(plain, vectors);
  const uint32_t width = vectors.width();
  lists.data = std::move(vectors.data);
  lists.element_type = vectors.type;
  TRY(std::move(good));
  if (width != given_width) {
    for (uint64_t& offset : lists.offsets) offset = offset / given_width * width;
  }
  return {};
}

}  // namespace

Status AcceptVectorLists(const FieldSchema& field, Column& column) {
  if (column.type != DataType::kArrayOfVector) {
    return Invalid("the data type of field {} does not match: got {}, want {}", field.name,
                   NameOf(column.type), NameOf(field.type));
  }
  const bool has_vectors = !column.data.empty();
  if (!has_vectors) {
    column.element_type = field.element_type;
    column.dim = field.dim();
    return {};
  }
  if (column.dim != field.dim()) {
    return Invalid("the dim ({}) of field data({}) is not equal to schema dim ({})", column.dim,
                   field.name, field.dim());
  }
  const uint32_t width = model::WidthOf(column.element_type, column.dim);
  const model::ColumnView view = column.view();
  for (size_t i = 0; i < column.rows; ++i) {
    const size_t bytes = view.Bytes(i).size();
    if (width == 0 || bytes % width != 0) {
      return Invalid(
          "the length({}) of {} data should divide the dim({}), field: {}, row number: {}", bytes,
          NameOf(column.element_type), column.dim, field.name, i);
    }
    if (bytes / width > field.max_capacity()) {
      return Invalid("the length ({}) of {}th array exceeds max capacity ({}), field: {}",
                     bytes / width, i, field.max_capacity(), field.name);
    }
  }
  TRY(FitVectors(field, column));
  if (column.element_type == field.element_type) return {};
  return Invalid("element type of array field {} does not match: got {}, want {}", field.name,
                 NameOf(column.element_type), NameOf(field.element_type));
}

Status CheckListSearch(model::Metric metric, const ListSearchForm& form) {
  if (!model::IsMaxSim(metric)) return {};
  const auto refuse = [&](std::string_view what) {
    return Invalid("{} is not supported for embedding lists, metric {}", what, NameOf(metric));
  };
  if (form.has_range) return refuse("range search");
  if (form.is_iterator) return refuse("a search iterator");
  if (form.is_grouped) return refuse("group by");
  return {};
}

Status FitListQueries(const FieldSchema& field, model::Metric metric, Column& queries) {
  const bool wants_lists = model::IsMaxSim(metric);
  if (wants_lists != (queries.type == DataType::kArrayOfVector)) {
    return Error(ErrorCode::kSegcore,
                 "data type invalid: metric {} of field {} takes {}, got queries of type {}",
                 NameOf(metric), field.name, wants_lists ? "embedding lists" : "plain vectors",
                 NameOf(queries.type));
  }
  const uint32_t width = model::WidthOf(queries.element_type, field.dim());
  const model::ColumnView view = queries.view();
  for (size_t i = 0; i < queries.rows; ++i) {
    const size_t bytes = view.Bytes(i).size();
    if (bytes == 0 || width == 0 || bytes % width != 0) {
      return Invalid(
          "vector dimension mismatch, field {}: an embedding list of {} bytes is not made of "
          "vectors of dim {}",
          field.name, bytes, field.dim());
    }
  }
  queries.dim = field.dim();
  TRY(FitVectors(field, queries).WithContext("query vectors"));
  if (queries.element_type == field.element_type) return {};
  return Error(ErrorCode::kSegcore,
               "data type invalid: embedding lists of type {} do not fit field {} of type {}",
               NameOf(queries.element_type), field.name, NameOf(field.element_type));
}

Status CheckStructs(const model::CollectionSchema& schema, const std::vector<Column>& columns) {
  const Column* first = nullptr;
  std::string_view current;
  for (size_t f = 0; f < columns.size(); ++f) {
    const FieldSchema& field = schema.fields[f];
    if (!field.is_sub_field()) continue;
    if (field.struct_name != current) {
      current = field.struct_name;
      first = &columns[f];
      continue;
    }
    const model::ColumnView one = first->view();
    const model::ColumnView other = columns[f].view();
    for (size_t row = 0; row < one.rows; ++row) {
      if (one.IsValid(row) != other.IsValid(row)) {
        return Invalid("sub-fields of struct {} are not null in the same rows, row number: {}",
                       current, row);
      }
      const size_t wanted = ElementCount(one, row);
      const size_t got = ElementCount(other, row);
      if (wanted != got) {
        return Invalid(
            "sub-fields of struct {} have different numbers of elements, {} has {} and {} has {}, "
            "row number: {}",
            current, first->name, wanted, columns[f].name, got, row);
      }
    }
  }
  return {};
}

}  // namespace elanus::proxy
