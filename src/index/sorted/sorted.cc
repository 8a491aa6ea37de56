// Sorted index. File (framed "ELSORTED"): 32 zero bytes; u64 type, rows, valid (rows in order), nan
// (rows that are NaN), null; then, each padded to 8: row numbers in value order (u32 x valid), NaN
// rows, null rows (u32), the values in order (fixed width, or valid + 1 u64 offsets and the bytes).
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/framed.h"
#include "index/scalar/ordered.h"
#include "index/scalar/scalar_types.h"
#include "index/scalar/sections.h"

namespace elanus::index {
namespace {

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

class Sorted final : public ScalarIndex {
 public:
  Sorted(Blob file, std::string_view payload, const Header& header)
      : file_(std::move(file)), header_(header), type_(static_cast<DataType>(header.type)) {
    const Layout at(header, model::WidthOf(type_));
    order_ = {payload.data() + at.order};
    nan_ = {payload.data() + at.nan};
    null_ = {payload.data() + at.null};
    offsets_ = payload.data() + at.offsets;
    const char* bytes = payload.data() + at.values;
    values_ = type_ == DataType::kVarChar ? MakeOrderedTexts(offsets_, bytes, header.valid)
                                          : MakeOrderedNumbers(type_, bytes, header.valid);
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
    if (type_ == DataType::kVarChar && !AreOffsets(offsets_, header_.valid, header_.value_bytes)) {
      return Status(ErrorCode::kIntegrity, "the sorted index has texts out of place");
    }
    return {};
  }

  model::IndexPromise Estimate(const Predicate& predicate) const override {
    if (predicate.kind == Predicate::Kind::kIsNull) return Promise(header_.null);
    // Of a test of texts only the texts with its prefix are looked at.
    Predicate wider;
    const bool is_text = predicate.kind == Predicate::Kind::kText;
    if (is_text && predicate.text->prefix().empty()) return {};
    if (is_text) {
      wider.kind = Predicate::Kind::kPrefix;
      wider.type = predicate.type;
      wider.values = {model::Scalar(std::string(predicate.text->prefix()))};
    }
    Places places;
    if (!Find(is_text ? wider : predicate, places)) return {};
    uint64_t rows = places.nan ? header_.nan : 0;
    for (const auto& [begin, end] : places.ranges) rows += end - begin;
    model::IndexPromise promise = Promise(rows);
    if (is_text) promise.cost_ns *= kTextNs / kRowNs;
    return promise;
  }

  Result<model::Coverage> Answer(Context& ctx, const Predicate& predicate,
                                 Bitset& matches) const override {
    TRY(ctx.CheckAlive());
    if (matches.size() != header_.rows) {
      return Error(ErrorCode::kIntegrity,
                   "the sorted index is of another segment: {} rows, want {}", header_.rows,
                   matches.size());
    }
    if (predicate.kind == Predicate::Kind::kIsNull) {
      SetNulls(matches);
      return model::Coverage::kExact;
    }
    Places places;
    if (!Find(predicate, places)) return model::Coverage::kNone;
    for (const auto& [begin, end] : places.ranges) {
      for (size_t i = begin; i < end; ++i) matches.Set(order_[i]);
    }
    for (size_t i = 0; places.nan && i < header_.nan; ++i) matches.Set(nan_[i]);
    return model::Coverage::kExact;
  }

  void SetNulls(Bitset& rows) const override {
    for (size_t i = 0; i < header_.null; ++i) rows.Set(null_[i]);
  }
  size_t memory_bytes() const override { return file_.heap_bytes(); }

 private:
  static constexpr double kRowNs = 2;  // Setting bits of rows in any order.
  static constexpr double kTextNs = 20;

  static model::IndexPromise Promise(uint64_t rows) {
    return {.coverage = model::Coverage::kExact,
            .rows = rows,
            .cost_ns = kRowNs * static_cast<double>(rows)};
  }
  bool Find(const Predicate& predicate, Places& places) const {
    if (predicate.type != type_ || predicate.kind == Predicate::Kind::kContains) return false;
    return FindPlaces(*values_, predicate, /*tests_all=*/false, places);
  }

  Blob file_;
  const Header header_;
  const DataType type_;
  Numbers<uint32_t> order_;
  Numbers<uint32_t> nan_;
  Numbers<uint32_t> null_;
  const char* offsets_;
  std::unique_ptr<OrderedValues> values_;
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

bool Supports(const ScalarShape& shape) {
  return IsOrdered(shape.type) && shape.type != DataType::kBool;
}

Result<std::string> Build(Context& ctx, const model::ColumnView& column, const Params&) {
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
    case DataType::kTimestamptz:
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

Result<std::unique_ptr<ScalarIndex>> Open(Blob file) {
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
                       IsOrdered(type);
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

}  // namespace

const ScalarIndexType& SortedType() {
  static const ScalarIndexType kType{
      .name = "STL_SORT", .magic = kMagic, .Supports = Supports, .Build = Build, .Open = Open};
  return kType;
}

}  // namespace elanus::index
