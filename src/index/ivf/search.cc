// A search scores the centroids, scans the codes of the nearest lists, takes the best candidates,
// scores them anew as exactly as the index can and answers the best k. Queries that come together
// share the reading of lists where every row may be a hit. Lists past the asked ones are scanned
// while hits are missing, and with a filter or a range that leaves out the nearest rows until as
// many rows that may be hits have been scored as rows would have been without it. A range search
// also goes on while lists add hits, and one far from the query scans all lists.
#include "index/ivf/search.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "index/codes/choices.h"
#include "index/codes/rescore.h"
#include "index/ivf/reservoir.h"
#include "index/top_k.h"

namespace elanus::index {
namespace {

constexpr size_t kTileRows = Reservoir::kBatch;
constexpr size_t kFirstRows = 64;  // While too few candidates are held for a bound.
// Queries that meet lists together, and candidates that these hold at most.
constexpr size_t kGroupMax = 128;
constexpr size_t kGroupMin = 8;
constexpr size_t kGroupCandidates = 1 << 16;
constexpr size_t kNearestShare = 8;  // Of the asked lists each query scans so many alone, at first.

class IvfIndex final : public VectorIndex {
 public:
  IvfIndex(OpenedIvf lists, VectorBlock rows, model::Metric metric)
      : opened_(std::move(lists)),
        rows_(rows),
        metric_(metric),
        centroids_(opened_.centroids, opened_.header.lists, rows.dim,
                   metric == model::Metric::kL2) {}
  Status Search(Context& ctx, const SearchRequest& request, Hits hits) const override;
  Result<std::unique_ptr<HitStream>> Stream(Context& ctx,
                                            const StreamRequest& request) const override {
    TRY(ctx.CheckAlive());
    return MakeIvfStream(opened_, centroids_, rows_, metric_, request);
  }
  size_t rows() const override { return rows_.rows; }
  size_t memory_bytes() const override {
    return opened_.file.heap_bytes() + centroids_.memory_bytes();
  }

 private:
  friend class IvfSearch;
  OpenedIvf opened_;
  const VectorBlock rows_;
  const model::Metric metric_;
  const CodedCentroids centroids_;
};

// How a call searches.
struct SearchShape {
  uint32_t k = 0;
  uint32_t candidates = 0;  // That are scored anew; k at least.
  size_t probes = 0;
  bool fills = true;     // Scans more lists while hits are missing,
  size_t empty_max = 0;  // or in a range search until so many in a row add none.
};

// One call's state: scorers and scratch for its queries, one after the other.
class IvfSearch {
 public:
  IvfSearch(const IvfIndex& index, Context& ctx, const SearchShape& shape,
            const SearchRequest& request)
      : index_(index),
        lists_(index.opened_),
        ctx_(ctx),
        shape_(shape),
        allowed_(request.allowed),
        is_l2_(index.metric_ == model::Metric::kL2),
        range_(request.range, index.metric_),
        scan_(lists_.codes.codec->NewScorer(lists_.packed)),
        // Codecs of residuals lack the centroid's part, and score without rounding where it counts.
        rescorer_(lists_.codes.refine_kind, lists_.codes.refine.get(), lists_.refine, index.rows_,
                  index.metric_, *scan_,
                  !lists_.codes.residual && RoundsQuery(lists_.codes.codec->kind())),
        found_(shape.candidates),
        below_(shape.candidates),
        best_(shape.k),
        order_(index.centroids_),
        query_(index.rows_.dim, index.metric_) {}

  Status Run(VectorBlock queries, Hits hits) {
    const size_t group = GroupSize(queries.rows);
    if (group >= kGroupMin) {
      for (size_t begin = 0; begin < queries.rows; begin += group) {
        TRY(RunGroup(queries, begin, std::min(group, queries.rows - begin), hits));
      }
      return {};
    }
    for (size_t begin = 0; begin < queries.rows; begin += ListOrder::kQueriesAtOnce) {
      const size_t count = std::min(ListOrder::kQueriesAtOnce, queries.rows - begin);
      ReadQueries(queries, begin, count);
      order_.Score(group_.data(), count);
      for (size_t i = 0; i < count; ++i) {
        query_.Set(queries, begin + i);
        order_.Choose(i, shape_.probes);
        TRY(RunOne(hits, begin + i));
      }
    }
    return {};
  }

 private:
  // A query of a group.
  struct Lane {
    std::unique_ptr<Scorer> scan;
    Reservoir found;
  };
  struct Visit {
    uint32_t list;
    uint32_t lane;
    float offset;
  };

  // Where every row of a list may be a hit, queries that want the same list share the reading of
  // it. Only codes of residuals: their scorers keep nothing of a query but tables.
  size_t GroupSize(size_t queries) const {
    const bool shares = lists_.codes.residual && allowed_.empty() && !range_.bounds();
    if (!shares) return 1;
    return std::min({queries, kGroupMax, kGroupCandidates / shape_.candidates});
  }

