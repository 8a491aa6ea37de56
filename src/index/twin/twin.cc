// An index that is asked in the words of another type.
#include "index/twin/twin.h"

namespace elanus::index {
namespace {

class TwinIndex final : public VectorIndex {
 public:
  TwinIndex(std::unique_ptr<VectorIndex> twin, ToSearch to_search, Extras extras)
      : twin_(std::move(twin)), to_search_(to_search), extras_(extras) {}

  Status Search(Context& ctx, const SearchRequest& request, Hits hits) const override {
    if (extras_ == Extras::kRefused && request.range.bounds()) {
      return Error(ErrorCode::kSegcoreUnsupported,
                   "failed to search: an index of this type answers no range search");
    }
    SearchRequest said = request;
    TRY_ASSIGN(said.params, to_search_(request.params, request.k));
    return twin_->Search(ctx, said, hits);
  }

  Result<std::unique_ptr<HitStream>> Stream(Context& ctx,
                                            const StreamRequest& request) const override {
    if (extras_ == Extras::kRefused) {
      return Error(ErrorCode::kSegcoreUnsupported,
                   "failed to search: an index of this type gives no stream");
    }
    StreamRequest said = request;
    TRY_ASSIGN(said.params, to_search_(request.params, /*k=*/1));
    return twin_->Stream(ctx, said);
  }

  size_t rows() const override { return twin_->rows(); }
  size_t memory_bytes() const override { return twin_->memory_bytes(); }

 private:
  const std::unique_ptr<VectorIndex> twin_;
  const ToSearch to_search_;
  const Extras extras_;
};

}  // namespace

std::unique_ptr<VectorIndex> MakeTwinIndex(std::unique_ptr<VectorIndex> twin, ToSearch to_search,
                                           Extras extras) {
  return std::make_unique<TwinIndex>(std::move(twin), to_search, extras);
}

}  // namespace elanus::index
