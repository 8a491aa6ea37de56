// What the machine has of memory and disk, and how much of it is taken.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace elanus {

struct MemoryUse {
  int64_t total_bytes = 0;  // Of the machine, or the limit that the process runs under.
  int64_t used_bytes = 0;   // By this process; not the pages of mapped files, which can be dropped.
};

/// Zeros where the system does not tell. Reads a few small files of the system.
MemoryUse ReadMemoryUse();

struct DiskUse {
  int64_t total_bytes = 0;
  int64_t free_bytes = 0;  // For this process.
};

/// Of the file system that holds `path`. kIoFailed when it is not there.
Result<DiskUse> ReadDiskUse(const std::string& path);

/// The machine's name in its network; "localhost" where it has none.
std::string HostName();

/// From now on a buffer of a megabyte or more goes back to the system when it is freed. Once,
/// before threads start.
void ReturnLargeBuffers();

/// Takes the pages of a mapped file out of the process; touching them brings them back. `bytes`
/// begins where the mapping does.
void DropPages(std::string_view bytes);

}  // namespace elanus
