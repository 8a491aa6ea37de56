// Work that no request waits for, on threads that give way to the others.
#pragma once

#include <cstdint>
#include <memory>

#include "base/executor.h"
#include "base/option_spec.h"

namespace elanus {

struct BackgroundOptions {
  int64_t nice = 10;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(nice, OptionSpec{"common.background.nice", "", 0, 19,
                           "How far index builds, compactions, restores and the removal of garbage "
                           "give way to requests, as the system's nice value; 0: not at all."});
  }
};

/// The workers of `executor`, each with a lower priority on the machine: where cores are short they
/// take what others leave. Monitors are `executor`'s, so workers of both may share them. Where the
/// system does not allow it all stay equal. `executor` has threads of its own for its workers, and
/// outlives this one.
std::unique_ptr<Executor> MakeBackgroundExecutor(Executor& executor,
                                                 const BackgroundOptions& options);

}  // namespace elanus
