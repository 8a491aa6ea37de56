// How a failed CHECK ends the process.
#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace elanus {
void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, condition);
  std::abort();
}
}  // namespace elanus