  void ReadQueries(VectorBlock queries, size_t begin, size_t count) {
    const size_t dim = index_.rows_.dim;
    group_.resize(count * dim);
    for (size_t i = 0; i < count; ++i) {
      query_.Set(queries, begin + i);
      std::copy_n(query_.unit(), dim, group_.data() + i * dim);
    }
  }

  // The nearest lists of each query first, so that few rows of the others get below its bound; then
  // list by list for all that want it.
  Status RunGroup(VectorBlock queries, size_t begin, size_t count, Hits hits) {
    ReadQueries(queries, begin, count);
    while (lanes_.size() < count) {
      lanes_.push_back(
          {lists_.codes.codec->NewScorer(lists_.packed), Reservoir(shape_.candidates)});
    }
    visits_.clear();
    const size_t probes = std::min(shape_.probes, order_.size());
    const size_t nearest = std::max<size_t>(1, probes / kNearestShare);
    for (size_t i = 0; i < count; ++i) {
      const float* query = group_.data() + i * index_.rows_.dim;
      if (i % ListOrder::kQueriesAtOnce == 0) {
        order_.Score(query, std::min(ListOrder::kQueriesAtOnce, count - i));
      }
      order_.Choose(i % ListOrder::kQueriesAtOnce, probes);
      lanes_[i].scan->SetQuery(query);
      lanes_[i].found.Clear();
      TRY(ctx_.CheckAlive());
      for (size_t p = 0; p < probes; ++p) {
        const uint32_t list = order_.at(p);
        const Visit visit{list, static_cast<uint32_t>(i), OffsetOf(lists_, order_, list, is_l2_)};
        if (p < nearest) {
          ScanFor(&visit, &visit + 1);
        } else {
          visits_.push_back(visit);
        }
      }
    }
    std::sort(visits_.begin(), visits_.end(), [](const Visit& a, const Visit& b) {
      return a.list != b.list ? a.list < b.list : a.lane < b.lane;
    });
    for (size_t v = 0; v < visits_.size();) {
      TRY(ctx_.CheckAlive());
      size_t end = v + 1;
      while (end < visits_.size() && visits_[end].list == visits_[v].list) ++end;
      ScanFor(visits_.data() + v, visits_.data() + end);
      v = end;
    }
    return AnswerGroup(queries, begin, count, hits);
  }

  // Scans a list for the queries that want it, a tile for all of them while it is in the cache.
  void ScanFor(const Visit* visits, const Visit* end) {
    const size_t list_begin = lists_.bounds[visits->list];
    const size_t list_end = list_begin + lists_.list_rows[visits->list];
    for (size_t begin = list_begin; begin < list_end; begin += kTileRows) {
      const size_t count = std::min(kTileRows, list_end - begin);
      for (const Visit* visit = visits; visit < end; ++visit) {
        Lane& lane = lanes_[visit->lane];
        lane.found.Add(lane.scan->Below(begin, count, visit->offset, lane.found.bound(),
                                        lane.found.next_places(), lane.found.next_keys()));
      }
    }
  }

  Status AnswerGroup(VectorBlock queries, size_t begin, size_t count, Hits hits) {
    for (size_t i = 0; i < count; ++i) {
      query_.Set(queries, begin + i);
      if (shape_.fills && !lanes_[i].found.full()) {  // Seldom: goes on alone.
        order_.Score(group_.data() + i * index_.rows_.dim, 1);
        order_.Choose(0, shape_.probes);
        TRY(RunOne(hits, begin + i));
        continue;
      }
      rescorer_.SetQuery(query_);
      Answer(lanes_[i].found, hits, begin + i);
    }
    return {};
  }

  Status RunOne(Hits hits, size_t slot) {
    scan_->SetQuery(scan_->takes_plain_query() ? query_.plain() : query_.unit());
    rescorer_.SetQuery(query_);
    below_.Clear();
    const bool filters = !allowed_.empty() || range_.has_low();
    size_t rows_met = 0;
    size_t wanted = 0;  // As many rows that may be hits as without filter and range.
    size_t empty = 0;   // Lists in a row without a hit.
    met_ = 0;
    below_met_ = 0;
    for (size_t p = 0; p < order_.size(); ++p) {
      if (p == shape_.probes && filters) {
        // Far from the query the next best rows lie in any list.
        const bool is_far = below_met_ > shape_.candidates;
        wanted = is_far ? lists_.header.rows : rows_met;
      }
      const bool goes_on = range_.bounds() && empty < shape_.empty_max;
      if (p >= shape_.probes && met_ >= wanted && (found_.full() || !shape_.fills) && !goes_on) {
        break;
      }
      TRY(ctx_.CheckAlive());
      adds_ = false;
      rows_met += ScanList(order_.at(p), filters);
      empty = adds_ ? 0 : empty + 1;
    }
    Answer(found_, hits, slot);
    return {};
  }

