// One step of a path into JSON or an array.
#pragma once

#include <cstdint>
#include <string>

namespace elanus::expr {

/// One step of a path: an object key or an array index.
struct PathStep {
  bool is_index = false;
  std::string key;  // The digits too, for an index: JSON objects may have such a key.
  uint64_t index = 0;
};

}  // namespace elanus::expr
