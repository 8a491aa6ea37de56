// The files of a log stream: how a record lies in them, which there are, and what their damage
// looks like. Format: store/formats/README.md.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backend/local/file_system.h"

namespace elanus::backend {

struct RecordHeader {
  uint32_t magic;
  uint32_t length;
  uint64_t position;
  uint64_t durable_before;
  uint64_t checksum;
};
inline constexpr size_t kRecordHeaderBytes = 32;
static_assert(sizeof(RecordHeader) == kRecordHeaderBytes);

RecordHeader MakeRecordHeader(std::string_view payload, uint64_t position, uint64_t durable_before);

/// The record at `offset`, when a whole and good one begins there.
bool ParseRecord(std::string_view file, size_t offset, RecordHeader& header,
                 std::string_view& payload);

/// A record of a format to come is neither damaged nor a torn end: cutting it would lose rows.
/// kIntegrity when the bytes at `offset` look like one.
Status CheckRecordVersion(std::string_view file, size_t offset, const std::string& path);

struct LogFile {
  uint64_t first_position;
  std::string path;
};

struct StreamFiles {
  std::vector<LogFile> logs;  // Ascending.
  std::set<uint64_t> gaps;    // Records that may follow a gap: what was before them was given up.
  uint64_t begin = 0;  // Records from this one on were never cut off; 0: written by an early build.

  /// kIntegrity when the first of the files that should be there is not.
  Status CheckBegin() const;
};

/// The files in the folder of a stream.
Result<StreamFiles> ListLogFiles(FileSystem& files, const std::string& directory);
std::string LogFileName(uint64_t first_position);
std::string GapFileName(uint64_t first_position);
std::string BeginFileName(uint64_t first_position);

/// Where the whole records of the last file of a stream end, and where the last group of them,
/// which may not be durable, begins.
struct LogEnd {
  size_t offset = 0;
  size_t group_offset = 0;
  uint64_t position = 0;
};

/// Reads the records of the last file. What follows them is the torn end of a group; kIntegrity
/// when it cannot be that, because a later record says that it was durable.
Result<LogEnd> FindLogEnd(std::string_view bytes, const LogFile& file);

/// kIntegrity: what was durable is damaged at this place, and what to do.
Status DamagedRecord(const std::string& path, size_t offset);
/// kIntegrity: the record at this place is not the one that should follow, and what to do.
Status MissingRecord(const std::string& path, size_t offset, uint64_t expected, uint64_t found);

}  // namespace elanus::backend
