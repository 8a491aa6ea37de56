// Whether writes are let in: asked by the front before each, answered by whoever watches memory and
// disk.
#pragma once

#include "base/context.h"
#include "base/status.h"

namespace elanus::roles {

enum class WriteKind {
  kInsert,  // Upserts too: takes memory and disk.
  kDelete,  // Takes memory; frees disk in the end.
};

/// Thread-safe, never blocks.
class Admission {
 public:
  virtual ~Admission() = default;
  /// kQuotaExceeded while memory or disk are above their mark. Reads are always let in.
  virtual Status CheckWrite(WriteKind kind) = 0;
};

}  // namespace elanus::roles
