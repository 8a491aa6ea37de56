// The type HNSW over rows of bits: building, writing and opening its file.
#include "index/binary/graph.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/framed.h"

namespace elanus::index {
namespace {

constexpr std::string_view kMagic = "ELBGRAF1";
constexpr size_t kLead = 32;  // With the frame's 32 bytes the content is 64-byte aligned.
constexpr uint64_t kMMax = 2048;
constexpr uint64_t kLevelsMax = 33;
constexpr int64_t kDefaultM = 30;
constexpr int64_t kDefaultEfConstruction = 360;
constexpr size_t kRowsPerTask = 4096;

bool IsJaccard(const BinaryGraphHeader& h) {
  return h.metric == static_cast<uint64_t>(model::Metric::kJaccard);
}

Result<std::string> Build(Context& ctx, VectorBlock block, model::Metric metric,
                          const Params& build, const BuildOptions& options) {
  const BinaryBlock rows(block);
  if (rows.rows >= (1u << 31)) return Invalid("HNSW holds fewer than 2^31 rows, got {}", rows.rows);
  TRY_ASSIGN(const EqualRows groups, GroupEqualRows(ctx, rows, options.pool));
  std::vector<uint8_t> bits(groups.first.size() * rows.row_bytes());
  const BinaryBlock nodes(bits.data(), groups.first.size(), rows.dim);
  TRY(ForParts(ctx, options.pool, nodes.rows, kRowsPerTask, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      std::memcpy(bits.data() + i * rows.row_bytes(), rows.row(groups.first[i]), rows.row_bytes());
    }
  }));
  std::vector<uint32_t> ones;
  if (metric == model::Metric::kJaccard) {
    TRY_ASSIGN(ones, CountOnes(ctx, nodes, options.pool));
  }
  const BitSpace space(nodes, ones.empty() ? nullptr : ones.data(), metric);
  BinaryGraphBuilder builder(
      space, static_cast<uint32_t>(build.GetInt("M", kDefaultM)),
      static_cast<uint32_t>(build.GetInt("efConstruction", kDefaultEfConstruction)));
  TRY(builder.Build(ctx, options));
  return WriteBinaryGraph(ctx, builder, nodes, groups, ones, metric, options.pool);
}

Result<std::unique_ptr<VectorIndex>> Open(Blob file, VectorBlock rows, model::Metric metric) {
  TRY_ASSIGN(OpenedBinaryGraph graph, OpenBinaryGraph(std::move(file), rows, metric));
  return MakeBinaryGraph(std::move(graph), metric);
}

size_t EstimateMemory(const RowShape& shape, const Params& build) {
  const auto m = static_cast<uint64_t>(build.GetInt("M", kDefaultM));
  return 2 * kLead + BinaryGraphLayout({.rows = shape.rows,
                                        .nodes = shape.rows,
                                        .dim = shape.dim,
                                        .metric = static_cast<uint64_t>(shape.metric),
                                        .m = m,
                                        .upper_slots = shape.rows / m + 1})
                         .end;
}

bool TwinsAreGood(const OpenedBinaryGraph& opened, const BinaryGraphHeader& h) {
  if (opened.twin_start[0] != 0 || opened.twin_start[h.nodes] != h.rows - h.nodes) return false;
  for (uint64_t i = 0; i < h.nodes; ++i) {
    if (opened.twin_start[i] > opened.twin_start[i + 1]) return false;
  }
  return std::all_of(opened.twins, opened.twins + (h.rows - h.nodes),
                     [&](uint32_t row) { return row < h.rows; });
}

// Numbers in a file are trusted only after this: a walk follows them without looking. Node i has
// the upper slots from upper_start[i] to upper_start[i + 1]; a link of level l must lead to a node
// that has that level.
class LinkCheck {
 public:
  LinkCheck(const BinaryGraphHeader& h, const GraphView& view) : h_(h), view_(view) {}
  bool AllGood() const {
    for (uint64_t i = 0; i < h_.nodes; ++i) {
      if (view_.rows[i] >= h_.rows || view_.upper_start[i] > EndOf(i) || EndOf(i) > h_.upper_slots)
        return false;
    }
    if (h_.nodes > 0 && h_.top_level > LevelsOf(h_.entry)) return false;
    for (uint64_t i = 0; i < h_.nodes; ++i) {
      if (!SlotIsGood(view_.links + i * (1 + 2 * h_.m), 2 * h_.m, 0)) return false;
      for (uint64_t slot = view_.upper_start[i]; slot < EndOf(i); ++slot) {
        const uint64_t level = slot - view_.upper_start[i] + 1;
        if (!SlotIsGood(view_.upper + slot * (1 + h_.m), h_.m, level)) return false;
      }
    }
    return true;
  }

