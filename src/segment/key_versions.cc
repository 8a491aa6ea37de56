// Rows of keys.
#include "segment/key_versions.h"

#include <string_view>

namespace elanus::segment {

void KeyVersions::Add(const model::ColumnView& keys, uint32_t first_row) {
  const bool is_int = keys.type == model::DataType::kInt64;
  for (size_t i = 0; i < keys.rows; ++i) {
    const uint32_t row = static_cast<uint32_t>(first_row + i);
    uint32_t* newest;
    bool is_new;
    if (is_int) {
      const auto [at, added] = int_keys_.try_emplace(keys.Get<int64_t>(i), row);
      newest = &at->second;
      is_new = added;
    } else {
      const std::string_view key = keys.Bytes(i);
      const auto [at, added] =
          text_keys_.try_emplace(absl::string_view(key.data(), key.size()), row);
      newest = &at->second;
      is_new = added;
      if (added && at->first.capacity() > std::string().capacity()) {
        text_bytes_ += at->first.capacity() + 1;
      }
    }
    older_.push_back(is_new ? kNone : *newest);
    *newest = row;
  }
}

uint32_t KeyVersions::Newest(const model::ColumnView& keys, size_t at) const {
  if (keys.type == model::DataType::kInt64) {
    const auto found = int_keys_.find(keys.Get<int64_t>(at));
    return found == int_keys_.end() ? kNone : found->second;
  }
  const std::string_view key = keys.Bytes(at);
  const auto found = text_keys_.find(absl::string_view(key.data(), key.size()));
  return found == text_keys_.end() ? kNone : found->second;
}

size_t KeyVersions::memory_bytes() const {
  constexpr size_t kControl = 1;  // A byte a slot that says whether it is used.
  return int_keys_.capacity() * (sizeof(decltype(int_keys_)::value_type) + kControl) +
         text_keys_.capacity() * (sizeof(decltype(text_keys_)::value_type) + kControl) +
         older_.capacity() * sizeof(uint32_t) + text_bytes_;
}

}  // namespace elanus::segment
