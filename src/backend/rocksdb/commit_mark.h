// Which commit of the catalog was the last, kept outside of it: a catalog that has lost its newest
// changes does not know it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "backend/local/file_system.h"

namespace elanus::backend {

/// A file of two slots, each the number of a commit and its checksum. They are written in turn, so
/// a write that is torn leaves the number before. One caller at a time.
class CommitMark {
 public:
  /// Reads the file; one that is not there says 0. kIntegrity when neither slot is whole.
  static Result<CommitMark> Open(FileSystem& files, std::string path);

  uint64_t number() const { return number_; }
  /// Makes it the number, lastingly. After an error it is this one or the one before.
  Status Set(uint64_t number);

 private:
  CommitMark(FileSystem& files, std::string path) : files_(&files), path_(std::move(path)) {}
  Status Create(uint64_t number);

  FileSystem* files_;
  std::string path_;
  uint64_t number_ = 0;
  size_t slot_ = 0;                     // That holds it.
  std::unique_ptr<WritableFile> file_;  // Null: not opened yet.
};

}  // namespace elanus::backend
