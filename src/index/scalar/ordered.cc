// Binary search over values in order.
#include "index/scalar/ordered.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/partition_point.h"
#include "index/scalar/sections.h"

namespace elanus::index {
namespace {

using model::Compare;
using model::DataType;
using model::Predicate;
using model::Scalar;

// As PartitionPoint, but quick when the answer is near `begin`: most values have few equals.
template <class IsBelow>
size_t Gallop(size_t begin, size_t end, IsBelow is_below) {
  size_t step = 1;
  while (begin < end && is_below(begin + std::min(step, end - begin) - 1)) {
    begin += std::min(step, end - begin);
    step *= 2;
  }
  return PartitionPoint(begin, std::min(end, begin + step), is_below);
}

template <class T>
class OrderedNumbers final : public OrderedValues {
 public:
  OrderedNumbers(const char* bytes, size_t count) : values_{bytes}, count_(count) {}
  size_t size() const override { return count_; }
  size_t LowerBound(const Scalar& constant) const override {
    const Wide wanted = Constant(constant);
    return PartitionPoint(size_t{0}, count_,
                          [&](size_t i) { return static_cast<Wide>(values_[i]) < wanted; });
  }
  size_t UpperBound(size_t low, const Scalar& constant) const override {
    const Wide wanted = Constant(constant);
    return Gallop(low, count_, [&](size_t i) { return static_cast<Wide>(values_[i]) <= wanted; });
  }
  void Match(size_t, size_t, const model::TextTest&,
             std::vector<std::pair<size_t, size_t>>&) const override {}

 private:
  using Wide = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;
  static Wide Constant(const Scalar& constant) {
    if constexpr (std::is_floating_point_v<T>)
      return constant.number();
    else
      return constant.is_bool() ? int64_t{constant.as_bool()} : constant.as_int();
  }
  Numbers<T> values_;
  size_t count_;
};

class OrderedTexts final : public OrderedValues {
 public:
  OrderedTexts(const char* offsets, const char* bytes, size_t count)
      : offsets_{offsets}, bytes_(bytes), count_(count) {}
  size_t size() const override { return count_; }
  size_t LowerBound(const Scalar& constant) const override {
    const std::string_view wanted = constant.as_string();
    return PartitionPoint(size_t{0}, count_, [&](size_t i) { return at(i) < wanted; });
  }
  size_t UpperBound(size_t low, const Scalar& constant) const override {
    const std::string_view wanted = constant.as_string();
    return Gallop(low, count_, [&](size_t i) { return at(i) <= wanted; });
  }
  void Match(size_t begin, size_t end, const model::TextTest& test,
             std::vector<std::pair<size_t, size_t>>& ranges) const override {
    for (size_t i = begin; i < end; ++i) {
      if (!test.Matches(at(i))) continue;
      if (!ranges.empty() && ranges.back().second == i)
        ++ranges.back().second;
      else
        ranges.emplace_back(i, i + 1);
    }
  }

