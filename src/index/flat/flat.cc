// FLAT keeps no more than the inverse norms that COSINE needs.
#include "index/flat/flat.h"

#include <cstring>

#include "base/framed.h"
#include "index/flat/exact.h"

namespace elanus::index {
namespace {

constexpr std::string_view kMagic = "ELFLAT01";

class Flat final : public VectorIndex {
 public:
  Flat(Blob file, VectorBlock rows, model::Metric metric, const float* inverse_norms)
      : file_(std::move(file)), rows_(rows), metric_(metric), inverse_norms_(inverse_norms) {}
  Status Search(Context& ctx, VectorBlock queries, uint32_t k, const Params&, BitsetView allowed,
                Hits hits) const override {
    return ScanExact(ctx, rows_, metric_, inverse_norms_, queries, k, allowed, hits);
  }
  size_t memory_bytes() const override { return 0; }  // The rows belong to the column.

 private:
  Blob file_;
  VectorBlock rows_;
  model::Metric metric_;
  const float* inverse_norms_;
};

size_t EstimateMemory(uint64_t rows, uint32_t, const Params&) { return rows * sizeof(float); }

Result<std::string> Build(Context& ctx, VectorBlock rows, model::Metric metric, const Params&,
                          const BuildOptions& options) {
  std::string norms;
  if (metric == model::Metric::kCosine) {
    norms.resize(rows.rows * sizeof(float));
    for (size_t i = 0; i < rows.rows; ++i) {
      if (i % 1024 == 0) TRY(ctx.CheckAlive());
      const float norm = InverseNorm(rows.row(i), rows.dim);
      std::memcpy(norms.data() + i * sizeof(float), &norm, sizeof(float));
    }
  }
  if (options.on_progress) options.on_progress(1.0);
  return Frame(kMagic, 1, norms);
}

Result<std::unique_ptr<VectorIndex>> Open(Blob file, VectorBlock rows, model::Metric metric) {
  TRY_ASSIGN(const std::string_view payload, Unframe(kMagic, 1, file.bytes(), "FLAT index"));
  const size_t expected = metric == model::Metric::kCosine ? rows.rows * sizeof(float) : 0;
  if (payload.size() != expected) {
    return Status(ErrorCode::kIntegrity, "the FLAT index does not belong to this segment");
  }
  const auto* norms = expected == 0 ? nullptr : reinterpret_cast<const float*>(payload.data());
  return std::unique_ptr<VectorIndex>(std::make_unique<Flat>(std::move(file), rows, metric, norms));
}

}  // namespace

const IndexType& FlatType() {
  static const IndexType kType{
      .name = "FLAT", .params = {}, .EstimateMemory = EstimateMemory, .Build = Build, .Open = Open};
  return kType;
}

}  // namespace elanus::index
