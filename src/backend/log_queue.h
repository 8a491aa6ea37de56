// The queue on the log: topics are streams, pages are their files. What groups have read stands in
// the metadata.
#pragma once

#include <memory>

#include "base/executor.h"
#include "base/option_spec.h"
#include "store/meta_store.h"
#include "store/queue.h"
#include "store/wal.h"

namespace elanus::backend {

struct QueueOptions {
  int64_t retention_min = -1;
  int64_t retention_mb = -1;
  int64_t retention_interval_s = 600;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(retention_min,
          OptionSpec{"rocksmq.retentionTimeInMinutes", "minutes", -1, 1e8,
                     "How long files of the log stay once nobody needs them; -1: no rule."});
    visit(retention_mb, OptionSpec{"rocksmq.retentionSizeInMB", "MB", -1, 1e9,
                                   "How much of such files of a stream stays; -1: no rule."});
    visit(retention_interval_s, OptionSpec{"rocksmq.timtickerInterval", "seconds", 1, 1e6,
                                           "How often the two rules are applied."});
  }
};

/// Also the log itself, as its writer sees it: what is appended there is produced, and what its
/// writer cuts off has been read by its writer. Where no rule of retention is on, it is cut at
/// once, whoever else has not read it; with one, it stays for as long as the rule says, and for
/// groups that have not read it.
class LogQueue final : public store::Queue {
 public:
  struct Parts {
    Executor& executor;
    Clock& clock;
    store::MetaStore& meta;
    store::Wal& wal;
  };

  /// Reads what there is. The parts must outlive it.
  static Result<std::unique_ptr<LogQueue>> Open(Context& ctx, const Parts& parts,
                                                const QueueOptions& options);
  ~LogQueue() override;
  /// For the streams' writer; lives as long as the queue.
  store::Wal& log();

  Status CreateTopic(Context& ctx, std::string_view topic) override;
  Status DestroyTopic(Context& ctx, std::string_view topic) override;
  Result<std::vector<store::QueueTopic>> Topics(Context& ctx) override;
  Result<std::vector<store::WalPosition>> Produce(
      Context& ctx, std::string_view topic, std::span<const std::string_view> messages) override;
  Status CreateGroup(Context& ctx, std::string_view topic, std::string_view group,
                     const store::QueueStart& start) override;
  Status DestroyGroup(Context& ctx, std::string_view topic, std::string_view group) override;
  Result<std::vector<store::WalRecord>> Consume(Context& ctx, std::string_view topic,
                                                std::string_view group, size_t count,
                                                int64_t wait_ms) override;
  Status Seek(Context& ctx, std::string_view topic, std::string_view group,
              store::WalPosition message) override;
  Status SeekToLatest(Context& ctx, std::string_view topic, std::string_view group) override;
  Result<store::WalPosition> Position(Context& ctx, std::string_view topic,
                                      std::string_view group) override;
  Status Truncate(Context& ctx, std::string_view topic, store::WalPosition position) override;
  Status Retain(Context& ctx) override;
  void Close() override;

 private:
  struct Impl;
  explicit LogQueue(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::backend
