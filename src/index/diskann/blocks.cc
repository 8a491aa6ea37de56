// Blocks through the mapping.
#include "index/diskann/blocks.h"

#include <sys/mman.h>

#include <atomic>

namespace elanus::index {
namespace {
std::atomic<uint64_t> total_blocks{0};
}

BlockReader::~BlockReader() { total_blocks.fetch_add(count_, std::memory_order_relaxed); }

void BlockReader::Fetch(std::span<const uint32_t> blocks) {
  const size_t bytes = disk_.shape.block_bytes;
  size_t missing = 0;
  for (uint32_t block : blocks) missing += IsCached(block) ? 0 : 1;
  count_ += missing;
  // One block alone is read by touching it.
  if (!mapped_ || (missing < 2 && bytes == NodeShape::kSector)) return;
  for (uint32_t block : blocks) {
    if (IsCached(block)) continue;
    ::madvise(const_cast<char*>(disk_.blocks) + block * bytes, bytes, MADV_WILLNEED);
  }
}

void ExpectRandomReads(const OpenedDisk& disk) {
  if (disk.file.heap_bytes() != 0 || disk.header.nodes == 0) return;
  char* blocks = const_cast<char*>(disk.blocks);
  const size_t bytes = disk.shape.Blocks(disk.header.nodes) * disk.shape.block_bytes;
  ::madvise(blocks, bytes, MADV_RANDOM);
  ::madvise(blocks, bytes, MADV_COLD);
}

uint64_t BlocksReadSoFar() { return total_blocks.load(std::memory_order_relaxed); }

}  // namespace elanus::index
