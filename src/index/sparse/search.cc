// A search sums upper bounds of scores, 16 bits a row, for a window of rows that fits the fastest
// cache, looks with wide instructions for the few sums that could make a hit, and scores those rows
// exactly from the segment's raw vectors.
//
// DAAT_MAXSCORE (Turtle, Flood 1995; here a window at once): terms that promise much for little
// work go first. As soon as the bounds of the remaining terms cannot lift a row without other
// postings to a hit, and the rows that could become hits are cheaper to score than the remaining
// postings are to add, the remaining terms are left out. TAAT_NAIVE adds all postings. DAAT_WAND
// goes row by row (wand.h).
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <optional>

#include "index/sparse/kernels.h"
#include "index/sparse/score.h"
#include "index/sparse/wand.h"
#include "index/sparse/window.h"

namespace elanus::index {
namespace {

// Measured, in units of adding one posting of a list.
constexpr uint32_t kBitmapCost = 768;  // Adding a bitmap's postings.
constexpr size_t kBitmapsAtOnce = 4;
constexpr uint32_t kCountCost = 2048;  // What counting candidates must be able to save.
constexpr double kNonZeroCost = 8;     // Scoring a row, for each of its values.
// Times k, and some more for a small k: rows of a shortened query that are scored anew. Among few
// rows the best ones are further from the others.
constexpr uint32_t kDropCandidates = 3;
constexpr uint64_t kMoreCandidates = 64;
constexpr uint64_t kRowsPerCandidate = 4096;
constexpr double kDropSquares = 0.9;  // Of the ratio: the share of squared weights left out.
constexpr size_t kRowsAhead = 3;
constexpr size_t kBoundsAhead = 16;
constexpr size_t kRowsPerCheck = 1024;

struct Settings {
  uint32_t k;
  double drop_ratio, refine_factor, shrink;
  SparseAlgorithm algorithm;
  ScoreRange range;
  BitsetView allowed;
};

// As Count. Counting bits is a call where the machine may lack the instruction, and a selective
// filter leaves most words empty.
size_t CountRows(BitsetView rows) {
  size_t count = 0;
  for (size_t w = 0; w < rows.word_count(); ++w) {
    if (rows.words[w] != 0) count += static_cast<size_t>(std::popcount(rows.words[w]));
  }
  return count;
}

/// A term of the query that has postings, before sums have a scale.
struct FoundTerm {
  const char* at;   // Its first chunk,
  const char* end;  // and where its chunks end.
  double weight;    // In the query.
  double step;      // As in OpenedSparse; then what its codes' unit adds to a score.
};

/// One Search call: scratch memory and the walk.
class SparseSearch {
 public:
  SparseSearch(const OpenedSparse& opened, const SparseBlock& rows, Bm25 bm25, double bound_factor,
               const Settings& settings, Context& ctx)
      : opened_(opened),
        bound_factor_(bound_factor),
        settings_(settings),
        ctx_(ctx),
        scorer_(rows, static_cast<model::Metric>(opened.header.metric), bm25) {
    if (!settings.allowed.empty()) allowed_rows_ = CountRows(settings.allowed);
    row_cost_ = 32 + kNonZeroCost * static_cast<double>(opened.header.non_zeros) /
                         static_cast<double>(opened.header.rows);
  }

  Status Run(std::span<const uint32_t> dims, std::span<const float> weights, Hits hits,
             size_t slot) {
    BestRows best(settings_.k, settings_.range);
    // A range's upper end needs scores, which a shortened query does not have.
    const bool drops = settings_.drop_ratio > 0 && !settings_.range.range_filter;
    scorer_.SetQuery(dims, weights);
    FindTerms(dims, weights);
    if (drops) DropSmallest();
    if (ScanIsCheaper()) {
      TRY(ScanAllowed(best));
    } else {
      ScaleTerms();
      TRY(drops ? FindShortened(best) : ForEachWindow([&] { SearchWindow(best); }));
    }
    best.top().WriteTo(hits, slot, -1.0f);
    return {};
  }

