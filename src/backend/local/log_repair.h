// The way out when a log is damaged in the middle: what it would cost to go on, and doing it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "backend/local/file_system.h"

namespace elanus::backend {

/// What stops a stream of the log from being read.
struct LogDamage {
  std::string words;      // What is wrong, with file and offset.
  std::string directory;  // Of the stream.
  std::string file;       // The file to be cut.
  uint64_t offset = 0;    // What is before it stays.
  uint64_t lost_bytes = 0;
  std::vector<std::string> later_files;
  bool is_at_begin = false;  // Nothing of the stream stays.
  uint64_t first_lost = 0;  // Records that are given up: first_lost to next_position - 1 (at most).
  uint64_t next_position = 0;
};

/// Looks at every stream under `directory`. A torn end is no damage: the next start cuts it.
/// `needed`: by stream, the position up to which records were read from it before; later ones must
/// not get such a position again. Errors: kIoFailed; kIntegrity for a record of a later version.
Result<std::vector<LogDamage>> FindLogDamage(FileSystem& files, const std::string& directory,
                                             const std::map<std::string, uint64_t>& needed);

/// Makes the stream readable: what is behind the damage is kept under another name (".cut-..."),
/// and new records follow with positions that no lost record can have had. Nobody else may have
/// the log open. Can be repeated when it was interrupted.
Status CutLog(FileSystem& files, const LogDamage& damage);

}  // namespace elanus::backend
