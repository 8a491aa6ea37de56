// How a search gets at the blocks of an opened file, several at once.
#pragma once

#include <span>
#include <vector>

#include "index/diskann/file.h"

namespace elanus::index {

/// Reads blocks through the file's mapping: the system is told of all that are wanted before the
/// first is touched, so that they come from the disk at the same time. For one thread.
class BlockReader {
 public:
  explicit BlockReader(const OpenedDisk& disk)
      : disk_(disk), mapped_(disk.file.heap_bytes() == 0) {}
  ~BlockReader();
  BlockReader(const BlockReader&) = delete;
  BlockReader& operator=(const BlockReader&) = delete;

  /// Makes Block() of these cheap. Those of the hot cache are there already.
  void Fetch(std::span<const uint32_t> blocks);
  const char* Block(uint32_t block) const {
    const size_t offset = block * disk_.shape.block_bytes;
    return (IsCached(block) ? disk_.cache.data() : disk_.blocks) + offset;
  }
  bool IsCached(uint32_t block) const { return block < disk_.header.cached_blocks; }
  /// Blocks asked of the file.
  uint64_t count() const { return count_; }

 private:
  const OpenedDisk& disk_;
  const bool mapped_;
  uint64_t count_ = 0;
};

/// Tells the system how a mapped file is read from now on: single blocks in no order. What checking
/// it has brought into the page cache is the first to go when memory is short.
void ExpectRandomReads(const OpenedDisk& disk);

/// Of all readers that are gone. See DiskAnnBlocksRead.
uint64_t BlocksReadSoFar();

}  // namespace elanus::index
