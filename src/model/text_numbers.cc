// Texts that count as numbers.
#include "model/text_numbers.h"

namespace elanus::model {
namespace {

constexpr std::string_view kPrefix = "json_text_numbers:";

}  // namespace

std::string TextNumberKey(std::string_view path) { return std::string(kPrefix).append(path); }

bool IsTextNumberKey(std::string_view key) { return key.starts_with(kPrefix); }

bool HasTextNumbers(const FieldSchema& field, std::string_view path) {
  for (const KeyValue& param : field.type_params) {
    if (IsTextNumberKey(param.key) && std::string_view(param.key).substr(kPrefix.size()) == path) {
      return true;
    }
  }
  return false;
}

}  // namespace elanus::model
