// HNSW as an index type. File (framed "ELHNSW01"): 32 zero bytes; u64 nodes, dim, m, entry, top
// level, upper slots; then, each padded to 64 bytes: row numbers (u32), upper starts (u32), links
// (u32), upper links (u32), vectors (float32). Nodes stand in breadth-first order from the entry;
// vectors are normalised for COSINE.
#include "index/hnsw/hnsw.h"

#include <sys/mman.h>

#include <array>
#include <cstring>

#include "base/framed.h"
#include "index/flat/exact.h"
#include "index/hnsw/builder.h"
#include "index/hnsw/walk.h"

namespace elanus::index {
namespace {

constexpr std::string_view kMagic = "ELHNSW01";
constexpr size_t kLead = 32;  // With the frame's 32 bytes the content is 64-byte aligned.
constexpr int64_t kDefaultM = 30;
constexpr int64_t kDefaultEfConstruction = 360;
// Scoring an allowed row in an exact scan is cheaper than a step of a walk, which also pays for
// cache misses.
constexpr double kExactAdvantage = 1.5;
// Distances of a walk per unit of ef, measured on real embeddings at ef 64.
constexpr double kDistancesPerEf = 12;

struct Header {
  uint64_t nodes, dim, m, entry, top_level, upper_slots;
};

struct Layout {
  size_t rows, upper_start, links, upper, vectors, end;
  explicit Layout(const Header& h) {
    const auto align = [](size_t n) { return (n + 63) / 64 * 64; };
    size_t at = align(sizeof(Header));
    rows = at;
    upper_start = at = align(at + h.nodes * 4);
    links = at = align(at + h.nodes * 4);
    upper = at = align(at + h.nodes * (1 + 2 * h.m) * 4);
    vectors = at = align(at + h.upper_slots * (1 + h.m) * 4);
    end = at + h.nodes * h.dim * 4;
  }
};

// Memory on huge pages where the system gives them: a walk reads rows in random order, and with 4
// KB pages most of its time goes into page walks.
std::shared_ptr<char> HugeCopy(std::string_view bytes) {
  constexpr size_t kHuge = 2 << 20;
  const size_t size = (bytes.size() + kHuge - 1) / kHuge * kHuge + kHuge;
  void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  char* aligned =
      reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(mapped) + kHuge - 1) / kHuge * kHuge);
  ::madvise(aligned, size - kHuge, MADV_HUGEPAGE);
  std::memcpy(aligned, bytes.data(), bytes.size());
  ::mprotect(aligned, size - kHuge, PROT_READ);
  return {aligned, [mapped, size](char*) { ::munmap(mapped, size); }};
}

class Hnsw final : public VectorIndex {
 public:
  Hnsw(std::shared_ptr<char> memory, size_t bytes, const Header& header, model::Metric metric)
      : memory_(std::move(memory)), bytes_(bytes), metric_(metric) {
    const Layout at(header);
    const char* base = memory_.get();
    graph_ = {.nodes = static_cast<uint32_t>(header.nodes),
              .dim = static_cast<uint32_t>(header.dim),
              .m = static_cast<uint32_t>(header.m),
              .entry = static_cast<uint32_t>(header.entry),
              .top_level = static_cast<uint32_t>(header.top_level),
              .vectors = reinterpret_cast<const float*>(base + at.vectors),
              .rows = reinterpret_cast<const uint32_t*>(base + at.rows),
              .links = reinterpret_cast<const uint32_t*>(base + at.links),
              .upper_start = reinterpret_cast<const uint32_t*>(base + at.upper_start),
              .upper = reinterpret_cast<const uint32_t*>(base + at.upper)};
  }

