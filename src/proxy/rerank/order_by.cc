// Ordering hits by fields.
#include "proxy/rerank/order_by.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "expr/json_path.h"
#include "model/order.h"
#include "proxy/ops/search_params.h"

namespace elanus::proxy {
namespace {

using nlohmann::json;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return lower;
}

Status ParseWords(const std::vector<std::string>& words, model::OrderField& order) {
  bool has_nulls = false;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string word = Lower(words[i]);
    if (i == 1 && (word == "asc" || word == "desc")) {
      order.is_descending = word == "desc";
    } else if (i == 2 && (word == "nulls_first" || word == "nulls_last")) {
      order.nulls_first = word == "nulls_first";
      has_nulls = true;
    } else {
      return Invalid("order_by_fields: {} is no direction of field {}", words[i], words[0]);
    }
  }
  if (!has_nulls) order.nulls_first = order.is_descending;
  return {};
}

// Values of a place in JSON, one a row; null where there is none.
struct JsonValues {
  std::vector<json> values;
  std::vector<std::string> texts;
};

int CompareJson(const JsonValues& all, uint32_t a, uint32_t b) {
  const json& x = all.values[a];
  const json& y = all.values[b];
  if (x.is_number() && y.is_number()) return x < y ? -1 : y < x;
  if (x.is_boolean() && y.is_boolean()) return int(x.get<bool>()) - int(y.get<bool>());
  const bool are_texts = x.is_string() && y.is_string();
  const int order = are_texts
                        ? x.get_ref<const std::string&>().compare(y.get_ref<const std::string&>())
                        : all.texts[a].compare(all.texts[b]);
  return order < 0 ? -1 : order > 0;
}

int CompareJsonInOrder(const model::OrderField& order, const JsonValues& all, uint32_t a,
                       uint32_t b) {
  const bool a_null = all.values[a].is_null();
  const bool b_null = all.values[b].is_null();
  if (a_null || b_null) {
    const int compared = int(a_null) - int(b_null);
    return order.nulls_first ? -compared : compared;
  }
  const int compared = CompareJson(all, a, b);
  return order.is_descending ? -compared : compared;
}

Result<JsonValues> ReadJson(Context& ctx, const OrderTerm& term, const model::Column& column) {
  TRY_ASSIGN(const model::Column texts, expr::ExtractJsonText(ctx, column.view(), term.path));
  const model::ColumnView view = texts.view();
  JsonValues all;
  for (size_t i = 0; i < view.rows; ++i) {
    all.texts.emplace_back(view.IsValid(i) ? view.Bytes(i) : std::string_view("null"));
    all.values.push_back(json::parse(all.texts.back(), nullptr, /*allow_exceptions=*/false));
  }
  return all;
}

}  // namespace

Result<std::vector<OrderTerm>> ParseOrderBy(const std::string& text,
                                            const model::CollectionSchema& schema,
                                            bool takes_json) {
  std::vector<OrderTerm> terms;
  for (const std::string& piece : SplitOutside(text, ',')) {
    if (piece.empty()) return Invalid("order_by_fields: a field is missing in {}", text);
    const std::vector<std::string> words = SplitOutside(piece, ':');
    OrderTerm term;
    TRY(ParseWords(words, term.order));
    const model::FieldSchema* field = schema.FindField(words[0]);
    if (field != nullptr && field->type != model::DataType::kJson) {
      if (!model::IsOrdered(field->type)) {
        return Invalid("order_by_fields: field {} of type {} cannot be sorted by", field->name,
                       model::NameOf(field->type));
      }
      term.order.field = field->id;
    } else {
      const auto place = expr::ParseJsonPlace(words[0], schema);
      if (!place.ok() || !takes_json)
        return Invalid("order_by_fields: {} is no field to sort by", words[0]);
      term.order.field = place->field;
      term.path = place->path;
      term.is_json = true;
    }
    terms.push_back(std::move(term));
  }
  return terms;
}

Status SortUnits(Context& ctx, const std::vector<OrderTerm>& terms,
                 const std::vector<const model::Column*>& columns,
                 std::vector<std::vector<uint32_t>>& units) {
  for (size_t t = terms.size(); t-- > 0;) {
    TRY(ctx.CheckAlive());
    const OrderTerm& term = terms[t];
    if (term.is_json) {
      TRY_ASSIGN(const JsonValues values, ReadJson(ctx, term, *columns[t]));
      std::stable_sort(units.begin(), units.end(), [&](const auto& a, const auto& b) {
        return CompareJsonInOrder(term.order, values, a[0], b[0]) < 0;
      });
      continue;
    }
    const model::ColumnView view = columns[t]->view();
    std::stable_sort(units.begin(), units.end(), [&](const auto& a, const auto& b) {
      return model::CompareInOrder(term.order, view, a[0], view, b[0]) < 0;
    });
  }
  return {};
}

}  // namespace elanus::proxy