  // Returns how many rows the list has.
  size_t ScanList(uint32_t list, bool filters) {
    const float offset = OffsetOf(lists_, order_, list, is_l2_);
    const size_t list_begin = lists_.bounds[list];
    const size_t list_end = list_begin + lists_.list_rows[list];
    for (size_t begin = list_begin; begin < list_end;) {
      const size_t count = std::min(found_.full() ? kTileRows : kFirstRows, list_end - begin);
      if (range_.bounds()) {
        MeetEach(begin, count, offset, filters);
      } else if (filters) {
        const size_t scored =
            ScoreAllowed(begin, count, offset, found_.next_places(), found_.next_keys());
        met_ += scored;
        found_.Add(
            simd::Select().keep(found_.next_keys(), found_.next_places(), scored, found_.bound()));
      } else {
        found_.Add(scan_->Below(begin, count, offset, found_.bound(), found_.next_places(),
                                found_.next_keys()));
      }
      begin += count;
    }
    return list_end - list_begin;
  }

  // With a range, whose rows count as they come.
  void MeetEach(size_t begin, size_t count, float offset, bool filters) {
    std::array<float, kTileRows> keys;
    std::array<uint32_t, kTileRows> places;
    const size_t kept =
        filters ? ScoreAllowed(begin, count, offset, places.data(), keys.data())
                : scan_->Below(begin, count, offset, found_.bound(), places.data(), keys.data());
    for (size_t i = 0; i < kept; ++i) Meet(keys[i], places[i]);
  }
  void Meet(float key, uint32_t place) {
    if (key < range_.low) {
      ++below_met_;
      below_.Push(-key, place);
      return;
    }
    ++met_;
    adds_ = adds_ || (key < found_.bound() && key < range_.high);
    found_.Push(key, place);
  }

  size_t ScoreAllowed(size_t begin, size_t count, float offset, uint32_t* places, float* keys) {
    size_t kept = 0;
    for (size_t i = begin; i < begin + count; ++i) {
      places[kept] = static_cast<uint32_t>(i);
      kept += allowed_.empty() || allowed_.Test(lists_.numbers[i]) ? 1 : 0;
    }
    scan_->Score(places, kept, keys);
    for (size_t i = 0; i < kept; ++i) keys[i] += offset;
    return kept;
  }

  // Codes may put a row a little outside of the range: so some from below its lower end are scored
  // anew too.
  void Answer(Reservoir& found, Hits hits, size_t slot) {
    candidates_.Clear();
    found.ForEach([&](float, uint32_t place) { __builtin_prefetch(lists_.numbers + place); });
    const auto add = [&](float key, uint32_t place) {
      candidates_.Add(place, lists_.numbers[place], is_l2_ ? std::max(key, 0.0f) : key);
    };
    found.ForEach(add);
    below_.ForEach([&](float negated, uint32_t place) { add(-negated, place); });
    found.Clear();
    rescorer_.Run(shape_.k, range_, candidates_, best_);
    best_.WriteTo(hits, slot, is_l2_ ? 1.0f : -1.0f);
  }

  const IvfIndex& index_;
  const OpenedIvf& lists_;
  Context& ctx_;
  const SearchShape shape_;
  const BitsetView allowed_;
  const bool is_l2_;
  const KeyRange range_;
  std::unique_ptr<Scorer> scan_;
  Rescorer rescorer_;
  size_t met_ = 0;        // Rows of this query that may be hits.
  size_t below_met_ = 0;  // Those below the range.
  bool adds_ = false;     // The list at hand has one that is among the best.
  Reservoir found_;       // Places in lists.
  TopK below_;            // The largest keys below the range, negated.
  TopK best_;             // Rows.
  Candidates candidates_;
  ListOrder order_;
  QueryVector query_;         // The one that is answered now.
  std::vector<float> group_;  // Queries, normalised for COSINE.
  std::vector<Lane> lanes_;
  std::vector<Visit> visits_;
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
  const SearchShape shape{.k = k,
                          .candidates = std::max(candidates, 1u),
                          .probes = static_cast<size_t>(params.GetInt("nprobe", kDefaultProbes)),
                          .fills = params.GetBool("ensure_topk_full", fills),
                          .empty_max = static_cast<size_t>(
                              params.GetInt("max_empty_result_buckets", kDefaultEmptyLists))};
  return IvfSearch(*this, ctx, shape, request).Run(queries, hits);
}

}  // namespace

std::unique_ptr<VectorIndex> MakeIvfIndex(OpenedIvf lists, VectorBlock rows, model::Metric metric) {
  return std::make_unique<IvfIndex>(std::move(lists), rows, metric);
}

}  // namespace elanus::index