  Status Search(Context& ctx, VectorBlock queries, uint32_t k, const Params& params,
                BitsetView allowed, Hits hits) const override {
    const int64_t ef = params.GetInt("ef", std::max<int64_t>(k, 16));
    if (ef < k) {
      return Error(ErrorCode::kSegcore,
                   "failed to search: out_of_range_in_json: ef({}) should be larger than k({})", ef,
                   k);
    }
    if (graph_.nodes == 0) {
      std::fill_n(hits.rows, queries.rows * k, kNoRow);
      std::fill_n(hits.scores, queries.rows * k, 0.0f);
      return {};
    }
    const size_t beam = std::min<size_t>(static_cast<size_t>(ef), graph_.nodes);
    const Distance distance(metric_ == model::Metric::kL2, graph_.dim);
    const size_t allowed_count = allowed.empty() ? graph_.nodes : allowed.Count();
    std::vector<float> normalised(graph_.dim);
    thread_local WalkScratch scratch;
    TopK best(k);
    for (size_t q = 0; q < queries.rows; ++q) {
      const float* query = queries.row(q);
      if (metric_ == model::Metric::kCosine) {
        const float scale = InverseNorm(query, graph_.dim);
        for (size_t d = 0; d < graph_.dim; ++d) normalised[d] = query[d] * scale;
        query = normalised.data();
      }
      const size_t wanted = std::min<size_t>(k, allowed_count);
      if (wanted * 2 >= allowed_count) {
        TRY(ScanAllowed(ctx, distance, query, allowed,
                        best));  // Half of all rows: a walk saves nothing.
      } else if (allowed_count == graph_.nodes) {
        TRY(WalkBeam(ctx, graph_, distance, query, Descend(graph_, distance, query), beam,
                     scratch));
        const size_t count = std::min<size_t>(k, scratch.beam.size());
        for (size_t i = 0; i < count; ++i) {
          best.Push(scratch.beam.at(i).key, graph_.rows[scratch.beam.at(i).node]);
        }
      } else {
        TRY(SearchAllowed(ctx, distance, query, beam, allowed, allowed_count, best));
      }
      if (best.size() < wanted) {
        // Parts of the graph may not be reachable (many equal rows): what was asked for is still
        // there.
        best.Clear();
        TRY(ScanAllowed(ctx, distance, query, allowed, best));
      }
      best.WriteTo(hits, q, metric_ == model::Metric::kL2 ? 1.0f : -1.0f);
    }
    return {};
  }

  size_t memory_bytes() const override { return bytes_; }

 private:
  // The cheaper of a filtered walk and an exact scan of what is allowed. A walk that turns out
  // dearer than the scan (the filter keeps rows far from the query) is given up for it, so the cost
  // stays within twice the cheaper one.
  Status SearchAllowed(Context& ctx, const Distance& distance, const float* query, size_t beam,
                       BitsetView allowed, size_t allowed_count, TopK& best) const {
    const double exact_cost = static_cast<double>(allowed_count) / kExactAdvantage;
    const double walk_cost = static_cast<double>(beam) * kDistancesPerEf *
                             static_cast<double>(graph_.nodes) /
                             static_cast<double>(allowed_count + 1);
    if (walk_cost < exact_cost) {
      TRY_ASSIGN(const bool complete,
                 WalkFiltered(ctx, graph_, distance, query, Descend(graph_, distance, query), beam,
                              allowed, static_cast<size_t>(exact_cost) + 1, best));
      if (complete) return {};
      best.Clear();
    }
    return ScanAllowed(ctx, distance, query, allowed, best);
  }

  Status ScanAllowed(Context& ctx, const Distance& distance, const float* query, BitsetView allowed,
                     TopK& best) const {
    const float* pointers[4];
    uint32_t nodes[4];
    size_t held = 0;
    for (uint32_t node = 0; node < graph_.nodes; ++node) {
      if (node % 16384 == 0) TRY(ctx.CheckAlive());
      if (!allowed.empty() && !allowed.Test(graph_.rows[node])) continue;
      pointers[held] = graph_.vector(node);
      nodes[held++] = node;
      if (held < 4) continue;
      float keys[4];
      distance.Four(query, pointers, keys);
      for (size_t i = 0; i < 4; ++i) best.Push(keys[i], graph_.rows[nodes[i]]);
      held = 0;
    }
    for (size_t i = 0; i < held; ++i) {
      best.Push(distance.One(query, pointers[i]), graph_.rows[nodes[i]]);
    }
    return {};
  }

  std::shared_ptr<char> memory_;
  size_t bytes_;
  model::Metric metric_;
  GraphView graph_;
};

size_t EstimateMemory(uint64_t rows, uint32_t dim, const Params& build) {
  const auto m = static_cast<uint64_t>(build.GetInt("M", kDefaultM));
  return Layout({rows, dim, m, 0, 0, rows / m + 1}).end;
}

