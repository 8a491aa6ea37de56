// SIGBUS, and the mappings it may come from.
//
// The signal is synchronous: it comes while a thread touches a mapped page, never in the middle of
// code that touches none. So the handler may take the mutex below: nobody touches mapped bytes
// while holding it.
#include "base/mapped_faults.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace elanus {
namespace {

struct Mapping {
  uintptr_t end = 0;  // Of its last page.
  std::string path;
  std::optional<uint64_t> failed_at;  // The offset from which on it has zeros.
  bool is_told = false;
};

struct Mappings {
  std::mutex mutex;
  std::map<uintptr_t, Mapping> by_begin;
  std::atomic<uint64_t> failed{0};  // How many of them.
  uintptr_t page_bytes = 0;
  struct sigaction before = {};  // Who handled the signal until now.
};

// Outlives every thread.
Mappings& All() {
  static auto* const all = new Mappings;
  return *all;
}

// The mapping that holds `address`. Under the mutex.
std::map<uintptr_t, Mapping>::iterator Find(Mappings& all, uintptr_t address) {
  auto at = all.by_begin.upper_bound(address);
  if (at == all.by_begin.begin()) return all.by_begin.end();
  --at;
  return address < at->second.end ? at : all.by_begin.end();
}

// Zeros from the page on, to the end of the file: whatever failed there may go on failing, and one
// signal is enough. False: no watched mapping, or the system has no more to give.
bool PutZeros(uintptr_t address) {
  Mappings& all = All();
  std::lock_guard<std::mutex> lock(all.mutex);
  const auto at = Find(all, address);
  if (at == all.by_begin.end()) return false;
  Mapping& mapping = at->second;
  const uintptr_t page = address / all.page_bytes * all.page_bytes;
  const uint64_t offset = page - at->first;
  // Said first: another thread may read the zeros as soon as they are there.
  if (!mapping.failed_at) all.failed.fetch_add(1);
  mapping.failed_at = std::min(mapping.failed_at.value_or(offset), offset);
  void* const zeros = ::mmap(reinterpret_cast<void*>(page), mapping.end - page, PROT_READ,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  return zeros != MAP_FAILED;
}

void OnBusError(int number, siginfo_t* info, void* context) {
  const int error_number = errno;
  // A file that ended or could not be read, or memory that broke; not what `kill` sends.
  const bool is_page = info->si_code == BUS_ADRERR || info->si_code == BUS_MCEERR_AR;
  if (is_page && PutZeros(reinterpret_cast<uintptr_t>(info->si_addr))) {
    errno = error_number;
    return;
  }
  const struct sigaction& before = All().before;
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(number, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(number);
  } else {
    // What the process would have met without us: at the end of the handler.
    ::signal(number, SIG_DFL);
    ::raise(number);
  }
}

void HandleBusErrors() {
  static std::once_flag once;
  std::call_once(once, [] {
    All().page_bytes = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
    struct sigaction action = {};
    action.sa_sigaction = OnBusError;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigemptyset(&action.sa_mask);
    CHECK(::sigaction(SIGBUS, &action, &All().before) == 0);
  });
}

}  // namespace

MappingWatch::MappingWatch(std::string_view bytes, std::string path) : bytes_(bytes) {
  HandleBusErrors();
  Mappings& all = All();
  const auto begin = reinterpret_cast<uintptr_t>(bytes.data());
  const uintptr_t pages = (bytes.size() + all.page_bytes - 1) / all.page_bytes;
  std::lock_guard<std::mutex> lock(all.mutex);
  all.by_begin[begin] = {.end = begin + pages * all.page_bytes, .path = std::move(path)};
}

MappingWatch::~MappingWatch() {
  Mappings& all = All();
  std::lock_guard<std::mutex> lock(all.mutex);
  const auto at = all.by_begin.find(reinterpret_cast<uintptr_t>(bytes_.data()));
  if (at->second.failed_at) all.failed.fetch_sub(1);
  all.by_begin.erase(at);
}

Status CheckMapped(std::string_view bytes) {
  Mappings& all = All();
  // What was read before must not be read after this.
  std::atomic_thread_fence(std::memory_order_acquire);
  if (all.failed.load(std::memory_order_acquire) == 0) return {};
  std::string path;
  uint64_t offset = 0;
  bool is_news = false;
  {
    std::lock_guard<std::mutex> lock(all.mutex);
    const auto at = Find(all, reinterpret_cast<uintptr_t>(bytes.data()));
    if (at == all.by_begin.end() || !at->second.failed_at) return {};
    path = at->second.path;
    offset = *at->second.failed_at;
    is_news = !std::exchange(at->second.is_told, true);
  }
  if (is_news) LogError("a mapped file cannot be read file={} offset={}", path, offset);
  return Error(ErrorCode::kIntegrity,
               "{}: offset {}: the disk no longer gives what was there, or the file was cut off. "
               "Restore it from a copy, then release the collection and load it",
               path, offset);
}

}  // namespace elanus
