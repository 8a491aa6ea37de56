// The catalog's store on RocksDB, tuned small: it holds a few megabytes of precious keys.
#pragma once

#include <memory>
#include <string>

#include "store/meta_store.h"

namespace elanus::backend {

Result<std::unique_ptr<store::MetaStore>> OpenRocksDbMetaStore(const std::string& directory);

}  // namespace elanus::backend
