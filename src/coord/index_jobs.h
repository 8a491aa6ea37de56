// Builds missing indexes in the background and tells how far they are.
#pragma once

#include <functional>
#include <memory>

#include "base/executor.h"
#include "base/option_spec.h"
#include "roles/coord.h"
#include "roles/data.h"
#include "roles/index_progress.h"

namespace elanus::coord {

struct IndexJobsOptions {
  int64_t auto_index_memory_mb = 0;
  int64_t builds_max = 1;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(auto_index_memory_mb,
          OptionSpec{"autoIndex.memoryLimit", "MB", 0, 1 << 30,
                     "Memory that the AUTOINDEX of one vector field may take, over all segments of "
                     "its collection: with more rows it takes smaller codes. 0: half of the "
                     "machine's."});
    visit(builds_max, OptionSpec{"indexNode.scheduler.buildParallel", "", 1, 64,
                                 "Collections whose missing indexes are built at once."});
  }
};

/// Thread-safe. The parts must outlive it.
class IndexJobs final : public roles::IndexJobs {
 public:
  /// `on_built` is called with the collection after each finished index file.
  IndexJobs(Executor& executor, Clock& clock, roles::Coord coord, roles::Data& data,
            std::function<void(CollectionId)> on_built, const IndexJobsOptions& options = {});
  /// Cancels the build that runs and joins.
  ~IndexJobs() override;
  void Kick(CollectionId collection) override;
  /// Kicks every collection; for the start of the process, once `on_built` may be called.
  Status KickAll(Context& ctx);
  Result<roles::IndexProgress> Progress(Context& ctx, CollectionId collection,
                                        IndexId index) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::coord
