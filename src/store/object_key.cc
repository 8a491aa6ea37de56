// The rule for object keys.
#include "store/object_key.h"

namespace elanus::store {

Status CheckObjectKey(std::string_view key) {
  const auto bad = [&] { return Invalid("not an object key: '{}'", key); };
  if (key.empty()) return bad();
  for (char c : key) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '\\') return bad();
  }
  std::string_view rest = key;
  while (true) {
    const size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty() || part.front() == '.') return bad();
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace elanus::store
