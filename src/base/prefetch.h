// Asking for memory ahead of its use.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus {

/// Asks for the cache line at `at`; any address. GCC takes a function or a loop that only
/// prefetches for one without effect and removes it before it can be inlined (seen with GCC 12: a
/// walk over a graph waited for every row). The empty statement, which costs no instruction, keeps
/// it; so nothing else calls __builtin_prefetch.
inline void Prefetch(const void* at) {
  __builtin_prefetch(at);
  asm volatile("");
}

/// Every line that holds one of the `bytes` from `at` on.
inline void PrefetchBytes(const void* at, size_t bytes) {
  constexpr uintptr_t kLine = 64;
  const auto begin = reinterpret_cast<uintptr_t>(at);
  for (uintptr_t line = begin & ~(kLine - 1); line < begin + bytes; line += kLine) {
    Prefetch(reinterpret_cast<const void*>(line));
  }
}

}  // namespace elanus
