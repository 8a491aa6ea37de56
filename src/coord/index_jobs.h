// Builds missing indexes in the background and tells how far they are.
#pragma once

#include <functional>
#include <memory>

#include "base/executor.h"
#include "roles/coord.h"
#include "roles/data.h"
#include "roles/index_progress.h"

namespace elanus::coord {

/// Thread-safe. The parts must outlive it.
class IndexJobs final : public roles::IndexJobs {
 public:
  /// `on_built` is called with the collection after each finished index file.
  IndexJobs(Executor& executor, Clock& clock, roles::Coord coord, roles::Data& data,
            std::function<void(CollectionId)> on_built);
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
