// Searches of lists of vectors: candidates from an index over the vectors, scored exactly.
#include "index/embedding_list.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "index/embedding_list/max_sim.h"
#include "index/top_k.h"

namespace elanus::index {
namespace {

constexpr double kAnnRatio = 3.0;
// Candidates that the index is asked for in one call, over the vectors of a query.
constexpr size_t kSlotsAtOnce = size_t{1} << 20;
// Rows between two looks at whether the caller still waits.
constexpr size_t kRowsAtOnce = 64;

constexpr std::array kListParams = {
    ParamSpec{"retrieval_ann_ratio", Phase::kSearch, ParamKind::kNumber, kAnnRatio, 0.001, 10000,
              "Nearest vectors that each vector of a query finds, for each of the rows wanted."},
    ParamSpec{"emb_list_rerank", Phase::kSearch, ParamKind::kBool, 1, 0, 1,
              "Score candidate rows exactly by all their vectors; else by those that were found."},
};

float ScaleOf(model::Metric metric) { return model::LargerIsBetter(metric) ? -1.0f : 1.0f; }

Status RefuseRange(const SearchRequest& request, model::Metric metric) {
  if (!request.range.bounds()) return {};
  return Error(ErrorCode::kSegcoreUnsupported, "a range search with metric {} is not supported",
               NameOf(metric));
}

// The vectors of one query.
VectorBlock ListOf(const VectorBlock& queries, size_t q) { return queries.Slice(q, 1).Flat(); }

class EmbeddingListIndex final : public VectorIndex {
 public:
  EmbeddingListIndex(std::unique_ptr<VectorIndex> vectors, VectorBlock lists, model::Metric metric)
      : vectors_(std::move(vectors)), lists_(lists), flat_(lists.Flat()), metric_(metric) {}

  Status Search(Context& ctx, const SearchRequest& request, Hits hits) const override {
    TRY(RefuseRange(request, metric_));
    Bitset allowed;
    size_t reachable = flat_.rows;
    if (!request.allowed.empty()) reachable = AllowVectors(request.allowed, allowed);
    const size_t wanted = Wanted(request);
    // The index would hand all of them over, one by one.
    if (reachable <= wanted) return SearchExactLists(ctx, lists_, metric_, request, hits);
    SearchRequest deeper = request;
    deeper.k = static_cast<uint32_t>(wanted);
    deeper.allowed = request.allowed.empty() ? BitsetView() : allowed.view();
    Deepen(request.k, deeper);
    const auto scorer = MakeMaxSimScorer(flat_, model::ElementMetric(metric_));
    const bool rescores = request.params.GetBool("emb_list_rerank", true);
    TopK best(request.k);
    for (size_t q = 0; q < request.queries.rows; ++q) {
      const VectorBlock query = ListOf(request.queries, q);
      Candidates found;
      TRY(Collect(ctx, query, deeper, found));
      if (rescores) {
        TRY(Rescore(ctx, query, found, *scorer, best));
      } else {
        found.Sum(best);
      }
      best.WriteTo(hits, q, ScaleOf(metric_));
    }
    return {};
  }

  Result<std::unique_ptr<HitStream>> Stream(Context&, const StreamRequest&) const override {
    return Error(ErrorCode::kSegcoreUnsupported, "an iterator with metric {} is not supported",
                 NameOf(metric_));
  }

  size_t rows() const override { return lists_.rows; }
  size_t memory_bytes() const override { return vectors_->memory_bytes(); }

 private:
  // Rows by the vectors that were found of them.
  class Candidates {
   public:
    // The next vector of the query found these rows, the best first, with these keys.
    void Add(const std::vector<std::pair<uint32_t, float>>& found) {
      const float worst = found.empty() ? 0.0f : found.back().second;
      missed_ += worst;
      for (const auto& [row, key] : found) {
        Sums& sums = rows_[row];
        if (sums.queries == queries_) continue;  // By a better vector of the row already.
        sums.queries = queries_;
        sums.gained += key - worst;
      }
      ++queries_;
    }
    const auto& rows() const { return rows_; }
    /// A vector of the query that did not find a row is taken to be as far from it as from the last
    /// one that it found.
    void Sum(TopK& best) const {
      for (const auto& [row, sums] : rows_) {
        best.Push(static_cast<float>(missed_ + sums.gained), row);
      }
    }

   private:
    struct Sums {
      size_t queries = SIZE_MAX;
      double gained = 0;
    };
    std::map<uint32_t, Sums> rows_;
    size_t queries_ = 0;
    double missed_ = 0;
  };

  size_t Wanted(const SearchRequest& request) const {
    const double ratio = request.params.Get("retrieval_ann_ratio", kAnnRatio);
    const double wanted = std::max(1.0, ratio * request.k);
    return static_cast<size_t>(std::min(wanted, static_cast<double>(flat_.rows)));
  }

  // Parameters that must not be below k were chosen for the k of the request.
  static void Deepen(uint32_t k, SearchRequest& request) {
    for (const char* name : {"ef", "search_list", "reorder_k", "itopk_size"}) {
      const double value = request.params.Get(name, 0);
      if (value >= k && value < request.k) request.params.Set(name, request.k);
    }
  }

