// A search scores the centroids, scans the codes of the nearest lists, takes the best candidates,
// scores them anew as exactly as the index can and answers the best k. Queries that come together
// share the reading of lists where every row may be a hit. Lists past the asked ones are scanned
// while hits are missing, and with a filter or a range that leaves out the nearest rows until as
// many rows that may be hits have been scored as rows would have been without it. Lists that have
// no allowed row are passed over; where one has few, and rows are packed in blocks that are scored
// whole, these few are scored at once by what refines. Where a filter allows so few rows that
// looking for them in lists costs more, they are scored row by row. A range search also goes on
// while lists add hits, and one far from the query scans all lists.
#include "index/ivf/search.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>

#include "base/prefetch.h"
#include "index/codes/choices.h"
#include "index/ivf/allowed_lists.h"
#include "index/ivf/far_rescore.h"
#include "index/ivf/filter_costs.h"
#include "index/ivf/list_refiner.h"
#include "index/ivf/met_lists.h"
#include "index/ivf/reservoir.h"
#include "index/top_k.h"

namespace elanus::index {
namespace {

constexpr size_t kTileRows = Reservoir::kBatch;
constexpr size_t kRowsAtOnce = 2048;  // Of those that are scored row by row.
constexpr size_t kFirstRows = 64;     // While too few candidates are held for a bound.
// Queries that meet lists together, and candidates that these hold at most.
constexpr size_t kGroupMax = 256;
constexpr size_t kGroupMin = 8;
constexpr size_t kGroupCandidates = 1 << 16;
// Of a list, for all of them before the next ones: so many as stay in the fastest cache.
constexpr size_t kGroupTileBytes = 24 << 10;
constexpr size_t kGroupTileMin = 32;
// A row's second copy counts for so much of a row that is met: its first list may be met, too.
constexpr double kSecondCopy = 0.6;
constexpr size_t kDense = 2;  // One allowed row in so many: the others are scored too, in a row.
// Under a filter lists are read until so many times the rows have been met that had been when the
// last of the best came: far from the query these lie in more lists. At most so many times what is
// needed otherwise.
struct Patience {
  double more;
  double most;
};
constexpr Patience kPatience{.more = 6, .most = 4};
// What refines finds the best of fewer rows.
constexpr Patience kRefiningPatience{.more = 3, .most = 2};
// Looking whether better ones came costs: it is done once so many times the rows have been met.
constexpr double kLookShare = 1.1;
// A query is far from what a filter allows where the asked lists have less than this of the share
// that it allows of all.
constexpr double kFarDensity = 0.6;
constexpr size_t kNearestShare = 8;  // Of the asked lists each query scans so many alone, at first.

// One call's state: scorers and scratch for its queries, one after the other.
class IvfSearch {
  using ByRow = FilterCosts::ByRow;

 public:
  IvfSearch(const SearchedLists& index, Context& ctx, const ListSearchShape& shape,
            const SearchRequest& request)
      : index_(index),
        lists_(index.opened),
        ctx_(ctx),
        shape_(shape),
        allowed_(request.allowed),
        is_l2_(index.metric == model::Metric::kL2),
        range_(request.range, index.metric),
        scan_(lists_.codes.codec->NewScorer(lists_.packed)),
        // Codecs of residuals lack the centroid's part, and score without rounding where it counts.
        rescorer_(MakeListRefiner(lists_, index.rows, index.metric), *scan_,
                  !lists_.codes.residual && RoundsQuery(lists_.codes.codec->kind())),
        far_rescore_(lists_, rescorer_),
        found_(shape.candidates),
        below_(shape.candidates),
        best_(shape.k),
        order_(index.centroids, std::min(ListOrder::kQueriesAtOnce, request.queries.rows)),
        met_lists_(lists_),
        query_(index.rows.dim, index.metric),
        allowed_count_(allowed_.empty() ? lists_.header.rows : allowed_.Count()),
        costs_(lists_, RefineBytes(index), allowed_count_, shape.probes, request.queries.rows),
        by_row_(allowed_.empty() ? ByRow::kNo : costs_.Choose()),
        patience_(rescorer_.refines() ? kRefiningPatience : kPatience),
        group_tile_(std::clamp(
            kGroupTileBytes / lists_.codes.codec->row_bytes() / kGroupTileMin * kGroupTileMin,
            kGroupTileMin, kTileRows)) {
    if (!allowed_.empty() && by_row_ == ByRow::kNo && !range_.bounds()) {
      per_list_.emplace(lists_, allowed_, allowed_count_, costs_.Groups());
      is_together_ = costs_.AreTogether(per_list_->MeanShare());
      if (is_together_ && rescorer_.refines()) {
        found_ = Reservoir(
            std::min(FarRescore::Room(shape.candidates, shape.k), size_t{allowed_count_}));
      }
    }
  }