 private:
  // The query's terms that have postings.
  void FindTerms(std::span<const uint32_t> dims, std::span<const float> weights) {
    const uint32_t* end = opened_.dims + opened_.header.terms;
    found_.clear();
    for (size_t i = 0; i < dims.size(); ++i) {
      const uint32_t* found = std::lower_bound(opened_.dims, end, dims[i]);
      if (found == end || *found != dims[i] || weights[i] <= 0) continue;
      const size_t t = static_cast<size_t>(found - opened_.dims);
      found_.push_back({.at = opened_.chunks + opened_.starts[t],
                        .end = opened_.chunks + opened_.starts[t + 1],
                        .weight = weights[i],
                        .step = opened_.steps[t]});
    }
  }

  // Leaves out the smallest terms until their share of the weight reaches the ratio, and then as
  // long as their share of the squared weights, by which they change the order of rows, stays below
  // nearly as much: many small terms weigh much and change little. The largest one stays.
  void DropSmallest() {
    std::sort(found_.begin(), found_.end(),
              [](const FoundTerm& a, const FoundTerm& b) { return a.weight > b.weight; });
    double weight = 0;
    double squares = 0;
    for (const FoundTerm& t : found_) {
      weight += t.weight;
      squares += t.weight * t.weight;
    }
    weight *= settings_.drop_ratio;
    squares *= settings_.drop_ratio * kDropSquares;
    while (found_.size() > 1) {
      const double last = found_.back().weight;
      if (weight <= 0 && squares < last * last) break;
      weight -= last;
      squares -= last * last;
      found_.pop_back();
    }
  }

  // The shortened query chooses candidates by their sums alone, the whole one scores them.
  Status FindShortened(BestRows& best) {
    const uint64_t more =
        std::min<uint64_t>(kMoreCandidates, opened_.header.rows / kRowsPerCandidate);
    const double wanted = settings_.k * std::max<double>(settings_.refine_factor, kDropCandidates) +
                          static_cast<double>(more);
    candidates_max_ =
        static_cast<size_t>(std::min(wanted, static_cast<double>(opened_.header.rows)));
    candidates_.clear();
    TRY(ForEachWindow([&] { CollectWindow(); }));
    KeepBestCandidates();
    const auto row_at = [&](size_t i) { return ~static_cast<uint32_t>(candidates_[i]); };
    const size_t count = candidates_.size();
    for (size_t i = 0; i < std::min(count, kBoundsAhead); ++i) scorer_.PrefetchBounds(row_at(i));
    for (size_t i = 0; i < std::min(count, kRowsAhead); ++i) scorer_.Prefetch(row_at(i));
    for (size_t i = 0; i < count; ++i) {
      if (i % kRowsPerCheck == 0) TRY(ctx_.CheckAlive());
      if (i + kBoundsAhead < count) scorer_.PrefetchBounds(row_at(i + kBoundsAhead));
      if (i + kRowsAhead < count) scorer_.Prefetch(row_at(i + kRowsAhead));
      best.Push(scorer_.Score(row_at(i)), row_at(i));
    }
    return {};
  }

  bool ScanIsCheaper() const {
    if (settings_.allowed.empty()) return false;
    double posting_bytes = 0;
    for (const FoundTerm& t : found_) posting_bytes += static_cast<double>(t.end - t.at);
    return row_cost_ * static_cast<double>(allowed_rows_) < posting_bytes / 3;
  }

  // Calls `search` for each window with postings, which then are in here_.
  template <class Search>
  Status ForEachWindow(Search search) {
    while (true) {
      uint32_t window = UINT32_MAX;
      for (const QueryTerm& t : terms_) {
        if (!t.done()) window = std::min(window, t.chunk().window);
      }
      if (window == UINT32_MAX) return {};
      TRY(ctx_.CheckAlive());
      here_.clear();
      for (QueryTerm& t : terms_) {
        if (!t.done() && t.chunk().window == window) here_.push_back(&t);
      }
      EnterWindow(window);
      search();
      for (QueryTerm* t : here_) t->Next();
    }
  }

