// One process a data directory.
#pragma once

#include <memory>
#include <string>

#include "backend/local/file.h"

namespace elanus::backend {

/// Holds the lock as long as it lives.
class DirectoryLock {
 public:
  /// Makes the directory when needed. kOldSession, naming the directory and the holder's process,
  /// when taken.
  static Result<std::unique_ptr<DirectoryLock>> Take(const std::string& directory);

 private:
  explicit DirectoryLock(File file) : file_(std::move(file)) {}
  File file_;
};

}  // namespace elanus::backend
