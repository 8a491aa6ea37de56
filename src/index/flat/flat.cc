// FLAT keeps no more than the inverse norms that COSINE needs.
//
// Framed "ELFLAT01", or by another name for rows of another element; for COSINE one float32 a row.
#include "index/flat/flat.h"

#include <array>
#include <cstring>

#include "base/framed.h"
#include "index/flat/exact.h"

namespace elanus::index {
namespace {

// By element.
constexpr std::array<std::string_view, 4> kMagics = {"ELFLAT01", "ELFLATH1", "ELFLATB1",
                                                     "ELFLATI1"};
std::string_view MagicOf(const VectorBlock& rows) {
  return kMagics[static_cast<size_t>(rows.element)];
}

class Flat final : public VectorIndex {
 public:
  Flat(Blob file, VectorBlock rows, model::Metric metric, const float* inverse_norms)
      : file_(std::move(file)), rows_(rows), metric_(metric), inverse_norms_(inverse_norms) {}
  Status Search(Context& ctx, const SearchRequest& request, Hits hits) const override {
    return ScanExact(ctx, rows_, metric_, inverse_norms_, request, hits);
  }
  Result<std::unique_ptr<HitStream>> Stream(Context& ctx,
                                            const StreamRequest& request) const override {
    return StreamScan(ctx, rows_, metric_, inverse_norms_, request);
  }
  size_t rows() const override { return rows_.rows; }
  size_t memory_bytes() const override { return 0; }  // The rows belong to the column.

 private:
  Blob file_;
  VectorBlock rows_;
  model::Metric metric_;
  const float* inverse_norms_;
};

size_t EstimateMemory(const RowShape& shape, const Params&) { return shape.rows * sizeof(float); }

Result<std::string> Build(Context& ctx, VectorBlock rows, model::Metric metric, const Params&,
                          const BuildOptions& options) {
  std::string norms;
  if (metric == model::Metric::kCosine) {
    norms.resize(rows.rows * sizeof(float));
    for (size_t i = 0; i < rows.rows; ++i) {
      if (i % 1024 == 0) TRY(ctx.CheckAlive());
      const float norm = InverseNorm(rows.element, RowOf(rows, i), rows.dim);
      std::memcpy(norms.data() + i * sizeof(float), &norm, sizeof(float));
    }
  }
  if (options.on_progress) options.on_progress(1.0);
  return Frame(MagicOf(rows), 1, norms);
}

Result<std::unique_ptr<VectorIndex>> Open(Blob file, VectorBlock rows, model::Metric metric) {
  TRY_ASSIGN(const std::string_view payload, Unframe(MagicOf(rows), 1, file.bytes(), "FLAT index"));
  const size_t expected = metric == model::Metric::kCosine ? rows.rows * sizeof(float) : 0;
  if (payload.size() != expected) {
    return Status(ErrorCode::kIntegrity, "the FLAT index does not belong to this segment");
  }
  const auto* norms = expected == 0 ? nullptr : reinterpret_cast<const float*>(payload.data());
  return std::unique_ptr<VectorIndex>(std::make_unique<Flat>(std::move(file), rows, metric, norms));
}

}  // namespace

const IndexType& FlatType() {
  static const IndexType kType{.name = "FLAT",
                               .metrics = DenseMetrics(),
                               .params = {},
                               .takes_int8 = true,
                               .EstimateMemory = EstimateMemory,
                               .Build = Build,
                               .Open = Open};
  return kType;
}

}  // namespace elanus::index
