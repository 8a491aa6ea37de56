// A search orders the lists by their centroids and scans the nearest; the keys are exact. Lists
// past the asked ones are scanned while hits are missing, and with a filter until as many allowed
// rows have been scored as rows would have been without it. A range search goes on until some lists
// in a row held nothing of the range.
#include <algorithm>
#include <array>
#include <vector>

#include "index/binary/exact.h"
#include "index/binary/ivf.h"
#include "index/top_k.h"

namespace elanus::index {
namespace {

constexpr size_t kTileRows = BinaryScorer::kTileRows;

struct IvfLimits {
  size_t probes;
  bool fills;
  size_t empty_max;
};

class BinaryIvf final : public VectorIndex {
 public:
  BinaryIvf(OpenedBinaryIvf lists, model::Metric metric)
      : opened_(std::move(lists)), metric_(metric) {}
  Status Search(Context& ctx, const SearchRequest& request, Hits hits) const override;
  size_t rows() const override { return opened_.header.rows; }
  size_t memory_bytes() const override { return opened_.file.heap_bytes(); }

 private:
  const OpenedBinaryIvf opened_;
  const model::Metric metric_;
};

// One call's state: scorers and scratch for its queries, one after the other.
class BinaryIvfSearch {
 public:
  BinaryIvfSearch(Context& ctx, const OpenedBinaryIvf& lists, model::Metric metric,
                  const SearchRequest& request, IvfLimits limits)
      : ctx_(ctx),
        lists_(lists),
        allowed_(request.allowed),
        range_(request.range, metric),
        is_range_(request.range.bounds()),
        limits_(limits),
        centroid_scorer_(lists.centroids, lists.centroid_ones, metric),
        scorer_(lists.bits, lists.ones, metric),
        best_(request.k),
        order_(lists.header.lists) {}

  Status Run(const uint8_t* query, Hits hits, size_t slot) {
    scorer_.SetQuery(query);
    OrderLists(query);
    size_t rows_met = 0;
    size_t wanted = 0;
    size_t empty = 0;
    allowed_met_ = 0;
    for (size_t p = 0; p < order_.size(); ++p) {
      if (p == limits_.probes) {
        // A filter keeps its recall when as many allowed rows are scored as rows without it.
        wanted = allowed_.empty() ? 0 : rows_met;
        std::sort(order_.begin() + static_cast<ptrdiff_t>(p), order_.end());
      }
      if (p >= limits_.probes && allowed_met_ >= wanted && !GoesOn(empty)) break;
      TRY(ctx_.CheckAlive());
      const size_t allowed_before = allowed_met_;
      in_range_ = 0;
      rows_met += ScanList(order_[p].second);
      if (in_range_ > 0) {
        empty = 0;
      } else if (allowed_met_ > allowed_before) {
        ++empty;
      }
    }
    best_.WriteTo(hits, slot, 1.0f);
    return {};
  }

 private:
  bool GoesOn(size_t empty) const {
    if (is_range_) return empty < limits_.empty_max;
    return limits_.fills && !best_.full();
  }

  // The probes in order, the others behind them.
  void OrderLists(const uint8_t* query) {
    std::array<float, kTileRows> keys;
    centroid_scorer_.SetQuery(query);
    for (size_t begin = 0; begin < order_.size(); begin += kTileRows) {
      const size_t count = std::min(kTileRows, order_.size() - begin);
      centroid_scorer_.ScoreRange(begin, count, keys.data());
      for (size_t i = 0; i < count; ++i) {
        order_[begin + i] = {keys[i], static_cast<uint32_t>(begin + i)};
      }
    }
    const size_t probes = std::min(limits_.probes, order_.size());
    std::partial_sort(order_.begin(), order_.begin() + static_cast<ptrdiff_t>(probes),
                      order_.end());
  }

  // Returns how many rows the list has.
  size_t ScanList(uint32_t list) {
    const size_t list_begin = lists_.bounds[list];
    const size_t list_end = lists_.bounds[list + 1];
    std::array<float, kTileRows> keys;
    std::array<uint32_t, kTileRows> places;
    for (size_t begin = list_begin; begin < list_end; begin += kTileRows) {
      const size_t tile = std::min(kTileRows, list_end - begin);
      size_t count = 0;
      for (size_t i = begin; i < begin + tile; ++i) {
        places[count] = static_cast<uint32_t>(i);
        count += allowed_.empty() || allowed_.Test(lists_.numbers[i]) ? 1 : 0;
      }
      if (count == tile) {
        scorer_.ScoreRange(begin, count, keys.data());
      } else {
        scorer_.Score(places.data(), count, keys.data());
      }
      allowed_met_ += count;
      for (size_t i = 0; i < count; ++i) {
        if (!range_.Holds(keys[i])) continue;
        ++in_range_;
        if (keys[i] <= best_.bound()) best_.Push(keys[i], lists_.numbers[places[i]]);
      }
    }
    return list_end - list_begin;
  }

  Context& ctx_;
  const OpenedBinaryIvf& lists_;
  const BitsetView allowed_;
  const KeyRange range_;
  const bool is_range_;
  const IvfLimits limits_;
  BitScorer centroid_scorer_;
  BitScorer scorer_;
  TopK best_;
  size_t allowed_met_ = 0;
  size_t in_range_ = 0;  // Hits of the list that was scanned last.
  std::vector<std::pair<float, uint32_t>> order_;
};

Status BinaryIvf::Search(Context& ctx, const SearchRequest& request, Hits hits) const {
  TRY(CheckBinaryRequest(request, metric_));
  const IvfLimits limits{
      .probes = static_cast<size_t>(request.params.GetInt("nprobe", 8)),
      .fills = request.params.GetBool("ensure_topk_full", true),
      .empty_max = static_cast<size_t>(request.params.GetInt("max_empty_result_buckets", 2))};
  BinaryIvfSearch search(ctx, opened_, metric_, request, limits);
  for (size_t q = 0; q < request.queries.rows; ++q) {
    TRY(search.Run(BinaryBlock(request.queries).row(q), hits, q));
  }
  return {};
}

}  // namespace

std::unique_ptr<VectorIndex> MakeBinaryIvf(OpenedBinaryIvf lists, model::Metric metric) {
  return std::make_unique<BinaryIvf>(std::move(lists), metric);
}

}  // namespace elanus::index
