// Pages of rows that are ordered by fields, from parts that may hold versions of the same keys.
#include "shard/ordered_rows.h"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace elanus::shard {
namespace {

constexpr const char* kKeysTemplate = "elanus_keys_of_the_page";

using Versions = std::unordered_map<std::string, uint64_t>;  // Newest timestamp by key's bytes.

void AddVersions(const model::PartialRows& rows, Versions& versions) {
  const model::ColumnView keys = rows.primary_keys.view();
  for (size_t i = 0; i < keys.rows; ++i) {
    uint64_t& newest = versions[std::string(keys.Bytes(i))];
    newest = std::max(newest, rows.row_timestamps[i]);
  }
}

// The query for rows with the keys of `page` alone, whatever their order.
model::ShardQuery ForKeys(const model::ShardQuery& query, const model::PartialRows& page,
                          const model::FieldSchema& key) {
  model::ShardQuery one;
  one.read = query.read;
  one.read.output_fields.clear();
  // What a filter ends with may have to stay its end.
  const std::string own = query.read.filter;
  const bool is_empty = own.find_first_not_of(" \t\r\n") == std::string::npos;
  one.read.filter =
      key.name + " in {" + kKeysTemplate + "}" + (is_empty ? "" : " and (" + own + ")");
  model::ScalarList keys;
  const model::ColumnView view = page.primary_keys.view();
  for (size_t i = 0; i < view.rows; ++i) {
    if (view.type == model::DataType::kInt64)
      keys.emplace_back(view.Get<int64_t>(i));
    else
      keys.emplace_back(std::string(view.Bytes(i)));
  }
  one.read.templates[kKeysTemplate] = model::Scalar(std::move(keys));
  return one;
}

// Takes the rows away of which `others` know a newer version; how many those were.
size_t DropOld(const Versions& others, model::PartialRows& page) {
  const model::ColumnView keys = page.primary_keys.view();
  std::vector<size_t> kept;
  for (size_t i = 0; i < keys.rows; ++i) {
    const auto other = others.find(std::string(keys.Bytes(i)));
    if (other == others.end() || other->second <= page.row_timestamps[i]) kept.push_back(i);
  }
  const size_t dropped = keys.rows - kept.size();
  if (dropped == 0) return 0;
  const auto pick = [&](model::Column& column) {
    model::Column rest = model::MakeColumn(column.field_id, column.name, column.type,
                                           column.element_type, column.dim);
    rest.is_dynamic = column.is_dynamic;
    const model::ColumnView view = column.view();
    for (size_t i : kept) rest.AppendRow(view, i);
    column = std::move(rest);
  };
  pick(page.primary_keys);
  for (model::Column& column : page.columns) pick(column);
  std::vector<uint64_t> timestamps;
  timestamps.reserve(kept.size());
  for (size_t i : kept) timestamps.push_back(page.row_timestamps[i]);
  page.row_timestamps = std::move(timestamps);
  return dropped;
}

}  // namespace

Result<std::vector<model::PartialRows>> ReadParts(Context& ctx, std::span<const RowsReader> parts,
                                                  const model::ShardQuery& query,
                                                  const model::CollectionSchema& schema) {
  const bool is_page = !query.order_by.empty() && query.limit >= 0 && !query.aggregates_rows() &&
                       !query.count_only && parts.size() > 1;
  model::ShardQuery wider = query;
  for (;; wider.limit *= 2) {
    TRY(ctx.CheckAlive());
    std::vector<model::PartialRows> pages;
    for (const RowsReader& read : parts) {
      TRY_ASSIGN(model::PartialRows page, read(wider));
      pages.push_back(std::move(page));
    }
    if (!is_page) return pages;
    const auto is_whole = [&](size_t p) {
      return pages[p].primary_keys.rows < static_cast<size_t>(wider.limit);
    };
    std::vector<bool> were_whole;
    for (size_t p = 0; p < pages.size(); ++p) were_whole.push_back(is_whole(p));
    // Of each page the versions that others have, before any of them changes.
    std::vector<Versions> others(pages.size());
    for (size_t p = 0; p < pages.size(); ++p) {
      for (size_t o = 0; o < pages.size(); ++o) {
        if (o == p) continue;
        if (were_whole[o]) {
          AddVersions(pages[o], others[p]);
          continue;
        }
        TRY_ASSIGN(const model::PartialRows found,
                   parts[o](ForKeys(query, pages[p], schema.primary_key())));
        AddVersions(found, others[p]);
      }
    }
    bool lacks_rows = false;
    for (size_t p = 0; p < pages.size(); ++p) {
      const size_t dropped = DropOld(others[p], pages[p]);
      lacks_rows = lacks_rows || (dropped > 0 && !were_whole[p]);
    }
    if (!lacks_rows) return pages;
  }
}

}  // namespace elanus::shard
