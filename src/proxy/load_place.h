// Where a load asks to be: how many copies, on which groups of nodes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/services.h"

namespace elanus::proxy {

inline constexpr ErrorCode kTooFewNodes{12};

/// The property of a collection that says where a load goes that names no groups.
inline constexpr std::string_view kGroupsKey = "collection.resource_groups";

struct LoadPlace {
  int64_t replicas = 0;  // 0: as the server has it.
  // Empty: where it is, or else those of the collection's property, or else the default one.
  std::vector<std::string> resource_groups;
  bool is_refresh = false;  // Rows that came meanwhile are to be read, too.
  bool is_of_partitions = false;
  std::string priority;  // "high", "low" or none. One queue serves both.
};

/// The groups that a list of names separated by commas, as the property has it, means. Errors:
/// kInvalidParameter where they are not as many as replicas can be, kResourceGroupNotFound.
Result<std::vector<std::string>> ReadGroups(Services& services, std::string_view list);

/// Whether the collection can be loaded, or be moved when it is loaded, to such a place.
Status CheckPlace(Services& services, const model::CollectionInfo& collection,
                  const LoadPlace& place);

/// Loads partitions, or of none the collection, at such a place: one node is there, in one of the
/// resource groups. A refresh of what is loaded has nothing to do, as every row is read at once; of
/// what is not, kCollectionNotLoaded.
/// Other errors: those of Load, kTooFewNodes, kResourceGroupNotFound, kResourceGroupTooSmall.
Status LoadAt(Context& ctx, Services& services, const model::CollectionName& name,
              const std::vector<std::string>& partitions, const model::LoadFields& fields,
              const LoadPlace& place);

}  // namespace elanus::proxy