  // Puts the weights of the found terms on the scale of sums.
  void ScaleTerms() {
    terms_.clear();
    if (found_.empty()) return;
    double total = 0;
    for (FoundTerm& t : found_) {
      t.step *= 255 * t.weight * bound_factor_;
      total += t.step;
      terms_.push_back({.at = t.at, .end = t.end, .weight = 0});
    }
    // Weights of at least kWeightMin make each posting count; with very many terms they sum up to
    // more than they should, and sums saturate.
    // A posting adds code * weight / 256, so no chunk's weight may be cut to 16 bits: a lone term's
    // would be, and sums no bounds.
    constexpr double kSumMax = 65535.0 * 255 / 256;
    const double room =
        std::max(kSumMax - kWeightMin * static_cast<double>(terms_.size()), 32768.0);
    scale_ = {.scale = room / total,
              .shrink = settings_.shrink,
              .terms = static_cast<uint32_t>(terms_.size())};
    double sum_max = 0;
    for (size_t i = 0; i < terms_.size(); ++i) {
      terms_[i].weight = found_[i].step * scale_.scale * 256 / (255 * 255);
      sum_max += std::max(std::ceil(terms_[i].weight * 255), double{kWeightMin});
    }
    scale_.saturates = sum_max > 65535;
    std::sort(terms_.begin(), terms_.end(),
              [](const QueryTerm& a, const QueryTerm& b) { return Promise(a) > Promise(b); });
  }

  // What a term adds to bounds for the work it makes.
  static double Promise(const QueryTerm& t) {
    return t.weight / std::sqrt(static_cast<double>(t.end - t.at));
  }

  void EnterWindow(uint32_t window) {
    first_row_ = window * kWindowRows;
    const size_t left = opened_.header.rows - first_row_;
    words_ = (std::min<size_t>(left, kWindowRows) + 63) / 64;
    allowed_ = settings_.allowed.empty() ? nullptr : settings_.allowed.words + first_row_ / 64;
    // Bounds and costs of the terms from each on.
    rest_.assign(here_.size() + 1, 0);
    cost_.assign(here_.size() + 1, 0);
    weights_.resize(here_.size());
    for (size_t i = here_.size(); i-- > 0;) {
      const ChunkHead& chunk = here_[i]->chunk();
      weights_[i] = here_[i]->ChunkWeight();
      rest_[i] = rest_[i + 1] + (255 * weights_[i] >> 8);
      cost_[i] = cost_[i + 1] + (chunk.is_bitmap != 0 ? kBitmapCost : chunk.count());
    }
  }

  void SearchWindow(BestRows& best) {
    const uint32_t needed = scale_.Needed(best.floor());
    if (rest_[0] < needed) return;
    const SparseAlgorithm algorithm = settings_.algorithm;
    if (algorithm == SparseAlgorithm::kDaatWand) {
      Wand(needed, best);
      return;
    }
    Answer(AddTerms(needed, algorithm == SparseAlgorithm::kDaatMaxScore), best);
  }

  // Adds all postings and keeps the rows with the largest sums.
  void CollectWindow() {
    const uint32_t bar = candidates_.size() < candidates_max_ ? 1 : SumOf(candidates_.back());
    if (rest_[0] < bar) return;
    AddTerms(1, false);
    uint32_t high = 65536;
    for (size_t wanted = candidates_max_; high > bar; wanted *= 8) {
      const uint32_t low = bar > 1 ? bar : BandOf(wanted, 1);
      const size_t count = kernels_.pick(sums_.data(), words_, static_cast<uint16_t>(low), high,
                                         allowed_, picked_.data());
      for (size_t i = 0; i < count; ++i) {
        candidates_.push_back(uint64_t{sums_[picked_[i]]} << 32 |
                              static_cast<uint32_t>(~(first_row_ + picked_[i])));
      }
      high = low;
      if (candidates_.size() >= candidates_max_) break;
    }
    KeepBestCandidates();
  }
  static uint32_t SumOf(uint64_t candidate) { return static_cast<uint32_t>(candidate >> 32); }
  // The worst of them is then the last.
  void KeepBestCandidates() {
    if (candidates_.size() < candidates_max_) return;
    const auto worst = candidates_.begin() + static_cast<std::ptrdiff_t>(candidates_max_) - 1;
    std::nth_element(candidates_.begin(), worst, candidates_.end(), std::greater<>());
    candidates_.resize(candidates_max_);
  }

