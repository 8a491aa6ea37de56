// Cursors of iterators over elements.
#include "proxy/ops/element_cursor.h"

#include <cstring>

#include "model/reduce.h"
#include "proxy/checks.h"

namespace elanus::proxy {
namespace {

std::string KeyText(const model::ColumnView& keys, size_t row) {
  if (keys.type == model::DataType::kInt64) return std::to_string(keys.Get<int64_t>(row));
  return std::string(keys.Bytes(row));
}

// The elements of a row past the last one that was given, packed as in their column.
std::string ElementsPast(std::string_view row, int64_t last) {
  std::string past;
  for (size_t at = 0; at < row.size(); at += sizeof(int64_t)) {
    int64_t element;
    std::memcpy(&element, row.data() + at, sizeof(element));
    if (element > last) past.append(row.substr(at, sizeof(element)));
  }
  return past;
}

}  // namespace

Result<std::optional<ElementCursor>> ParseElementCursor(const std::vector<model::KeyValue>& list,
                                                        bool iterator) {
  const std::string* key = model::Find(list, "query_iter_last_pk");
  const std::string* element = model::Find(list, "query_iter_last_element_offset");
  if (key == nullptr && element == nullptr) return std::optional<ElementCursor>();
  if (key == nullptr || element == nullptr || !iterator) {
    return Invalid(
        "query_iter_last_pk and query_iter_last_element_offset go together, and with an iterator");
  }
  ElementCursor cursor{.key = *key};
  TRY_ASSIGN(cursor.element, ParseInt("query_iter_last_element_offset", *element));
  return std::optional(std::move(cursor));
}

void DropGiven(const ElementCursor& cursor, model::PartialRows& rows) {
  const model::ColumnView keys = rows.primary_keys.view();
  std::vector<std::string> elements;
  std::vector<size_t> kept;
  const model::Column old = std::move(rows.columns.back());
  for (size_t row = 0; row < keys.rows; ++row) {
    const std::string_view own = old.view().Bytes(row);
    std::string left =
        KeyText(keys, row) == cursor.key ? ElementsPast(own, cursor.element) : std::string(own);
    if (left.empty() && !own.empty()) continue;
    kept.push_back(row);
    elements.push_back(std::move(left));
  }
  const auto keep = [&](const model::Column& from) {
    model::Column to = model::EmptyLike(from);
    for (size_t row : kept) to.AppendRow(from.view(), row);
    return to;
  };
  for (size_t c = 0; c + 1 < rows.columns.size(); ++c) rows.columns[c] = keep(rows.columns[c]);
  rows.columns.back() = model::EmptyLike(old);
  for (const std::string& row : elements) rows.columns.back().AppendBytes(row);
  rows.primary_keys = keep(rows.primary_keys);
}

}  // namespace elanus::proxy
