// Key order of growing segments.
#include "segment/growing_keys.h"

#include <algorithm>

#include "base/check.h"

namespace elanus::segment {
namespace {

// Chunks that one page sorts: half a millisecond each, where their keys came in no order.
constexpr size_t kSortedAtOnce = 4;

}  // namespace

void GrowingKeys::SortSome(const SegmentView& view) {
  const std::unique_lock<std::mutex> sorting(sorting_mutex_, std::try_to_lock);
  if (!sorting.owns_lock()) return;  // Somebody is at it; this page does without.
  size_t chunk = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    chunk = orders_.size();
  }
  const size_t end = std::min(chunk + kSortedAtOnce, view.rows() / kChunkRows);
  for (; chunk < end; ++chunk) {
    const auto keys = view.Read(view.schema().primary_key().id, chunk * kChunkRows, kChunkRows);
    CHECK(keys.ok());  // Every schema of the segment has the key.
    auto order = std::make_unique<const PrimaryKeys>(*keys);
    std::lock_guard<std::mutex> lock(mutex_);
    orders_.push_back(std::move(order));
  }
}

std::vector<KeyRun> GrowingKeys::RunsOf(const SegmentView& view) {
  SortSome(view);
  std::vector<KeyRun> runs;
  std::lock_guard<std::mutex> lock(mutex_);
  for (size_t begin = 0; begin < view.rows(); begin += kChunkRows) {
    const size_t count = std::min(kChunkRows, view.rows() - begin);
    const auto keys = view.Read(view.schema().primary_key().id, begin, count);
    CHECK(keys.ok());
    const size_t chunk = runs.size();
    // An older view may have a part only of a chunk that is whole by now.
    const bool is_sorted = count == kChunkRows && chunk < orders_.size();
    runs.push_back({.keys = *keys,
                    .order = is_sorted ? orders_[chunk].get() : nullptr,
                    .first_row = static_cast<uint32_t>(begin)});
  }
  return runs;
}

size_t GrowingKeys::memory_bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  size_t bytes = 0;
  for (const auto& order : orders_) bytes += order->memory_bytes();
  return bytes;
}

}  // namespace elanus::segment
