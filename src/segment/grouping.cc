// Grouped search inside one segment.
#include "segment/grouping.h"

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <unordered_set>

#include "expr/json_path.h"
#include "model/groups.h"

namespace elanus::segment {
namespace {

using model::DataType;

// The number that a JSON text is; false: none. Booleans are numbers only when values are converted.
bool NumberIn(std::string_view json, bool converts, double& number) {
  if (converts && (json == "true" || json == "false")) {
    number = json == "true" ? 1 : 0;
    return true;
  }
  const auto parsed = std::from_chars(json.data(), json.data() + json.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == json.data() + json.size();
}

bool FitsInteger(DataType type, double number) {
  const int bits = static_cast<int>(model::WidthOf(type)) * 8;
  const double limit = std::ldexp(1.0, bits - 1);
  return number == std::floor(number) && number >= -limit && number < limit;
}

// Appends the value of one JSON text as the type of the column; null where it is none.
void AppendCast(std::string_view json, const model::ColumnView& texts, size_t row,
                const model::GroupKey& key, model::Column& to) {
  const bool converts = !key.strict_cast;
  double number = 0;
  switch (key.type) {
    case DataType::kBool: {
      const uint8_t value = json == "true" ? 1 : 0;
      if (json == "true" || json == "false") return to.AppendFixed(&value);
      return to.AppendNull();
    }
    case DataType::kVarChar:
      if (texts.IsValid(row)) return to.AppendBytes(texts.Bytes(row));
      if (converts && json[0] != '{' && json[0] != '[') return to.AppendBytes(json);
      return to.AppendNull();
    default: {
      // An integer as it is written: a double would lose digits.
      int64_t integer = 0;
      const auto parsed = std::from_chars(json.data(), json.data() + json.size(), integer);
      bool fits = parsed.ec == std::errc() && parsed.ptr == json.data() + json.size();
      if (!fits && converts && NumberIn(json, converts, number) && FitsInteger(key.type, number)) {
        integer = static_cast<int64_t>(number);
        fits = true;
      }
      if (!fits ||
          (key.type != DataType::kInt64 && !FitsInteger(key.type, static_cast<double>(integer)))) {
        return to.AppendNull();
      }
      return to.AppendFixed(&integer);
    }
  }
}

Status AppendJson(Context& ctx, const model::ColumnView& documents, const model::GroupKey& key,
                  model::Column& to) {
  TRY_ASSIGN(const model::Column found, expr::ExtractJsonText(ctx, documents, key.path));
  const model::ColumnView json = found.view();
  model::Column texts;
  if (key.type == DataType::kVarChar) {
    TRY_ASSIGN(texts, expr::ExtractJson(ctx, documents, key.path, "VARCHAR"));
  }
  const model::ColumnView texts_view = texts.view();
  for (size_t row = 0; row < json.rows; ++row) {
    if (!json.IsValid(row) || json.Bytes(row) == "null") {
      to.AppendNull();
    } else if (key.type == DataType::kJson) {
      to.AppendBytes(json.Bytes(row));
    } else {
      AppendCast(json.Bytes(row), texts_view, row, key, to);
    }
  }
  return {};
}

// The groups that are wanted where the group of a row is one value as it is stored: a look-up a row
// instead of a text of it.
class WantedValues {
 public:
  explicit WantedValues(const model::ColumnView& values) : is_number_(values.width != 0) {
    for (size_t i = 0; i < values.rows; ++i) {
      if (!values.IsValid(i)) {
        has_null_ = true;
      } else if (is_number_) {
        numbers_.insert(NumberAt(values, i));
      } else {
        texts_.insert(TextAt(values, i));
      }
    }
  }
  bool Has(const model::ColumnView& values, size_t row) const {
    if (!values.IsValid(row)) return has_null_;
    return is_number_ ? numbers_.contains(NumberAt(values, row))
                      : texts_.contains(TextAt(values, row));
  }

 private:
  static uint64_t NumberAt(const model::ColumnView& values, size_t row) {
    uint64_t number = 0;
    std::memcpy(&number, values.data + row * values.width, values.width);
    return number;
  }
  static absl::string_view TextAt(const model::ColumnView& values, size_t row) {
    const std::string_view text = values.Bytes(row);
    return {text.data(), text.size()};
  }

  const bool is_number_;
  bool has_null_ = false;
  absl::flat_hash_set<uint64_t> numbers_;
  absl::flat_hash_set<absl::string_view> texts_;
};

bool IsOneStoredValue(const SegmentView& segment, const model::Grouping& grouping) {
  if (grouping.keys.size() != 1) return false;
  const model::FieldSchema* field = segment.schema().FindField(grouping.keys[0].field);
  return field != nullptr && field->type != DataType::kJson &&
         model::WidthOf(field->type) <= sizeof(uint64_t);
}

// RowsInGroups where IsOneStoredValue.
Status MarkRowsWithValues(Context& ctx, const SegmentView& segment, const Allowed& allowed,
                          const model::Grouping& grouping, Bitset& rows) {
  const WantedValues wanted(grouping.only[0].view());
  const BitsetView bits = allowed.view();
  for (size_t begin = 0; begin < segment.rows(); begin += kChunkRows) {
    TRY(ctx.CheckAlive());
    const size_t count = std::min(kChunkRows, segment.rows() - begin);
    TRY_ASSIGN(const model::ColumnView values, segment.Read(grouping.keys[0].field, begin, count));
    for (size_t i = 0; i < count; ++i) {
      if ((allowed.all || bits.Test(begin + i)) && wanted.Has(values, i)) rows.Set(begin + i);
    }
  }
  return {};
}

// The rows of `allowed` whose groups are wanted.
Result<Allowed> RowsInGroups(Context& ctx, const SegmentView& segment, const Allowed& allowed,
                             const model::Grouping& grouping) {
  Allowed kept;
  kept.elements = allowed.elements;
  kept.bits.Resize(segment.rows());
  if (IsOneStoredValue(segment, grouping)) {
    TRY(MarkRowsWithValues(ctx, segment, allowed, grouping, kept.bits));
    kept.none = !kept.bits.Any();
    return kept;
  }
  const std::vector<model::ColumnView> wanted = model::ViewsOf(grouping.only);
  std::unordered_set<std::string> texts;
  for (size_t row = 0; row < wanted[0].rows; ++row) texts.insert(model::GroupText(wanted, row));
  const BitsetView bits = allowed.view();
  std::vector<uint32_t> rows;
  for (size_t begin = 0; begin < segment.rows(); begin += kChunkRows) {
    TRY(ctx.CheckAlive());
    const size_t count = std::min(kChunkRows, segment.rows() - begin);
    rows.clear();
    for (size_t row = begin; row < begin + count; ++row) {
      if (allowed.all || bits.Test(row)) rows.push_back(static_cast<uint32_t>(row));
    }
    std::vector<model::Column> values = MakeGroupColumns(grouping);
    TRY(AppendGroupValues(ctx, segment, grouping, rows, values));
    const std::vector<model::ColumnView> views = model::ViewsOf(values);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (texts.contains(model::GroupText(views, i))) kept.bits.Set(rows[i]);
    }
  }
  kept.none = !kept.bits.Any();
  return kept;
}

// Puts the best groups of one query into its slots.
Status SearchOne(Context& ctx, const SegmentView& segment, const Allowed& allowed,
                 const model::ShardSearch& search, size_t query, SegmentHits& hits) {
  constexpr size_t kFirstBatch = 64;
  constexpr size_t kBatchMax = 4096;
  TRY_ASSIGN(const auto stream, SegmentStream::Open(ctx, segment, allowed, search, query));
  const model::Grouping& grouping = search.grouping;
  model::Groups groups(search.k, grouping.group_size);
  SegmentHits kept;
  const bool fills = !grouping.only.empty();
  for (size_t batch = kFirstBatch;; batch = std::min(2 * batch, kBatchMax)) {
    TRY(ctx.CheckAlive());
    TRY_ASSIGN(const SegmentHits found, stream->Next(ctx, batch));
    std::vector<model::Column> values = MakeGroupColumns(grouping);
    TRY(AppendGroupValues(ctx, segment, grouping, found.rows, values));
    const std::vector<model::ColumnView> views = model::ViewsOf(values);
    for (size_t i = 0; i < found.rows.size(); ++i) {
      if (fills ? groups.is_full() : groups.has_all_groups() && grouping.group_size == 1) break;
      if (!groups.Add(model::GroupText(views, i), static_cast<uint32_t>(kept.rows.size())))
        continue;
      kept.rows.push_back(found.rows[i]);
      kept.scores.push_back(found.scores[i]);
      if (search.by_element) kept.elements.push_back(found.elements[i]);
    }
    if (found.rows.size() < batch) break;
    if (fills ? groups.is_full() : groups.has_all_groups()) break;
  }
  const auto first = static_cast<ptrdiff_t>(query * search.hits_max());
  std::copy(kept.rows.begin(), kept.rows.end(), hits.rows.begin() + first);
  std::copy(kept.scores.begin(), kept.scores.end(), hits.scores.begin() + first);
  std::copy(kept.elements.begin(), kept.elements.end(), hits.elements.begin() + first);
  return {};
}

}  // namespace

std::vector<model::Column> MakeGroupColumns(const model::Grouping& grouping) {
  std::vector<model::Column> columns;
  columns.reserve(grouping.keys.size());
  for (const model::GroupKey& key : grouping.keys) {
    columns.push_back(model::MakeColumn(key.field, key.name, key.type, DataType::kNone, 0));
  }
  return columns;
}

Status AppendGroupValues(Context& ctx, const SegmentView& segment, const model::Grouping& grouping,
                         std::span<const uint32_t> rows, std::vector<model::Column>& columns) {
  for (size_t k = 0; k < grouping.keys.size(); ++k) {
    const model::GroupKey& key = grouping.keys[k];
    const model::FieldSchema* field = segment.schema().FindField(key.field);
    if (field == nullptr) {
      return Error(ErrorCode::kFieldNotFound, "field not found[field={}]", key.field.value());
    }
    if (field->type != DataType::kJson) {
      TRY(AppendValues(segment, key.field, rows, columns[k]));
      continue;
    }
    model::Column documents =
        model::MakeColumn(field->id, field->name, field->type, DataType::kNone, 0);
    TRY(AppendValues(segment, key.field, rows, documents));
    TRY(AppendJson(ctx, documents.view(), key, columns[k]));
  }
  return {};
}

Status SearchGroups(Context& ctx, const SegmentView& segment, const Allowed& allowed,
                    const model::ShardSearch& search, size_t begin, size_t count,
                    SegmentHits& hits) {
  Allowed in_groups;
  const bool fills = !search.grouping.only.empty();
  if (fills) {
    TRY_ASSIGN(in_groups, RowsInGroups(ctx, segment, allowed, search.grouping));
    if (in_groups.none) return {};
  }
  for (size_t query = begin; query < begin + count; ++query) {
    TRY(SearchOne(ctx, segment, fills ? in_groups : allowed, search, query, hits));
  }
  return {};
}

}  // namespace elanus::segment
