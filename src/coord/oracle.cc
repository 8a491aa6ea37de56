// Timestamps and ids.
#include "coord/oracle.h"

#include <charconv>
#include <mutex>

namespace elanus::coord {
namespace {

constexpr int64_t kWindowMs = 3000;
constexpr int64_t kIdBlock = 100'000;
constexpr const char* kTimeKey = "oracle/time_ms";
constexpr const char* kIdKey = "oracle/id";

Result<uint64_t> ReadNumber(Context& ctx, store::MetaStore& meta, const char* key) {
  TRY_ASSIGN(const auto text, meta.Get(ctx, key));
  uint64_t value = 0;
  if (text) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc())
      return Error(ErrorCode::kIntegrity, "{} is not a number: {}", key, *text);
  }
  return value;
}

}  // namespace

Result<std::unique_ptr<Oracle>> Oracle::Open(Context& ctx, store::MetaStore& meta,
                                             Executor& executor, Clock& clock) {
  auto oracle = std::unique_ptr<Oracle>(new Oracle(meta, executor, clock));
  TRY_ASSIGN(const uint64_t time_ms, ReadNumber(ctx, meta, kTimeKey));
  TRY_ASSIGN(const uint64_t id, ReadNumber(ctx, meta, kIdKey));
  // Everything below the stored window may have been given out before.
  oracle->last_ = MakeTimestamp(static_cast<int64_t>(time_ms)).value();
  oracle->opened_at_ = Timestamp(oracle->last_);
  oracle->window_end_ms_ = static_cast<int64_t>(time_ms);
  // Ids look like Milvus's: large, and rising with the time of the deployment's birth.
  oracle->next_id_ = id != 0 ? static_cast<int64_t>(id) : clock.NowMs() << kLogicalBits;
  oracle->ids_end_ = oracle->next_id_;
  return oracle;
}

Status Oracle::Reserve(Context& ctx, const char* key, uint64_t value) {
  store::MetaTxn txn;
  txn.puts.emplace_back(key, std::to_string(value));
  TRY_ASSIGN(const bool applied, meta_.Commit(ctx, txn));
  if (!applied) return Error(ErrorCode::kInternal, "reserving {} was refused", key);
  return {};
}

Result<Timestamp> Oracle::Now(Context& ctx) {
  std::unique_lock<Monitor> lock(*monitor_);
  while (true) {
    // A clock that steps back only makes the counter run on.
    const uint64_t next = std::max(last_ + 1, MakeTimestamp(clock_.NowMs()).value());
    if (PhysicalMs(Timestamp(next)) < window_end_ms_) {
      last_ = next;
      return Timestamp(next);
    }
    if (reserving_) {
      monitor_->Wait();
      continue;
    }
    reserving_ = true;
    const int64_t end_ms = PhysicalMs(Timestamp(next)) + kWindowMs;
    lock.unlock();
    Status reserved = Reserve(ctx, kTimeKey, static_cast<uint64_t>(end_ms));
    lock.lock();
    reserving_ = false;
    monitor_->NotifyAll();
    TRY(std::move(reserved));
    window_end_ms_ = end_ms;
  }
}

Result<int64_t> Oracle::AllocateIds(Context& ctx, int64_t count) {
  std::unique_lock<Monitor> lock(*monitor_);
  while (ids_end_ - next_id_ < count) {
    if (reserving_) {
      monitor_->Wait();
      continue;
    }
    reserving_ = true;
    const int64_t end = next_id_ + count + kIdBlock;
    lock.unlock();
    Status reserved = Reserve(ctx, kIdKey, static_cast<uint64_t>(end));
    lock.lock();
    reserving_ = false;
    monitor_->NotifyAll();
    TRY(std::move(reserved));
    ids_end_ = std::max(ids_end_, end);
  }
  const int64_t first = next_id_;
  next_id_ += count;
  return first;
}

}  // namespace elanus::coord
