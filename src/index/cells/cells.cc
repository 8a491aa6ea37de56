// Making and opening cells.
#include "index/cells/cells.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <span>

#include "index/cells/k_means.h"
#include "index/codes/spread_rows.h"
#include "index/top_k.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

// Times the root of the number of rows: cells of some 130 rows in a segment of 100,000, of 400 in
// one of a million.
constexpr double kCellsOfRoot = 2.5;

// A scan of fewer rows is cheap enough.
constexpr size_t kRowsMin = 8192;

// The sample that tells whether cells pay, its cells, and its rows that are taken as queries.
constexpr size_t kSampleRows = 8192;
constexpr size_t kSampleCells = 64;
constexpr size_t kSampleQueries = 64;
constexpr uint32_t kSampleHits = 10;
// They do where all but one in so many of a query's hits lie in the nearest cells that hold this
// share of the rows. Clusters of many kinds: .05 to .09; sentences of package descriptions: .4;
// numbers drawn alone: .8.
constexpr double kMissed = 0.05;
constexpr double kNearShareMax = 0.15;

uint64_t CountIn(const char* bytes) {
  uint64_t cells;
  std::memcpy(&cells, bytes, sizeof(cells));
  return cells;
}

// Where the rows of each cell begin, when they are put one cell after the other.
std::vector<uint32_t> StartsOf(const std::vector<uint32_t>& nearest, size_t cells) {
  std::vector<uint32_t> starts(cells + 1, 0);
  for (const uint32_t cell : nearest) ++starts[cell + 1];
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  return starts;
}

std::vector<uint32_t> Group(const std::vector<uint32_t>& nearest, std::vector<uint32_t> starts) {
  std::vector<uint32_t> rows(nearest.size());
  for (uint32_t row = 0; row < rows.size(); ++row) rows[starts[nearest[row]]++] = row;
  return rows;
}

Result<Partition> OneLevel(Context& ctx, const FloatRows& rows, size_t cells, Pool* pool) {
  Partition made;
  TRY_ASSIGN(made.centroids, TrainCentroids(ctx, rows, cells, pool));
  TRY_ASSIGN(made.nearest, AssignRows(ctx, rows, made.centroids, pool));
  return made;
}

// The part's rows in cells of their own.
Result<Partition> Divide(Context& ctx, const FloatRows& rows, std::span<const uint32_t> part,
                         size_t cells) {
  std::vector<float> own(part.size() * rows.dim());
  for (size_t i = 0; i < part.size(); ++i) rows.Copy(part[i], own.data() + i * rows.dim());
  const VectorBlock block{.data = own.data(), .rows = part.size(), .dim = rows.dim()};
  return OneLevel(ctx, block, cells, nullptr);
}

Result<Partition> TwoLevels(Context& ctx, const FloatRows& rows, size_t cells, Pool* pool) {
  const auto parts = static_cast<size_t>(std::sqrt(static_cast<double>(cells)));
  TRY_ASSIGN(const Partition first, OneLevel(ctx, rows, parts, pool));
  const std::vector<uint32_t> starts = StartsOf(first.nearest, parts);
  const std::vector<uint32_t> members = Group(first.nearest, starts);
  std::vector<Partition> second(parts);
  const auto divide = [&](size_t p) -> Status {
    const std::span part(members.data() + starts[p], starts[p + 1] - starts[p]);
    if (part.empty()) return {};
    const size_t own = std::clamp<size_t>(cells * part.size() / rows.rows(), 1, part.size());
    TRY_ASSIGN(second[p], Divide(ctx, rows, part, own));
    return {};
  };
  if (pool != nullptr) {
    TRY(pool->ParallelFor(ctx, parts, divide));
  } else {
    for (size_t p = 0; p < parts; ++p) TRY(divide(p));
  }
  Partition made{.centroids = {}, .nearest = std::vector<uint32_t>(rows.rows())};
  for (size_t p = 0; p < parts; ++p) {
    const auto before = static_cast<uint32_t>(made.centroids.size() / rows.dim());
    for (size_t i = 0; i < second[p].nearest.size(); ++i) {
      made.nearest[members[starts[p] + i]] = before + second[p].nearest[i];
    }
    made.centroids.insert(made.centroids.end(), second[p].centroids.begin(),
                          second[p].centroids.end());
  }
  return made;
}

