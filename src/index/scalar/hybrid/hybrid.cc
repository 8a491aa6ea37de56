// HYBRID, what AUTOINDEX makes: a BITMAP where a segment has few distinct values, else STL_SORT, or
// INVERTED for arrays. Its files are those of the type it took.
#include <algorithm>
#include <array>

#include "index/scalar/ordered.h"
#include "index/scalar/scalar_types.h"

namespace elanus::index {
namespace {

using model::DataType;

constexpr int64_t kCardinalityLimit = 100;

constexpr ParamSpec kParams[] = {
    {"bitmap_cardinality_limit", Phase::kBuild, ParamKind::kInteger, kCardinalityLimit, 1, 1000,
     "From this many distinct values on a segment gets no bitmaps."},
};

bool Supports(const ScalarShape& shape) {
  return IsOrdered(shape.type == DataType::kArray ? shape.element_type : shape.type);
}

// Whether the column has fewer distinct values than the limit. Stops at the limit.
template <class Get>
bool HasFew(const model::ColumnView& column, size_t limit, Get get) {
  std::vector<std::string_view> known;
  for (uint32_t row = 0; row < column.rows; ++row) {
    if (!column.IsValid(row)) continue;
    for (std::string_view value : get(row)) {
      const auto at = std::lower_bound(known.begin(), known.end(), value);
      if (at != known.end() && *at == value) continue;
      if (known.size() + 1 >= limit) return false;
      known.insert(at, value);
    }
  }
  return true;
}

bool HasFewValues(const model::ColumnView& column, size_t limit) {
  if (column.type != DataType::kArray) {
    return HasFew(column, limit, [&](uint32_t row) { return std::array{column.Bytes(row)}; });
  }
  if (column.element_type == DataType::kVarChar) {
    return HasFew(column, limit,
                  [&](uint32_t row) { return model::ArrayTexts(column.Bytes(row)); });
  }
  const uint32_t width = model::WidthOf(column.element_type);
  return HasFew(column, limit, [&](uint32_t row) {
    std::vector<std::string_view> items;
    const std::string_view bytes = column.Bytes(row);
    for (size_t at = 0; at < bytes.size(); at += width) items.push_back(bytes.substr(at, width));
    return items;
  });
}

Result<std::string> Build(Context& ctx, const model::ColumnView& column, const Params& params) {
  const ScalarShape shape{.type = column.type, .element_type = column.element_type};
  const auto limit =
      static_cast<size_t>(params.GetInt("bitmap_cardinality_limit", kCardinalityLimit));
  const bool takes_bitmap = BitmapType().Supports(shape) && HasFewValues(column, limit);
  const ScalarIndexType& type = takes_bitmap                      ? BitmapType()
                                : column.type == DataType::kArray ? InvertedType()
                                                                  : SortedType();
  return type.Build(ctx, column, params);
}

}  // namespace

const ScalarIndexType& HybridType() {
  static const ScalarIndexType kType{.name = "HYBRID",
                                     .magic = "",
                                     .params = kParams,
                                     .is_internal = true,
                                     .Supports = Supports,
                                     .Build = Build};
  return kType;
}

}  // namespace elanus::index
