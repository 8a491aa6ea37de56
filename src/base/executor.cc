// The executor on the machine's threads, and Pool on any executor.
#include "base/executor.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace elanus {
namespace {

class ThreadMonitor final : public Monitor {
 public:
  void lock() override { mutex_.lock(); }
  void unlock() override { mutex_.unlock(); }
  void Wait() override {
    std::unique_lock<std::mutex> lock(mutex_, std::adopt_lock);
    changed_.wait(lock);
    lock.release();
  }
  bool WaitFor(int64_t timeout_ms) override {
    std::unique_lock<std::mutex> lock(mutex_, std::adopt_lock);
    const bool notified = changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms)) ==
                          std::cv_status::no_timeout;
    lock.release();
    return notified;
  }
  void NotifyAll() override { changed_.notify_all(); }
  void NotifyOne() override { changed_.notify_one(); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

class ThreadWorker final : public Worker {
 public:
  ThreadWorker(std::string name, std::function<void()> body) : thread_(std::move(body)) {
    pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
  }
  ~ThreadWorker() override { thread_.join(); }

 private:
  std::thread thread_;
};

class ThreadExecutor final : public Executor {
 public:
  std::unique_ptr<Monitor> MakeMonitor() override { return std::make_unique<ThreadMonitor>(); }
  std::unique_ptr<Worker> Spawn(std::string name, std::function<void()> body) override {
    return std::make_unique<ThreadWorker>(std::move(name), std::move(body));
  }
  void Yield() override {}
};

}  // namespace

std::unique_ptr<Executor> MakeThreadExecutor() { return std::make_unique<ThreadExecutor>(); }

struct Pool::Impl {
  struct Batch;

  std::unique_ptr<Monitor> monitor;       // Guards the queue; only idle workers wait on it.
  std::unique_ptr<Monitor> done_monitor;  // Guards and wakes the callers of ParallelFor.
  std::deque<std::function<void()>> queue;
  size_t queue_max = 0;
  bool closing = false;
  std::vector<std::unique_ptr<Worker>> workers;

  void Help(const std::shared_ptr<Batch>& batch);
  void Drain() {
    while (true) {
      std::function<void()> task;
      {
        std::lock_guard<Monitor> lock(*monitor);
        while (queue.empty() && !closing) monitor->Wait();
        if (queue.empty()) return;
        task = std::move(queue.front());
        queue.pop_front();
      }
      task();
    }
  }
};

Pool::Pool(Executor& executor, std::string name, size_t workers, size_t queue_max)
    : impl_(std::make_unique<Impl>()) {
  impl_->monitor = executor.MakeMonitor();
  impl_->done_monitor = executor.MakeMonitor();
  impl_->queue_max = queue_max;
  for (size_t i = 0; i < workers; ++i) {
    impl_->workers.push_back(
        executor.Spawn(fmt::format("{}-{}", name, i), [impl = impl_.get()] { impl->Drain(); }));
  }
}

Pool::~Pool() {
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    impl_->closing = true;
    impl_->monitor->NotifyAll();
  }
  impl_->workers.clear();
}

size_t Pool::workers() const { return impl_->workers.size(); }

Status Pool::Submit(std::function<void()> task) {
  std::lock_guard<Monitor> lock(*impl_->monitor);
  if (impl_->queue.size() >= impl_->queue_max) {
    return Error(ErrorCode::kTooManyRequests, "{}[limit={}]",
                 InfoOf(ErrorCode::kTooManyRequests).name, impl_->queue_max);
  }
  impl_->queue.push_back(std::move(task));
  impl_->monitor->NotifyOne();
  return {};
}

// One ParallelFor. Shared with helpers that may start after the caller has left: they find it
// closed and end.
struct Pool::Impl::Batch {
  std::atomic<size_t> next{0};
  size_t running = 0;  // Helpers inside fn; guarded by done_monitor, as `closed`.
  bool closed = false;
  std::vector<Status> results;
  const std::function<Status(size_t)>* fn = nullptr;
  Context* ctx = nullptr;

  // False when no item was left.
  bool TakeItem() {
    const size_t i = next.fetch_add(1);
    if (i >= results.size()) return false;
    Status alive = ctx->CheckAlive();
    results[i] = alive.ok() ? (*fn)(i) : std::move(alive);
    return true;
  }
};

// Between two items a helper goes to the end of the queue where others wait in it.
void Pool::Impl::Help(const std::shared_ptr<Batch>& batch) {
  {
    std::lock_guard<Monitor> lock(*done_monitor);
    if (batch->closed) return;
    ++batch->running;
  }
  while (batch->TakeItem()) {
    std::lock_guard<Monitor> lock(*monitor);
    if (queue.empty()) continue;
    queue.emplace_back([this, batch] { Help(batch); });
    break;
  }
  std::lock_guard<Monitor> lock(*done_monitor);
  --batch->running;
  done_monitor->NotifyAll();
}

Status Pool::ParallelFor(Context& ctx, size_t count, const std::function<Status(size_t)>& fn,
                         size_t helpers_max) {
  if (count == 0) return {};
  if (count == 1) return fn(0);
  auto batch = std::make_shared<Impl::Batch>();
  batch->results.resize(count);
  batch->fn = &fn;
  batch->ctx = &ctx;
  const size_t helpers = std::min({count - 1, impl_->workers.size(), helpers_max});
  for (size_t h = 0; h < helpers; ++h) {
    // A full queue only means less help: the caller still runs every item.
    if (!Submit([impl = impl_.get(), batch] { impl->Help(batch); }).ok()) break;
  }
  while (batch->TakeItem()) {
  }
  {
    // A std::condition_variable would hide the wait from the simulation.
    std::lock_guard<Monitor> lock(*impl_->done_monitor);
    batch->closed = true;
    while (batch->running > 0) impl_->done_monitor->Wait();
  }
  for (Status& status : batch->results) TRY(std::move(status));
  return {};
}

}  // namespace elanus
