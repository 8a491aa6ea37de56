// Where a load asks to be: how many copies, on which groups of nodes.
#pragma once

#include <string>
#include <vector>

#include "proxy/services.h"

namespace elanus::proxy {

inline constexpr ErrorCode kTooFewNodes{12};

struct LoadPlace {
  int64_t replicas = 0;                      // 0: as the server has it.
  std::vector<std::string> resource_groups;  // Empty: where it is, or else the default one.
  bool is_refresh = false;                   // Rows that came meanwhile are to be read, too.
  bool is_of_partitions = false;
};

/// Loads partitions, or of none the collection, at such a place: one node is there, in one of the
/// resource groups. A refresh of what is
/// loaded has nothing to do, as every row is read at once; of what is not, kCollectionNotLoaded.
/// Other errors: those of Load, kTooFewNodes, kResourceGroupNotFound, kResourceGroupTooSmall.
Status LoadAt(Context& ctx, Services& services, const model::CollectionName& name,
              const std::vector<std::string>& partitions, const model::LoadFields& fields,
              const LoadPlace& place);

}  // namespace elanus::proxy
