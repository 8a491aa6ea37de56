// The type BIN_IVF_FLAT: building its lists, writing and opening its file.
#include "index/binary/ivf.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/framed.h"
#include "index/binary/k_majority.h"
#include "index/binary/scorer.h"

namespace elanus::index {
namespace {

constexpr std::string_view kMagic = "ELBIVF01";
constexpr size_t kLead = 32;  // With the frame's 32 bytes the content is 64-byte aligned.
constexpr uint64_t kListsMax = 65536;
constexpr int64_t kDefaultLists = 128;
constexpr double kTrainedProgress = 0.7;
constexpr double kAssignedProgress = 0.9;
constexpr size_t kRowsPerTask = 4096;

bool IsJaccard(const BinaryIvfHeader& h) {
  return h.metric == static_cast<uint64_t>(model::Metric::kJaccard);
}

Result<std::string> Build(Context& ctx, VectorBlock rows, model::Metric metric, const Params& build,
                          const BuildOptions& options) {
  if (rows.rows >= kNoRow) {
    return Invalid("BIN_IVF_FLAT holds fewer than 2^32 - 1 rows, got {}", rows.rows);
  }
  TRY(ctx.CheckAlive());
  const auto asked = static_cast<size_t>(build.GetInt("nlist", kDefaultLists));
  const size_t lists = std::clamp<size_t>(rows.rows, 1, asked);
  std::vector<uint8_t> centroids(lists * rows.row_bytes(), 0);
  std::vector<uint32_t> nearest;
  if (rows.rows > 0) {
    BuildOptions training = options;
    if (options.on_progress) {
      training.on_progress = [&](double done) { options.on_progress(kTrainedProgress * done); };
    }
    TRY_ASSIGN(centroids, TrainBinaryCentroids(ctx, rows, lists, metric, training));
    TRY_ASSIGN(nearest, AssignBinaryRows(ctx, rows, centroids, metric, options.pool));
    if (options.on_progress) options.on_progress(kAssignedProgress);
  }
  TRY_ASSIGN(std::string file, WriteBinaryIvf(ctx, rows, metric, centroids, nearest, options.pool));
  if (options.on_progress) options.on_progress(1.0);
  return file;
}

Result<std::unique_ptr<VectorIndex>> Open(Blob file, VectorBlock rows, model::Metric metric) {
  TRY_ASSIGN(OpenedBinaryIvf lists, OpenBinaryIvf(std::move(file), rows, metric));
  return MakeBinaryIvf(std::move(lists), metric);
}

size_t EstimateMemory(const RowShape& shape, const Params& build) {
  const auto lists = static_cast<uint64_t>(build.GetInt("nlist", kDefaultLists));
  return 2 * kLead + BinaryIvfLayout({.rows = shape.rows,
                                      .dim = shape.dim,
                                      .metric = static_cast<uint64_t>(shape.metric),
                                      .lists = std::clamp<uint64_t>(shape.rows, 1, lists)})
                         .end;
}

// A search follows bounds and numbers without looking.
bool NumbersAreGood(const OpenedBinaryIvf& opened) {
  const BinaryIvfHeader& h = opened.header;
  if (opened.bounds[0] != 0 || opened.bounds[h.lists] != h.rows) return false;
  for (uint64_t l = 0; l < h.lists; ++l) {
    if (opened.bounds[l] > opened.bounds[l + 1]) return false;
  }
  return std::all_of(opened.numbers, opened.numbers + h.rows,
                     [&](uint32_t row) { return row < h.rows; });
}

}  // namespace

BinaryIvfLayout::BinaryIvfLayout(const BinaryIvfHeader& h) {
  const auto align = [](size_t n) { return (n + 63) / 64 * 64; };
  const size_t row_bytes = h.dim / 8;
  size_t at = align(sizeof(BinaryIvfHeader));
  centroids = at;
  centroid_ones = at = align(at + h.lists * row_bytes);
  bounds = at = align(at + h.lists * 4);
  numbers = at = align(at + (h.lists + 1) * 8);
  bits = at = align(at + h.rows * 4);
  ones = at = align(at + h.rows * row_bytes);
  end = at + (IsJaccard(h) ? h.rows * 4 : 0);
}

Result<std::string> WriteBinaryIvf(Context& ctx, BinaryBlock rows, model::Metric metric,
                                   const std::vector<uint8_t>& centroids,
                                   const std::vector<uint32_t>& nearest, Pool* pool) {
  const size_t row_bytes = rows.row_bytes();
  const BinaryIvfHeader header{.rows = rows.rows,
                               .dim = rows.dim,
                               .metric = static_cast<uint64_t>(metric),
                               .lists = centroids.size() / row_bytes};
  std::vector<uint64_t> bounds(header.lists + 1, 0);
  for (uint32_t list : nearest) ++bounds[list + 1];
  for (size_t l = 0; l < header.lists; ++l) bounds[l + 1] += bounds[l];
  std::vector<uint32_t> order(rows.rows);
  std::vector<uint64_t> next = bounds;
  for (uint32_t r = 0; r < rows.rows; ++r) order[next[nearest[r]]++] = r;

  const simd::BinaryKernels& kernels = simd::BestBinary();
  const BinaryIvfLayout at(header);
  std::string payload(kLead + at.end, '\0');
  char* base = payload.data() + kLead;
  std::memcpy(base, &header, sizeof(header));
  std::memcpy(base + at.centroids, centroids.data(), centroids.size());
  for (size_t l = 0; l < header.lists; ++l) {
    const uint32_t ones = kernels.ones(centroids.data() + l * row_bytes, row_bytes);
    std::memcpy(base + at.centroid_ones + l * 4, &ones, 4);
  }
  std::memcpy(base + at.bounds, bounds.data(), bounds.size() * 8);
  if (rows.rows == 0) return Frame(kMagic, 1, payload);
  std::memcpy(base + at.numbers, order.data(), order.size() * 4);
  TRY(ForParts(ctx, pool, rows.rows, kRowsPerTask, [&](size_t begin, size_t end) {
    for (size_t place = begin; place < end; ++place) {
      const uint8_t* row = rows.row(order[place]);
      std::memcpy(base + at.bits + place * row_bytes, row, row_bytes);
      if (!IsJaccard(header)) continue;
      const uint32_t ones = kernels.ones(row, row_bytes);
      std::memcpy(base + at.ones + place * 4, &ones, 4);
    }
  }));
  return Frame(kMagic, 1, payload);
}

Result<OpenedBinaryIvf> OpenBinaryIvf(Blob file, BinaryBlock rows, model::Metric metric) {
  TRY_ASSIGN(const std::string_view payload,
             Unframe(kMagic, 1, file.bytes(), "BIN_IVF_FLAT index"));
  const Status damaged(ErrorCode::kIntegrity,
                       "the BIN_IVF_FLAT index does not belong to this segment");
  if (payload.size() < kLead + sizeof(BinaryIvfHeader)) return damaged;
  const std::string_view content = payload.substr(kLead);
  OpenedBinaryIvf opened;
  BinaryIvfHeader& h = opened.header;
  std::memcpy(&h, content.data(), sizeof(h));
  if (h.rows != rows.rows || h.dim != rows.dim || h.metric != static_cast<uint64_t>(metric) ||
      h.lists < 1 || h.lists > kListsMax || BinaryIvfLayout(h).end != content.size()) {
    return damaged;
  }
  const BinaryIvfLayout at(h);
  const char* base = content.data();
  opened.centroids =
      BinaryBlock(reinterpret_cast<const uint8_t*>(base + at.centroids), h.lists, rows.dim);
  opened.centroid_ones = reinterpret_cast<const uint32_t*>(base + at.centroid_ones);
  opened.bounds = reinterpret_cast<const uint64_t*>(base + at.bounds);
  opened.numbers = reinterpret_cast<const uint32_t*>(base + at.numbers);
  opened.bits = BinaryBlock(reinterpret_cast<const uint8_t*>(base + at.bits), h.rows, rows.dim);
  if (IsJaccard(h)) opened.ones = reinterpret_cast<const uint32_t*>(base + at.ones);
  if (!NumbersAreGood(opened)) return damaged;
  opened.file = std::move(file);
  return opened;
}

const IndexType& BinIvfFlatType() {
  static constexpr std::array kMetrics = {model::Metric::kHamming, model::Metric::kJaccard};
  static constexpr auto kParams = std::to_array<ParamSpec>({
      {"nlist", Phase::kBuild, ParamKind::kInteger, kDefaultLists, 1, 65536, "Number of lists."},
      {"use_elkan", Phase::kBuild, ParamKind::kBool, 1, 0, 1,
       "Accepted; training bits takes the same steps either way."},
      {"nprobe", Phase::kSearch, ParamKind::kInteger, 8, 1, 65536, "Lists a search scans."},
      {"ensure_topk_full", Phase::kSearch, ParamKind::kBool, 1, 0, 1,
       "Scan more lists while hits are missing."},
      {"max_empty_result_buckets", Phase::kSearch, ParamKind::kInteger, 2, 0, 65536,
       "Lists in a row without a hit that end a range search."},
  });
  static const IndexType kType{.name = "BIN_IVF_FLAT",
                               .kind = VectorKind::kBinary,
                               .metrics = kMetrics,
                               .params = kParams,
                               .EstimateMemory = EstimateMemory,
                               .Build = Build,
                               .Open = Open};
  return kType;
}

}  // namespace elanus::index
