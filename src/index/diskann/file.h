// The file of a disk graph: what Build writes and Open checks.
//
// Framed "ELDISK02", so that offsets in the file count 32 bytes of frame: 32 zero bytes; the
// header; then, each at a multiple of 64 bytes: places (u32, row by row), the codec's parameters,
// codes, terms (float32, where the codec has them), both row by row; cells (cells/cells.h) and the
// rows (u32) cell by cell, ascending in each, where there are cells; and from the next multiple of
// 4096 on the blocks. A block is 4096 bytes, or as many times that as one node needs; it holds as
// many whole nodes as fit. A node: its vector (dim elements; float32 ones of length 1 for COSINE),
// under COSINE for other elements 1 / its length (float32); at the next multiple of 4 bytes its
// row, the count of its links, `degree` slots for the rows they lead to.
//
// Nodes are called by their rows, so that a filter is asked and a code found without a table; the
// one table says where a row's node stands. Blocks are filled with nodes that are near each other,
// and stand in breadth-first order from the entry: the first ones are what the hot cache keeps.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/blob.h"
#include "base/prefetch.h"
#include "index/cells/cells.h"
#include "index/codes/codec.h"
#include "index/diskann/builder.h"

namespace elanus::index {

/// How nodes lie in blocks.
struct NodeShape {
  static constexpr size_t kSector = 4096;
  size_t scale_at;  // Where 1 / length lies in a node, if there is one.
  size_t row_at;    // Of the row, the count of links and the links.
  size_t node_bytes, nodes_per_block, block_bytes;

  /// `scaled`: nodes have 1 / length.
  NodeShape(size_t row_bytes, size_t degree, bool scaled)
      : scale_at((row_bytes + 3) / 4 * 4),
        row_at(scale_at + (scaled ? sizeof(float) : 0)),
        node_bytes(row_at + (2 + degree) * 4),
        nodes_per_block(node_bytes <= kSector ? kSector / node_bytes : 1),
        block_bytes((node_bytes + kSector - 1) / kSector * kSector) {}
  /// Where the node of a place begins, from the first block on.
  size_t Offset(size_t place) const {
    return place / nodes_per_block * block_bytes + place % nodes_per_block * node_bytes;
  }
  size_t Blocks(size_t nodes) const { return (nodes + nodes_per_block - 1) / nodes_per_block; }
};

struct DiskHeader {
  uint64_t nodes, dim, degree, entry;
  uint64_t is_l2;          // 1: the metric is L2.
  uint64_t cached_blocks;  // The first ones, kept in memory once opened.
  uint64_t code_dim;       // dim, or a little more: zeros make it a multiple of the codec's parts.
  uint64_t code_kind;      // A CodeKind: kRotated or kAdditive.
  uint64_t code_params, code_bytes, code_terms;  // Bytes; bytes a row; 0 or 1.
  uint64_t element;                              // An ElementType.
  uint64_t scaled;      // 1: nodes have 1 / length (COSINE of another element than float32).
  uint64_t cell_bytes;  // Without the rows; 0: there are no cells.

  NodeShape Shape() const {
    const VectorBlock row{.dim = static_cast<uint32_t>(dim),
                          .element = static_cast<ElementType>(element)};
    return {row.row_bytes(), degree, scaled != 0};
  }
};

/// Where each part begins, from the file's start.
struct DiskLayout {
  size_t places, code_params, codes, terms, steps_end, cells, cell_rows, blocks, end;
  explicit DiskLayout(const DiskHeader& header);
};

/// The file's bytes. `rows`: as NodeShape says; `code_rows`: the same as they are scored, with
/// code_dim numbers each. `cells`: may be empty.
Result<std::string> WriteDisk(Context& ctx, const VamanaBuilder& builder, VectorBlock rows,
                              model::Metric metric, const FloatRows& code_rows, const Codec& codec,
                              const Partition& cells, uint32_t degree, uint64_t cache_bytes,
                              Pool* pool);

/// Where what every step of a walk reads is kept: copied into memory, or left in the file.
enum class StepsIn : uint8_t { kMemory, kFile };

struct OpenedDisk {
  DiskHeader header{};
  NodeShape shape{4, 1, false};
  std::unique_ptr<Codec> codec;
  // What every step of a walk reads, in `steps` or in `file`.
  const uint32_t* places = nullptr;  // Of each row: block x nodes_per_block + place in it.
  PackedRows packed;
  std::shared_ptr<const char> steps;  // The file from places to steps_end.
  std::vector<char> cache;            // The hot blocks.
  Blob file;
  const char* blocks = nullptr;        // In `file`.
  std::unique_ptr<const Cells> cells;  // In `file`, as its rows are; null: none.
  const uint32_t* cell_rows = nullptr;

  size_t memory_bytes() const;
};

/// Checks all of the file and follows nothing before; kIntegrity when it is damaged, or of other
/// rows or another metric.
Result<OpenedDisk> OpenDisk(Blob file, VectorBlock rows, model::Metric metric, StepsIn steps_in);

/// What OpenedDisk::memory_bytes() will be.
size_t EstimateDiskMemory(const DiskHeader& header, StepsIn steps_in);

/// A node as it lies in a block.
class NodeView {
 public:
  NodeView(const char* at, const NodeShape& shape) : at_(at), shape_(shape) {}
  const void* vector() const { return at_; }
  /// 1 / length, where nodes have it.
  float scale() const {
    float scale;
    std::memcpy(&scale, at_ + shape_.scale_at, sizeof(scale));
    return scale;
  }
  uint32_t row() const { return Number(0); }
  uint32_t degree() const { return Number(1); }
  uint32_t link(size_t i) const { return Number(2 + i); }
  /// All that a node has besides its vector.
  void PrefetchLinks() const {
    PrefetchBytes(at_ + shape_.row_at, shape_.node_bytes - shape_.row_at);
  }

 private:
  uint32_t Number(size_t i) const {
    uint32_t number;
    std::memcpy(&number, at_ + shape_.row_at + i * sizeof(number), sizeof(number));
    return number;
  }
  const char* at_;
  const NodeShape& shape_;
};

}  // namespace elanus::index
