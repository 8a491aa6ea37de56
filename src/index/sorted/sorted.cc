// Sorted index. File (framed "ELSORTED"): 32 zero bytes; u64 type, rows, valid (rows in order), nan
// (rows that are NaN), null; then, each padded to 8: row numbers in value order (u32 x valid), NaN
// rows, null rows (u32), the values in order (fixed width, or valid + 1 u64 offsets and the bytes).
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/framed.h"
#include "index/scalar_index.h"

namespace elanus::index {
namespace {

using model::Compare;
using model::DataType;
using model::Predicate;

constexpr std::string_view kMagic = "ELSORTED";
constexpr size_t kLead = 32;

struct Header {
  uint64_t type, rows, valid, nan, null, value_bytes;
};

struct Layout {
  size_t order, nan, null, offsets, values, end;
  Layout(const Header& h, uint32_t width) {
    const auto align = [](size_t n) { return (n + 7) / 8 * 8; };
    order = kLead + sizeof(Header);
    nan = align(order + h.valid * 4);
    null = align(nan + h.nan * 4);
    offsets = align(null + h.null * 4);
    values = width != 0 ? offsets : offsets + (h.valid + 1) * 8;
    end = values + h.value_bytes;
  }
};

// Numbers in the file. Read by copy: a blob may begin at any address.
template <class T>
struct Numbers {
  const char* bytes = nullptr;
  T operator[](size_t i) const {
    T value;
    std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
    return value;
  }
};

bool IsIndexed(DataType type) {
  return type == DataType::kBool || type == DataType::kVarChar || model::IsInteger(type) ||
         model::IsFloating(type);
}
bool IsNan(const model::Scalar& constant) {
  return constant.is_double() && std::isnan(constant.as_double());
}

// Orders one value of the index against a constant of a predicate.
template <class T>
struct Fixed {
  Numbers<T> values;
  int CompareTo(size_t i, const model::Scalar& constant) const {
    const T v = values[i];
    if constexpr (std::is_floating_point_v<T>) {
      const double c = constant.number();
      return v < c ? -1 : v > c;
    } else {
      const int64_t c = constant.is_bool() ? constant.as_bool() : constant.as_int();
      return static_cast<int64_t>(v) < c ? -1 : static_cast<int64_t>(v) > c;
    }
  }
};
struct Texts {
  Numbers<uint64_t> offsets;
  const char* bytes = nullptr;
  std::string_view at(size_t i) const { return {bytes + offsets[i], offsets[i + 1] - offsets[i]}; }
  int CompareTo(size_t i, const model::Scalar& constant) const {
    const int order = at(i).compare(constant.as_string());
    return order < 0 ? -1 : order > 0;
  }
};

class Sorted final : public ScalarIndex {
 public:
  Sorted(Blob file, std::string_view payload, const Header& header)
      : file_(std::move(file)), header_(header) {
    const auto type = static_cast<DataType>(header.type);
    const Layout at(header, model::WidthOf(type));
    order_ = {payload.data() + at.order};
    nan_ = {payload.data() + at.nan};
    null_ = {payload.data() + at.null};
    values_ = payload.data() + at.values;
    texts_ = {{payload.data() + at.offsets}, payload.data() + at.values};
  }

  // What the frame's checksum cannot promise: that the numbers inside lead nowhere else.
  Status Check() const {
    Bitset seen(header_.rows);
    const auto check = [&](Numbers<uint32_t> list, uint64_t count) -> Status {
      for (uint64_t i = 0; i < count; ++i) {
        const uint32_t row = list[i];
        if (row >= header_.rows || seen.Test(row)) {
          return Error(ErrorCode::kIntegrity, "the sorted index names row {} twice or of {} rows",
                       row, header_.rows);
        }
        seen.Set(row);
      }
      return {};
    };
    TRY(check(order_, header_.valid));
    TRY(check(nan_, header_.nan));
    TRY(check(null_, header_.null));
    if (static_cast<DataType>(header_.type) != DataType::kVarChar) return {};
    bool in_order = texts_.offsets[0] == 0 && texts_.offsets[header_.valid] == header_.value_bytes;
    for (uint64_t i = 0; in_order && i < header_.valid; ++i) {
      in_order = texts_.offsets[i] <= texts_.offsets[i + 1];
    }
    if (!in_order) return Status(ErrorCode::kIntegrity, "the sorted index has texts out of place");
    return {};
  }

