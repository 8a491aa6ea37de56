// Writing and opening a graph's file.
#include "index/hnsw/file.h"

#include <algorithm>
#include <cstring>

#include "base/framed.h"
#include "base/huge_copy.h"
#include "index/codes/choices.h"

namespace elanus::index {
namespace {

constexpr std::string_view kMagic = "ELHNSW02";
constexpr size_t kLead = 32;  // With the frame's 32 bytes the content is 64-byte aligned.
constexpr uint64_t kMMax = 2048;
constexpr uint64_t kLevelsMax = 33;
constexpr size_t kAlignment = 64;                  // Of each part.
constexpr uint64_t kBytesMax = uint64_t{1} << 40;  // Of any one part: keeps sums from wrapping.

constexpr size_t Align(size_t n) { return (n + kAlignment - 1) / kAlignment * kAlignment; }

// Numbers in a file are trusted only after this: a walk follows them without looking. Node i has
// the upper slots from upper_start[i] to upper_start[i + 1]; a link of level l must lead to a node
// that has that level.
bool LinksAreGood(const GraphHeader& h, const char* base) {
  const GraphLayout at(h);
  const auto* rows = reinterpret_cast<const uint32_t*>(base + at.rows);
  const auto* starts = reinterpret_cast<const uint32_t*>(base + at.upper_start);
  const auto* links = reinterpret_cast<const uint32_t*>(base + at.links);
  const auto* upper = reinterpret_cast<const uint32_t*>(base + at.upper);
  const auto end_of = [&](uint64_t node) {
    return node + 1 < h.nodes ? starts[node + 1] : h.upper_slots;
  };
  for (uint64_t i = 0; i < h.nodes; ++i) {
    if (rows[i] >= h.nodes || starts[i] > end_of(i) || end_of(i) > h.upper_slots) return false;
  }
  if (h.nodes > 0 && h.top_level > end_of(h.entry) - starts[h.entry]) return false;
  const auto slot_is_good = [&](const uint32_t* slot, uint64_t capacity, uint64_t level) {
    if (slot[0] > capacity) return false;
    for (uint32_t j = 1; j <= slot[0]; ++j) {
      if (slot[j] >= h.nodes || end_of(slot[j]) - starts[slot[j]] < level) return false;
    }
    return true;
  };
  for (uint64_t i = 0; i < h.nodes; ++i) {
    if (!slot_is_good(links + i * (1 + 2 * h.m), 2 * h.m, 0)) return false;
    for (uint64_t slot = starts[i]; slot < end_of(i); ++slot) {
      if (!slot_is_good(upper + slot * (1 + h.m), h.m, slot - starts[i] + 1)) return false;
    }
  }
  return true;
}

// Which node each row is; empty when two nodes claim the same row.
std::vector<uint32_t> NodesOfRows(const uint32_t* rows, uint32_t nodes) {
  std::vector<uint32_t> node_of(nodes, kNoRow);
  for (uint32_t node = 0; node < nodes; ++node) {
    if (node_of[rows[node]] != kNoRow) return {};
    node_of[rows[node]] = node;
  }
  return node_of;
}

// Behind the sketches.
size_t CellsBegin(const GraphHeader& h, bool is_l2) {
  return Align(SketchLayout(h.nodes, static_cast<uint32_t>(h.dim), is_l2).end);
}

// A header that is good names sketches. The cells behind them, where there are any.
Status OpenCells(const char* bytes, bool is_l2, OpenedGraph& opened) {
  const GraphHeader& h = opened.header;
  const size_t begin = CellsBegin(h, is_l2);
  if (h.sketch_bytes <= begin) return {};
  const auto dim = static_cast<uint32_t>(h.dim);
  TRY(Cells::Check({bytes + begin, h.sketch_bytes - begin}, h.nodes, dim));
  opened.cells = std::make_unique<Cells>(bytes + begin, dim, is_l2);
  opened.memory_bytes += opened.cells->memory_bytes();
  return {};
}

bool HeaderIsGood(const GraphHeader& h, VectorBlock rows, bool is_l2, size_t content) {
  const uint64_t bytes[] = {h.code_params, h.code_bytes, h.refine_params, h.refine_bytes};
  for (uint64_t b : bytes) {
    if (b > kBytesMax / std::max<uint64_t>(h.nodes, 1)) return false;
  }
  return h.nodes == rows.rows && h.dim == rows.dim &&
         h.element == static_cast<uint64_t>(rows.element) && h.m >= 2 && h.m <= kMMax &&
         h.upper_slots <= h.nodes * kLevelsMax && (h.nodes == 0 || h.entry < h.nodes) &&
         h.code_terms <= 1 && h.refine_terms <= 1 && h.sketch_bytes <= content &&
         GraphLayout(h).end == content &&
         (h.sketch_bytes == 0 || h.sketch_bytes == SketchLayout(rows.rows, rows.dim, is_l2).end ||
          h.sketch_bytes > CellsBegin(h, is_l2));
}

}  // namespace

GraphLayout::GraphLayout(const GraphHeader& h) {
  size_t at = Align(sizeof(GraphHeader));
  rows = at;
  upper_start = at = Align(at + h.nodes * 4);
  links = at = Align(at + h.nodes * 4);
  upper = at = Align(at + h.nodes * (1 + 2 * h.m) * 4);
  code_params = at = Align(at + h.upper_slots * (1 + h.m) * 4);
  codes = at = Align(at + h.code_params);
  terms = at = Align(at + h.nodes * h.code_bytes);
  sketches = at = Align(at + h.nodes * h.code_terms * 4);
  refine_params = at = Align(at + h.sketch_bytes);
  refine_codes = at = Align(at + h.refine_params);
  refine_terms = at = Align(at + h.nodes * h.refine_bytes);
  end = at + h.nodes * h.refine_terms * 4;
}

Result<std::string> WriteGraph(Context& ctx, const HnswBuilder& builder, VectorBlock rows,
                               model::Metric metric, const GraphCodes& codes, uint32_t m,
                               Pool* pool) {
  const GraphView graph = builder.view();
  const size_t cells_begin = Align(codes.sketches.size());
  std::vector<char> cells;
  std::vector<uint32_t> order = builder.BreadthFirstOrder();
  if (!codes.cells.centroids.empty()) {
    cells = PackCells(codes.cells, rows.dim);
    std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return codes.cells.nearest[a] < codes.cells.nearest[b];
    });
  }
  std::vector<uint32_t> place(graph.nodes);
  for (uint32_t i = 0; i < graph.nodes; ++i) place[order[i]] = i;
  uint64_t upper_slots = 0;
  for (uint32_t node = 0; node < graph.nodes; ++node) upper_slots += builder.LevelOf(node);
  const std::string params = codes.codec->Save();
  const std::string refine_params = codes.refine == nullptr ? "" : codes.refine->Save();
  const GraphHeader header{
      .nodes = graph.nodes,
      .dim = rows.dim,
      .m = m,
      .entry = graph.nodes == 0 ? 0 : place[graph.entry],
      .top_level = graph.top_level,
      .upper_slots = upper_slots,
      .code_kind = static_cast<uint64_t>(codes.codec->kind()),
      .code_params = params.size(),
      .code_bytes = codes.codec->row_bytes(),
      .code_terms = codes.codec->has_terms(),
      .refine_kind = static_cast<uint64_t>(codes.refine_kind),
      .refine_params = refine_params.size(),
      .refine_bytes = codes.refine == nullptr ? 0 : codes.refine->row_bytes(),
      .refine_terms = codes.refine != nullptr && codes.refine->has_terms(),
      .element = static_cast<uint64_t>(rows.element),
      .sketch_bytes = cells.empty() ? codes.sketches.size() : cells_begin + cells.size()};
  const GraphLayout at(header);
  std::string payload(kLead + at.end, '\0');
  char* base = payload.data() + kLead;
  std::memcpy(base, &header, sizeof(header));
  uint32_t slot = 0;
  const auto copy_slot = [&](char* to, const uint32_t* from) {
    std::memcpy(to, from, 4);
    for (uint32_t i = 1; i <= from[0]; ++i) std::memcpy(to + size_t{i} * 4, &place[from[i]], 4);
  };
  for (uint32_t i = 0; i < graph.nodes; ++i) {
    const uint32_t node = order[i];
    std::memcpy(base + at.rows + size_t{i} * 4, &node, 4);
    std::memcpy(base + at.upper_start + size_t{i} * 4, &slot, 4);
    copy_slot(base + at.links + size_t{i} * (1 + 2 * graph.m) * 4, graph.Neighbours(node, 0));
    for (uint32_t level = 1; level <= builder.LevelOf(node); ++level) {
      copy_slot(base + at.upper + size_t{slot++} * (1 + graph.m) * 4,
                graph.Neighbours(node, level));
    }
  }
  std::memcpy(base + at.code_params, params.data(), params.size());
  TRY(PackRows(ctx, *codes.codec, RowsFor(*codes.codec, rows, metric), order.data(), pool,
               base + at.codes, reinterpret_cast<float*>(base + at.terms)));
  std::copy(codes.sketches.begin(), codes.sketches.end(), base + at.sketches);
  std::copy(cells.begin(), cells.end(), base + at.sketches + cells_begin);
  if (codes.refine != nullptr) {
    std::memcpy(base + at.refine_params, refine_params.data(), refine_params.size());
    TRY(PackRows(ctx, *codes.refine, RowsFor(*codes.refine, rows, metric), order.data(), pool,
                 base + at.refine_codes, reinterpret_cast<float*>(base + at.refine_terms)));
  }
  return Frame(kMagic, 1, payload);
}

