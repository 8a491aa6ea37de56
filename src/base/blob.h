// Bytes of a stored object that stay where they are: mapped from a file or held on the heap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace elanus {

/// Shared, immutable. Copying shares.
class Blob {
 public:
  Blob() = default;
  /// `owner` keeps `bytes` alive; `heap_bytes` is what counts as memory (0 for a mapping).
  Blob(std::shared_ptr<const void> owner, std::string_view bytes, size_t heap_bytes)
      : owner_(std::move(owner)), bytes_(bytes), heap_bytes_(heap_bytes) {}
  std::string_view bytes() const { return bytes_; }
  size_t heap_bytes() const { return heap_bytes_; }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view bytes_;
  size_t heap_bytes_ = 0;
};

}  // namespace elanus
