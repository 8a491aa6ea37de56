// Encoding, decoding and printing of structs that describe their fields once.
//
// A struct writes `template <class V> void Fields(V& v) { v(1, "name", name); v(2, "rows", rows);
// }`. Bytes: for each field that is not zero (empty), or whose default is not, varint(tag << 3 |
// kind), then by kind 0 a varint (zigzag for signed), 1 eight little-endian bytes, 2 a varint
// length and that many bytes. Tags are never reused; unknown tags are skipped, so neighbours of two
// versions talk.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/status.h"

namespace elanus {

namespace fields_internal {

struct Probe {
  template <class T>
  void operator()(int, const char*, T&) {}
};
template <class T>
concept Described = requires(T& t, Probe& p) { t.Fields(p); };

template <class T>
struct IsStrongInt : std::false_type {};
template <class Tag, class Int>
struct IsStrongInt<StrongInt<Tag, Int>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class K, class W>
struct IsMap<std::map<K, W>> : std::true_type {};

enum Kind : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2 };

template <class T>
constexpr bool kIsBytes = std::is_same_v<T, std::string> || std::is_same_v<T, std::vector<uint8_t>>;

template <class T>
constexpr Kind KindOf() {
  if constexpr (std::is_floating_point_v<T>) {
    return kFixed64;
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T> || IsStrongInt<T>::value) {
    return kVarint;
  } else {
    return kBytes;
  }
}

template <class T>
std::string EncodeStruct(const T& value);
template <class T>
Status DecodeStruct(std::string_view bytes, T& value);

template <class T>
void PutValue(ByteWriter& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out.Varint(value ? 1 : 0);
  } else if constexpr (std::is_enum_v<T>) {
    out.Varint(static_cast<uint64_t>(value));
  } else if constexpr (IsStrongInt<T>::value) {
    PutValue(out, value.value());
  } else if constexpr (std::is_integral_v<T>) {
    if constexpr (std::is_signed_v<T>) {
      const int64_t v = value;
      out.Varint((static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63));
    } else {
      out.Varint(value);
    }
  } else if constexpr (std::is_floating_point_v<T>) {
    out.F64(value);
  } else if constexpr (kIsBytes<T>) {
    out.Varint(value.size());
    out.Raw(value.data(), value.size());
  } else if constexpr (IsVector<T>::value) {
    ByteWriter inner;
    for (const auto& item : value)
      PutValue(inner, static_cast<const typename T::value_type&>(item));
    out.Varint(inner.size());
    out.Raw(inner.data(), inner.size());
  } else if constexpr (IsMap<T>::value) {
    ByteWriter inner;
    for (const auto& [key, item] : value) {
      PutValue(inner, key);
      PutValue(inner, item);
    }
    out.Varint(inner.size());
    out.Raw(inner.data(), inner.size());
  } else if constexpr (IsOptional<T>::value) {
    ByteWriter inner;
    if (value) PutValue(inner, *value);
    out.Varint(inner.size());
    out.Raw(inner.data(), inner.size());
  } else {
    static_assert(Described<T>, "type needs Fields(visitor)");
    const std::string inner = EncodeStruct(value);
    out.Varint(inner.size());
    out.Raw(inner.data(), inner.size());
  }
}

template <class T>
bool GetValue(ByteReader& in, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    uint64_t v;
    if (!in.Varint(v)) return false;
    value = v != 0;
    return true;
  } else if constexpr (std::is_enum_v<T>) {
    uint64_t v;
    if (!in.Varint(v)) return false;
    value = static_cast<T>(v);
    return true;
  } else if constexpr (IsStrongInt<T>::value) {
    typename T::Rep v{};
    if (!GetValue(in, v)) return false;
    value = T(v);
    return true;
  } else if constexpr (std::is_integral_v<T>) {
    uint64_t v;
    if (!in.Varint(v)) return false;
    if constexpr (std::is_signed_v<T>) {
      value = static_cast<T>(static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1));
    } else {
      value = static_cast<T>(v);
    }
    return true;
  } else if constexpr (std::is_floating_point_v<T>) {
    double v;
    if (!in.F64(v)) return false;
    value = static_cast<T>(v);
    return true;
  } else {
    std::string_view bytes;
    if (!in.Bytes(bytes)) return false;
    if constexpr (kIsBytes<T>) {
      value.assign(bytes.begin(), bytes.end());
      return true;
    } else if constexpr (IsVector<T>::value) {
      ByteReader inner(bytes);
      value.clear();
      while (!inner.AtEnd()) {
        typename T::value_type item{};
        if (!GetValue(inner, item)) return false;
        value.push_back(std::move(item));
      }
      return true;
    } else if constexpr (IsMap<T>::value) {
      ByteReader inner(bytes);
      value.clear();
      while (!inner.AtEnd()) {
        typename T::key_type key{};
        typename T::mapped_type item{};
        if (!GetValue(inner, key) || !GetValue(inner, item)) return false;
        value.emplace(std::move(key), std::move(item));
      }
      return true;
    } else if constexpr (IsOptional<T>::value) {
      ByteReader inner(bytes);
      if (inner.AtEnd()) {
        value.reset();
        return true;
      }
      return GetValue(inner, value.emplace());
    } else {
      return DecodeStruct(bytes, value).ok();
    }
  }
}