  // The vectors of the allowed rows; returns how many there are.
  size_t AllowVectors(BitsetView rows, Bitset& vectors) const {
    vectors.Resize(flat_.rows);
    size_t count = 0;
    ForEachSet(rows, [&](size_t row) {
      const size_t end = lists_.FirstVector(row + 1);
      for (size_t v = lists_.FirstVector(row); v < end; ++v, ++count) vectors.Set(v);
    });
    return count;
  }

  Status Collect(Context& ctx, const VectorBlock& query, SearchRequest& request,
                 Candidates& candidates) const {
    const size_t k = request.k;
    const size_t at_once = std::max<size_t>(1, kSlotsAtOnce / k);
    const float scale = ScaleOf(metric_);
    std::vector<uint32_t> vectors;
    std::vector<float> scores;
    std::vector<std::pair<uint32_t, float>> found;
    for (size_t begin = 0; begin < query.rows; begin += at_once) {
      request.queries = query.Slice(begin, std::min(at_once, query.rows - begin));
      vectors.assign(request.queries.rows * k, kNoRow);
      scores.resize(request.queries.rows * k);
      TRY(vectors_->Search(ctx, request, {.rows = vectors.data(), .scores = scores.data()}));
      for (size_t q = 0; q < request.queries.rows; ++q) {
        found.clear();
        for (size_t i = q * k; i < (q + 1) * k && vectors[i] != kNoRow; ++i) {
          const auto row = static_cast<uint32_t>(lists_.OwnerOf(vectors[i]));
          found.emplace_back(row, scale * scores[i]);
        }
        candidates.Add(found);
      }
    }
    return {};
  }

  Status Rescore(Context& ctx, const VectorBlock& query, const Candidates& candidates,
                 MaxSimScorer& scorer, TopK& best) const {
    scorer.SetQuery(query);
    size_t scored = 0;
    for (const auto& [row, sums] : candidates.rows()) {
      if (scored++ % kRowsAtOnce == 0) TRY(ctx.CheckAlive());
      const size_t begin = lists_.FirstVector(row);
      best.Push(scorer.Key(begin, lists_.FirstVector(row + 1) - begin), row);
    }
    return {};
  }

  const std::unique_ptr<VectorIndex> vectors_;
  const VectorBlock lists_;
  const VectorBlock flat_;
  const model::Metric metric_;
};

}  // namespace

std::span<const ParamSpec> ParamsFor(const IndexType& type, model::Metric metric) {
  static const auto kOfLists = [] {
    std::map<const IndexType*, std::vector<ParamSpec>> all;
    for (const IndexType* known : AllTypes()) {
      std::vector<ParamSpec>& specs = all[known];
      specs.assign(known->params.begin(), known->params.end());
      specs.insert(specs.end(), kListParams.begin(), kListParams.end());
    }
    return all;
  }();
  return model::IsMaxSim(metric) ? std::span<const ParamSpec>(kOfLists.at(&type)) : type.params;
}

Status CheckListParams(const std::map<std::string, std::string>& texts) {
  const auto found = texts.find("emb_list_strategy");
  if (found == texts.end() || found->second == "tokenann") return {};
  return Invalid("emb_list_strategy {} is not supported, only tokenann is", found->second);
}

Result<std::string> BuildIndex(Context& ctx, const IndexType& type, VectorBlock rows,
                               model::Metric metric, const Params& build,
                               const BuildOptions& options) {
  return type.Build(ctx, rows.is_lists() ? rows.Flat() : rows, model::ElementMetric(metric), build,
                    options);
}

Result<std::unique_ptr<VectorIndex>> OpenIndex(const IndexType& type, Blob file, VectorBlock rows,
                                               model::Metric metric) {
  if (!rows.is_lists()) return type.Open(std::move(file), rows, metric);
  TRY_ASSIGN(std::unique_ptr<VectorIndex> vectors,
             type.Open(std::move(file), rows.Flat(), model::ElementMetric(metric)));
  if (!model::IsMaxSim(metric)) return vectors;
  return std::unique_ptr<VectorIndex>(
      std::make_unique<EmbeddingListIndex>(std::move(vectors), rows, metric));
}

Status SearchExactLists(Context& ctx, VectorBlock rows, model::Metric metric,
                        const SearchRequest& request, Hits hits) {
  TRY(RefuseRange(request, metric));
  TopK best(request.k);
  const VectorBlock flat = rows.rows == 0 ? VectorBlock() : rows.Flat();
  const auto scorer =
      rows.rows == 0 ? nullptr : MakeMaxSimScorer(flat, model::ElementMetric(metric));
  for (size_t q = 0; q < request.queries.rows; ++q) {
    if (scorer != nullptr) scorer->SetQuery(ListOf(request.queries, q));
    for (size_t row = 0; row < rows.rows; ++row) {
      if (row % kRowsAtOnce == 0) TRY(ctx.CheckAlive());
      if (!request.allowed.empty() && !request.allowed.Test(row)) continue;
      const size_t begin = rows.FirstVector(row);
      const size_t count = rows.FirstVector(row + 1) - begin;
      if (count > 0) best.Push(scorer->Key(begin, count), static_cast<uint32_t>(row));
    }
    best.WriteTo(hits, q, ScaleOf(metric));
  }
  return {};
}

}  // namespace elanus::index