  // Adds postings; returns the bound of the terms it left out.
  uint32_t AddTerms(uint32_t needed, bool prunes) {
    sums_.fill(0);
    uint32_t counted_at = UINT32_MAX;  // The remaining cost when candidates were last counted.
    for (size_t i = 0; i < here_.size(); ++i) {
      if (prunes && rest_[i] < needed && cost_[i] > kCountCost &&
          (counted_at == UINT32_MAX || counted_at - cost_[i] > kCountCost)) {
        AddBitmaps();
        counted_at = cost_[i];
        const size_t candidates =
            kernels_.count_at_least(sums_.data(), static_cast<uint16_t>(needed - rest_[i]));
        if (static_cast<double>(candidates) * row_cost_ <= cost_[i]) return rest_[i];
      }
      const ChunkHead& chunk = here_[i]->chunk();
      if (chunk.is_bitmap != 0) {
        bitmaps_.push_back({chunk.bits(), chunk.codes(), weights_[i]});
        if (bitmaps_.size() == kBitmapsAtOnce) AddBitmaps();
      } else {
        (scale_.saturates ? AddListSaturating : kernels_.add_list)(
            chunk.offsets(), chunk.codes(), chunk.count(), weights_[i], sums_.data());
      }
    }
    AddBitmaps();
    return 0;
  }
  void AddBitmaps() {
    kernels_.add_bitmaps(bitmaps_.data(), bitmaps_.size(), sums_.data());
    bitmaps_.clear();
  }

  // Scores the rows whose sums leave a chance. While hits are missing nearly every row has one, so
  // the largest sums come first, band by band: they raise the bar for the others.
  void Answer(uint32_t rest, BestRows& best) {
    uint32_t high = 65536;
    for (size_t wanted = 2 * size_t{settings_.k};; wanted *= 8) {
      const uint32_t bar = Bar(rest, best);
      uint32_t low = bar;
      if (!best.full()) low = std::max(low, BandOf(wanted, low));
      if (low < high) ScoreBand(low, high, rest, best);
      high = low;
      if (high <= Bar(rest, best)) return;
    }
  }
  uint32_t Bar(uint32_t rest, const BestRows& best) const {
    const uint32_t needed = scale_.Needed(best.floor());
    return needed > rest ? needed - rest : 1;
  }
  // The largest bound that at least `wanted` sums reach, by halving; not below `low`.
  uint32_t BandOf(size_t wanted, uint32_t low) const {
    uint32_t high = 65536;
    while (high - low > 1) {
      const uint32_t middle = (low + high) / 2;
      if (kernels_.count_at_least(sums_.data(), static_cast<uint16_t>(middle)) >= wanted) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }
  void ScoreBand(uint32_t low, uint32_t high, uint32_t rest, BestRows& best) {
    const size_t count = kernels_.pick(sums_.data(), words_, static_cast<uint16_t>(low), high,
                                       allowed_, picked_.data());
    // The largest sums first, for the same reason.
    order_.clear();
    for (size_t i = 0; i < count; ++i) {
      order_.push_back((65535u - sums_[picked_[i]]) << 16 | picked_[i]);
      scorer_.PrefetchBounds(first_row_ + picked_[i]);
    }
    std::sort(order_.begin(), order_.end());
    for (size_t i = 0; i < std::min(count, kRowsAhead); ++i) scorer_.Prefetch(RowAt(i));
    uint32_t bar = low;
    for (size_t i = 0; i < count && 65535 - (order_[i] >> 16) >= bar; ++i) {
      if (i + kRowsAhead < count) scorer_.Prefetch(RowAt(i + kRowsAhead));
      best.Push(scorer_.Score(RowAt(i)), RowAt(i));
      bar = Bar(rest, best);
    }
  }
  uint32_t RowAt(size_t place) const { return first_row_ + (order_[place] & 0xffff); }

  void Wand(uint32_t needed, BestRows& best) {
    cursors_.clear();
    for (const QueryTerm* t : here_) cursors_.emplace_back(*t);
    WandWindow(cursors_, needed, [&](uint32_t offset) {
      const uint32_t row = first_row_ + offset;
      if (allowed_ == nullptr || settings_.allowed.Test(row)) best.Push(scorer_.Score(row), row);
      return scale_.Needed(best.floor());
    });
  }

  Status ScanAllowed(BestRows& best) {
    Status alive;
    size_t scanned = 0;
    ForEachSet(settings_.allowed, [&](size_t row) {
      if (scanned++ % kRowsPerCheck == 0 && alive.ok()) alive = ctx_.CheckAlive();
      if (alive.ok()) best.Push(scorer_.Score(row), static_cast<uint32_t>(row));
    });
    return alive;
  }

  const OpenedSparse& opened_;
  const double bound_factor_;
  const Settings& settings_;
  Context& ctx_;
  const SparseKernels& kernels_ = BestSparseKernels();
  RowScorer scorer_;
  size_t allowed_rows_ = 0;
  double row_cost_;
  // Of the query:
  std::vector<FoundTerm> found_;
  std::vector<uint64_t> candidates_;  // Sum, and the row's complement: larger is better.
  size_t candidates_max_ = 0;
  std::vector<QueryTerm> terms_;
  SumScale scale_;
  // Of the window:
  std::vector<QueryTerm*> here_;
  std::vector<uint32_t> rest_, cost_, weights_;
  std::vector<BitmapCodes> bitmaps_;  // To be added.
  std::vector<ChunkCursor> cursors_;
  uint32_t first_row_ = 0;
  size_t words_ = 0;
  const uint64_t* allowed_ = nullptr;
  alignas(64) std::array<uint16_t, kWindowRows> sums_;
  std::array<uint16_t, kWindowRows + 64> picked_;
  std::vector<uint32_t> order_;
};

// How much larger BM25 factors may be than those the codes bound. The quotient of two factors is
// monotone in count and in length, so its maximum is at a corner.
double BoundFactor(const SparseHeader& h, const Bm25& now) {
  if (h.metric != static_cast<uint64_t>(model::Metric::kBm25)) return 1;
  double factor = 0;
  for (double count : {h.count_min, h.count_max}) {
    for (double length : {h.length_min, h.length_max}) {
      if (count <= 0) continue;
      factor = std::max(factor, now.Factor(count, length) / h.bm25.Factor(count, length));
    }
  }
  return factor * (1 + 1e-9);
}

class OpenIndex final : public VectorIndex {
 public:
  OpenIndex(OpenedSparse opened, const SparseBlock& rows, bool keeps_bm25)
      : opened_(std::move(opened)), rows_(rows), keeps_bm25_(keeps_bm25) {}
  Status Search(Context& ctx, const SearchRequest& request, Hits hits) const override;
  size_t rows() const override { return rows_.rows; }
  size_t memory_bytes() const override { return opened_.file.heap_bytes(); }

