// The budget of opened pieces.
#include "segment/piece_cache.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace elanus::segment {
namespace {

constexpr int64_t kLogEveryUs = 10'000'000;

int64_t BudgetOf(const PieceCacheOptions& options, int64_t memory_bytes) {
  return options.budget_mb > 0 ? options.budget_mb << 20 : memory_bytes;
}

int64_t ShareOf(int64_t bytes, double ratio) {
  return static_cast<int64_t>(static_cast<double>(bytes) * ratio);
}

}  // namespace

PieceCache::PieceCache(const PieceCacheOptions& options, int64_t memory_bytes)
    : high_bytes_(ShareOf(BudgetOf(options, memory_bytes), options.high_ratio)),
      low_bytes_(ShareOf(BudgetOf(options, memory_bytes),
                         std::min(options.low_ratio, options.high_ratio))),
      evicts_(options.evicts) {}

PieceCache::Stats PieceCache::stats() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return stats_;
}

bool PieceCache::HasRoom(int64_t bytes) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return !evicts_ || stats_.bytes + bytes <= high_bytes_;
}

bool PieceCache::HoldsAll() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return !evicts_ || expected_bytes_ <= high_bytes_;
}

void PieceCache::Trim() {
  std::vector<Content> closed;  // Freed after the lock.
  std::lock_guard<std::mutex> lock(mutex_);
  closed = CloseLocked();
}

void PieceCache::Hold(int64_t bytes) {
  std::lock_guard<std::mutex> lock(mutex_);
  stats_.bytes += bytes;
  expected_bytes_ += bytes;
  stats_.bytes_max = std::max(stats_.bytes_max, stats_.bytes);
}

PieceCache::Content PieceCache::TakeLocked(Piece& piece) {
  open_.erase(piece.place_);
  stats_.bytes -= piece.bytes_;
  --stats_.pieces;
  ++stats_.closings;
  return std::exchange(piece.content_, nullptr);
}

std::vector<PieceCache::Content> PieceCache::CloseLocked() {
  std::vector<Content> closed;
  if (!evicts_ || stats_.bytes <= high_bytes_) return closed;
  // New owners come by this lock only, so an only owner stays one.
  std::vector<Piece*> unused;
  int64_t bytes = stats_.bytes;
  for (auto place = open_.rbegin(); place != open_.rend() && bytes > low_bytes_; ++place) {
    if ((*place)->content_.use_count() > 1) continue;
    unused.push_back(*place);
    bytes -= (*place)->bytes_;
    const Piece* base = (*place)->base_.get();
    if (base != nullptr && base->content_.use_count() == 2) bytes -= base->bytes_;
  }
  for (Piece* piece : unused) {
    closed.push_back(TakeLocked(*piece));
    // Nobody but the cache and what was just closed has it.
    Piece* base = piece->base_.get();
    if (base != nullptr && base->content_.use_count() == 2) closed.push_back(TakeLocked(*base));
  }
  return closed;
}

void PieceCache::LogSometimes(Clock& clock, const Stats& stats) {
  const int64_t now_us = clock.MonotonicUs();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (now_us - logged_us_ < kLogEveryUs) return;
    logged_us_ = now_us;
  }
  LogInfo("cache of segments pieces={} bytes={} bytes_max={} budget={} hits={} opened={} closed={}",
          stats.pieces, stats.bytes, stats.bytes_max, high_bytes_, stats.hits, stats.openings,
          stats.closings);
}

Piece::Piece(std::shared_ptr<PieceCache> cache, int64_t bytes_expected, Opener open,
             std::shared_ptr<Piece> base)
    : cache_(std::move(cache)),
      bytes_expected_(bytes_expected),
      open_(std::move(open)),
      base_(std::move(base)) {
  std::lock_guard<std::mutex> lock(cache_->mutex_);
  cache_->expected_bytes_ += bytes_expected_;
}

Piece::~Piece() {
  std::lock_guard<std::mutex> lock(cache_->mutex_);
  cache_->expected_bytes_ -= bytes_expected_;
  if (content_ == nullptr) return;
  cache_->open_.erase(place_);
  cache_->stats_.bytes -= bytes_;
  --cache_->stats_.pieces;
}

bool Piece::is_open() const {
  std::lock_guard<std::mutex> lock(cache_->mutex_);
  return content_ != nullptr;
}

int64_t Piece::open_bytes() const {
  std::lock_guard<std::mutex> lock(cache_->mutex_);
  return content_ == nullptr ? 0 : bytes_;
}

Result<std::shared_ptr<const void>> Piece::Pin(Context& ctx) {
  PieceCache& cache = *cache_;
  {
    std::lock_guard<std::mutex> lock(cache.mutex_);
    if (content_ != nullptr) {
      cache.open_.splice(cache.open_.begin(), cache.open_, place_);
      ++cache.stats_.hits;
      return content_;
    }
  }
  TRY_ASSIGN(Opened opened, open_(ctx));
  std::shared_ptr<const void> pinned;
  std::vector<PieceCache::Content> closed;  // Freed after the lock.
  PieceCache::Stats stats;
  {
    std::lock_guard<std::mutex> lock(cache.mutex_);
    ++cache.stats_.openings;
    if (content_ == nullptr) {
      content_ = std::move(opened.content);
      bytes_ = static_cast<int64_t>(opened.bytes);
      cache.open_.push_front(this);
      place_ = cache.open_.begin();
      ++cache.stats_.pieces;
      cache.stats_.bytes += bytes_;
    }
    pinned = content_;
    closed = cache.CloseLocked();
    cache.stats_.bytes_max = std::max(cache.stats_.bytes_max, cache.stats_.bytes);
    stats = cache.stats_;
  }
  if (!closed.empty()) cache.LogSometimes(ctx.clock(), stats);
  return pinned;
}

}  // namespace elanus::segment
