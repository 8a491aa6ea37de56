// The table of methods, put together from its families.
#include "wire/grpc/method.h"

#include <array>
#include <map>

namespace elanus::wire {

std::span<const std::span<const Method>> MethodFamilies() {
  static const std::array kFamilies{ConnectionMethods(), CollectionMethods(), SchemaMethods(),
                                    IndexMethods(),      DataMethods(),       StorageMethods(),
                                    TextMethods(),       ResourceMethods()};
  return kFamilies;
}

const Method* FindMethod(std::string_view name) {
  static const auto kTable = [] {
    std::map<std::string_view, const Method*> table;
    for (const auto& family : MethodFamilies()) {
      for (const Method& method : family) table[method.name] = &method;
    }
    return table;
  }();
  const auto found = kTable.find(name);
  return found == kTable.end() ? nullptr : found->second;
}

}  // namespace elanus::wire
