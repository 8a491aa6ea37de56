// Words that users may write in any case.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/schema.h"

namespace elanus::model {

/// Lower case of ASCII letters.
std::string Lower(std::string_view text);
/// The value of a key, in whatever case it was written; null when it is not there.
const std::string* FindAnyCase(const std::vector<KeyValue>& list, std::string_view lower_key);

}  // namespace elanus::model
