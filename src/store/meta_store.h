// Small, precious key-value pairs with transactions: the catalog lives here. RocksDB now, etcd
// later.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/status.h"

namespace elanus::store {

/// A change that happens whole or not at all.
struct MetaTxn {
  struct Compare {
    std::string key;
    std::optional<std::string> value;  // nullopt: the key must not exist.
  };
  std::vector<Compare> compares;  // All must hold, else nothing is written.
  std::vector<std::pair<std::string, std::string>> puts;
  std::vector<std::string> deletes;
};

/// Thread-safe.
class MetaStore {
 public:
  virtual ~MetaStore() = default;
  virtual Result<std::optional<std::string>> Get(Context& ctx, std::string_view key) = 0;
  /// All pairs whose key starts with `prefix`, ascending by key, as of one moment.
  virtual Result<std::vector<std::pair<std::string, std::string>>> Scan(
      Context& ctx, std::string_view prefix) = 0;
  /// True when it was applied, durable on return; false when a compare did not hold.
  virtual Result<bool> Commit(Context& ctx, const MetaTxn& txn) = 0;
};

}  // namespace elanus::store