 private:
  std::string_view at(size_t i) const {
    // Of a mapped page that fails between the two reads the second is 0.
    const uint64_t begin = offsets_[i];
    const uint64_t end = offsets_[i + 1];
    return {bytes_ + begin, end < begin ? 0 : end - begin};
  }
  Numbers<uint64_t> offsets_;
  const char* bytes_;
  size_t count_;
};

// The least text above every text with this prefix; none: no text is.
std::optional<std::string> Successor(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

std::pair<size_t, size_t> PrefixRange(const OrderedValues& values, std::string_view prefix) {
  const auto successor = Successor(std::string(prefix));
  const size_t begin = values.LowerBound(Scalar(std::string(prefix)));
  const size_t end = successor ? values.LowerBound(Scalar(*successor)) : values.size();
  return {begin, std::max(begin, end)};  // A damaged file may be out of order.
}

void FindCompared(const OrderedValues& values, Compare op, const Scalar& constant, Places& places) {
  const size_t low = values.LowerBound(constant);
  const size_t high = values.UpperBound(low, constant);
  const size_t n = values.size();
  switch (op) {
    case Compare::kEq:
      places.ranges = {{low, high}};
      break;
    case Compare::kNe:
      places.ranges = {{0, low}, {high, n}};
      places.nan = true;
      break;
    case Compare::kLt:
      places.ranges = {{0, low}};
      break;
    case Compare::kLe:
      places.ranges = {{0, high}};
      break;
    case Compare::kGt:
      places.ranges = {{high, n}};
      break;
    case Compare::kGe:
      places.ranges = {{low, n}};
      break;
  }
}

}  // namespace

bool IsOrdered(DataType type) {
  return type == DataType::kBool || type == DataType::kVarChar || model::IsInteger(type) ||
         model::IsFloating(type) || type == DataType::kTimestamptz;
}

bool IsNan(const Scalar& constant) {
  return constant.is_double() && std::isnan(constant.as_double());
}

std::unique_ptr<OrderedValues> MakeOrderedNumbers(DataType type, const char* bytes, size_t count) {
  switch (type) {
    case DataType::kBool:
    case DataType::kInt8:
      return std::make_unique<OrderedNumbers<int8_t>>(bytes, count);
    case DataType::kInt16:
      return std::make_unique<OrderedNumbers<int16_t>>(bytes, count);
    case DataType::kInt32:
      return std::make_unique<OrderedNumbers<int32_t>>(bytes, count);
    case DataType::kFloat:
      return std::make_unique<OrderedNumbers<float>>(bytes, count);
    case DataType::kDouble:
      return std::make_unique<OrderedNumbers<double>>(bytes, count);
    default:
      return std::make_unique<OrderedNumbers<int64_t>>(bytes, count);
  }
}

std::unique_ptr<OrderedValues> MakeOrderedTexts(const char* offsets, const char* bytes,
                                                size_t count) {
  return std::make_unique<OrderedTexts>(offsets, bytes, count);
}

bool AreOffsets(const char* offsets, size_t count, uint64_t bytes) {
  const Numbers<uint64_t> at{offsets};
  if (at[0] != 0 || at[count] != bytes) return false;
  for (size_t i = 0; i < count; ++i) {
    if (at[i] > at[i + 1]) return false;
  }
  return true;
}

bool FindPlaces(const OrderedValues& values, const Predicate& p, bool tests_all, Places& places) {
  switch (p.kind) {
    case Predicate::Kind::kIn:
    case Predicate::Kind::kContains:
      for (const Scalar& value : p.values) {
        if (IsNan(value)) continue;
        const size_t low = values.LowerBound(value);
        const size_t high = values.UpperBound(low, value);
        if (low < high) places.ranges.emplace_back(low, high);
      }
      return true;
    case Predicate::Kind::kPrefix:
      places.ranges = {PrefixRange(values, p.values[0].as_string())};
      return true;
    case Predicate::Kind::kText: {
      if (p.text->prefix().empty() && !tests_all) return false;
      const auto [begin, end] = PrefixRange(values, p.text->prefix());
      values.Match(begin, end, *p.text, places.ranges);
      return true;
    }
    case Predicate::Kind::kCompare:
    case Predicate::Kind::kRange:
      break;
    default:
      return false;
  }
  // NaN has no place in the order: unequal to every value, below and above none.
  if (std::any_of(p.values.begin(), p.values.end(), IsNan)) {
    places.nan = p.kind == Predicate::Kind::kCompare && p.op == Compare::kNe;
    if (places.nan) places.ranges = {{0, values.size()}};
    return true;
  }
  if (p.kind == Predicate::Kind::kCompare) {
    FindCompared(values, p.op, p.values[0], places);
    return true;
  }
  const auto bound = [&](const Scalar& constant, bool after) {
    const size_t low = values.LowerBound(constant);
    return after ? values.UpperBound(low, constant) : low;
  };
  const size_t begin = bound(p.values[0], !p.lower_inclusive);
  places.ranges = {{begin, std::max(begin, bound(p.values[1], p.upper_inclusive))}};
  return true;
}

}  // namespace elanus::index
