// Asking for memory ahead of its use.
#pragma once

#include <cstddef>

namespace elanus {

/// Asks for the cache line at `at`; any address. GCC takes a function or a loop that only
/// prefetches for one without effect and removes it before it can be inlined (seen with GCC 12: a
/// walk over a graph waited for every row). The empty statement, which costs no instruction, keeps
/// it; so nothing else calls __builtin_prefetch.
inline void Prefetch(const void* at) {
  __builtin_prefetch(at);
  asm volatile("");
}

/// The lines of `bytes` from `at` on.
inline void PrefetchBytes(const void* at, size_t bytes) {
  constexpr size_t kLine = 64;
  const char* from = static_cast<const char*>(at);
  for (size_t i = 0; i < bytes; i += kLine) Prefetch(from + i);
}

}  // namespace elanus
