// Keeps what sealed segments have open within a budget: columns and indexes are opened when
// somebody needs them, and those that nobody has used for longest are closed.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "base/context.h"
#include "base/option_spec.h"
#include "base/status.h"

namespace elanus::segment {

struct PieceCacheOptions {
  int64_t budget_mb = 0;
  double high_ratio = 0.8;
  double low_ratio = 0.75;
  bool evicts = true;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(budget_mb,
          OptionSpec{"queryNode.segcore.tieredStorage.memoryBudget", "MB", 0, 1e9,
                     "Memory that opened columns and indexes of loaded collections may take, "
                     "mapped pages among it; 0: all of the machine's."});
    visit(high_ratio, OptionSpec{"queryNode.segcore.tieredStorage.memoryHighWatermarkRatio", "",
                                 0.01, 1, "Share of that budget above which some are closed."});
    visit(low_ratio, OptionSpec{"queryNode.segcore.tieredStorage.memoryLowWatermarkRatio", "", 0, 1,
                                "Share of that budget that they are closed down to."});
    visit(evicts, OptionSpec{"queryNode.segcore.tieredStorage.evictionEnabled", "", 0, 1,
                             "false: what was opened stays open."});
  }
};

class Piece;

/// Thread-safe. Invariants: (1) the list holds the open pieces and no other, the last used first;
/// (2) `bytes` is the sum of theirs and of what is held; (3) a piece that somebody has pinned is
/// never closed, so `bytes` may be above the budget for as long as reads need it.
class PieceCache {
 public:
  struct Stats {
    int64_t pieces = 0;
    int64_t bytes = 0;
    int64_t bytes_max = 0;  // The most there were.
    int64_t hits = 0;
    int64_t openings = 0;
    int64_t closings = 0;
  };

  /// `memory_bytes`: of the machine, which a budget of 0 stands for.
  PieceCache(const PieceCacheOptions& options, int64_t memory_bytes);

  Stats stats() const;
  /// More can be opened without closing anything: what warms up stops otherwise.
  bool HasRoom(int64_t bytes) const;
  /// All pieces there are could be open at once: reading each of them once is not in vain.
  bool HoldsAll() const;
  /// Closes what is too much by now: a read has let go of what it had pinned.
  void Trim();
  /// Counts bytes that stay open with their segment; a negative number gives them back.
  void Hold(int64_t bytes);

 private:
  friend class Piece;
  using Content = std::shared_ptr<const void>;

  /// The piece's content, and its place in the list is gone.
  Content TakeLocked(Piece& piece);
  /// Closes unused pieces, the oldest first, when there is more than the high mark; what they held
  /// is freed by the caller, outside the lock.
  std::vector<Content> CloseLocked();
  void LogSometimes(Clock& clock, const Stats& stats);

  const int64_t high_bytes_;
  const int64_t low_bytes_;
  const bool evicts_;
  mutable std::mutex mutex_;  // Guards what follows and the pieces' content; held for memory work.
  std::list<Piece*> open_;
  Stats stats_;
  int64_t expected_bytes_ = 0;  // Of every piece there is, and of what is held.
  int64_t logged_us_ = 0;
};

/// Something that can be opened, closed and opened again: a column, an index. Thread-safe.
class Piece {
 public:
  struct Opened {
    std::shared_ptr<const void> content;
    size_t bytes = 0;
  };
  using Opener = std::function<Result<Opened>(Context&)>;

  /// `bytes_expected`: about how much it will count. `base`: the piece that the opened content of
  /// this one keeps pinned, closed along with it; may be null.
  Piece(std::shared_ptr<PieceCache> cache, int64_t bytes_expected, Opener open,
        std::shared_ptr<Piece> base = nullptr);
  ~Piece();
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;

  /// What is open, which is opened for it if need be; it stays open as long as the answer lives.
  /// Two callers at once may both open it; one of the two results is kept. Errors: those of the
  /// opener.
  Result<std::shared_ptr<const void>> Pin(Context& ctx);
  bool is_open() const;
  /// What it counts in the cache; 0 while it is closed.
  int64_t open_bytes() const;
  int64_t bytes_expected() const { return bytes_expected_; }
  /// The piece that is opened along with this one, or null.
  const Piece* base() const { return base_.get(); }

 private:
  friend class PieceCache;

  const std::shared_ptr<PieceCache> cache_;
  const int64_t bytes_expected_;
  const Opener open_;
  const std::shared_ptr<Piece> base_;
  // Of the cache's mutex.
  std::shared_ptr<const void> content_;
  int64_t bytes_ = 0;
  std::list<Piece*>::iterator place_;
};

}  // namespace elanus::segment
