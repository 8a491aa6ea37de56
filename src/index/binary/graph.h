// HNSW over rows of bits.
//
// Equal rows share a node. Framed "ELBGRAF1": 32 zero bytes; the header; then, each padded to 64
// bytes: the first row of each node (u32), where its other rows begin (nodes + 1 u32), those rows
// (u32); upper starts (u32), links (u32), upper links (u32), as in hnsw/file.h; the nodes' bits;
// their set bits (u32, for JACCARD). Nodes stand in breadth-first order from the entry. A search
// reads all of it in place.
#pragma once

#include <memory>
#include <string>

#include "base/blob.h"
#include "index/binary/binary_block.h"
#include "index/binary/bit_space.h"
#include "index/binary/equal_rows.h"
#include "index/vector_index.h"

namespace elanus::index {

const IndexType& BinaryHnswType();

struct BinaryGraphHeader {
  uint64_t rows, nodes, dim, metric, m, entry, top_level, upper_slots;
};

struct BinaryGraphLayout {
  size_t rows, twin_start, twins, upper_start, links, upper, bits, ones, end;
  explicit BinaryGraphLayout(const BinaryGraphHeader& header);
};

/// The file's bytes. `nodes`: the bits of each node of the builder; `groups`: its rows; `ones`: its
/// set bits, for JACCARD.
Result<std::string> WriteBinaryGraph(Context& ctx, const BinaryGraphBuilder& builder,
                                     BinaryBlock nodes, const EqualRows& groups,
                                     const std::vector<uint32_t>& ones, model::Metric metric,
                                     Pool* pool);

struct OpenedBinaryGraph {
  Blob file;
  GraphView view;  // Its rows are the first of each node.
  size_t rows = 0;
  const uint32_t* twin_start = nullptr;
  const uint32_t* twins = nullptr;
  BinaryBlock bits;                // Of each node.
  const uint32_t* ones = nullptr;  // Null but for JACCARD.
};

/// kIntegrity when the file is damaged or of other rows.
Result<OpenedBinaryGraph> OpenBinaryGraph(Blob file, BinaryBlock rows, model::Metric metric);

/// Searches what has been opened.
std::unique_ptr<VectorIndex> MakeBinaryGraph(OpenedBinaryGraph graph, model::Metric metric);

}  // namespace elanus::index
