// A client's wish to compact, as a plain value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/requests/collection.h"

namespace elanus::model {

struct ManualCompactionRequest {
  CollectionName name;
  CollectionId collection;  // Used when the name is empty.
  bool major = false;       // By clustering key.
  bool deletes_only = false;
  int64_t target_mb = 0;
  PartitionId partition;
  std::string vchannel;
  std::vector<SegmentId> segments;
};

}  // namespace elanus::model
