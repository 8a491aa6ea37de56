// Memory and disk as the system tells them.
#include "base/machine.h"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace elanus {
namespace {

// The number after `name` in a small file of lines; of an empty name the first one. -1: none.
int64_t NumberIn(const char* path, const char* name) {
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return -1;
  char line[256];
  int64_t number = -1;
  while (number < 0 && std::fgets(line, sizeof line, file) != nullptr) {
    const size_t length = std::strlen(name);
    if (std::strncmp(line, name, length) != 0) continue;
    long long parsed = -1;
    if (std::sscanf(line + length, "%lld", &parsed) == 1) number = parsed;
  }
  std::fclose(file);
  return number;
}

}  // namespace

MemoryUse ReadMemoryUse() {
  MemoryUse use;
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_bytes = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page_bytes > 0) use.total_bytes = int64_t{pages} * page_bytes;
  for (const char* limit :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    const int64_t bytes = NumberIn(limit, "");
    if (bytes > 0) use.total_bytes = std::min(use.total_bytes, bytes);
  }
  const int64_t anonymous_kb = NumberIn("/proc/self/status", "RssAnon:");
  if (anonymous_kb > 0) use.used_bytes = anonymous_kb * 1024;
  return use;
}

Result<DiskUse> ReadDiskUse(const std::string& path) {
  struct statvfs told;
  if (::statvfs(path.c_str(), &told) != 0) {
    return Error(ErrorCode::kIoFailed, "cannot ask for the space of {}: {}", path,
                 std::strerror(errno));
  }
  const auto block = static_cast<int64_t>(told.f_frsize);
  return DiskUse{.total_bytes = static_cast<int64_t>(told.f_blocks) * block,
                 .free_bytes = static_cast<int64_t>(told.f_bavail) * block};
}

std::string HostName() {
  char name[256] = "";
  if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

void ReturnLargeBuffers() {
  // glibc raises its threshold to the largest buffer it has seen freed; rows that were flushed then
  // stay as holes between small blocks: 430 MB of a million 128-d vectors. Setting one ends the
  // raising, also of the other threshold, which is to spare requests a system call each.
  constexpr int kMappedFrom = 1 << 20;
  constexpr int kKeptAtTheEnd = 4 << 20;
  (void)::mallopt(M_MMAP_THRESHOLD, kMappedFrom);
  (void)::mallopt(M_TRIM_THRESHOLD, kKeptAtTheEnd);
}

void DropPages(std::string_view bytes) {
  // Advice: where it is not taken the pages merely stay.
  (void)::madvise(const_cast<char*>(bytes.data()), bytes.size(), MADV_DONTNEED);
}

}  // namespace elanus
