// Streams over scored rows, and by searches that go deeper and deeper.
#include "index/stream.h"

#include <algorithm>

namespace elanus::index {
namespace {

constexpr size_t kFirstSearch = 64;
constexpr size_t kGrowth = 8;
constexpr size_t kSearchMax = 65536;

class ScoredStream final : public HitStream {
 public:
  ScoredStream(std::vector<ScoredRow> rows, float scale) : rows_(std::move(rows)), scale_(scale) {
    std::make_heap(rows_.begin(), rows_.end(), std::greater<>());
  }
  Result<size_t> Next(Context& ctx, size_t count, Hits hits) override {
    TRY(ctx.CheckAlive());
    count = std::min(count, rows_.size());
    for (size_t i = 0; i < count; ++i) {
      std::pop_heap(rows_.begin(), rows_.end(), std::greater<>());
      hits.rows[i] = rows_.back().row;
      hits.scores[i] = scale_ * rows_.back().key;
      rows_.pop_back();
    }
    return count;
  }

 private:
  std::vector<ScoredRow> rows_;  // The best in front.
  const float scale_;
};

class DeepeningStream final : public HitStream {
 public:
  DeepeningStream(SearchFunction search, size_t row_count, const StreamRequest& request)
      : search_(std::move(search)), left_(row_count, request.allowed.empty()) {
    request_.queries = request.query;
    request_.params = request.params;
    request_.range = request.range;
    if (!request.allowed.empty()) {
      std::copy_n(request.allowed.words, left_.word_count(), left_.words());
    }
    left_count_ = left_.Count();
  }

  Result<size_t> Next(Context& ctx, size_t count, Hits hits) override {
    TRY(ctx.CheckAlive());
    size_t written = 0;
    while (written < count) {
      if (next_ == rows_.size()) {
        if (left_count_ == 0) break;
        const Status found = Fetch(ctx, count - written);
        if (!found.ok()) left_count_ = 0;
        TRY(found);
        if (rows_.empty()) break;
      }
      hits.rows[written] = rows_[next_];
      hits.scores[written++] = scores_[next_++];
    }
    return written;
  }

 private:
  Status Fetch(Context& ctx, size_t wanted) {
    batch_ = std::min(std::max(batch_ * kGrowth, wanted), kSearchMax);
    const auto k = static_cast<uint32_t>(std::min(batch_, left_count_));
    request_.k = k;
    // A search refuses breadths below its k; here k is the stream's own choice.
    for (const char* breadth : {"ef", "search_list", "reorder_k"}) {
      if (request_.params.GetInt(breadth, k) < k) request_.params.Set(breadth, k);
    }
    // The whole of the rows needs no filter.
    request_.allowed = left_count_ == left_.size() ? BitsetView{} : left_.view();
    rows_.assign(k, kNoRow);
    scores_.assign(k, 0.0f);
    next_ = 0;
    TRY(search_(ctx, request_, {.rows = rows_.data(), .scores = scores_.data()}));
    const auto end = std::find(rows_.begin(), rows_.end(), kNoRow);
    const auto found = static_cast<size_t>(end - rows_.begin());
    rows_.resize(found);
    for (uint32_t row : rows_) left_.Clear(row);
    // Within a range a search may miss some that the next one finds.
    const bool ends = found == 0 || (found < k && !request_.range.bounds());
    left_count_ = ends ? 0 : left_count_ - found;
    return {};
  }

  const SearchFunction search_;
  SearchRequest request_;
  Bitset left_;  // Allowed and not found yet.
  size_t left_count_ = 0;
  size_t batch_ = kFirstSearch / kGrowth;
  std::vector<uint32_t> rows_;  // Of the last search; given up to next_.
  std::vector<float> scores_;
  size_t next_ = 0;
};

}  // namespace

std::unique_ptr<HitStream> MakeScoredStream(std::vector<ScoredRow> rows, float scale) {
  return std::make_unique<ScoredStream>(std::move(rows), scale);
}

std::unique_ptr<HitStream> MakeDeepeningStream(SearchFunction search, size_t row_count,
                                               const StreamRequest& request) {
  return std::make_unique<DeepeningStream>(std::move(search), row_count, request);
}

Result<std::unique_ptr<HitStream>> VectorIndex::Stream(Context& ctx,
                                                       const StreamRequest& request) const {
  TRY(ctx.CheckAlive());
  return MakeDeepeningStream([this](Context& context, const SearchRequest& deeper,
                                    Hits hits) { return Search(context, deeper, hits); },
                             rows(), request);
}

}  // namespace elanus::index
