// Copies for reading in place.
#include "base/aligned_copy.h"

#include <cstring>
#include <new>

namespace elanus {

Blob AlignedCopy(std::string_view bytes) {
  constexpr std::align_val_t kAlignment{64};
  std::shared_ptr<void> memory(::operator new(bytes.size() + 64, kAlignment),
                               [](void* at) { ::operator delete(at, kAlignment); });
  std::memcpy(memory.get(), bytes.data(), bytes.size());
  const auto* at = static_cast<const char*>(memory.get());
  return {std::move(memory), {at, bytes.size()}, bytes.size()};
}

}  // namespace elanus