 private:
  uint64_t EndOf(uint64_t node) const {
    return node + 1 < h_.nodes ? view_.upper_start[node + 1] : h_.upper_slots;
  }
  uint64_t LevelsOf(uint64_t node) const { return EndOf(node) - view_.upper_start[node]; }
  bool SlotIsGood(const uint32_t* slot, uint64_t capacity, uint64_t level) const {
    return slot[0] <= capacity && std::all_of(slot + 1, slot + 1 + slot[0], [&](uint32_t node) {
             return node < h_.nodes && LevelsOf(node) >= level;
           });
  }

  const BinaryGraphHeader& h_;
  const GraphView& view_;
};

}  // namespace

BinaryGraphLayout::BinaryGraphLayout(const BinaryGraphHeader& h) {
  const auto align = [](size_t n) { return (n + 63) / 64 * 64; };
  size_t at = align(sizeof(BinaryGraphHeader));
  rows = at;
  twin_start = at = align(at + h.nodes * 4);
  twins = at = align(at + (h.nodes + 1) * 4);
  upper_start = at = align(at + (h.rows - h.nodes) * 4);
  links = at = align(at + h.nodes * 4);
  upper = at = align(at + h.nodes * (1 + 2 * h.m) * 4);
  bits = at = align(at + h.upper_slots * (1 + h.m) * 4);
  ones = at = align(at + h.nodes * (h.dim / 8));
  end = at + (IsJaccard(h) ? h.nodes * 4 : 0);
}

Result<std::string> WriteBinaryGraph(Context& ctx, const BinaryGraphBuilder& builder,
                                     BinaryBlock nodes, const EqualRows& groups,
                                     const std::vector<uint32_t>& ones, model::Metric metric,
                                     Pool* pool) {
  const GraphView graph = builder.view();
  const std::vector<uint32_t> order = builder.BreadthFirstOrder();
  std::vector<uint32_t> place(graph.nodes);
  // Where the upper slots of a new node begin.
  std::vector<uint32_t> upper_start(graph.nodes + 1, 0);
  std::vector<uint32_t> twin_start(graph.nodes + 1, 0);
  const auto twins_of = [&](uint32_t node) {
    return groups.twin_start[node + 1] - groups.twin_start[node];
  };
  for (uint32_t i = 0; i < graph.nodes; ++i) {
    place[order[i]] = i;
    upper_start[i + 1] = upper_start[i] + builder.LevelOf(order[i]);
    twin_start[i + 1] = twin_start[i] + twins_of(order[i]);
  }
  const BinaryGraphHeader header{.rows = graph.nodes + groups.twins.size(),
                                 .nodes = graph.nodes,
                                 .dim = nodes.dim,
                                 .metric = static_cast<uint64_t>(metric),
                                 .m = graph.m,
                                 .entry = graph.nodes == 0 ? 0 : place[graph.entry],
                                 .top_level = graph.top_level,
                                 .upper_slots = upper_start[graph.nodes]};
  const BinaryGraphLayout at(header);
  std::string payload(kLead + at.end, '\0');
  char* base = payload.data() + kLead;
  std::memcpy(base, &header, sizeof(header));
  std::memcpy(base + at.twin_start, twin_start.data(), twin_start.size() * 4);
  const auto copy_slot = [&](char* to, const uint32_t* from) {
    std::memcpy(to, from, 4);
    for (uint32_t i = 1; i <= from[0]; ++i) std::memcpy(to + size_t{i} * 4, &place[from[i]], 4);
  };
  TRY(ForParts(ctx, pool, graph.nodes, kRowsPerTask, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const uint32_t node = order[i];
      std::memcpy(base + at.rows + i * 4, &groups.first[node], 4);
      for (uint32_t j = 0; j < twins_of(node); ++j) {
        std::memcpy(base + at.twins + (size_t{twin_start[i]} + j) * 4,
                    &groups.twins[groups.twin_start[node] + j], 4);
      }
      std::memcpy(base + at.upper_start + i * 4, &upper_start[i], 4);
      copy_slot(base + at.links + i * (1 + 2 * size_t{graph.m}) * 4, graph.Neighbours(node, 0));
      for (uint32_t level = 1; level <= builder.LevelOf(node); ++level) {
        const size_t slot = size_t{upper_start[i]} + level - 1;
        copy_slot(base + at.upper + slot * (1 + graph.m) * 4, graph.Neighbours(node, level));
      }
      std::memcpy(base + at.bits + i * nodes.row_bytes(), nodes.row(node), nodes.row_bytes());
      if (IsJaccard(header)) std::memcpy(base + at.ones + i * 4, &ones[node], 4);
    }
  }));
  return Frame(kMagic, 1, payload);
}

