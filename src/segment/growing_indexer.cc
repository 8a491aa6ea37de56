// The background work on growing segments.
#include "segment/growing_indexer.h"

#include <mutex>

#include "base/log.h"

namespace elanus::segment {
namespace {

// One worker: lists are worth a part of the machine, never all of it.
constexpr size_t kWorkers = 1;
// Segments that wait for their first lists are scanned as long, so few need to.
constexpr size_t kQueueMax = 1024;

}  // namespace

GrowingIndexer::GrowingIndexer(Executor& executor, Clock& clock,
                               const index::GrowingIndexOptions& options)
    : options_(options),
      clock_(clock),
      monitor_(executor.MakeMonitor()),
      pool_(executor, "growing", kWorkers, kQueueMax) {}

GrowingIndexer::~GrowingIndexer() { Stop(); }

void GrowingIndexer::Stop() {
  std::lock_guard<Monitor> lock(*monitor_);
  stopping_ = true;
  if (running_ != nullptr) running_->ctx.Cancel();
}

void GrowingIndexer::Offer(std::shared_ptr<FieldLists> lists, OwnedBlocks rows) {
  if (lists->busy.exchange(true)) return;
  const Status queued = pool_.Submit([this, lists, rows = std::move(rows)] { Run(lists, rows); });
  if (!queued.ok()) lists->busy.store(false);
}

void GrowingIndexer::Run(const std::shared_ptr<FieldLists>& lists, const OwnedBlocks& rows) {
  {
    std::lock_guard<Monitor> lock(*monitor_);
    if (stopping_) return;
    running_ = lists;
  }
  const Status extended = lists->index->Extend(lists->ctx, rows.blocks, rows.owners);
  {
    std::lock_guard<Monitor> lock(*monitor_);
    running_ = nullptr;
  }
  if (!extended.ok() && extended.code() != ErrorCode::kCanceled) {
    LogWarn("lists of a growing segment failed field={} error=\"{}\"", lists->field.value(),
            extended.ToString());
  }
  lists->busy.store(false);
}

}  // namespace elanus::segment