Result<OpenedGraph> OpenGraph(Blob file, VectorBlock rows, model::Metric metric) {
  const bool is_l2 = metric == model::Metric::kL2;
  TRY_ASSIGN(const std::string_view payload, Unframe(kMagic, 1, file.bytes(), "graph index"));
  if (payload.size() < kLead + sizeof(GraphHeader)) {
    return Status(ErrorCode::kIntegrity, "the graph index is too short");
  }
  const std::string_view content = payload.substr(kLead);
  OpenedGraph opened;
  GraphHeader& h = opened.header;
  std::memcpy(&h, content.data(), sizeof(h));
  if (!HeaderIsGood(h, rows, is_l2, content.size()) || !LinksAreGood(h, content.data())) {
    return Status(ErrorCode::kIntegrity, "the graph index does not belong to this segment");
  }
  const GraphLayout at(h);
  opened.memory_bytes = at.refine_params + h.nodes * kOpenedNodeBytes;
  opened.memory = HugeCopy(content.substr(0, at.refine_params));
  if (opened.memory == nullptr) {
    return Error(ErrorCode::kMemoryLimitExceeded, "no memory for a graph index of {} bytes",
                 at.refine_params);
  }
  const char* base = opened.memory.get();
  opened.node_of = NodesOfRows(reinterpret_cast<const uint32_t*>(base + at.rows),
                               static_cast<uint32_t>(h.nodes));
  if (opened.node_of.size() != h.nodes) {
    return Status(ErrorCode::kIntegrity, "two nodes of the graph index are the same row");
  }
  const auto dim = static_cast<uint32_t>(h.dim);
  TRY_ASSIGN(OpenedPart codes, OpenPacked({.kind = h.code_kind,
                                           .row_bytes = h.code_bytes,
                                           .has_terms = h.code_terms,
                                           .params = content.substr(at.code_params, h.code_params),
                                           .codes = base + at.codes,
                                           .terms = base + at.terms,
                                           .rows = h.nodes},
                                          dim, is_l2, "a graph index"));
  // Raw rows have lengths beside them under COSINE and nothing else.
  if (codes.codec->kind() == CodeKind::kRaw &&
      codes.codec->has_terms() != (metric == model::Metric::kCosine)) {
    return Status(ErrorCode::kIntegrity, "the graph index is of another metric");
  }
  opened.codes.codec = std::move(codes.codec);
  opened.packed = codes.rows;
  if (h.sketch_bytes > 0) {
    opened.sketches = std::make_unique<Sketches>(base + at.sketches, h.nodes, dim, is_l2);
    TRY(OpenCells(base + at.sketches, is_l2, opened));
  }
  opened.codes.refine_kind = static_cast<CodeKind>(h.refine_kind);
  const bool keeps_refine = HoldsRefineCodes(opened.codes.refine_kind);
  if (keeps_refine) {
    TRY_ASSIGN(OpenedPart refine,
               OpenPacked({.kind = h.refine_kind,
                           .row_bytes = h.refine_bytes,
                           .has_terms = h.refine_terms,
                           .params = content.substr(at.refine_params, h.refine_params),
                           .codes = content.data() + at.refine_codes,
                           .terms = content.data() + at.refine_terms,
                           .rows = h.nodes},
                          dim, is_l2, "a graph index"));
    opened.codes.refine = std::move(refine.codec);
    opened.refine = refine.rows;
  }
  opened.view = {.nodes = static_cast<uint32_t>(h.nodes),
                 .m = static_cast<uint32_t>(h.m),
                 .entry = static_cast<uint32_t>(h.entry),
                 .top_level = static_cast<uint32_t>(h.top_level),
                 .codes = base + at.codes,
                 .code_bytes = h.code_bytes,
                 .rows = reinterpret_cast<const uint32_t*>(base + at.rows),
                 .links = reinterpret_cast<const uint32_t*>(base + at.links),
                 .upper_start = reinterpret_cast<const uint32_t*>(base + at.upper_start),
                 .upper = reinterpret_cast<const uint32_t*>(base + at.upper),
                 .node_of = opened.node_of.data()};
  if (keeps_refine) opened.file = std::move(file);
  return opened;
}

}  // namespace elanus::index