 private:
  const OpenedSparse opened_;
  const SparseBlock rows_;
  const bool keeps_bm25_;
};

}  // namespace

Status OpenIndex::Search(Context& ctx, const SearchRequest& request, Hits hits) const {
  const SparseBlock queries = request.queries;
  const Params& params = request.params;
  const uint32_t k = request.k;
  TRY(CheckSparse(queries));
  std::fill_n(hits.rows, queries.rows * k, kNoRow);
  std::fill_n(hits.scores, queries.rows * k, 0.0f);
  Bm25 bm25 = opened_.header.bm25;
  if (!keeps_bm25_) {
    bm25.k1 = params.Get("bm25_k1", bm25.k1);
    bm25.b = params.Get("bm25_b", bm25.b);
  }
  bm25.avgdl = params.Get("bm25_avgdl", bm25.avgdl);
  const bool is_bm25 = opened_.header.metric == static_cast<uint64_t>(model::Metric::kBm25);
  if (k == 0 || opened_.header.terms == 0 || (is_bm25 && bm25.avgdl <= 0)) return {};
  const Settings settings = {.k = k,
                             .drop_ratio = params.Get("drop_ratio_search", 0),
                             .refine_factor = params.Get("refine_factor", 1),
                             .shrink = std::min(params.Get("dim_max_score_ratio", 1.05), 1.0),
                             .algorithm = SearchAlgorithm(params).value_or(
                                 static_cast<SparseAlgorithm>(opened_.header.algorithm)),
                             .range = request.range,
                             .allowed = request.allowed};
  const auto search = std::make_unique<SparseSearch>(
      opened_, rows_, bm25, BoundFactor(opened_.header, bm25), settings, ctx);
  for (size_t q = 0; q < queries.rows; ++q) {
    TRY(ctx.CheckAlive());
    TRY(search->Run(queries.dims_of(q), queries.values_of(q), hits, q));
  }
  return {};
}

std::unique_ptr<VectorIndex> MakeSparseIndex(OpenedSparse opened, const SparseBlock& rows,
                                             bool keeps_bm25) {
  return std::make_unique<OpenIndex>(std::move(opened), rows, keeps_bm25);
}

}  // namespace elanus::index
