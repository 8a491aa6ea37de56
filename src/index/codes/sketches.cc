// Making and opening sketches.
#include "index/codes/sketches.h"

#include <algorithm>
#include <cstring>

#include "index/codes/codecs.h"
#include "index/codes/spread_rows.h"
#include "index/top_k.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

// One row in 160 is taken for farther than it is. What is missed so is less than what a walk of the
// graph misses.
constexpr float kDeviations = 2.5f;
// A sketch is as expensive as a fifth of a byte code: with half of the rows left over nothing would
// be gained.
constexpr double kLeftMax = 0.25;
constexpr size_t kCentreRows = 16384;
constexpr size_t kRowsPerTask = 4096;
constexpr size_t kSampleRows = 4096;
constexpr size_t kSampleQueries = 32;
constexpr uint32_t kSampleHits = 10;

std::unique_ptr<Codec> OneBit(uint32_t dim, bool is_l2) { return MakeRabitqCodec(1, dim, is_l2); }

std::vector<float> Mean(const FloatRows& rows) {
  const size_t count = std::min(rows.rows(), kCentreRows);
  std::vector<double> sums(rows.dim(), 0.0);
  std::vector<float> row(rows.dim());
  for (size_t i = 0; i < count; ++i) {
    rows.Copy(i * rows.rows() / count, row.data());
    for (size_t d = 0; d < row.size(); ++d) sums[d] += row[d];
  }
  std::vector<float> mean(rows.dim());
  for (size_t d = 0; d < mean.size(); ++d) {
    mean[d] = static_cast<float>(sums[d] / static_cast<double>(count));
  }
  return mean;
}

// Writes the sketches of rows around the centre that `bytes` begin with.
class Packer {
 public:
  Packer(const FloatRows& rows, bool is_l2, std::vector<char>& bytes)
      : rows_(rows),
        codec_(OneBit(rows.dim(), is_l2)),
        at_(rows.rows(), rows.dim(), is_l2),
        is_l2_(is_l2),
        bytes_(bytes) {}

  void Pack(size_t begin, size_t end) const {
    const size_t dim = rows_.dim();
    const auto* centre = reinterpret_cast<const float*>(bytes_.data());
    std::vector<float> row(dim);
    std::vector<float> residual(dim);
    for (size_t i = begin; i < end; ++i) {
      rows_.Copy(i, row.data());
      for (size_t d = 0; d < dim; ++d) residual[d] = row[d] - centre[d];
      codec_->EncodeResidual(residual.data(), centre,
                             bytes_.data() + at_.codes + i * codec_->row_bytes());
      if (!is_l2_) continue;
      const float square = simd::Best().ip(row.data(), row.data(), dim);
      std::memcpy(bytes_.data() + at_.terms + i * sizeof(float), &square, sizeof(square));
    }
  }

 private:
  const FloatRows& rows_;
  const std::unique_ptr<Codec> codec_;
  const SketchLayout at_;
  const bool is_l2_;
  std::vector<char>& bytes_;
};

// The share of a sample's rows that their sketches leave over for each of its rows as a query.
Result<double> ShareLeft(Context& ctx, VectorBlock sample, const std::vector<float>& centre,
                         bool is_l2) {
  std::vector<char> bytes(SketchLayout(sample.rows, sample.dim, is_l2).end);
  std::memcpy(bytes.data(), centre.data(), centre.size() * sizeof(float));
  const FloatRows rows(sample);
  Packer(rows, is_l2, bytes).Pack(0, sample.rows);
  const Sketches sketches(bytes.data(), sample.rows, sample.dim, is_l2);
  const std::unique_ptr<Scorer> scorer = sketches.NewScorer();
  const ElementDistance distance(ElementType::kFloat32, sample.dim, is_l2);
  std::vector<float> least(sample.rows);
  size_t left = 0;
  for (size_t q = 0; q < kSampleQueries; ++q) {
    TRY(ctx.CheckAlive());
    const float* query = sample.row(q * sample.rows / kSampleQueries);
    TopK best(kSampleHits);
    for (size_t i = 0; i < sample.rows; ++i) {
      best.Push(distance.One(query, sample.row(i)), static_cast<uint32_t>(i));
    }
    scorer->SetQuery(query);
    scorer->ScoreRange(0, sample.rows, least.data());
    left += static_cast<size_t>(
        std::count_if(least.begin(), least.end(), [&](float key) { return key <= best.bound(); }));
  }
  return static_cast<double>(left) / static_cast<double>(kSampleQueries * sample.rows);
}

}  // namespace

SketchLayout::SketchLayout(size_t rows, uint32_t dim, bool is_l2) {
  const auto align = [](size_t n) { return (n + 63) / 64 * 64; };
  codes = align(size_t{dim} * sizeof(float));
  terms = align(codes + rows * (RabitqRowBytes(1, dim) - sizeof(float)));
  end = terms + (is_l2 ? rows * sizeof(float) : 0);
}

Result<std::vector<char>> MakeSketches(Context& ctx, const FloatRows& rows, bool is_l2,
                                       Pool* pool) {
  if (rows.rows() == 0) return std::vector<char>{};
  const std::vector<float> centre = Mean(rows);
  const FloatSample sample = SpreadRows(rows, kSampleRows);
  TRY_ASSIGN(const double left, ShareLeft(ctx, sample.block, centre, is_l2));
  if (left > kLeftMax) return std::vector<char>{};
  std::vector<char> bytes(SketchLayout(rows.rows(), rows.dim(), is_l2).end);
  std::memcpy(bytes.data(), centre.data(), centre.size() * sizeof(float));
  const Packer packer(rows, is_l2, bytes);
  const auto pack = [&](size_t task) -> Status {
    TRY(ctx.CheckAlive());
    packer.Pack(task * kRowsPerTask, std::min(rows.rows(), (task + 1) * kRowsPerTask));
    return {};
  };
  const size_t tasks = (rows.rows() + kRowsPerTask - 1) / kRowsPerTask;
  if (pool != nullptr) {
    TRY(pool->ParallelFor(ctx, tasks, pack));
  } else {
    for (size_t task = 0; task < tasks; ++task) TRY(pack(task));
  }
  return bytes;
}

Sketches::Sketches(const char* bytes, size_t rows, uint32_t dim, bool is_l2)
    : codec_(OneBit(dim, is_l2)),
      row_bytes_(codec_->row_bytes()),
      centre_(reinterpret_cast<const float*>(bytes)) {
  const SketchLayout at(rows, dim, is_l2);
  rows_ = {.codes = bytes + at.codes,
           .terms = is_l2 ? reinterpret_cast<const float*>(bytes + at.terms) : nullptr,
           .rows = rows};
}

std::unique_ptr<Scorer> Sketches::NewScorer() const {
  return NewLeastScorer(*codec_, rows_, {.centre = centre_, .deviations = kDeviations});
}

}  // namespace elanus::index
