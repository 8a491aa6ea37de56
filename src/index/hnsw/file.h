// The file of a graph index: what Build writes and Open checks.
//
// Framed "ELHNSW02": 32 zero bytes; the header; then, each padded to 64 bytes: row numbers (u32),
// upper starts (u32), links (u32), upper links (u32), the codec's parameters, codes, terms
// (float32, where the codec has them); sketches (codes/sketches.h, by rows; not always), padded to
// 64 bytes, and behind them cells (cells/cells.h; not always); refine
// parameters, refine codes, refine terms. Nodes stand in breadth-first order from the entry, where
// there are cells cell by cell. With refine kind kFloat32 nothing is kept: the segment's own
// vectors refine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/blob.h"
#include "index/cells/cells.h"
#include "index/codes/codec.h"
#include "index/codes/sketches.h"
#include "index/hnsw/builder.h"
#include "index/hnsw/graph.h"

namespace elanus::index {

struct GraphHeader {
  uint64_t nodes, dim, m, entry, top_level, upper_slots;
  uint64_t code_kind, code_params, code_bytes, code_terms;  // Kind; bytes; bytes a row; 0 or 1.
  uint64_t refine_kind, refine_params, refine_bytes, refine_terms;
  uint64_t element;       // An ElementType.
  uint64_t sketch_bytes;  // Of all rows, and of cells behind them; 0: none.
};

/// What opening makes beside the parts of the file, for each node.
inline constexpr size_t kOpenedNodeBytes = sizeof(uint32_t);

/// Where each part begins, from the content's start.
struct GraphLayout {
  size_t rows, upper_start, links, upper, code_params, codes, terms, sketches;
  size_t refine_params, refine_codes, refine_terms, end;
  explicit GraphLayout(const GraphHeader& header);
};

/// What a graph keeps beside its links. `refine`: null for none and for the segment's own vectors.
struct GraphCodes {
  std::unique_ptr<Codec> codec;
  CodeKind refine_kind = CodeKind::kNone;
  std::unique_ptr<Codec> refine;
  // What the file gets; empty: none. Not set by opening. Without sketches there are no cells.
  std::vector<char> sketches;
  Partition cells;
};

/// The file's bytes. `rows`: COSINE rows not normalised.
Result<std::string> WriteGraph(Context& ctx, const HnswBuilder& builder, VectorBlock rows,
                               model::Metric metric, const GraphCodes& codes, uint32_t m,
                               Pool* pool);

struct OpenedGraph {
  GraphHeader header;
  GraphCodes codes;
  /// Links, codes and sketches, copied to memory on huge pages; refine codes stay in `file`.
  std::shared_ptr<char> memory;
  size_t memory_bytes = 0;
  Blob file;                      // Kept only for refine codes.
  std::vector<uint32_t> node_of;  // Of each row.
  GraphView view;
  PackedRows packed;
  PackedRows refine;
  std::unique_ptr<const Sketches> sketches;  // Null where the file has none.
  std::unique_ptr<const Cells> cells;
};

/// kIntegrity when the file is damaged, or of other rows or another metric.
Result<OpenedGraph> OpenGraph(Blob file, VectorBlock rows, model::Metric metric);

}  // namespace elanus::index
