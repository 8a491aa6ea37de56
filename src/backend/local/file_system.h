// The file system as the stores see it: one interface, so that tests can put one in its place that
// fails, tears and forgets.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob.h"
#include "base/status.h"

namespace elanus::backend {

/// An open file to write to. One caller at a time.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  /// Writes all parts one after another at `offset`. After an error any part of it may be there.
  virtual Status Write(uint64_t offset, std::span<const std::string_view> parts) = 0;
  virtual Status Truncate(uint64_t size) = 0;
  /// Content and size last when it returns, the file's name does not. After an error what was
  /// written since the last success may or may not last, whatever later calls say: only writing
  /// it again makes it sure.
  virtual Status Sync() = 0;
};

/// An open folder.
class Folder {
 public:
  virtual ~Folder() = default;
  /// Names that came, changed and went last when it returns; of the content of files it says
  /// nothing.
  virtual Status Sync() = 0;
};

/// Thread-safe. Paths are absolute or relative to the process; no function follows more than the
/// system does. Errors: kKeyNotFound when a file to be opened or a folder to be listed is not
/// there, kDiskLimitExceeded when the disk is full, kIoFailed, each with what was tried on which
/// path.
class FileSystem {
 public:
  enum class Creation { kMustExist, kEmpty };  // kEmpty: made, or emptied when it is there.
  struct Entry {
    std::string name;
    bool is_folder = false;
  };

  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<WritableFile>> OpenToWrite(const std::string& path,
                                                            Creation creation) = 0;
  /// The whole file. One that gives less than its size is an error, never a shorter file.
  virtual Result<std::string> Read(const std::string& path) = 0;
  /// `bytes_max` bytes of it from `offset`, fewer only where the file ends.
  virtual Result<std::string> ReadRange(const std::string& path, uint64_t offset,
                                        size_t bytes_max) = 0;
  virtual Result<uint64_t> Size(const std::string& path) = 0;
  /// The file's bytes, 64-byte aligned, mapped where that can be. A mapped page that the disk does
  /// not give reads as zeros: whoever has read asks CheckMapped (base/mapped_faults.h).
  virtual Result<Blob> Map(const std::string& path) = 0;
  virtual Result<std::vector<Entry>> List(const std::string& folder) = 0;
  virtual Result<std::unique_ptr<Folder>> OpenFolder(const std::string& path) = 0;
  /// Makes one folder; true when it was not there before.
  virtual Result<bool> MakeFolder(const std::string& path) = 0;
  /// Replaces what has the name `to`, in one step.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  /// Removes a file; false when no file has this name.
  virtual Result<bool> Remove(const std::string& path) = 0;
  /// Removes an empty folder; false when it is not empty or not there.
  virtual Result<bool> RemoveFolder(const std::string& path) = 0;
};

/// The machine's.
FileSystem& LocalFileSystem();

/// Makes the folder and its parents; their names last when it returns.
Status MakeFolders(FileSystem& files, const std::string& path);

Status SyncFolder(FileSystem& files, const std::string& path);

/// kIoFailed, or kDiskLimitExceeded for ENOSPC and EDQUOT, with what was tried and the system's
/// words.
Status IoError(std::string_view what, std::string_view path, int error_number);

}  // namespace elanus::backend
