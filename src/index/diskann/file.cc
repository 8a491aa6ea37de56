// Writing and opening the file of a disk graph.
#include "index/diskann/file.h"

#include <algorithm>

#include "base/framed.h"
#include "base/huge_copy.h"

namespace elanus::index {
namespace {

constexpr std::string_view kMagic = "ELDISK02";
constexpr size_t kFrame = 32;
constexpr size_t kHeader = 64;  // Where it begins.
constexpr uint64_t kDegreeMax = 2048;
constexpr uint64_t kDimMax = 65536;
constexpr uint64_t kNodesMax = uint64_t{1} << 31;
constexpr uint64_t kParamsMax = uint64_t{1} << 34;

// Fills block after block: the next node in breadth-first order, then those of its neighbours that
// have no place yet, the nearest first.
std::vector<uint32_t> PlaceNodes(const VamanaBuilder& builder, uint32_t nodes, size_t per_block) {
  std::vector<uint32_t> order;
  order.reserve(nodes);
  std::vector<uint8_t> placed(nodes, 0);
  std::vector<uint8_t> met(nodes, 0);
  std::vector<uint32_t> queue;
  queue.reserve(nodes);
  const auto place = [&](uint32_t node) {
    if (placed[node]) return;
    placed[node] = 1;
    order.push_back(node);
  };
  const auto meet = [&](uint32_t node) {
    if (met[node]) return;
    met[node] = 1;
    queue.push_back(node);
  };
  size_t at = 0;
  const auto walk_from = [&](uint32_t start) {
    for (meet(start); at < queue.size(); ++at) {
      const uint32_t leader = queue[at];
      const bool leads = !placed[leader];
      place(leader);
      for (uint32_t other : builder.Links(leader)) {
        if (leads && order.size() % per_block != 0) place(other);
        meet(other);
      }
    }
  };
  if (nodes > 0) walk_from(builder.entry());
  for (uint32_t node = 0; node < nodes; ++node) walk_from(node);  // What is not reachable, too.
  return order;
}

// Nodes of other elements than float32 are as they were, and COSINE needs their lengths.
bool IsScaled(const VectorBlock& rows, model::Metric metric) {
  return rows.element != ElementType::kFloat32 && metric == model::Metric::kCosine;
}

bool CodeKindIsGood(uint64_t kind) {
  return kind == static_cast<uint64_t>(CodeKind::kRotated) ||
         kind == static_cast<uint64_t>(CodeKind::kAdditive);
}

bool HeaderIsGood(const DiskHeader& h, VectorBlock rows, model::Metric metric, size_t file_bytes) {
  return h.nodes == rows.rows && h.dim == rows.dim &&
         h.element == static_cast<uint64_t>(rows.element) &&
         h.is_l2 == (metric == model::Metric::kL2 ? 1 : 0) &&
         h.scaled == (IsScaled(rows, metric) ? 1 : 0) && h.nodes < kNodesMax && h.dim >= 1 &&
         h.dim <= kDimMax && h.degree >= 1 && h.degree <= kDegreeMax &&
         (h.nodes == 0 || h.entry < h.nodes) && h.code_dim >= h.dim && h.code_dim <= 2 * h.dim &&
         CodeKindIsGood(h.code_kind) && h.code_params <= kParamsMax &&
         h.code_bytes <= 4 * kDimMax && h.code_terms <= 1 && h.cell_bytes <= file_bytes &&
         h.cached_blocks <= h.Shape().Blocks(h.nodes) && DiskLayout(h).end == file_bytes;
}

// In the order of the blocks. That each node's row has this place makes places a permutation.
bool NodesAreGood(const DiskHeader& h, const char* base) {
  const DiskLayout at(h);
  const NodeShape shape = h.Shape();
  const auto* places = reinterpret_cast<const uint32_t*>(base + at.places);
  for (uint64_t i = 0; i < h.nodes; ++i) {
    const NodeView node(base + at.blocks + shape.Offset(i), shape);
    if (node.row() >= h.nodes || places[node.row()] != i || node.degree() > h.degree) return false;
    for (uint32_t j = 0; j < node.degree(); ++j) {
      if (node.link(j) >= h.nodes) return false;
    }
  }
  return true;
}

Status OpenCells(const char* base, const DiskLayout& at, bool is_l2, OpenedDisk& opened) {
  const DiskHeader& h = opened.header;
  if (h.cell_bytes == 0) return {};
  const auto dim = static_cast<uint32_t>(h.dim);
  TRY(Cells::Check({base + at.cells, h.cell_bytes}, h.nodes, dim));
  opened.cell_rows = reinterpret_cast<const uint32_t*>(base + at.cell_rows);
  std::vector<bool> is_met(h.nodes);
  for (size_t i = 0; i < h.nodes; ++i) {
    const uint32_t row = opened.cell_rows[i];
    if (row >= h.nodes || is_met[row]) {
      return Status(ErrorCode::kIntegrity, "a row lies in two cells of the disk index");
    }
    is_met[row] = true;
  }
  opened.cells = std::make_unique<Cells>(base + at.cells, dim, is_l2);
  return {};
}

}  // namespace

DiskLayout::DiskLayout(const DiskHeader& h) {
  const auto align = [](size_t n, size_t to) { return (n + to - 1) / to * to; };
  const NodeShape shape = h.Shape();
  places = align(kHeader + sizeof(DiskHeader), 64);
  code_params = align(places + h.nodes * 4, 64);
  codes = align(code_params + h.code_params, 64);
  terms = align(codes + h.nodes * h.code_bytes, 64);
  steps_end = terms + h.nodes * h.code_terms * 4;
  cells = align(steps_end, 64);
  cell_rows = align(cells + h.cell_bytes, 64);
  blocks = align(cell_rows + (h.cell_bytes == 0 ? 0 : h.nodes * 4), NodeShape::kSector);
  end = blocks + shape.Blocks(h.nodes) * shape.block_bytes;
}

Result<std::string> WriteDisk(Context& ctx, const VamanaBuilder& builder, VectorBlock rows,
                              model::Metric metric, const FloatRows& code_rows, const Codec& codec,
                              const Partition& cells, uint32_t degree, uint64_t cache_bytes,
                              Pool* pool) {
  const bool scaled = IsScaled(rows, metric);
  const NodeShape shape(rows.row_bytes(), degree, scaled);
  const auto nodes = static_cast<uint32_t>(rows.rows);
  const std::vector<uint32_t> order = PlaceNodes(builder, nodes, shape.nodes_per_block);
  const std::string params = codec.Save();
  std::vector<char> cell_part;
  if (!cells.centroids.empty()) cell_part = PackCells(cells, rows.dim);
  const DiskHeader header{
      .nodes = nodes,
      .dim = rows.dim,
      .degree = degree,
      .entry = builder.entry(),
      .is_l2 = metric == model::Metric::kL2,
      .cached_blocks = std::min<uint64_t>(cache_bytes / shape.block_bytes, shape.Blocks(nodes)),
      .code_dim = code_rows.dim(),
      .code_kind = static_cast<uint64_t>(codec.kind()),
      .code_params = params.size(),
      .code_bytes = codec.row_bytes(),
      .code_terms = codec.has_terms(),
      .element = static_cast<uint64_t>(rows.element),
      .scaled = scaled,
      .cell_bytes = cell_part.size()};
  const DiskLayout at(header);
  std::string payload(at.end - kFrame, '\0');
  const auto part = [&](size_t offset) { return payload.data() + (offset - kFrame); };
  std::memcpy(part(kHeader), &header, sizeof(header));
  std::memcpy(part(at.code_params), params.data(), params.size());
  auto* places = reinterpret_cast<uint32_t*>(part(at.places));
  for (uint32_t i = 0; i < nodes; ++i) places[order[i]] = i;
  TRY(PackRows(ctx, codec, code_rows, nullptr, pool, part(at.codes),
               reinterpret_cast<float*>(part(at.terms))));
  if (!cell_part.empty()) {
    std::copy(cell_part.begin(), cell_part.end(), part(at.cells));
    const std::vector<uint32_t> by_cell = RowsByCell(cells);
    std::memcpy(part(at.cell_rows), by_cell.data(), by_cell.size() * sizeof(uint32_t));
  }
  for (uint32_t i = 0; i < nodes; ++i) {
    if (i % 4096 == 0) TRY(ctx.CheckAlive());
    char* to = part(at.blocks + shape.Offset(i));
    const void* row = RowOf(rows, order[i]);
    std::memcpy(to, row, rows.row_bytes());
    if (scaled) {
      const float scale = InverseNorm(rows.element, row, rows.dim);
      std::memcpy(to + shape.scale_at, &scale, sizeof(scale));
    }
    const auto links = builder.Links(order[i]);
    const uint32_t head[2] = {order[i], static_cast<uint32_t>(links.size())};
    std::memcpy(to + shape.row_at, head, sizeof(head));
    if (!links.empty()) {
      std::memcpy(to + shape.row_at + sizeof(head), links.data(), links.size_bytes());
    }
  }
  return Frame(kMagic, 1, payload);
}

Result<OpenedDisk> OpenDisk(Blob file, VectorBlock rows, model::Metric metric, StepsIn steps_in) {
  const bool is_l2 = metric == model::Metric::kL2;
  TRY_ASSIGN(const std::string_view payload, Unframe(kMagic, 1, file.bytes(), "disk index"));
  if (payload.size() + kFrame < kHeader + sizeof(DiskHeader)) {
    return Status(ErrorCode::kIntegrity, "the disk index is too short");
  }
  const char* base = file.bytes().data();
  OpenedDisk opened;
  DiskHeader& h = opened.header;
  std::memcpy(&h, base + kHeader, sizeof(h));
  if (!HeaderIsGood(h, rows, metric, file.bytes().size()) || !NodesAreGood(h, base)) {
    return Status(ErrorCode::kIntegrity, "the disk index does not belong to this segment");
  }
  const DiskLayout at(h);
  opened.shape = h.Shape();
  const char* steps = base + at.places;
  if (steps_in == StepsIn::kMemory) {
    opened.steps = HugeCopy(file.bytes().substr(at.places, at.steps_end - at.places));
    if (opened.steps == nullptr) {
      return Error(ErrorCode::kMemoryLimitExceeded, "no memory for the codes of a disk index: {}",
                   at.steps_end - at.places);
    }
    steps = opened.steps.get();
  }
  const auto step_part = [&](size_t offset) { return steps + (offset - at.places); };
  opened.places = reinterpret_cast<const uint32_t*>(steps);
  TRY_ASSIGN(OpenedPart part, OpenPacked({.kind = h.code_kind,
                                          .row_bytes = h.code_bytes,
                                          .has_terms = h.code_terms,
                                          .params = {step_part(at.code_params), h.code_params},
                                          .codes = step_part(at.codes),
                                          .terms = step_part(at.terms),
                                          .rows = h.nodes},
                                         static_cast<uint32_t>(h.code_dim), is_l2, "a disk index"));
  opened.codec = std::move(part.codec);
  opened.packed = part.rows;
  opened.blocks = base + at.blocks;
  TRY(OpenCells(base, at, is_l2, opened));
  opened.cache.assign(opened.blocks, opened.blocks + h.cached_blocks * opened.shape.block_bytes);
  opened.file = std::move(file);
  return opened;
}

size_t OpenedDisk::memory_bytes() const {
  const DiskLayout at(header);
  return (steps == nullptr ? 0 : at.steps_end - at.places) + cache.size() + header.code_params +
         file.heap_bytes() + (cells == nullptr ? 0 : cells->memory_bytes());
}

size_t EstimateDiskMemory(const DiskHeader& h, StepsIn steps_in) {
  const DiskLayout at(h);
  const NodeShape shape = h.Shape();
  return (steps_in == StepsIn::kMemory ? at.steps_end - at.places : 0) + h.code_params +
         std::min<size_t>(h.cached_blocks, shape.Blocks(h.nodes)) * shape.block_bytes +
         CodedCentroids::EstimateBytes(CellsFor(h.nodes), h.dim);
}

}  // namespace elanus::index
