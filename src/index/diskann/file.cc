// Writing and opening the file of a disk graph.
#include "index/diskann/file.h"

#include <algorithm>

#include "base/framed.h"

namespace elanus::index {
namespace {

constexpr std::string_view kMagic = "ELDISK01";
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

bool HeaderIsGood(const DiskHeader& h, VectorBlock rows, model::Metric metric, size_t file_bytes) {
  return h.nodes == rows.rows && h.dim == rows.dim &&
         h.element == static_cast<uint64_t>(rows.element) &&
         h.scaled == (IsScaled(rows, metric) ? 1 : 0) && h.nodes < kNodesMax && h.dim >= 1 &&
         h.dim <= kDimMax && h.degree >= 1 && h.degree <= kDegreeMax &&
         (h.nodes == 0 || h.entry < h.nodes) && h.code_dim >= h.dim && h.code_dim <= 2 * h.dim &&
         h.code_params <= kParamsMax && h.code_bytes <= 4 * kDimMax && h.code_terms <= 1 &&
         h.cached_blocks <= h.Shape().Blocks(h.nodes) && DiskLayout(h).end == file_bytes;
}

bool NodesAreGood(const DiskHeader& h, const char* base) {
  const DiskLayout at(h);
  const NodeShape shape = h.Shape();
  for (uint64_t i = 0; i < h.nodes; ++i) {
    uint32_t row;
    std::memcpy(&row, base + at.rows + i * sizeof(row), sizeof(row));
    const NodeView node(base + at.blocks + i / shape.nodes_per_block * shape.block_bytes +
                            i % shape.nodes_per_block * shape.node_bytes,
                        shape);
    if (row >= h.nodes || node.degree() > h.degree) return false;
    for (uint32_t j = 0; j < node.degree(); ++j) {
      if (node.link(j) >= h.nodes) return false;
    }
  }
  return true;
}

}  // namespace

DiskLayout::DiskLayout(const DiskHeader& h) {
  const auto align = [](size_t n, size_t to) { return (n + to - 1) / to * to; };
  const NodeShape shape = h.Shape();
  rows = align(kHeader + sizeof(DiskHeader), 64);
  code_params = align(rows + h.nodes * 4, 64);
  codes = align(code_params + h.code_params, 64);
  terms = align(codes + h.nodes * h.code_bytes, 64);
  blocks = align(terms + h.nodes * h.code_terms * 4, NodeShape::kSector);
  end = blocks + shape.Blocks(h.nodes) * shape.block_bytes;
}

Result<std::string> WriteDisk(Context& ctx, const VamanaBuilder& builder, VectorBlock rows,
                              model::Metric metric, const FloatRows& code_rows, const Codec& codec,
                              uint32_t degree, uint64_t cache_bytes, Pool* pool) {
  const bool scaled = IsScaled(rows, metric);
  const NodeShape shape(rows.row_bytes(), degree, scaled);
  const auto nodes = static_cast<uint32_t>(rows.rows);
  const std::vector<uint32_t> order = PlaceNodes(builder, nodes, shape.nodes_per_block);
  std::vector<uint32_t> place(nodes);
  for (uint32_t i = 0; i < nodes; ++i) place[order[i]] = i;
  const std::string params = codec.Save();
  const DiskHeader header{
      .nodes = nodes,
      .dim = rows.dim,
      .degree = degree,
      .entry = nodes == 0 ? 0 : place[builder.entry()],
      .cached_blocks = std::min<uint64_t>(cache_bytes / shape.block_bytes, shape.Blocks(nodes)),
      .code_dim = code_rows.dim(),
      .code_params = params.size(),
      .code_bytes = codec.row_bytes(),
      .code_terms = codec.has_terms(),
      .element = static_cast<uint64_t>(rows.element),
      .scaled = scaled};
  const DiskLayout at(header);
  std::string payload(at.end - kFrame, '\0');
  const auto part = [&](size_t offset) { return payload.data() + (offset - kFrame); };
  std::memcpy(part(kHeader), &header, sizeof(header));
  std::memcpy(part(at.code_params), params.data(), params.size());
  if (nodes > 0) std::memcpy(part(at.rows), order.data(), size_t{nodes} * 4);
  TRY(PackRows(ctx, codec, code_rows, order.data(), pool, part(at.codes),
               reinterpret_cast<float*>(part(at.terms))));
  for (uint32_t i = 0; i < nodes; ++i) {
    if (i % 4096 == 0) TRY(ctx.CheckAlive());
    char* to = part(at.blocks + i / shape.nodes_per_block * shape.block_bytes +
                    i % shape.nodes_per_block * shape.node_bytes);
    const void* row = RowOf(rows, order[i]);
    std::memcpy(to, row, rows.row_bytes());
    if (scaled) {
      const float scale = InverseNorm(rows.element, row, rows.dim);
      std::memcpy(to + shape.scale_at, &scale, sizeof(scale));
    }
    to += shape.links_at;
    const auto links = builder.Links(order[i]);
    const auto count = static_cast<uint32_t>(links.size());
    std::memcpy(to, &count, sizeof(count));
    for (uint32_t other : links) std::memcpy(to += sizeof(uint32_t), &place[other], 4);
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
  TRY_ASSIGN(opened.codec, OpenCodec(CodeKind::kAdditive, static_cast<uint32_t>(h.code_dim), is_l2,
                                     file.bytes().substr(at.code_params, h.code_params)));
  const char* codes = base + at.codes;
  const auto* terms = reinterpret_cast<const float*>(base + at.terms);
  opened.rows = reinterpret_cast<const uint32_t*>(base + at.rows);
  if (steps_in == StepsIn::kMemory) {
    opened.row_copies.assign(opened.rows, opened.rows + h.nodes);
    opened.code_copies.assign(codes, codes + h.nodes * h.code_bytes);
    opened.term_copies.assign(terms, terms + h.nodes * h.code_terms);
    opened.rows = opened.row_copies.data();
    codes = opened.code_copies.data();
    terms = opened.term_copies.data();
  }
  opened.packed = {.codes = codes, .terms = h.code_terms == 0 ? nullptr : terms, .rows = h.nodes};
  if (opened.codec->row_bytes() != h.code_bytes ||
      opened.codec->has_terms() != (h.code_terms != 0) || !opened.codec->Holds(opened.packed)) {
    return Status(ErrorCode::kIntegrity, "the codes of a disk index do not fit their codec");
  }
  opened.blocks = base + at.blocks;
  opened.cache.assign(opened.blocks, opened.blocks + h.cached_blocks * opened.shape.block_bytes);
  opened.file = std::move(file);
  return opened;
}

size_t OpenedDisk::memory_bytes() const {
  return row_copies.size() * 4 + code_copies.size() + term_copies.size() * 4 + cache.size() +
         header.code_params + file.heap_bytes();
}

size_t EstimateDiskMemory(const DiskHeader& h, StepsIn steps_in) {
  const NodeShape shape = h.Shape();
  const size_t step_bytes = 4 + h.code_bytes + 4 * h.code_terms;
  return (steps_in == StepsIn::kMemory ? h.nodes * step_bytes : 0) + h.code_params +
         std::min<size_t>(h.cached_blocks, shape.Blocks(h.nodes)) * shape.block_bytes;
}

}  // namespace elanus::index