template <class T>
bool IsDefault(const T& value) {
  if constexpr (kIsBytes<T> || IsVector<T>::value || IsMap<T>::value) {
    return value.empty();
  } else if constexpr (IsOptional<T>::value) {
    return !value.has_value();
  } else if constexpr (Described<T>) {
    return false;
  } else {
    return value == T{};
  }
}

// Tags whose default is not zero: leaving out a zero there would bring the default back instead.
struct DefaultsNotZero {
  std::vector<int> tags;
  template <class T>
  void operator()(int tag, const char*, T& value) {
    if (!IsDefault(value)) tags.push_back(tag);
  }
  bool Has(int tag) const {
    for (int other : tags) {
      if (other == tag) return true;
    }
    return false;
  }
};

struct Encoder {
  const DefaultsNotZero& defaults;
  ByteWriter out;
  template <class T>
  void operator()(int tag, const char*, T& value) {
    if (IsDefault(value) && !defaults.Has(tag)) return;
    out.Varint(static_cast<uint64_t>(tag) << 3 | KindOf<std::remove_const_t<T>>());
    PutValue(out, value);
  }
};

struct Decoder {
  int tag;
  ByteReader& in;
  bool found = false;
  bool good = true;
  uint32_t kind;
  template <class T>
  void operator()(int field_tag, const char*, T& value) {
    if (found || field_tag != tag) return;
    found = true;
    good = kind == KindOf<T>() && GetValue(in, value);
  }
};

template <class T>
std::string EncodeStruct(const T& value) {
  static const DefaultsNotZero defaults = [] {
    T untouched{};
    DefaultsNotZero probe;
    untouched.Fields(probe);
    return probe;
  }();
  Encoder encoder{.defaults = defaults};
  const_cast<T&>(value).Fields(
      encoder);  // The encoder reads only; one Fields serves both directions.
  return std::move(encoder.out).Take();
}

template <class T>
Status DecodeStruct(std::string_view bytes, T& value) {
  ByteReader in(bytes);
  while (!in.AtEnd()) {
    uint64_t key;
    if (!in.Varint(key)) return Status(ErrorCode::kSerialization, "record ends inside a field key");
    Decoder decoder{.tag = static_cast<int>(key >> 3), .in = in, .kind = uint32_t(key & 7)};
    value.Fields(decoder);
    if (!decoder.found) {
      uint64_t number;
      double real;
      std::string_view skipped;
      switch (key & 7) {
        case kVarint:
          decoder.good = in.Varint(number);
          break;
        case kFixed64:
          decoder.good = in.F64(real);
          break;
        case kBytes:
          decoder.good = in.Bytes(skipped);
          break;
        default:
          decoder.good = false;
      }
    }
    if (!decoder.good) {
      return Error(ErrorCode::kSerialization, "field {} of a record does not decode", key >> 3);
    }
  }
  return {};
}

}  // namespace fields_internal

/// Bytes of a described struct.
template <class T>
std::string Encode(const T& value) {
  return fields_internal::EncodeStruct(value);
}

/// The struct from its bytes; kSerialization when they are damaged. Fields not in the bytes keep
/// defaults.
template <class T>
Result<T> Decode(std::string_view bytes) {
  T value{};
  TRY(fields_internal::DecodeStruct(bytes, value));
  return value;
}

}  // namespace elanus