  Result<bool> Answer(Context& ctx, const Predicate& predicate, Bitset& matches) const override {
    TRY(ctx.CheckAlive());
    if (matches.size() != header_.rows) {
      return Error(ErrorCode::kIntegrity,
                   "the sorted index is of another segment: {} rows, want {}", header_.rows,
                   matches.size());
    }
    const auto type = static_cast<DataType>(header_.type);
    const bool is_prefix = predicate.kind == Predicate::Kind::kPrefix;
    if (predicate.type != type || (is_prefix && type != DataType::kVarChar)) return false;
    if (predicate.kind == Predicate::Kind::kIsNull) {
      for (size_t i = 0; i < header_.null; ++i) matches.Set(null_[i]);
      return true;
    }
    switch (type) {
      case DataType::kBool:
      case DataType::kInt8:
        Run(Fixed<int8_t>{{values_}}, predicate, matches);
        return true;
      case DataType::kInt16:
        Run(Fixed<int16_t>{{values_}}, predicate, matches);
        return true;
      case DataType::kInt32:
        Run(Fixed<int32_t>{{values_}}, predicate, matches);
        return true;
      case DataType::kInt64:
        Run(Fixed<int64_t>{{values_}}, predicate, matches);
        return true;
      case DataType::kFloat:
        Run(Fixed<float>{{values_}}, predicate, matches);
        return true;
      case DataType::kDouble:
        Run(Fixed<double>{{values_}}, predicate, matches);
        return true;
      case DataType::kVarChar:
        if (is_prefix) {
          Prefix(predicate.values[0].as_string(), matches);
        } else {
          Run(texts_, predicate, matches);
        }
        return true;
      default:
        return false;
    }
  }

  size_t memory_bytes() const override { return file_.heap_bytes(); }

 private:
  // First place whose value is not below (or, with `after`, above) the constant.
  template <class Values>
  size_t Bound(const Values& values, const model::Scalar& constant, bool after) const {
    size_t low = 0;
    size_t high = header_.valid;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      const int order = values.CompareTo(middle, constant);
      if (order < 0 || (after && order == 0))
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }
  void SetRange(size_t begin, size_t end, Bitset& matches) const {
    for (size_t i = begin; i < end; ++i) matches.Set(order_[i]);
  }
  void SetNan(Bitset& matches) const {
    for (size_t i = 0; i < header_.nan; ++i) matches.Set(nan_[i]);
  }

  template <class Values>
  void Run(const Values& values, const Predicate& p, Bitset& matches) const {
    const size_t n = header_.valid;
    if (p.kind == Predicate::Kind::kIn) {
      for (const model::Scalar& value : p.values) {
        if (IsNan(value)) continue;
        SetRange(Bound(values, value, false), Bound(values, value, true), matches);
      }
      return;
    }
    // NaN has no place in the order: unequal to every value, below and above none.
    if (std::any_of(p.values.begin(), p.values.end(), IsNan)) {
      if (p.kind == Predicate::Kind::kCompare && p.op == Compare::kNe) {
        SetRange(0, n, matches);
        SetNan(matches);
      }
      return;
    }
    if (p.kind == Predicate::Kind::kRange) {
      const size_t begin = Bound(values, p.values[0], !p.lower_inclusive);
      SetRange(begin, std::max(begin, Bound(values, p.values[1], p.upper_inclusive)), matches);
      return;
    }
    const size_t low = Bound(values, p.values[0], false);
    const size_t high = Bound(values, p.values[0], true);
    switch (p.op) {
      case Compare::kEq:
        SetRange(low, high, matches);
        break;
      case Compare::kNe:
        SetRange(0, low, matches);
        SetRange(high, n, matches);
        SetNan(matches);
        break;
      case Compare::kLt:
        SetRange(0, low, matches);
        break;
      case Compare::kLe:
        SetRange(0, high, matches);
        break;
      case Compare::kGt:
        SetRange(high, n, matches);
        break;
      case Compare::kGe:
        SetRange(low, n, matches);
        break;
    }
  }

  void Prefix(const std::string& prefix, Bitset& matches) const {
    for (size_t i = Bound(texts_, model::Scalar(prefix), false);
         i < header_.valid && texts_.at(i).starts_with(prefix); ++i) {
      matches.Set(order_[i]);
    }
  }

