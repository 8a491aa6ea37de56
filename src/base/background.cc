// Threads that give way.
#include "base/background.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

namespace elanus {
namespace {

// The calling thread alone.
void GiveWay(int64_t by) {
  constexpr int kNiceMax = 19;
  const int own = ::getpriority(PRIO_PROCESS, 0);
  (void)::setpriority(PRIO_PROCESS, 0, static_cast<int>(std::min<int64_t>(own + by, kNiceMax)));
}

class BackgroundExecutor final : public Executor {
 public:
  BackgroundExecutor(Executor& executor, const BackgroundOptions& options)
      : executor_(executor), options_(options) {}
  std::unique_ptr<Monitor> MakeMonitor() override { return executor_.MakeMonitor(); }
  std::unique_ptr<Worker> Spawn(std::string name, std::function<void()> body) override {
    if (options_.nice == 0) return executor_.Spawn(std::move(name), std::move(body));
    return executor_.Spawn(std::move(name), [by = options_.nice, run = std::move(body)] {
      GiveWay(by);
      run();
    });
  }
  void Yield() override { executor_.Yield(); }

 private:
  Executor& executor_;
  const BackgroundOptions options_;
};

}  // namespace

std::unique_ptr<Executor> MakeBackgroundExecutor(Executor& executor,
                                                 const BackgroundOptions& options) {
  return std::make_unique<BackgroundExecutor>(executor, options);
}

}  // namespace elanus
