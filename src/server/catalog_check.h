// A catalog that belongs to other data than lies beside it is refused at the start: lost, emptied,
// or put back from a copy that is older than the log.
#pragma once

#include <string>

#include "coord/oracle.h"
#include "store/object_store.h"
#include "store/wal.h"

namespace elanus::server {

struct CatalogSurroundings {
  store::Wal& wal;
  store::ObjectStore& objects;
  size_t log_streams = 1;
};

/// A moment is written into the catalog before it is given to a write, so no record of the log and
/// no object is of a time that the catalog has not reached. To go on would leave what it does not
/// know without a name, and collect it. Reads the last record of each stream. kIntegrity, with the
/// way out.
Status CheckCatalogBelongs(Context& ctx, const coord::Oracle& oracle,
                           const CatalogSurroundings& around);

/// For tools that look at a directory: refuses one without data (kKeyNotFound), where a word may be
/// misspelt, and one whose catalog is gone (kIntegrity), before anything is made in its place.
Status CheckHoldsCatalog(const std::string& data_directory);

/// kIntegrity: no catalog, or an empty one.
Status CatalogIsLost(const std::string& data_directory);

}  // namespace elanus::server
