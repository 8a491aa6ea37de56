// The file of a disk graph: what Build writes and Open checks.
//
// Framed "ELDISK01", so that offsets in the file count 32 bytes of frame: 32 zero bytes; the
// header; then, each at a multiple of 64 bytes: row numbers (u32, place by place), the codec's
// parameters, codes, terms (float32, where the codec has them); and from the next multiple of 4096
// on the blocks. A block is 4096 bytes, or as many times that as one node needs; it holds as many
// whole nodes as fit. A node: its vector (dim float32, of length 1 for COSINE), the count of its
// links, `degree` slots for the places they lead to.
//
// Blocks are filled with nodes that are near each other, and stand in breadth-first order from the
// entry: the first ones are what the hot cache keeps.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/blob.h"
#include "index/codes/codec.h"
#include "index/diskann/builder.h"

namespace elanus::index {

/// How nodes lie in blocks.
struct NodeShape {
  static constexpr size_t kSector = 4096;
  size_t node_bytes, nodes_per_block, block_bytes;

  NodeShape(size_t dim, size_t degree)
      : node_bytes((dim + 1 + degree) * 4),
        nodes_per_block(node_bytes <= kSector ? kSector / node_bytes : 1),
        block_bytes((node_bytes + kSector - 1) / kSector * kSector) {}
  size_t Blocks(size_t nodes) const { return (nodes + nodes_per_block - 1) / nodes_per_block; }
};

struct DiskHeader {
  uint64_t nodes, dim, degree, entry;
  uint64_t cached_blocks;  // The first ones, kept in memory once opened.
  uint64_t code_dim;       // dim, or a little more: zeros make it a multiple of the codec's parts.
  uint64_t code_params, code_bytes, code_terms;  // Bytes; bytes a row; 0 or 1.
};

/// Where each part begins, from the file's start.
struct DiskLayout {
  size_t rows, code_params, codes, terms, blocks, end;
  explicit DiskLayout(const DiskHeader& header);
};

/// The file's bytes. `rows`: vectors as they are scored, normalised for COSINE; `code_rows`: the
/// same with code_dim numbers each.
Result<std::string> WriteDisk(Context& ctx, const VamanaBuilder& builder, VectorBlock rows,
                              VectorBlock code_rows, const Codec& codec, uint32_t degree,
                              uint64_t cache_bytes, Pool* pool);

struct OpenedDisk {
  DiskHeader header{};
  NodeShape shape{1, 1};
  std::unique_ptr<Codec> codec;
  // In memory: what every step of a walk reads, and the hot blocks.
  std::vector<uint32_t> rows;  // Of each place.
  std::vector<char> codes;
  std::vector<float> terms;
  std::vector<char> cache;
  PackedRows packed;
  Blob file;
  const char* blocks = nullptr;  // In `file`.

  size_t memory_bytes() const;
};

/// Checks all of the file and follows nothing before; kIntegrity when it is damaged or of other
/// rows.
Result<OpenedDisk> OpenDisk(Blob file, VectorBlock rows, bool is_l2);

/// What OpenedDisk::memory_bytes() will be.
size_t EstimateDiskMemory(const DiskHeader& header);

/// A node as it lies in a block.
class NodeView {
 public:
  NodeView(const char* at, size_t dim) : at_(at), links_(at + dim * sizeof(float)) {}
  const float* vector() const { return reinterpret_cast<const float*>(at_); }
  uint32_t degree() const { return Number(0); }
  uint32_t link(size_t i) const { return Number(1 + i); }

 private:
  uint32_t Number(size_t i) const {
    uint32_t number;
    std::memcpy(&number, links_ + i * sizeof(number), sizeof(number));
    return number;
  }
  const char* at_;
  const char* links_;
};

}  // namespace elanus::index
