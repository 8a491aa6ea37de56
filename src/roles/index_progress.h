// How far index builds are; answered by whoever schedules them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/ids.h"
#include "base/status.h"
#include "model/requests/collection.h"

namespace elanus::roles {

/// What AUTOINDEX became in some segments.
struct ChosenIndex {
  std::string type;
  std::vector<model::KeyValue> build_params;
  int64_t segments = 0;
};

struct IndexProgress {
  int64_t total_rows = 0;
  int64_t indexed_rows = 0;
  int64_t pending_rows = 0;
  model::IndexState state = model::IndexState::kFinished;
  std::string fail_reason;
  std::vector<ChosenIndex> chosen;  // Empty: not automatic, or nothing is built yet.
};

/// Thread-safe.
class IndexJobs {
 public:
  virtual ~IndexJobs() = default;
  /// Looks for missing index files of a collection and builds them in the background.
  virtual void Kick(CollectionId collection) = 0;
  virtual Result<IndexProgress> Progress(Context& ctx, CollectionId collection, IndexId index) = 0;
};

}  // namespace elanus::roles
