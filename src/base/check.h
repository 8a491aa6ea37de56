// Assertions on our own mistakes. What a user or a disk can cause is never a CHECK.
#pragma once

namespace elanus {
/// Prints the failed condition with its place and aborts.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);
}  // namespace elanus

#define CHECK(condition)                                     \
  do {                                                       \
    if (!(condition)) [[unlikely]]                           \
      ::elanus::CheckFailed(#condition, __FILE__, __LINE__); \
  } while (false)

#ifdef ELANUS_DEBUG_CHECKS
#define DCHECK(condition) CHECK(condition)
#else
#define DCHECK(condition) \
  do {                    \
  } while (false)
#endif
