// The graph as it is searched: links by internal number, and the scratch of a walk.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "base/prefetch.h"

namespace elanus::index {

/// Read-only view of a finished graph. Level 0 has a slot of 1 + 2M numbers a node (count, then
/// neighbours), the upper levels one of 1 + M for each node and level: node n's slot of level l >=
/// 1 is upper_start[n] + l - 1.
struct GraphView {
  // The processor fetches the rest of a long row by itself.
  static constexpr size_t kPrefetchBytes = 512;
  uint32_t nodes = 0;
  uint32_t m = 0;
  uint32_t entry = 0;
  uint32_t top_level = 0;
  const char* codes = nullptr;  // nodes x code_bytes: where a scorer reads; to prefetch.
  size_t code_bytes = 0;
  const uint32_t* rows = nullptr;         // Internal number to row of the segment.
  const uint32_t* links = nullptr;        // nodes x (1 + 2m).
  const uint32_t* upper_start = nullptr;  // nodes.
  const uint32_t* upper = nullptr;        // Slots of 1 + m.
  const uint32_t* node_of = nullptr;      // Row to internal number, where a row has a node.

  void Prefetch(uint32_t node) const {
    PrefetchBytes(codes + size_t{node} * code_bytes, std::min<size_t>(code_bytes, kPrefetchBytes));
  }
  /// Of level 0.
  void PrefetchLinks(uint32_t node) const {
    PrefetchBytes(Neighbours(node, 0),
                  std::min<size_t>((1 + 2 * m) * sizeof(uint32_t), kPrefetchBytes));
  }
  const uint32_t* Neighbours(uint32_t node, uint32_t level) const {
    if (level == 0) return links + size_t{node} * (1 + 2 * m);
    return upper + (size_t{upper_start[node]} + level - 1) * (1 + m);
  }
};

struct Neighbour {
  float key;
  uint32_t node;
  bool operator<(const Neighbour& o) const {
    return key < o.key || (key == o.key && node < o.node);
  }
};

/// Which nodes a walk has met: one stamp a node, cleared by counting up.
class VisitedSet {
 public:
  void Begin(size_t nodes) {
    if (stamps_.size() < nodes) stamps_.assign(nodes, 0);
    if (++stamp_ == 0) {
      std::fill(stamps_.begin(), stamps_.end(), uint16_t{0});
      stamp_ = 1;
    }
  }
  /// True the first time.
  bool Visit(uint32_t node) {
    const bool is_new = stamps_[node] != stamp_;
    stamps_[node] = stamp_;
    return is_new;
  }
  bool Has(uint32_t node) const { return stamps_[node] == stamp_; }
  void Prefetch(uint32_t node) const { elanus::Prefetch(&stamps_[node]); }

 private:
  std::vector<uint16_t> stamps_;
  uint16_t stamp_ = 0;
};

/// The thread's own set: walks never nest.
inline VisitedSet& ThreadVisitedSet() {
  thread_local VisitedSet visited;
  return visited;
}

/// The `ef` nearest nodes met so far in order, with a mark for those already expanded. A sorted
/// array beats two heaps for the ef of practice: one cache line holds the part that changes.
class Beam {
 public:
  void Begin(size_t ef) {
    ef_ = ef;
    size_ = 0;
    next_ = 0;
    if (slots_.size() < ef + 1) slots_.resize(ef + 1);
  }
  float bound() const {
    return size_ < ef_ ? std::numeric_limits<float>::infinity() : slots_[size_ - 1].key;
  }
  void Insert(float key, uint32_t node) {
    if (size_ == ef_ && key >= slots_[size_ - 1].key) return;
    // Without a branch that depends on a key: chance would mispredict half of them.
    size_t low = 0;
    for (size_t left = size_; left > 0;) {
      const size_t half = left - left / 2;
      low += slots_[low + half - 1].key <= key ? half : 0;
      left -= half;
    }
    const size_t tail = std::min(size_, ef_ - 1) - low;
    std::memmove(&slots_[low + 1], &slots_[low], tail * sizeof(Slot));
    slots_[low] = {key, node};
    if (size_ < ef_) ++size_;
    if (low < next_) next_ = low;
  }
  /// The nearest node not expanded yet, marked as expanded; false when there is none.
  bool Next(uint32_t& node) {
    while (next_ < size_ && (slots_[next_].node & kExpanded) != 0) ++next_;
    if (next_ == size_) return false;
    node = slots_[next_].node;
    slots_[next_].node |= kExpanded;
    ++next_;
    return true;
  }
  size_t size() const { return size_; }
  Neighbour at(size_t i) const { return {slots_[i].key, slots_[i].node & ~kExpanded}; }

 private:
  static constexpr uint32_t kExpanded = 1u << 31;  // Node numbers stay below it.
  struct Slot {
    float key;
    uint32_t node;
  };
  std::vector<Slot> slots_;
  size_t ef_ = 0;
  size_t size_ = 0;
  size_t next_ = 0;
};

}  // namespace elanus::index
