// Files that parameters of analyzers name: words, synonyms, dictionaries; and models of chains.
#pragma once

#include <cstdint>
#include <string>

namespace elanus::model {

/// A file that clients have given a name. Its bytes are a copy: what lies at the path may change.
struct FileResource {
  int64_t id = 0;
  std::string name;
  std::string path;  // The object key that it was made of.
  std::string copy;  // The object key of the copy; its last part is that of the path.
  template <class V>
  void Fields(V& v) {
    v(1, "id", id);
    v(2, "name", name);
    v(3, "path", path);
    v(4, "copy", copy);
  }
};

}  // namespace elanus::model
