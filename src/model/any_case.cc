// Words in any case.
#include "model/any_case.h"

namespace elanus::model {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return lower;
}

const std::string* FindAnyCase(const std::vector<KeyValue>& list, std::string_view lower_key) {
  for (const KeyValue& pair : list) {
    if (Lower(pair.key) == lower_key) return &pair.value;
  }
  return nullptr;
}

}  // namespace elanus::model
