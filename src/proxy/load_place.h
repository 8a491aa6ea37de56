// Where a load asks to be: how many copies, on which groups of nodes.
#pragma once

#include <string>
#include <vector>

#include "proxy/services.h"

namespace elanus::proxy {

inline constexpr std::string_view kDefaultResourceGroup = "__default_resource_group";
inline constexpr ErrorCode kTooFewNodes{12};
inline constexpr ErrorCode kResourceGroupNotFound{300};
inline constexpr ErrorCode kResourceGroupTooSmall{304};

struct LoadPlace {
  int64_t replicas = 0;                      // 0: as the server has it.
  std::vector<std::string> resource_groups;  // Empty: the default one.
  bool is_refresh = false;                   // Rows that came meanwhile are to be read, too.
  bool is_of_partitions = false;
};

/// Whether what there is, one node in the default group, is such a place. A refresh of what is
/// loaded has nothing to do, as every row is read at once; of what is not, kCollectionNotLoaded.
/// Other errors: kInvalidParameter, kTooFewNodes, kResourceGroupNotFound, kResourceGroupTooSmall.
Status CheckPlace(Context& ctx, Services& services, const model::CollectionName& name,
                  const LoadPlace& place);

}  // namespace elanus::proxy
