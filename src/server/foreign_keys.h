// Configuration keys of Milvus that mean nothing here, each with the reason: who brings them is
// told it, and none is read and ignored.
#pragma once

#include <span>
#include <string_view>

namespace elanus::server {

struct ForeignKey {
  std::string_view key;  // One that ends in '.': all keys that begin with it.
  std::string_view why;  // What is so here, and which key to use where there is one.
};

std::span<const ForeignKey> ForeignKeys();

/// The row of the key that says most of it, or null.
const ForeignKey* FindForeignKey(std::string_view key);

}  // namespace elanus::server
