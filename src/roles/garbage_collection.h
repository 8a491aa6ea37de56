// What whoever removes unused objects answers.
#pragma once

#include <cstdint>
#include <string>

#include "base/context.h"
#include "base/ids.h"
#include "base/status.h"

namespace elanus::roles {

/// Thread-safe.
class GarbageCollection {
 public:
  virtual ~GarbageCollection() = default;
  /// From when it returns no object goes, be it of `collection` or, of 0, of any, until `seconds`
  /// are over or the pause is ended: the ticket. Pauses do not shorten each other, and end with the
  /// process. kInvalidParameter when `seconds` is not from 1 to a hundred years.
  virtual Result<std::string> Pause(Context& ctx, int64_t seconds, CollectionId collection) = 0;
  /// Ends one pause, or without a ticket all. kInvalidParameter when no pause has the ticket.
  virtual Status Resume(Context& ctx, const std::string& ticket) = 0;
};

}  // namespace elanus::roles