  Status Run(VectorBlock queries, Hits hits) {
    if (by_row_ != ByRow::kNo) return RunByRow(queries, hits);
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
      const size_t asked = per_list_.has_value() ? costs_.ListsInOrder() : shape_.probes;
      order_.Score(group_.data(), count, asked);
      for (size_t i = 0; i < count; ++i) {
        query_.Set(queries, begin + i);
        order_.Choose(i, asked);
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
    MetLists met_lists;
  };
  // Keys that a row must be below to be among the best: by codes, and of those scored anew already.
  struct Bounds {
    float found = std::numeric_limits<float>::infinity();
    float best = std::numeric_limits<float>::infinity();
  };
  struct Visit {
    uint32_t list;
    uint32_t lane;
    float offset;
  };

  // Where every row of a list may be a hit, queries that want the same list share the reading of
  // it, unless each has tables so large that the cache keeps those of one query only.
  size_t GroupSize(size_t queries) const {
    const bool has_tables = lists_.codes.codec->kind() == CodeKind::kAdditive;
    if (!allowed_.empty() || range_.bounds() || has_tables) return 1;
    return std::min({queries, kGroupMax, kGroupCandidates / shape_.candidates});
  }

  // Of a row by which candidates are scored anew.
  static size_t RefineBytes(const SearchedLists& index) {
    const IvfCodes& codes = index.opened.codes;
    if (codes.refine != nullptr) return codes.refine->row_bytes();
    return codes.refine_kind == CodeKind::kFloat32 ? index.rows.row_bytes() : 0;
  }

  Status RunByRow(VectorBlock queries, Hits hits) {
    for (size_t i = 0; i < queries.rows; ++i) {
      query_.Set(queries, i);
      if (by_row_ == ByRow::kByCodes) {
        scan_->SetQuery(scan_->takes_plain_query() ? query_.plain() : query_.unit());
      }
      rescorer_.SetQuery(query_);
      candidates_.Clear();
      uint32_t rows[kRowsAtOnce];
      size_t next = 0;
      while (const size_t count = ListBits(allowed_, next, rows, kRowsAtOnce)) {
        for (size_t r = 0; r < count; ++r) candidates_.Add(lists_.place_of[rows[r]], rows[r], 0);
        TRY(MeetCandidates());
      }
      best_.WriteTo(hits, i, is_l2_ ? 1.0f : -1.0f);
    }
    return {};
  }

  // Scores allowed rows; the best of all so far stay in best_.
  Status MeetCandidates() {
    TRY(ctx_.CheckAlive());
    if (by_row_ == ByRow::kByCodes) {
      scan_->Score(candidates_.places.data(), candidates_.places.size(), candidates_.keys.data());
    }
    rescorer_.Run(shape_.k, range_, candidates_, best_);
    candidates_.Clear();
    return {};
  }

  void ReadQueries(VectorBlock queries, size_t begin, size_t count) {
    const size_t dim = index_.rows.dim;
    group_.resize(count * dim);
    if (scan_->takes_plain_query()) group_plain_.resize(count * dim);
    for (size_t i = 0; i < count; ++i) {
      query_.Set(queries, begin + i);
      std::copy_n(query_.unit(), dim, group_.data() + i * dim);
      if (!group_plain_.empty()) std::copy_n(query_.plain(), dim, group_plain_.data() + i * dim);
    }
  }
  // Of those, as scorers take it.
  const float* ScanQuery(size_t i) const {
    const std::vector<float>& from = group_plain_.empty() ? group_ : group_plain_;
    return from.data() + i * index_.rows.dim;
  }

  // The nearest lists of each query first, so that few rows of the others get below its bound; then
  // list by list for all that want it.
  Status RunGroup(VectorBlock queries, size_t begin, size_t count, Hits hits) {
    ReadQueries(queries, begin, count);
    while (lanes_.size() < count) {
      lanes_.push_back({lists_.codes.codec->NewScorer(lists_.packed), Reservoir(shape_.candidates),
                        MetLists(lists_)});
    }
    visits_.clear();
    const size_t probes = std::min(shape_.probes, order_.size());
    const size_t nearest = std::max<size_t>(1, probes / kNearestShare);
    for (uint32_t i = 0; i < count; ++i) {
      const float* query = group_.data() + i * index_.rows.dim;
      if (i % ListOrder::kQueriesAtOnce == 0) {
        order_.Score(query, std::min(ListOrder::kQueriesAtOnce, count - i), probes);
      }
      order_.Choose(i % ListOrder::kQueriesAtOnce, probes);
      lanes_[i].scan->SetQuery(ScanQuery(i));
      lanes_[i].found.Clear();
      lanes_[i].met_lists.Begin(order_, probes);
      TRY(ctx_.CheckAlive());
      for (size_t p = 0; p < probes; ++p) {
        const uint32_t list = order_.at(p);
        const Visit visit{list, i, OffsetOf(lists_, order_, list, is_l2_)};
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
    // Either all queries of a call read second lists or none does.
    const MetLists& met = lanes_[visits->lane].met_lists;
    const uint32_t list = visits->list;
    const size_t list_end = met.end(list);
    for (size_t begin = met.begin(list); begin < list_end; begin += group_tile_) {
      const size_t count = std::min(group_tile_, list_end - begin);
      for (const Visit* visit = visits; visit < end; ++visit) {
        Lane& lane = lanes_[visit->lane];
        AddBelow(lane.met_lists, *lane.scan, list, begin, count, visit->offset, lane.found);
      }
    }
  }

  // Scans a tile of a list; each row is found once.
  static void AddBelow(const MetLists& met, Scorer& scan, uint32_t list, size_t begin, size_t count,
                       float offset, Reservoir& found) {
    size_t kept =
        scan.Below(begin, count, offset, found.bound(), found.next_places(), found.next_keys());
    if (begin + count > met.sure_end(list)) {
      kept = met.KeepOnce(list, found.next_places(), found.next_keys(), kept);
    }
    found.Add(kept);
  }

  Status AnswerGroup(VectorBlock queries, size_t begin, size_t count, Hits hits) {
    for (size_t i = 0; i < count; ++i) {
      query_.Set(queries, begin + i);
      if (shape_.fills && !lanes_[i].found.full()) {  // Seldom: goes on alone.
        order_.Score(group_.data() + i * index_.rows.dim, 1, shape_.probes);
        order_.Choose(0, shape_.probes);
        TRY(RunOne(hits, begin + i));
        continue;
      }
      if (!lists_.codes.residual) scan_->SetQuery(ScanQuery(i));  // The rescorer may ask it.
      rescorer_.SetQuery(query_);
      Answer(lanes_[i].found, hits, begin + i);
    }
    return {};
  }

  Status RunOne(Hits hits, size_t slot) {
    scan_->SetQuery(scan_->takes_plain_query() ? query_.plain() : query_.unit());
    rescorer_.SetQuery(query_);
    below_.Clear();
    candidates_.Clear();
    met_lists_.Begin(order_, std::min(shape_.probes, order_.size()));
    const bool filters = !allowed_.empty() || range_.has_low();
    double rows_met = 0;
    double wanted = 0;  // As many rows that may be hits as without filter and range.
    AllowedDensity density;
    size_t empty = 0;      // Lists in a row without a hit.
    double gained_at = 0;  // Rows met when the last of the best came, and when to look again.
    double looks_at = 0;
    bool looks_farther = false;
    Bounds bounds;
    met_ = 0;
    below_met_ = 0;
    refined_ = 0;
    for (size_t p = 0; p < order_.size(); ++p) {
      if (p == shape_.probes && filters) {
        // Far from the query the next best rows lie in any list.
        const bool is_far = below_met_ > shape_.candidates;
        wanted = is_far ? static_cast<double>(lists_.header.rows) : rows_met;
        if (per_list_.has_value()) wanted *= costs_.Together(per_list_->MeanShare());
        looks_farther = is_together_ && IsFar(rows_met);
      }
      const bool goes_on = range_.bounds() && empty < shape_.empty_max;
      const double needed = range_.bounds() ? wanted : density.Needed(wanted, costs_.met_power());
      const double enough =
          looks_farther ? std::clamp(patience_.more * gained_at, needed, patience_.most * needed)
                        : needed;
      if (p >= shape_.probes && met_ >= enough && (HoldsEnough() || !shape_.fills) && !goes_on) {
        break;
      }
      const uint32_t list = order_.at(p);
      if (p >= shape_.probes) {
        if (LeavesOut(list)) continue;
        met_lists_.Pass(list);
      }
      TRY(ctx_.CheckAlive());
      adds_ = false;
      const double met_before = met_;
      if (per_list_.has_value() && costs_.LooksAfterwards()) {
        rows_met += RowsOnce(list);
        TRY(MeetAllowed(list));
      } else {
        rows_met += static_cast<double>(ScanList(list, filters));
      }
      density.Add(met_ - met_before, met_lists_.end(list) - met_lists_.begin(list));
      if (looks_farther && met_ >= looks_at) {
        if (IsNearer(bounds)) gained_at = met_;
        looks_at = kLookShare * met_;
      }
      empty = adds_ ? 0 : empty + 1;
    }
    if (!candidates_.keys.empty()) TRY(MeetCandidates());
    Answer(found_, hits, slot);
    return {};
  }

  // Whether the asked lists, so many rows, have hardly any of what the filter allows.
  bool IsFar(double rows_met) const {
    const auto share =
        static_cast<double>(allowed_count_) / static_cast<double>(lists_.header.rows);
    return met_ < kFarDensity * share * rows_met;
  }

  // Whether what has been met since has better ones than those held before.
  bool IsNearer(Bounds& before) {
    found_.Settle();
    const Bounds now{.found = found_.bound(), .best = best_.bound()};
    const bool is_nearer = now.found < before.found || now.best < before.best;
    before = now;
    return is_nearer;
  }

  bool HoldsEnough() const { return refined_ + found_.size() >= shape_.candidates; }

  // Whether no row of a list is allowed; of a sample of the filter only where the other lists have
  // enough.
  bool LeavesOut(uint32_t list) const {
    return per_list_.has_value() && per_list_->Share(list) == 0 &&
           per_list_->held() >= std::min<size_t>(shape_.candidates, allowed_count_);
  }

  // About as many rows as a search without a filter meets in this list.
  double RowsOnce(uint32_t list) const {
    const size_t own = met_lists_.own_end(list) - met_lists_.begin(list);
    const size_t seconds = met_lists_.end(list) - met_lists_.own_end(list);
    return static_cast<double>(own) + kSecondCopy * static_cast<double>(seconds);
  }

  // Of a list whose codes are packed in blocks: the few rows that are allowed by what refines; or
  // all by their codes, and looks afterwards which of the best are allowed.
  Status MeetAllowed(uint32_t list) {
    const double share = per_list_->Share(list);
    const size_t end = met_lists_.end(list);
    if (costs_.RefinesAtOnce(share, per_list_->is_grouped())) {
      if (per_list_->is_grouped()) {
        for (uint32_t row : per_list_->Rows(list)) {
          if (met_lists_.MeetsHere(list, row)) AddRefined(lists_.place_of[row], row);
        }
      } else {
        AddAllowed(list);
      }
      return candidates_.keys.size() >= kRowsAtOnce ? MeetCandidates() : Status();
    }
    const float offset = OffsetOf(lists_, order_, list, is_l2_);
    for (size_t begin = met_lists_.begin(list); begin < end;) {
      const size_t count = std::min(found_.full() ? kTileRows : kFirstRows, end - begin);
      uint32_t* places = found_.next_places();
      float* keys = found_.next_keys();
      size_t kept = scan_->Below(begin, count, offset, found_.bound(), places, keys);
      kept = AllowedOf(places, keys, kept);
      found_.Add(begin + count > met_lists_.sure_end(list)
                     ? met_lists_.KeepOnce(list, places, keys, kept)
                     : kept);
      begin += count;
    }
    met_ += share * RowsOnce(list);
    return {};
  }

  // The allowed rows of a list, for what refines.
  void AddAllowed(uint32_t list) {
    std::array<uint32_t, kTileRows> places;
    const size_t end = met_lists_.end(list);
    for (size_t begin = met_lists_.begin(list); begin < end; begin += kTileRows) {
      const size_t count = std::min(kTileRows, end - begin);
      const size_t allowed =
          AllowedOnce(lists_, met_lists_, allowed_, list, begin, count, places.data());
      for (size_t i = 0; i < allowed; ++i) AddRefined(places[i], lists_.numbers[places[i]]);
    }
  }

  void AddRefined(uint32_t place, uint32_t row) {
    candidates_.Add(place, row, 0);
    met_ += 1;
    ++refined_;
  }

  size_t AllowedOf(uint32_t* places, float* keys, size_t count) const {
    size_t kept = 0;
    for (size_t i = 0; i < count; ++i) {
      places[kept] = places[i];
      keys[kept] = keys[i];
      kept += allowed_.Test(lists_.numbers[places[i]]) ? 1 : 0;
    }
    return kept;
  }

  // Returns how many rows were met.
  size_t ScanList(uint32_t list, bool filters) {
    const float offset = OffsetOf(lists_, order_, list, is_l2_);
    const size_t list_end = met_lists_.end(list);
    size_t rows_met = 0;
    for (size_t begin = met_lists_.begin(list); begin < list_end;) {
      const size_t count = std::min(found_.full() ? kTileRows : kFirstRows, list_end - begin);
      if (filters) {
        rows_met += ScanAllowed(list, begin, count, offset);
      } else if (range_.bounds()) {
        MeetEach(list, begin, count, offset);
      } else {
        AddBelow(met_lists_, *scan_, list, begin, count, offset, found_);
      }
      begin += count;
    }
    return rows_met;
  }

  // Returns how many rows were met, the others among them, while that counts (see RunOne).
  size_t ScanAllowed(uint32_t list, size_t begin, size_t count, float offset) {
    // Rows of a range enter one by one, which moves what is held.
    std::array<float, kTileRows> range_keys;
    std::array<uint32_t, kTileRows> range_places;
    uint32_t* places = range_.bounds() ? range_places.data() : found_.next_places();
    float* keys = range_.bounds() ? range_keys.data() : found_.next_keys();
    size_t once = 0;
    size_t scored = 0;
    if (met_lists_.is_past()) {
      scored = AllowedOnce(lists_, met_lists_, allowed_, list, begin, count, places);
    } else {
      once = PlacesOnce(met_lists_, list, begin, count, places);
      scored = AllowedPlaces(lists_, allowed_, places, once);
    }
    if (range_.bounds()) {
      scan_->Score(places, scored, keys);
      for (size_t i = 0; i < scored; ++i) Meet(keys[i] + offset, places[i]);
      return once;
    }
    met_ += static_cast<double>(scored);
    const size_t block = lists_.codes.codec->block_rows();
    if (block > 1 || kDense * scored >= count) {
      scored = ScoreBlocks(begin, count, offset, block > 1 ? block : count, places, scored);
    } else {
      scan_->Score(places, scored, keys);
      for (size_t i = 0; i < scored; ++i) keys[i] += offset;
      scored = simd::Select().keep(keys, places, scored, found_.bound());
    }
    found_.Add(scored);
    return once;
  }

  // Scores blocks of so many rows whole where any is wanted: those among the `wanted` places, which
  // ascend. Leaves the ones below the bound there, as Add takes them.
  size_t ScoreBlocks(size_t begin, size_t count, float offset, size_t block, uint32_t* places,
                     size_t wanted) {
    std::array<uint32_t, kTileRows> block_places;
    std::array<float, kTileRows> block_keys;
    float* keys = found_.next_keys();
    size_t kept = 0;
    for (size_t next = 0; next < wanted;) {
      const size_t first = begin + (places[next] - begin) / block * block;
      const size_t rows = std::min(block, begin + count - first);
      const size_t below =
          scan_->Below(first, rows, offset, found_.bound(), block_places.data(), block_keys.data());
      // Both ascend; what is kept is never ahead of what is read.
      for (size_t i = 0; i < below; ++i) {
        while (next < wanted && places[next] < block_places[i]) ++next;
        if (next == wanted || places[next] != block_places[i]) continue;
        places[kept] = block_places[i];
        keys[kept++] = block_keys[i];
      }
      while (next < wanted && places[next] < first + rows) ++next;
    }
    return kept;
  }

  // With a range, whose rows count as they come.
  void MeetEach(uint32_t list, size_t begin, size_t count, float offset) {
    std::array<float, kTileRows> keys;
    std::array<uint32_t, kTileRows> places;
    size_t kept = scan_->Below(begin, count, offset, found_.bound(), places.data(), keys.data());
    kept = met_lists_.KeepOnce(list, places.data(), keys.data(), kept);
    for (size_t i = 0; i < kept; ++i) Meet(keys[i], places[i]);
  }
  void Meet(float key, uint32_t place) {
    if (key < range_.low) {
      ++below_met_;
      below_.Push(-key, place);
      return;
    }
    met_ += 1;
    adds_ = adds_ || (key < found_.bound() && key < range_.high);
    found_.Push(key, place);
  }

  // Codes may put a row a little outside of the range: so some from below its lower end are scored
  // anew too.
  void Answer(Reservoir& found, Hits hits, size_t slot) {
    candidates_.Clear();
    found.ForEach([&](float, uint32_t place) { Prefetch(lists_.numbers + place); });
    if (found.room() > shape_.candidates) {
      far_rescore_.Run(found, shape_.candidates, shape_.k, best_);
    } else {
      const auto add = [&](float key, uint32_t place) {
        candidates_.Add(place, lists_.numbers[place], is_l2_ ? std::max(key, 0.0f) : key);
      };
      found.ForEach(add);
      below_.ForEach([&](float negated, uint32_t place) { add(-negated, place); });
      rescorer_.Run(shape_.k, range_, candidates_, best_);
    }
    found.Clear();
    best_.WriteTo(hits, slot, is_l2_ ? 1.0f : -1.0f);
  }

  const SearchedLists index_;
  const OpenedIvf& lists_;
  Context& ctx_;
  const ListSearchShape shape_;
  const BitsetView allowed_;
  const bool is_l2_;
  const KeyRange range_;
  std::unique_ptr<Scorer> scan_;
  Rescorer rescorer_;
  FarRescore far_rescore_;
  double met_ = 0;            // Rows of this query that may be hits, or about so many.
  size_t below_met_ = 0;      // Those below the range.
  size_t refined_ = 0;        // Those scored at once by what refines.
  bool adds_ = false;         // The list at hand has one that is among the best.
  bool is_together_ = false;  // What the filter allows: far from some queries.
  Reservoir found_;           // Places in lists.
  TopK below_;                // The largest keys below the range, negated.
  TopK best_;                 // Rows.
  Candidates candidates_;
  ListOrder order_;
  MetLists met_lists_;
  QueryVector query_;               // The one that is answered now.
  std::vector<float> group_;        // Queries, normalised for COSINE,
  std::vector<float> group_plain_;  // and as they are, where scorers take them so.
  const size_t allowed_count_;
  const FilterCosts costs_;
  const ByRow by_row_;
  const Patience patience_;
  const size_t group_tile_;
  std::optional<AllowedLists> per_list_;  // Where a filter's rows are looked for in lists.
  std::vector<Lane> lanes_;
  std::vector<Visit> visits_;
};

}  // namespace

Status SearchLists(Context& ctx, const SearchedLists& lists, const ListSearchShape& shape,
                   const SearchRequest& request, Hits hits) {
  return IvfSearch(lists, ctx, shape, request).Run(request.queries, hits);
}

}  // namespace elanus::index
