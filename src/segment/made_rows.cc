// Making rows of what they have.
#include "segment/made_rows.h"

#include "base/log.h"
#include "model/back_fill.h"
#include "segment/fill.h"
#include "text/row_maker.h"

namespace elanus::segment {
namespace {

// Whether such a function is to make the field. Names are given again, ids are not.
bool IsMade(const model::CollectionSchema& schema, const model::FieldSchema& field) {
  const model::FieldSchema* known = schema.FindField(field.id);
  return known != nullptr && model::TextFunctionOf(schema, *known) != nullptr;
}

}  // namespace

std::optional<model::Column> MakeRows(const model::CollectionSchema& schema,
                                      const model::FieldSchema& field, size_t rows,
                                      const ReadField& read) {
  if (!IsMade(schema, field)) return std::nullopt;
  const auto maker = text::RowMaker::Of(schema, *schema.FindField(field.id));
  if (!maker.ok()) {
    LogWarn("field cannot be made of its text field={} error=\"{}\"", field.name,
            maker.status().ToString());
    return std::nullopt;
  }
  model::Column filler;  // Lives as long as the views below.
  model::ColumnView texts = read(maker->input());
  if (texts.rows != rows) {
    filler = FillColumn(*schema.FindField(maker->input()), rows);
    texts = filler.view();
  }
  const bool is_named = maker->analyzer_names() != FieldId();
  const model::ColumnView names = is_named ? read(maker->analyzer_names()) : model::ColumnView();
  return maker->Make(texts, names.rows == rows ? &names : nullptr);
}

model::Column MakeOrFillRows(const model::CollectionSchema& schema, const model::FieldSchema& field,
                             size_t rows, const ReadField& read, std::vector<FieldId>& unmade) {
  std::optional<model::Column> made = MakeRows(schema, field, rows, read);
  if (made) return std::move(*made);
  if (rows > 0 && IsMade(schema, field)) unmade.push_back(field.id);
  return FillColumn(field, rows);
}

}  // namespace elanus::segment
