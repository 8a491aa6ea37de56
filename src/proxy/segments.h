// What segments a collection has, and which of them reads are answered from.
#pragma once

#include <string>
#include <vector>

#include "proxy/services.h"

namespace elanus::proxy {

/// Those that grow, that are on their way into files, and that are in them, each once.
Result<std::vector<model::SegmentInfo>> ListSegments(Context& ctx, Services& services,
                                                     const model::CollectionName& name);

struct LoadedSegment {
  model::ServedSegment segment;
  IndexId index;  // Of its first vector field that has one here; 0: none, rows are compared.
  std::string index_name;
};

/// What reads are answered from; nothing while the collection is not loaded.
Result<std::vector<LoadedSegment>> ListLoadedSegments(Context& ctx, Services& services,
                                                      const model::CollectionName& name);

}  // namespace elanus::proxy
