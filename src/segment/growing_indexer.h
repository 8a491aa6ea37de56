// Builds the indexes of growing segments in the background, one segment at a time.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/ids.h"
#include "index/growing_index.h"

namespace elanus::segment {

/// The lists of one vector field of a growing segment. Thread-safe.
struct FieldLists {
  FieldLists(FieldId field_id, index::VectorKind kind, model::Metric metric, Clock& clock,
             const index::GrowingIndexOptions& options)
      : field(field_id), index(index::MakeGrowingIndex(kind, metric, options)), ctx(clock) {}
  const FieldId field;
  const std::unique_ptr<index::GrowingIndex> index;
  Context ctx;                        // Of the work on it; cancelled when the segment is gone.
  std::atomic<bool> searched{false};  // A segment nobody searches gets no lists.
  std::atomic<bool> busy{false};      // Waits for its turn, or has it.
};

/// The rows of a field in blocks, and what keeps the bytes of each.
struct OwnedBlocks {
  std::vector<index::VectorBlock> blocks;
  std::vector<std::shared_ptr<const void>> owners;
};

/// Thread-safe. Must outlive the segments that it serves, and their snapshots.
class GrowingIndexer {
 public:
  GrowingIndexer(Executor& executor, Clock& clock, const index::GrowingIndexOptions& options);
  /// As Stop, and joins.
  ~GrowingIndexer();
  /// Cancels what is under way and what waits; later offers do nothing.
  void Stop();

  const index::GrowingIndexOptions& options() const { return options_; }
  Clock& clock() const { return clock_; }
  /// Has the lists extended by `rows`. Returns at once; does nothing while the lists are being
  /// extended or wait for it, or when too many others wait.
  void Offer(std::shared_ptr<FieldLists> lists, OwnedBlocks rows);

 private:
  void Run(const std::shared_ptr<FieldLists>& lists, const OwnedBlocks& rows);

  const index::GrowingIndexOptions options_;
  Clock& clock_;
  const std::unique_ptr<Monitor> monitor_;  // Guards the members below.
  std::shared_ptr<FieldLists> running_;
  bool stopping_ = false;
  Pool pool_;  // The last member: its workers use the others.
};

}  // namespace elanus::segment
