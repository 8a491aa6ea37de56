// Checks that several operations share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/services.h"

namespace elanus::proxy {

/// The type parameter of a field that says whether loading is to leave it out.
inline constexpr const char* kSkipLoadKey = "field.skipLoad";

/// Collections, aliases, indexes: letter or '_' first, then letters, digits, '_'. kInvalidParameter
/// naming `what`.
Status CheckName(const ProxyOptions& options, std::string_view what, std::string_view name);
/// A name without the blanks around it.
std::string_view WithoutBlanks(std::string_view name);
/// The name of a partition without the blanks around it, which may begin with a digit and hold '-'.
/// kInvalidParameter.
Result<std::string> PartitionNamed(const ProxyOptions& options, std::string_view name);
/// The name of a snapshot without the blanks around it: as CheckName, and what the options add.
/// kInvalidParameter.
Result<std::string> SnapshotNamed(const ProxyOptions& options, std::string_view name);
/// As CheckName, for indexes: they may hold brackets, as the names of sub-fields do.
Status CheckIndexName(const ProxyOptions& options, std::string_view name);
Status CheckFieldName(const ProxyOptions& options, std::string_view name);
/// Fields, types, keys and defaults of a new collection.
Status CheckSchema(const ProxyOptions& options, const model::CollectionSchema& schema);

/// Name rule, then database and collection.
Result<roles::CollectionSnapshot> Resolve(Context& ctx, Services& services,
                                          const model::CollectionName& name);
/// Ids of named partitions. `not_found` is the code for an unknown one.
Result<std::vector<PartitionId>> ResolvePartitions(const model::CollectionInfo& collection,
                                                   const std::vector<std::string>& names,
                                                   ErrorCode not_found);
/// Ids of the partitions that a read names; where the options say that names are patterns, of all
/// that match one. kInvalidParameter: a name that no partition has or matches, or a bad pattern.
Result<std::vector<PartitionId>> ReadPartitions(const ProxyOptions& options,
                                                const model::CollectionInfo& collection,
                                                const std::vector<std::string>& names);
/// True and false as clients spell them. kInvalidParameter naming `key`.
Result<bool> ParseBool(std::string_view key, std::string_view text);
/// A whole integer, with 0x, 0b, 0o or 0 prefixes. kInvalidParameter naming `key`.
Result<int64_t> ParseInt(std::string_view key, std::string_view text);

}  // namespace elanus::proxy
