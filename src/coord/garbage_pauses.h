// The pauses of garbage collection: who has asked that nothing goes, and until when.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/executor.h"
#include "base/ids.h"
#include "base/status.h"

namespace elanus::coord {

/// Thread-safe. An object is removed between Begin() and End(); Pause() waits for the one that is
/// being removed, so that none goes once it has returned.
class GarbagePauses {
 public:
  GarbagePauses(Executor& executor, Clock& clock)
      : clock_(clock), monitor_(executor.MakeMonitor()) {}

  /// See roles::GarbageCollection.
  Result<std::string> Pause(int64_t seconds, CollectionId collection);
  Status Resume(const std::string& ticket);

  /// False: a pause holds the object with this key, or the folder.
  bool Holds(std::string_view key);
  /// False: it is held, and must stay; else End() follows.
  bool Begin(std::string_view key);
  void End();

 private:
  struct Held {
    CollectionId collection;  // 0: all.
    int64_t until_us = 0;
  };
  bool HoldsLocked(std::string_view key);

  Clock& clock_;
  std::unique_ptr<Monitor> monitor_;  // Guards the members below.
  std::map<std::string, Held> held_;  // By ticket.
  int64_t tickets_ = 0;
  bool is_removing_ = false;
};

}  // namespace elanus::coord
