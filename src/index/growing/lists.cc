// Training, and packing of rows into lists.
#include "index/growing/lists.h"

#include <algorithm>
#include <cstring>

#include "index/cells/k_means.h"
#include "index/codes/codecs.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

constexpr size_t kSamplesPerCentroid = 39;
constexpr size_t kRowsPerCheck = 64;  // Packed between two looks at the context.
// What a code has to tell one row from another: the more dimensions, the fewer bits each needs.
constexpr uint32_t kBitsPerRow = 512;
constexpr uint32_t kBitsMax = 8;

// Rows of a run in the order in which they came.
struct Rows {
  std::vector<uint16_t> lists;
  std::vector<char> codes;
  std::vector<float> terms;
};

Rows InOrder(const Run& run, size_t code_bytes) {
  Rows rows{.lists = std::vector<uint16_t>(run.rows.size()),
            .codes = std::vector<char>(run.codes.size()),
            .terms = std::vector<float>(run.terms.size())};
  for (size_t l = 0; l + 1 < run.bounds.size(); ++l) {
    for (size_t place = run.bounds[l]; place < run.bounds[l + 1]; ++place) {
      const size_t row = run.rows[place];
      rows.lists[row] = static_cast<uint16_t>(l);
      std::memcpy(rows.codes.data() + row * code_bytes, run.codes.data() + place * code_bytes,
                  code_bytes);
      if (!run.terms.empty()) rows.terms[row] = run.terms[place];
    }
  }
  return rows;
}

std::shared_ptr<const Run> ByList(const Rows& rows, size_t lists, size_t code_bytes) {
  auto run = std::make_shared<Run>();
  run->bounds.assign(lists + 1, 0);
  for (const uint16_t list : rows.lists) ++run->bounds[list + 1];
  for (size_t l = 0; l < lists; ++l) run->bounds[l + 1] += run->bounds[l];
  run->rows.resize(rows.lists.size());
  run->codes.resize(rows.codes.size());
  run->terms.resize(rows.terms.size());
  std::vector<uint32_t> next(run->bounds.begin(), run->bounds.end() - 1);
  for (size_t row = 0; row < rows.lists.size(); ++row) {
    const size_t place = next[rows.lists[row]]++;
    run->rows[place] = static_cast<uint16_t>(row);
    std::memcpy(run->codes.data() + place * code_bytes, rows.codes.data() + row * code_bytes,
                code_bytes);
    if (!rows.terms.empty()) run->terms[place] = rows.terms[row];
  }
  return run;
}

}  // namespace

Result<std::shared_ptr<const Centroids>> Train(Context& ctx, std::span<const VectorBlock> blocks,
                                               size_t rows, size_t count, model::Metric metric) {
  const uint32_t dim = blocks[0].dim;
  const size_t wanted = std::min(rows, count * kSamplesPerCentroid);
  std::vector<float> sample(wanted * dim);
  for (size_t i = 0; i < wanted; ++i) {
    const size_t row = i * rows / wanted;
    const FloatRows block(blocks[row / kGrowingBlockRows], metric == model::Metric::kCosine);
    block.Copy(row % kGrowingBlockRows, sample.data() + i * dim);
  }
  auto centroids = std::make_shared<Centroids>();
  centroids->count = count;
  centroids->dim = dim;
  centroids->trained_rows = rows;
  TRY_ASSIGN(centroids->values,
             TrainCentroids(ctx, VectorBlock{.data = sample.data(), .rows = wanted, .dim = dim},
                            count, /*pool=*/nullptr));
  const bool is_l2 = metric == model::Metric::kL2;
  centroids->order = std::make_unique<CodedCentroids>(centroids->values.data(), count, dim, is_l2);
  const uint32_t bits = std::clamp(kBitsPerRow / dim, 1u, kBitsMax);
  centroids->codec = MakeRabitqCodec(static_cast<int>(bits), dim, is_l2);
  return std::shared_ptr<const Centroids>(std::move(centroids));
}

Result<std::shared_ptr<const Run>> Longer(Context& ctx, const Run* run, VectorBlock added,
                                          const Centroids& centroids, model::Metric metric) {
  const Codec& codec = *centroids.codec;
  const size_t code_bytes = codec.row_bytes();
  const FloatRows floats(added, metric == model::Metric::kCosine);
  TRY_ASSIGN(const std::vector<uint32_t> nearest,
             AssignRows(ctx, floats, centroids.values, /*pool=*/nullptr));
  Rows rows = run == nullptr ? Rows() : InOrder(*run, code_bytes);
  const size_t before = rows.lists.size();
  const size_t count = before + added.rows;
  rows.lists.insert(rows.lists.end(), nearest.begin(), nearest.end());
  rows.codes.resize(count * code_bytes);
  rows.terms.resize(codec.has_terms() ? count : 0);
  std::vector<float> row(added.dim);
  std::vector<float> residual(added.dim);
  for (size_t i = 0; i < added.rows; ++i) {
    if (i % kRowsPerCheck == 0) TRY(ctx.CheckAlive());
    floats.Copy(i, row.data());
    const float* centroid = centroids.centroid(nearest[i]);
    for (size_t d = 0; d < row.size(); ++d) residual[d] = row[d] - centroid[d];
    codec.EncodeResidual(residual.data(), centroid, rows.codes.data() + (before + i) * code_bytes);
    if (codec.has_terms()) {
      rows.terms[before + i] = simd::Best().ip(row.data(), row.data(), row.size());
    }
  }
  return ByList(rows, centroids.count, code_bytes);
}

}  // namespace elanus::index
