// An opened index of inverted lists: reads what a search asks for, and searches.
#include <algorithm>
#include <cmath>

#include "index/codes/choices.h"
#include "index/ivf/search.h"

namespace elanus::index {
namespace {

class IvfIndex final : public VectorIndex {
 public:
  IvfIndex(OpenedIvf lists, VectorBlock rows, model::Metric metric)
      : opened_(std::move(lists)),
        rows_(rows),
        metric_(metric),
        centroids_(opened_.centroids, opened_.header.lists, rows.dim, metric == model::Metric::kL2,
                   CodedCentroids::Groups::kWherePays) {}
  Status Search(Context& ctx, const SearchRequest& request, Hits hits) const override;
  Result<std::unique_ptr<HitStream>> Stream(Context& ctx,
                                            const StreamRequest& request) const override {
    TRY(ctx.CheckAlive());
    return MakeIvfStream(opened_, centroids_, rows_, metric_, request);
  }
  size_t rows() const override { return rows_.rows; }
  size_t memory_bytes() const override {
    return opened_.file.heap_bytes() + opened_.memory_bytes() + centroids_.memory_bytes();
  }

 private:
  OpenedIvf opened_;
  const VectorBlock rows_;
  const model::Metric metric_;
  const CodedCentroids centroids_;
};

Status IvfIndex::Search(Context& ctx, const SearchRequest& request, Hits hits) const {
  const VectorBlock& queries = request.queries;
  const uint32_t k = request.k;
  const Params& params = request.params;
  if (opened_.header.rows == 0) {
    std::fill_n(hits.rows, queries.rows * k, kNoRow);
    std::fill_n(hits.scores, queries.rows * k, 0.0f);
    return {};
  }
  const bool refines = opened_.codes.refine_kind != CodeKind::kNone;
  // SCANN counts candidates, the others multiples of k.
  const int64_t reorder = params.GetInt("reorder_k", k);
  if (reorder < k) {
    return Error(
        ErrorCode::kSegcore,
        "failed to search: out_of_range_in_json: reorder_k({}) should be larger than k({})",
        reorder, k);
  }
  const double wanted = !refines                  ? static_cast<double>(k)
                        : params.Has("reorder_k") ? static_cast<double>(reorder)
                                                  : k * params.Get("refine_k", kDefaultRefineK);
  const auto candidates =
      static_cast<uint32_t>(std::min(std::ceil(wanted), static_cast<double>(opened_.header.rows)));
  // SCANN leaves hits out rather than take its time.
  const bool fills = opened_.codes.codec->kind() != CodeKind::kFastScan;
  const ListSearchShape shape{
      .k = k,
      .candidates = std::max(candidates, 1u),
      .probes = static_cast<size_t>(params.GetInt("nprobe", kDefaultProbes)),
      .fills = params.GetBool("ensure_topk_full", fills),
      .empty_max =
          static_cast<size_t>(params.GetInt("max_empty_result_buckets", kDefaultEmptyLists))};
  return SearchLists(ctx,
                     {.opened = opened_, .centroids = centroids_, .rows = rows_, .metric = metric_},
                     shape, request, hits);
}

}  // namespace

std::unique_ptr<VectorIndex> MakeIvfIndex(OpenedIvf lists, VectorBlock rows, model::Metric metric) {
  return std::make_unique<IvfIndex>(std::move(lists), rows, metric);
}

}  // namespace elanus::index
