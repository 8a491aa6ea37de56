// Bytes to build a graph on: of the rows less their mean where the metric does not see it.
#include "index/codes/build_bytes.h"

#include <algorithm>
#include <cmath>

#include "index/codes/dense_rows.h"
#include "index/codes/keeps_order.h"

namespace elanus::index {
namespace {

constexpr size_t kSampleRows = 65536;
constexpr size_t kRowsPerCheck = 1024;
constexpr float kReach = 127;
constexpr double kSpread = 6;  // Standard deviations; what lies further out is cut off.

// number = (value - mean) / step.
struct Scale {
  std::vector<float> mean;
  float step = 1;
};

Scale ScaleOf(VectorBlock rows, bool is_l2) {
  const size_t count = std::min(rows.rows, kSampleRows);
  std::vector<double> sums(rows.dim, 0.0), squares(rows.dim, 0.0);
  for (size_t i = 0; i < count; ++i) {
    const float* row = rows.row(i * rows.rows / count);
    for (size_t d = 0; d < rows.dim; ++d) {
      sums[d] += row[d];
      squares[d] += static_cast<double>(row[d]) * row[d];
    }
  }
  Scale scale{.mean = std::vector<float>(rows.dim, 0.0f)};
  double widest = 0;
  for (size_t d = 0; d < rows.dim; ++d) {
    const double mean = is_l2 ? sums[d] / static_cast<double>(count) : 0.0;
    scale.mean[d] = static_cast<float>(mean);
    widest = std::max(widest, squares[d] / static_cast<double>(count) - mean * mean);
  }
  float most = 0;
  for (size_t i = 0; i < count; ++i) {
    const float* row = rows.row(i * rows.rows / count);
    for (size_t d = 0; d < rows.dim; ++d) most = std::max(most, std::abs(row[d] - scale.mean[d]));
  }
  const auto reach = std::min(most, static_cast<float>(kSpread * std::sqrt(widest)));
  scale.step = reach > 0 ? reach / kReach : 1.0f;
  return scale;
}

void Encode(const Scale& scale, const float* row, size_t dim, int8_t* bytes) {
  const float inverse = 1.0f / scale.step;
  for (size_t d = 0; d < dim; ++d) {
    const float number = (row[d] - scale.mean[d]) * inverse;
    bytes[d] = static_cast<int8_t>(std::lrint(std::clamp(number, -kReach, kReach)));
  }
}

}  // namespace

Result<std::vector<int8_t>> BytesToBuildOn(Context& ctx, VectorBlock rows, bool is_l2) {
  std::vector<int8_t> bytes;
  if (rows.rows == 0) return bytes;
  const Scale scale = ScaleOf(rows, is_l2);
  const auto encode = [&](const float* row, int8_t* to) { Encode(scale, row, rows.dim, to); };
  TRY_ASSIGN(const bool keeps, BytesKeepOrder(ctx, rows, is_l2, encode));
  if (!keeps) return bytes;
  bytes.resize(rows.rows * rows.dim);
  for (size_t r = 0; r < rows.rows; ++r) {
    if (r % kRowsPerCheck == 0) TRY(ctx.CheckAlive());
    encode(rows.row(r), bytes.data() + r * rows.dim);
  }
  return bytes;
}

}  // namespace elanus::index
