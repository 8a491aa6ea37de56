// The pairs that a catalog leaves in its meta store, as text: a line has the key, a space, and the
// value in hexadecimal digits.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/status.h"

namespace elanus::golden {

std::string WriteCatalog();
/// Opens a catalog on the pairs and expects the content.
Status CheckCatalog(std::string_view text);

/// Text to pairs and back.
std::map<std::string, std::string> ParsePairs(std::string_view text);
std::string PrintPairs(const std::map<std::string, std::string>& pairs);

}  // namespace elanus::golden
