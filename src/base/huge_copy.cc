// Memory asked for at a multiple of a huge page.
#include "base/huge_copy.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>

namespace elanus {

std::shared_ptr<char> HugeCopy(std::string_view bytes) {
  constexpr size_t kHuge = 2 << 20;
  const size_t size = (bytes.size() + kHuge - 1) / kHuge * kHuge + kHuge;
  void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  char* aligned =
      reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(mapped) + kHuge - 1) / kHuge * kHuge);
  ::madvise(aligned, size - kHuge, MADV_HUGEPAGE);
  std::memcpy(aligned, bytes.data(), bytes.size());
  ::mprotect(aligned, size - kHuge, PROT_READ);
  return {aligned, [mapped, size](char*) { ::munmap(mapped, size); }};
}

}  // namespace elanus
