// The sparse index types: their parameters, and exact search over rows without a file.
#include "index/sparse/sparse.h"
#include "index/sparse/sparse_block.h"

#include <array>

#include "index/sparse/postings.h"
#include "index/sparse/score.h"
#include "model/sparse_row.h"

namespace elanus::index {
namespace {

constexpr size_t kRowsPerCheck = 512;

// The first three are algorithms; the others are names of later versions for what these do already:
// bounds hold for a window of rows, which is a block, and postings are added window by window.
constexpr std::string_view kAlgorithms[] = {"TAAT_NAIVE",     "DAAT_WAND",          "DAAT_MAXSCORE",
                                            "BLOCK_MAX_WAND", "BLOCK_MAX_MAXSCORE", "SINDI"};
constexpr std::string_view kSearchAlgorithms[] = {
    "INHERIT",        "TAAT_NAIVE",         "DAAT_WAND", "DAAT_MAXSCORE",
    "BLOCK_MAX_WAND", "BLOCK_MAX_MAXSCORE", "SINDI"};
constexpr std::string_view kCodecs[] = {"block_streamvbyte", "block_maskedvbyte", "block_adaptive"};
constexpr std::string_view kValueTypes[] = {"fp16", "fp32", "u16", "u32"};

SparseAlgorithm AlgorithmOf(int64_t choice) {
  constexpr SparseAlgorithm kMeant[] = {
      SparseAlgorithm::kTaatNaive, SparseAlgorithm::kDaatWand,     SparseAlgorithm::kDaatMaxScore,
      SparseAlgorithm::kDaatWand,  SparseAlgorithm::kDaatMaxScore, SparseAlgorithm::kTaatNaive};
  return kMeant[choice];
}

constexpr ParamSpec kParams[] = {
    {.name = "inverted_index_algo",
     .phase = Phase::kBuild,
     .kind = ParamKind::kChoice,
     .default_value = 2,
     .min = 0,
     .max = 0,
     .help = "How postings are walked; all give the same hits. BLOCK_MAX_WAND, BLOCK_MAX_MAXSCORE "
             "and SINDI are DAAT_WAND, DAAT_MAXSCORE and TAAT_NAIVE, which work block by block.",
     .choices = kAlgorithms,
     .exact_case = true},
    {"drop_ratio_build", Phase::kBuild, ParamKind::kNumber, 0, 0, 1 - 1e-16,
     "Accepted without effect, as it is deprecated: every value is indexed."},
    {.name = "inverted_index_codec",
     .phase = Phase::kBuild,
     .kind = ParamKind::kChoice,
     .default_value = 0,
     .min = 0,
     .max = 0,
     .help = "Accepted without effect: postings are 16-bit offsets or bitmaps.",
     .choices = kCodecs},
    {"block_max_block_size", Phase::kBuild, ParamKind::kInteger, 128, 1, 2147483647,
     "Accepted without effect: a block is a window of 16384 rows."},
    {.name = "quant_type",
     .phase = Phase::kBuild,
     .kind = ParamKind::kChoice,
     .default_value = 0,
     .min = 0,
     .max = 0,
     .help = "Accepted without effect: postings hold 8-bit bounds, scores are of the rows' values.",
     .choices = kValueTypes},
    {"sindi_window_size", Phase::kBuild, ParamKind::kInteger, 65535, 1024, 65535,
     "Accepted without effect: a window has 16384 rows."},
    {"bm25_k1", Phase::kBuild, ParamKind::kNumber, 1.2, 0, 3, "How slowly repeats saturate."},
    {"bm25_b", Phase::kBuild, ParamKind::kNumber, 0.75, 0, 1, "How much long rows are worth less."},
    {"bm25_avgdl", Phase::kBuild, ParamKind::kNumber, 100, 1e-30, 1e30,
     "The mean length bounds are made for; a search brings its own."},
    {"drop_ratio_search", Phase::kSearch, ParamKind::kNumber, 0, 0, 1 - 1e-16,
     "At least this share of a query's weight, smallest terms first, does not choose candidates."},
    {"refine_factor", Phase::kSearch, ParamKind::kInteger, 1, 1, 65535,
     "Times k, 3 at least, and up to 64 more: candidates of a shortened query that the whole one "
     "scores."},
    {"dim_max_score_ratio", Phase::kSearch, ParamKind::kNumber, 1.05, 0.5, 1.3,
     "Below 1 bounds are cut by it: faster, and hits may be missed. From 1 on without effect, "
     "since "
     "bounds hold as they are."},
    {.name = "search_algo",
     .phase = Phase::kSearch,
     .kind = ParamKind::kChoice,
     .default_value = 0,
     .min = 0,
     .max = 0,
     .help = "In place of inverted_index_algo; INHERIT: that one.",
     .choices = kSearchAlgorithms,
     .exact_case = true},
    {"bulk_query_nnz_threshold", Phase::kSearch, ParamKind::kInteger, 20, 0, 2147483647,
     "Accepted without effect: long queries are added window by window as short ones are."},
    {"bm25_k1", Phase::kSearch, ParamKind::kNumber, 1.2, 0, 3, "In place of the build's."},
    {"bm25_b", Phase::kSearch, ParamKind::kNumber, 0.75, 0, 1, "In place of the build's."},
};

size_t EstimateMemory(const RowShape& shape, const Params&) {
  // The worst is a chunk of one posting each, and a dimension of its own.
  return 4096 + shape.non_zeros * (ChunkBytes(1, false) + 16);
}

Result<std::string> Build(Context& ctx, VectorBlock rows, model::Metric metric, const Params& build,
                          const BuildOptions& options) {
  const SparseAlgorithm algorithm = AlgorithmOf(build.GetInt("inverted_index_algo", 2));
  const Bm25 bm25 = {.k1 = build.Get("bm25_k1", 1.2),
                     .b = build.Get("bm25_b", 0.75),
                     .avgdl = build.Get("bm25_avgdl", 0)};
  return WriteSparse(ctx, rows, metric, algorithm, bm25, options);
}

template <bool keeps_bm25>
Result<std::unique_ptr<VectorIndex>> Open(Blob file, VectorBlock rows, model::Metric metric) {
  TRY_ASSIGN(OpenedSparse opened, OpenSparse(std::move(file), rows, metric));
  return MakeSparseIndex(std::move(opened), rows, keeps_bm25);
}

constexpr model::Metric kMetrics[] = {model::Metric::kIp, model::Metric::kBm25};

}  // namespace

const IndexType& SparseInvertedType() {
  static const IndexType kType{.name = "SPARSE_INVERTED_INDEX",
                               .kind = VectorKind::kSparse,
                               .metrics = kMetrics,
                               .params = kParams,
                               .EstimateMemory = EstimateMemory,
                               .Build = Build,
                               .Open = Open<false>};
  return kType;
}

const IndexType& SparseWandType() {
  static const IndexType kType{.name = "SPARSE_WAND",
                               .kind = VectorKind::kSparse,
                               .metrics = kMetrics,
                               .params = kParams,
                               .EstimateMemory = EstimateMemory,
                               .Build = Build,
                               .Open = Open<true>};
  return kType;
}

std::span<const ParamSpec> ExactSparseParams() { return kParams; }

std::optional<SparseAlgorithm> SearchAlgorithm(const Params& search) {
  const int64_t choice = search.GetInt("search_algo", 0);
  if (choice == 0) return std::nullopt;
  return AlgorithmOf(choice - 1);
}

Status CheckSparse(const SparseBlock& block) {
  for (size_t i = 0; i < block.rows; ++i) {
    if (block.bounds[i] > block.bounds[i + 1]) {
      return Invalid("sparse vector {} ends before it begins", i);
    }
    const std::string_view row(reinterpret_cast<const char*>(block.data + block.bounds[i]),
                               block.bounds[i + 1] - block.bounds[i]);
    Status good = model::CheckSparseRow(row);
    if (!good.ok()) return std::move(good).WithContext(fmt::format("sparse vector {}", i));
  }
  return {};
}

Status SearchExactSparse(Context& ctx, VectorBlock rows, model::Metric metric,
                         const SearchRequest& request, Hits hits) {
  const SparseBlock queries = request.queries;
  TRY(CheckSparse(queries));
  const Params& params = request.params;
  const Bm25 bm25 = {.k1 = params.Get("bm25_k1", 1.2),
                     .b = params.Get("bm25_b", 0.75),
                     .avgdl = params.Get("bm25_avgdl", 100)};
  const SparseBlock block = rows;
  RowScorer scorer(block, metric, bm25);
  for (size_t q = 0; q < queries.rows; ++q) {
    BestRows best(request.k, request.range);
    scorer.SetQuery(queries.dims_of(q), queries.values_of(q));
    const bool scores = request.k > 0 && (metric == model::Metric::kIp || bm25.avgdl > 0);
    for (size_t r = 0; scores && r < rows.rows; ++r) {
      if (r % kRowsPerCheck == 0) TRY(ctx.CheckAlive());
      if (!request.allowed.empty() && !request.allowed.Test(r)) continue;
      best.Push(scorer.Score(r), static_cast<uint32_t>(r));
    }
    best.top().WriteTo(hits, q, -1.0f);
  }
  return {};
}

}  // namespace elanus::index