Result<OpenedBinaryGraph> OpenBinaryGraph(Blob file, BinaryBlock rows, model::Metric metric) {
  TRY_ASSIGN(const std::string_view payload,
             Unframe(kMagic, 1, file.bytes(), "binary graph index"));
  const Status damaged(ErrorCode::kIntegrity,
                       "the binary graph index does not belong to this segment");
  if (payload.size() < kLead + sizeof(BinaryGraphHeader)) return damaged;
  const std::string_view content = payload.substr(kLead);
  BinaryGraphHeader h;
  std::memcpy(&h, content.data(), sizeof(h));
  if (h.rows != rows.rows || h.nodes > h.rows || h.dim != rows.dim ||
      h.metric != static_cast<uint64_t>(metric) || h.m < 2 || h.m > kMMax ||
      h.upper_slots > h.nodes * kLevelsMax || h.top_level >= kLevelsMax ||
      (h.nodes > 0 && h.entry >= h.nodes) || BinaryGraphLayout(h).end != content.size()) {
    return damaged;
  }
  const BinaryGraphLayout at(h);
  const char* base = content.data();
  const auto numbers = [&](size_t offset) {
    return reinterpret_cast<const uint32_t*>(base + offset);
  };
  OpenedBinaryGraph opened;
  opened.view = {.nodes = static_cast<uint32_t>(h.nodes),
                 .m = static_cast<uint32_t>(h.m),
                 .entry = static_cast<uint32_t>(h.entry),
                 .top_level = static_cast<uint32_t>(h.top_level),
                 .codes = base + at.bits,
                 .code_bytes = rows.row_bytes(),
                 .rows = numbers(at.rows),
                 .links = numbers(at.links),
                 .upper_start = numbers(at.upper_start),
                 .upper = numbers(at.upper)};
  opened.rows = h.rows;
  opened.twin_start = numbers(at.twin_start);
  opened.twins = numbers(at.twins);
  if (!TwinsAreGood(opened, h) || !LinkCheck(h, opened.view).AllGood()) return damaged;
  opened.bits = BinaryBlock(reinterpret_cast<const uint8_t*>(base + at.bits), h.nodes, rows.dim);
  if (IsJaccard(h)) opened.ones = numbers(at.ones);
  opened.file = std::move(file);
  return opened;
}

const IndexType& BinaryHnswType() {
  static constexpr std::array kMetrics = {model::Metric::kHamming, model::Metric::kJaccard};
  static constexpr auto kParams = std::to_array<ParamSpec>({
      {"M", Phase::kBuild, ParamKind::kInteger, kDefaultM, 2, kMMax,
       "Links a node (twice as many on level 0)."},
      {"efConstruction", Phase::kBuild, ParamKind::kInteger, kDefaultEfConstruction, 1, 2147483647,
       "Breadth of the search while building."},
      {"ef", Phase::kSearch, ParamKind::kInteger, 16, 1, 2147483647,
       "Breadth of a search; at least k. Default max(k, 16)."},
  });
  static const IndexType kType{.name = "HNSW",
                               .kind = VectorKind::kBinary,
                               .metrics = kMetrics,
                               .params = kParams,
                               .EstimateMemory = EstimateMemory,
                               .Build = Build,
                               .Open = Open};
  return kType;
}

}  // namespace elanus::index