// For a row of the sample as a query: of each of its hits, which share of the rows lies in cells as
// near as the hit's.
void AddShares(VectorBlock sample, const Partition& cells, size_t query, bool is_l2,
               std::vector<double>& shares) {
  const size_t count = cells.centroids.size() / sample.dim;
  const ElementDistance distance(ElementType::kFloat32, sample.dim, is_l2);
  TopK best(kSampleHits);
  for (uint32_t i = 0; i < sample.rows; ++i) {
    if (i != query) best.Push(distance.One(sample.row(query), sample.row(i)), i);
  }
  std::vector<float> keys(count);
  for (size_t c = 0; c < count; ++c) {
    keys[c] = distance.One(sample.row(query), cells.centroids.data() + c * sample.dim);
  }
  best.ForEach([&](float, uint32_t hit) {
    const float key = keys[cells.nearest[hit]];
    const auto nearer = std::count_if(cells.nearest.begin(), cells.nearest.end(),
                                      [&](uint32_t cell) { return keys[cell] <= key; });
    shares.push_back(static_cast<double>(nearer) / static_cast<double>(sample.rows));
  });
}

Result<bool> CellsPay(Context& ctx, const FloatRows& rows, bool is_l2, Pool* pool) {
  const FloatSample sample = SpreadRows(rows, kSampleRows);
  TRY_ASSIGN(const Partition cells, OneLevel(ctx, sample.block, kSampleCells, pool));
  std::vector<double> shares;
  for (size_t q = 0; q < kSampleQueries; ++q) {
    TRY(ctx.CheckAlive());
    AddShares(sample.block, cells, q * sample.block.rows / kSampleQueries, is_l2, shares);
  }
  const auto at =
      shares.begin() + static_cast<ptrdiff_t>((1 - kMissed) * static_cast<double>(shares.size()));
  std::nth_element(shares.begin(), at, shares.end());
  return *at <= kNearShareMax;
}

}  // namespace

size_t CellsFor(size_t rows) {
  if (rows < kRowsMin) return 0;
  return static_cast<size_t>(kCellsOfRoot * std::sqrt(static_cast<double>(rows)));
}

Result<Partition> MakeCells(Context& ctx, const FloatRows& rows, bool is_l2, Pool* pool) {
  if (CellsFor(rows.rows()) == 0) return Partition();
  TRY_ASSIGN(const bool pays, CellsPay(ctx, rows, is_l2, pool));
  if (!pays) return Partition();
  return TwoLevels(ctx, rows, CellsFor(rows.rows()), pool);
}

std::vector<uint32_t> RowsByCell(const Partition& cells) {
  const size_t count = *std::max_element(cells.nearest.begin(), cells.nearest.end()) + 1;
  return Group(cells.nearest, StartsOf(cells.nearest, count));
}

CellLayout::CellLayout(size_t cells, uint32_t dim) {
  starts = (centroids + cells * dim * sizeof(float) + 63) / 64 * 64;
  end = starts + (cells + 1) * sizeof(uint32_t);
}

std::vector<char> PackCells(const Partition& cells, uint32_t dim) {
  const uint64_t count = cells.cells(dim);
  const CellLayout at(count, dim);
  const std::vector<uint32_t> starts = StartsOf(cells.nearest, count);
  std::vector<char> bytes(at.end);
  std::memcpy(bytes.data(), &count, sizeof(count));
  std::memcpy(bytes.data() + CellLayout::centroids, cells.centroids.data(),
              cells.centroids.size() * sizeof(float));
  std::memcpy(bytes.data() + at.starts, starts.data(), starts.size() * sizeof(uint32_t));
  return bytes;
}

Status Cells::Check(std::string_view bytes, size_t rows, uint32_t dim) {
  Status damaged(ErrorCode::kIntegrity, "the cells of an index are not those of its rows");
  if (bytes.size() < CellLayout::centroids) return damaged;
  const uint64_t cells = CountIn(bytes.data());
  if (cells == 0 || cells > rows) return damaged;
  const CellLayout at(cells, dim);
  if (bytes.size() != at.end) return damaged;
  const auto* starts = reinterpret_cast<const uint32_t*>(bytes.data() + at.starts);
  if (starts[0] != 0 || starts[cells] != rows || !std::is_sorted(starts, starts + cells + 1)) {
    return damaged;
  }
  const auto* centroids = reinterpret_cast<const float*>(bytes.data() + CellLayout::centroids);
  const bool are_finite = std::all_of(centroids, centroids + cells * dim,
                                      [](float value) { return std::isfinite(value); });
  return are_finite ? Status() : damaged;
}

Cells::Cells(const char* bytes, uint32_t dim, bool is_l2)
    : centroids_(reinterpret_cast<const float*>(bytes + CellLayout::centroids), CountIn(bytes), dim,
                 is_l2),
      starts_(reinterpret_cast<const uint32_t*>(bytes + CellLayout(CountIn(bytes), dim).starts)) {}

}  // namespace elanus::index
