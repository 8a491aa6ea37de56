// Strong ids: numbers that cannot be mixed up or added by accident.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace elanus {

/// Explicit in, `.value()` out.
template <class Tag, class Int>
class StrongInt {
 public:
  using Rep = Int;
  constexpr StrongInt() = default;
  constexpr explicit StrongInt(Int value) : value_(value) {}
  constexpr Int value() const { return value_; }
  constexpr auto operator<=>(const StrongInt&) const = default;

 private:
  Int value_ = 0;
};

using CollectionId = StrongInt<struct CollectionIdTag, int64_t>;
using PartitionId = StrongInt<struct PartitionIdTag, int64_t>;
using SegmentId = StrongInt<struct SegmentIdTag, int64_t>;
using IndexId = StrongInt<struct IndexIdTag, int64_t>;
using FieldId = StrongInt<struct FieldIdTag, int64_t>;

}  // namespace elanus

template <class Tag, class Int>
struct std::hash<elanus::StrongInt<Tag, Int>> {
  size_t operator()(elanus::StrongInt<Tag, Int> id) const { return std::hash<Int>()(id.value()); }
};
