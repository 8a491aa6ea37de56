// Collecting by sorting (value, row) pairs.
#include "index/scalar/collect.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "index/scalar/ordered.h"
#include "index/scalar/sections.h"

namespace elanus::index {
namespace {

using model::DataType;

// Takes the sorted pairs apart into terms and their rows.
template <class Pair, class Same, class NewTerm>
void Split(const std::vector<Pair>& pairs, Collected& out, Same same, NewTerm new_term) {
  out.rows.rows.reserve(pairs.size());
  for (size_t i = 0; i < pairs.size(); ++i) {
    const bool is_new = i == 0 || !same(pairs[i - 1], pairs[i]);
    if (is_new) {
      if (i > 0) out.rows.starts.push_back(out.rows.rows.size());
      new_term(pairs[i]);
    } else if (pairs[i].row == pairs[i - 1].row) {
      continue;  // The element once more in one array.
    }
    out.rows.rows.push_back(pairs[i].row);
  }
  if (!pairs.empty()) out.rows.starts.push_back(out.rows.rows.size());
}

template <class T>
struct NumberPair {
  T value;
  uint32_t row;
};

template <class T>
void CollectNumbers(const model::ColumnView& column, Collected& out) {
  std::vector<NumberPair<T>> pairs;
  pairs.reserve(column.rows);
  const auto add = [&](T value, uint32_t row) {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(value)) {
        if (out.nan.empty() || out.nan.back() != row) out.nan.push_back(row);
        return;
      }
    }
    pairs.push_back({value, row});
  };
  for (uint32_t row = 0; row < column.rows; ++row) {
    if (!column.IsValid(row)) continue;
    if (column.type == DataType::kArray) {
      const std::string_view bytes = column.Bytes(row);
      const Numbers<T> items{bytes.data()};
      for (size_t i = 0; i < bytes.size() / sizeof(T); ++i) add(items[i], row);
    } else {
      add(column.Get<T>(row), row);
    }
  }
  std::sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
    return a.value < b.value || (a.value == b.value && a.row < b.row);
  });
  Split(
      pairs, out, [](const auto& a, const auto& b) { return a.value == b.value; },
      [&](const auto& pair) {
        out.values.append(reinterpret_cast<const char*>(&pair.value), sizeof(T));
      });
}

// The first bytes as a number that orders as they do: most comparisons of a sort end there.
uint64_t LeadOf(std::string_view text) {
  unsigned char bytes[8] = {};
  std::memcpy(bytes, text.data(), std::min<size_t>(8, text.size()));
  uint64_t lead = 0;
  for (unsigned char byte : bytes) lead = lead << 8 | byte;
  return lead;
}

struct TextPair {
  uint64_t lead;
  std::string_view text;
  uint32_t row;
};

void CollectTexts(const model::ColumnView& column, Collected& out) {
  std::vector<TextPair> pairs;
  pairs.reserve(column.rows);
  for (uint32_t row = 0; row < column.rows; ++row) {
    if (!column.IsValid(row)) continue;
    if (column.type == DataType::kArray) {
      for (std::string_view text : model::ArrayTexts(column.Bytes(row))) {
        pairs.push_back({LeadOf(text), text, row});
      }
    } else {
      const std::string_view text = column.Bytes(row);
      pairs.push_back({LeadOf(text), text, row});
    }
  }
  std::sort(pairs.begin(), pairs.end(), [](const TextPair& a, const TextPair& b) {
    if (a.lead != b.lead) return a.lead < b.lead;
    const int order = a.text.compare(b.text);
    return order != 0 ? order < 0 : a.row < b.row;
  });
  Split(
      pairs, out,
      [](const TextPair& a, const TextPair& b) { return a.lead == b.lead && a.text == b.text; },
      [&](const TextPair& pair) { out.texts.push_back(pair.text); });
}

}  // namespace

Result<Collected> Collect(Context& ctx, const model::ColumnView& column) {
  TRY(ctx.CheckAlive());
  Collected out;
  out.rows.starts = {0};
  for (uint32_t row = 0; row < column.rows; ++row) {
    if (!column.IsValid(row)) out.null.push_back(row);
  }
  switch (column.type == DataType::kArray ? column.element_type : column.type) {
    case DataType::kBool:
    case DataType::kInt8:
      CollectNumbers<int8_t>(column, out);
      break;
    case DataType::kInt16:
      CollectNumbers<int16_t>(column, out);
      break;
    case DataType::kInt32:
      CollectNumbers<int32_t>(column, out);
      break;
    case DataType::kInt64:
    case DataType::kTimestamptz:
      CollectNumbers<int64_t>(column, out);
      break;
    case DataType::kFloat:
      CollectNumbers<float>(column, out);
      break;
    case DataType::kDouble:
      CollectNumbers<double>(column, out);
      break;
    case DataType::kVarChar:
      CollectTexts(column, out);
      break;
    default:
      return Error(ErrorCode::kIndexNotSupported, "no scalar index on {}", NameOf(column.type));
  }
  TRY(ctx.CheckAlive());
  return out;
}

}  // namespace elanus::index
