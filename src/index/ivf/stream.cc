// A stream that scans list after list: the asked ones first, then as many that what waits stays a
// multiple of what was given.
#include <algorithm>
#include <array>
#include <limits>
#include <queue>

#include "index/codes/refining_stream.h"
#include "index/ivf/list_refiner.h"
#include "index/ivf/met_lists.h"
#include "index/ivf/search.h"

namespace elanus::index {
namespace {

constexpr size_t kTileRows = 256;
// Rows met for each that is given: the nearest lists hold the next best rows only at first.
constexpr size_t kMetPerGiven = 4;
constexpr size_t kWindow = 64;  // Candidates that wait to be put in order by exact keys.

class ListStream final : public CandidateStream {
 public:
  ListStream(const OpenedIvf& lists, const CodedCentroids& centroids, bool is_l2, size_t probes,
             BitsetView allowed)
      : lists_(lists),
        is_l2_(is_l2),
        probes_(probes),
        allowed_(allowed),
        scan_(lists.codes.codec->NewScorer(lists.packed)),
        order_(centroids, 1),
        met_lists_(lists) {}

  void SetQuery(const QueryVector& query) override {
    scan_->SetQuery(scan_->takes_plain_query() ? query.plain() : query.unit());
    order_.Score(query.unit(), 1, probes_);
    order_.Choose(0, probes_);
    met_lists_.Begin(order_, probes_);
  }
  Scorer& scorer() override { return *scan_; }

  Result<bool> Next(Context& ctx, Candidate& next) override {
    while (next_list_ < order_.size() && !(next_list_ >= probes_ && HasEnough())) {
      TRY(ctx.CheckAlive());
      const uint32_t list = order_.at(next_list_);
      if (next_list_++ >= probes_) met_lists_.Pass(list);
      ScanList(list);
    }
    if (waiting_.empty()) return false;
    next = waiting_.top();
    waiting_.pop();
    ++given_;
    return true;
  }

 private:
  // A filter keeps its recall when as many allowed rows are met as rows without it.
  bool HasEnough() {
    if (next_list_ == probes_) wanted_ = scanned_;
    return met_ >= wanted_ && met_ >= kMetPerGiven * (given_ + 1);
  }

  void ScanList(uint32_t list) {
    const float offset = OffsetOf(lists_, order_, list, is_l2_);
    const size_t end = met_lists_.end(list);
    std::array<float, kTileRows> keys;
    std::array<uint32_t, kTileRows> places;
    for (size_t at = met_lists_.begin(list); at < end; at += kTileRows) {
      size_t kept = 0;
      const size_t count = std::min(kTileRows, end - at);
      if (allowed_.empty()) {
        kept = scan_->Below(at, count, offset, std::numeric_limits<float>::infinity(),
                            places.data(), keys.data());
        if (at + count > met_lists_.sure_end(list)) {
          kept = met_lists_.KeepOnce(list, places.data(), keys.data(), kept);
        }
        scanned_ += kept;
      } else {
        kept = PlacesOnce(met_lists_, list, at, count, places.data());
        scanned_ += kept;
        kept = AllowedPlaces(lists_, allowed_, places.data(), kept);
        scan_->Score(places.data(), kept, keys.data());
        for (size_t i = 0; i < kept; ++i) keys[i] += offset;
      }
      for (size_t i = 0; i < kept; ++i) {
        waiting_.push({.key = is_l2_ ? std::max(keys[i], 0.0f) : keys[i],
                       .place = places[i],
                       .row = lists_.numbers[places[i]]});
      }
      met_ += kept;
    }
  }

  const OpenedIvf& lists_;
  const bool is_l2_;
  const size_t probes_;
  const BitsetView allowed_;
  const std::unique_ptr<Scorer> scan_;
  ListOrder order_;
  MetLists met_lists_;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> waiting_;
  size_t next_list_ = 0;
  size_t scanned_ = 0;  // Rows of the lists so far,
  size_t met_ = 0;      // those of them that are allowed,
  size_t given_ = 0;    // and that were given.
  size_t wanted_ = 0;
};

}  // namespace

std::unique_ptr<HitStream> MakeIvfStream(const OpenedIvf& lists, const CodedCentroids& centroids,
                                         VectorBlock rows, model::Metric metric,
                                         const StreamRequest& request) {
  const auto probes = static_cast<size_t>(request.params.GetInt("nprobe", kDefaultProbes));
  return std::make_unique<RefiningStream>(
      std::make_unique<ListStream>(lists, centroids, metric == model::Metric::kL2,
                                   std::min<size_t>(probes, lists.header.lists), request.allowed),
      MakeListRefiner(lists, rows, metric),
      !lists.codes.residual && RoundsQuery(lists.codes.codec->kind()), metric, request, kWindow);
}

}  // namespace elanus::index
