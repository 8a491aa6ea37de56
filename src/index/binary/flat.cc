// BIN_FLAT keeps no more than the counts of set bits that JACCARD needs.
//
// Framed "ELBFLAT1": 32 zero bytes; u64 rows, dim, metric, 40 zero bytes; for JACCARD one u32 a
// row.
#include "index/binary/flat.h"

#include <array>
#include <cstring>

#include "base/framed.h"
#include "index/binary/exact.h"
#include "index/binary/min_hash.h"

namespace elanus::index {
namespace {

constexpr std::string_view kMagic = "ELBFLAT1";
constexpr size_t kLead = 32;  // With the frame's 32 bytes the content is 64-byte aligned.

struct Header {
  uint64_t rows, dim, metric;
  uint64_t reserved[5];
};
static_assert(sizeof(Header) == 64);

size_t CountBytes(uint64_t rows, model::Metric metric) {
  return metric == model::Metric::kJaccard ? rows * sizeof(uint32_t) : 0;
}

class BinFlat final : public VectorIndex {
 public:
  BinFlat(Blob file, BinaryBlock rows, model::Metric metric, const uint32_t* ones)
      : file_(std::move(file)), rows_(rows), metric_(metric), ones_(ones) {}
  Status Search(Context& ctx, const SearchRequest& request, Hits hits) const override {
    return ScanBinaryRows(ctx, rows_, ones_, metric_, request, hits);
  }
  size_t rows() const override { return rows_.rows; }
  size_t memory_bytes() const override { return file_.heap_bytes(); }

 private:
  const Blob file_;
  const BinaryBlock rows_;
  const model::Metric metric_;
  const uint32_t* ones_;
};

size_t EstimateMemory(const RowShape& shape, const Params&) {
  return 2 * kLead + sizeof(Header) + CountBytes(shape.rows, shape.metric);
}

Result<std::string> Build(Context& ctx, VectorBlock rows, model::Metric metric, const Params&,
                          const BuildOptions& options) {
  TRY(ctx.CheckAlive());
  const Header header{
      .rows = rows.rows, .dim = rows.dim, .metric = static_cast<uint64_t>(metric), .reserved = {}};
  std::string payload(kLead + sizeof(Header) + CountBytes(rows.rows, metric), '\0');
  std::memcpy(payload.data() + kLead, &header, sizeof(header));
  if (metric == model::Metric::kJaccard && rows.rows > 0) {
    TRY_ASSIGN(const std::vector<uint32_t> ones, CountOnes(ctx, rows, options.pool));
    std::memcpy(payload.data() + kLead + sizeof(header), ones.data(),
                CountBytes(rows.rows, metric));
  }
  if (options.on_progress) options.on_progress(1.0);
  return Frame(kMagic, 1, payload);
}

Result<std::unique_ptr<VectorIndex>> Open(Blob file, VectorBlock rows, model::Metric metric) {
  TRY_ASSIGN(const std::string_view payload, Unframe(kMagic, 1, file.bytes(), "BIN_FLAT index"));
  const Status damaged(ErrorCode::kIntegrity, "the BIN_FLAT index does not belong to this segment");
  if (payload.size() < kLead + sizeof(Header)) return damaged;
  Header header;
  std::memcpy(&header, payload.data() + kLead, sizeof(header));
  if (header.rows != rows.rows || header.dim != rows.dim ||
      header.metric != static_cast<uint64_t>(metric) ||
      payload.size() != kLead + sizeof(header) + CountBytes(rows.rows, metric)) {
    return damaged;
  }
  const auto* ones =
      metric == model::Metric::kJaccard
          ? reinterpret_cast<const uint32_t*>(payload.data() + kLead + sizeof(header))
          : nullptr;
  return std::unique_ptr<VectorIndex>(
      std::make_unique<BinFlat>(std::move(file), rows, metric, ones));
}

}  // namespace

const IndexType& BinFlatType() {
  static constexpr std::array kMetrics = {
      model::Metric::kHamming, model::Metric::kJaccard, model::Metric::kSubstructure,
      model::Metric::kSuperstructure, model::Metric::kMinHashJaccard};
  static constexpr std::array kParams = {kElementWidthSearchSpec, kBandSearchSpec,
                                         kWithJaccardSpec};
  static const IndexType kType{.name = "BIN_FLAT",
                               .kind = VectorKind::kBinary,
                               .metrics = kMetrics,
                               .params = kParams,
                               .EstimateMemory = EstimateMemory,
                               .Build = Build,
                               .Open = Open};
  return kType;
}

std::span<const ParamSpec> ExactBinaryParams() { return BinFlatType().params; }

}  // namespace elanus::index