  Blob file_;
  const Header header_;
  Numbers<uint32_t> order_;
  Numbers<uint32_t> nan_;
  Numbers<uint32_t> null_;
  const char* values_;
  Texts texts_;
};

template <class T>
void SortFixed(const model::ColumnView& column, std::vector<uint32_t>& order,
               std::vector<uint32_t>& nan) {
  if constexpr (std::is_floating_point_v<T>) {
    std::erase_if(order, [&](uint32_t row) {
      if (!std::isnan(column.Get<T>(row))) return false;
      nan.push_back(row);
      return true;
    });
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return column.Get<T>(a) < column.Get<T>(b); });
}

}  // namespace

Result<std::string> BuildSortedIndex(Context& ctx, const model::ColumnView& column) {
  TRY(ctx.CheckAlive());
  std::vector<uint32_t> order, nan, null;
  for (uint32_t row = 0; row < column.rows; ++row) {
    (column.IsValid(row) ? order : null).push_back(row);
  }
  switch (column.type) {
    case DataType::kBool:
    case DataType::kInt8:
      SortFixed<int8_t>(column, order, nan);
      break;
    case DataType::kInt16:
      SortFixed<int16_t>(column, order, nan);
      break;
    case DataType::kInt32:
      SortFixed<int32_t>(column, order, nan);
      break;
    case DataType::kInt64:
      SortFixed<int64_t>(column, order, nan);
      break;
    case DataType::kFloat:
      SortFixed<float>(column, order, nan);
      break;
    case DataType::kDouble:
      SortFixed<double>(column, order, nan);
      break;
    case DataType::kVarChar:
      std::stable_sort(order.begin(), order.end(),
                       [&](uint32_t a, uint32_t b) { return column.Bytes(a) < column.Bytes(b); });
      break;
    default:
      return Error(ErrorCode::kIndexNotSupported, "no sorted index on {}", NameOf(column.type));
  }
  std::string values;
  std::vector<uint64_t> offsets{0};
  for (uint32_t row : order) {
    values.append(column.Bytes(row));
    if (column.width == 0) offsets.push_back(values.size());
  }
  const Header header{static_cast<uint64_t>(column.type),
                      column.rows,
                      order.size(),
                      nan.size(),
                      null.size(),
                      values.size()};
  const Layout at(header, column.width);
  std::string payload(at.end, '\0');
  const auto put = [&](size_t offset, const auto& list) {
    if (!list.empty())
      std::memcpy(payload.data() + offset, list.data(), list.size() * sizeof(list[0]));
  };
  std::memcpy(payload.data() + kLead, &header, sizeof(header));
  put(at.order, order);
  put(at.nan, nan);
  put(at.null, null);
  if (column.width == 0) put(at.offsets, offsets);
  put(at.values, values);
  return Frame(kMagic, 1, payload);
}

Result<std::unique_ptr<ScalarIndex>> OpenSortedIndex(Blob file) {
  TRY_ASSIGN(const std::string_view payload, Unframe(kMagic, 1, file.bytes(), "sorted index"));
  Header header;
  if (payload.size() < kLead + sizeof(header)) {
    return Status(ErrorCode::kIntegrity, "the sorted index is too short");
  }
  std::memcpy(&header, payload.data() + kLead, sizeof(header));
  const uint64_t rows = header.rows;
  const auto type = static_cast<DataType>(header.type);
  // Every row has a number of four bytes, which bounds all sums below.
  const bool is_sane = rows <= payload.size() / 4 && rows < UINT32_MAX && header.valid <= rows &&
                       header.nan <= rows && header.null <= rows &&
                       header.value_bytes <= payload.size() && header.type <= UINT8_MAX &&
                       IsIndexed(type);
  const uint32_t width = is_sane ? model::WidthOf(type) : 0;
  const bool fits = is_sane && header.valid + header.nan + header.null == rows &&
                    (header.nan == 0 || model::IsFloating(type)) &&
                    (width == 0 || header.value_bytes == header.valid * width) &&
                    Layout(header, width).end == payload.size();
  if (!fits) return Status(ErrorCode::kIntegrity, "the sorted index is not whole");
  auto index = std::make_unique<Sorted>(std::move(file), payload, header);
  TRY(index->Check());
  return std::unique_ptr<ScalarIndex>(std::move(index));
}

}  // namespace elanus::index