// The file's content from a finished builder.
std::string Assemble(const HnswBuilder& builder, const std::vector<float>& normalised,
                     VectorBlock rows) {
  const GraphView graph = builder.view();
  const std::vector<uint32_t> order = builder.BreadthFirstOrder();
  std::vector<uint32_t> place(graph.nodes);
  uint32_t slots = 0;
  for (uint32_t i = 0; i < graph.nodes; ++i) {
    place[order[i]] = i;
    slots += builder.LevelOf(i);
  }
  const Header header{graph.nodes,     graph.dim,
                      graph.m,         graph.nodes == 0 ? 0 : place[graph.entry],
                      graph.top_level, slots};
  const Layout at(header);
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
    const float* vector =
        normalised.empty() ? rows.row(node) : normalised.data() + size_t{node} * graph.dim;
    std::memcpy(base + at.vectors + size_t{i} * graph.dim * 4, vector, size_t{graph.dim} * 4);
  }
  return payload;
}

Result<std::string> Build(Context& ctx, VectorBlock rows, model::Metric metric, const Params& build,
                          const BuildOptions& options) {
  if (rows.rows >= (1u << 31)) return Invalid("HNSW holds fewer than 2^31 rows, got {}", rows.rows);
  std::vector<float> normalised;
  if (metric == model::Metric::kCosine) {
    normalised.resize(rows.rows * rows.dim);
    for (size_t r = 0; r < rows.rows; ++r) {
      const float scale = InverseNorm(rows.row(r), rows.dim);
      for (size_t d = 0; d < rows.dim; ++d) normalised[r * rows.dim + d] = rows.row(r)[d] * scale;
    }
  }
  HnswBuilder builder(
      normalised.empty() ? rows.row(0) : normalised.data(), static_cast<uint32_t>(rows.rows),
      rows.dim, metric == model::Metric::kL2, static_cast<uint32_t>(build.GetInt("M", kDefaultM)),
      static_cast<uint32_t>(build.GetInt("efConstruction", kDefaultEfConstruction)));
  TRY(builder.Build(ctx, options));
  return Frame(kMagic, 1, Assemble(builder, normalised, rows));
}

// Numbers in a file are trusted only after this: a walk follows them without looking. Node i has
// the upper slots from upper_start[i] to upper_start[i + 1]; a link of level l must lead to a node
// that has that level.
bool LinksAreGood(const Header& h, const char* base) {
  const Layout at(h);
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

Result<std::unique_ptr<VectorIndex>> Open(Blob file, VectorBlock rows, model::Metric metric) {
  TRY_ASSIGN(const std::string_view payload, Unframe(kMagic, 1, file.bytes(), "HNSW index"));
  if (payload.size() < kLead + sizeof(Header)) {
    return Status(ErrorCode::kIntegrity, "the HNSW index is too short");
  }
  const std::string_view content = payload.substr(kLead);
  Header header;
  std::memcpy(&header, content.data(), sizeof(header));
  const bool fits = header.nodes == rows.rows && (header.nodes == 0 || header.dim == rows.dim) &&
                    header.m >= 2 && header.m <= 2048 && header.upper_slots <= header.nodes * 33 &&
                    (header.nodes == 0 || header.entry < header.nodes) &&
                    Layout(header).end == content.size();
  if (!fits || !LinksAreGood(header, content.data())) {
    return Status(ErrorCode::kIntegrity, "the HNSW index does not belong to this segment");
  }
  std::shared_ptr<char> memory = HugeCopy(content);
  if (memory == nullptr) {
    return Error(ErrorCode::kMemoryLimitExceeded, "no memory for an HNSW index of {} bytes",
                 content.size());
  }
  return std::unique_ptr<VectorIndex>(
      std::make_unique<Hnsw>(std::move(memory), content.size(), header, metric));
}

constexpr auto kParams = std::to_array<ParamSpec>({
    {"M", Phase::kBuild, kDefaultM, 2, 2048, true, "Links a node (twice as many on level 0)."},
    {"efConstruction", Phase::kBuild, kDefaultEfConstruction, 1, 2147483647, true,
     "Breadth of the search while building."},
    {"ef", Phase::kSearch, 16, 1, 2147483647, true,
     "Breadth of a search; at least k. Default max(k, 16)."},
});

}  // namespace

const IndexType& HnswType() {
  static const IndexType kType{.name = "HNSW",
                               .params = kParams,
                               .EstimateMemory = EstimateMemory,
                               .Build = Build,
                               .Open = Open};
  return kType;
}

}  // namespace elanus::index
