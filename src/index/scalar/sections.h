// A framed file of a few byte ranges, which the scalar indexes keep their parts in.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace elanus::index {

/// Numbers in a file. Read by copy: a blob may begin at any address.
template <class T>
struct Numbers {
  const char* bytes = nullptr;
  T operator[](size_t i) const {
    T value;
    std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
    return value;
  }
};

template <class T>
std::string BytesOf(const std::vector<T>& list) {
  return std::string(reinterpret_cast<const char*>(list.data()), list.size() * sizeof(T));
}

/// The file: the frame of base/framed.h around u64 number of sections, u64 bytes of each, and the
/// sections, each padded to 8.
std::string WriteSections(std::string_view magic, const std::vector<std::string>& sections);

/// The `count` sections of a file. Errors: kIntegrity when the frame is damaged or there are not as
/// many.
Result<std::vector<std::string_view>> ReadSections(std::string_view magic, std::string_view file,
                                                   size_t count, std::string_view what);

}  // namespace elanus::index
