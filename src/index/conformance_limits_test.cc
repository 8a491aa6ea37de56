// Every registered index type at its limits: the largest and smallest of everything, ties, filters
// of every share, threads, progress, cancelling, memory, and files that only their checksum trusts.
#include <atomic>

#include "base/aligned_copy.h"
#include "base/framed.h"
#include "index/conformance.h"

namespace elanus::index {
namespace {

// So wide that every row is a candidate, and scored by the segment's own vectors.
Params Everything(size_t rows) {
  Params params;
  const auto all = static_cast<double>(std::max<size_t>(rows, 1));
  params.Set("ef", all);
  params.Set("nprobe", 65536);
  params.Set("refine_k", all);
  params.Set("reorder_k", all);
  params.Set("search_list", all);
  return params;
}

double TrueScore(const Cloud& cloud, Metric metric, size_t query, uint32_t row) {
  const float* a = cloud.queries.data() + query * cloud.dim;
  const float* b = cloud.rows.data() + size_t{row} * cloud.dim;
  double l2 = 0, ip = 0, aa = 0, bb = 0;
  for (uint32_t d = 0; d < cloud.dim; ++d) {
    l2 += (static_cast<double>(a[d]) - b[d]) * (static_cast<double>(a[d]) - b[d]);
    ip += static_cast<double>(a[d]) * b[d];
    aa += static_cast<double>(a[d]) * a[d];
    bb += static_cast<double>(b[d]) * b[d];
  }
  if (metric == Metric::kL2) return l2;
  if (metric == Metric::kIp) return ip;
  return aa == 0 || bb == 0 ? 0 : ip / std::sqrt(aa * bb);
}

// k hits of each query: distinct, allowed, in order, truly scored, and as good as the exact ones.
void ExpectExact(const VectorIndex& index, Context& ctx, const Cloud& cloud, Metric metric,
                 uint32_t k, const Params& params, BitsetView allowed) {
  const size_t nq = cloud.query_block().rows;
  Answer got(nq, k), want(nq, k);
  const Status found = index.Search(
      ctx, {.queries = cloud.query_block(), .k = k, .params = params, .allowed = allowed},
      got.hits());
  ASSERT_TRUE(found.ok()) << found.ToString();
  ASSERT_TRUE(
      SearchExact(ctx, cloud.block(), metric,
                  {.queries = cloud.query_block(), .k = k, .params = {}, .allowed = allowed},
                  want.hits())
          .ok());
  for (size_t q = 0; q < nq; ++q) {
    std::set<uint32_t> seen;
    for (size_t i = q * k; i < (q + 1) * k; ++i) {
      ASSERT_EQ(got.rows[i] == kNoRow, want.rows[i] == kNoRow) << "query " << q << " hit " << i;
      if (got.rows[i] == kNoRow) continue;
      ASSERT_TRUE(seen.insert(got.rows[i]).second) << "row " << got.rows[i] << " twice";
      ASSERT_TRUE(allowed.empty() || allowed.Test(got.rows[i]));
      const double slack = 1e-4 * std::max(1.0f, std::abs(want.scores[i]));
      ASSERT_NEAR(got.scores[i], TrueScore(cloud, metric, q, got.rows[i]), slack);
      ASSERT_NEAR(got.scores[i], want.scores[i], slack) << "query " << q << " hit " << i;
    }
  }
}

// The share of k hits with scores like those of the k best rows; equal scores may be of any row.
double ShareAsGoodAsTheBest(const VectorIndex& index, Context& ctx, const Cloud& cloud,
                            Metric metric, uint32_t k) {
  const size_t nq = cloud.query_block().rows;
  const float sign = model::LargerIsBetter(metric) ? 1.0f : -1.0f;
  Answer got(nq, k), want(nq, k);
  EXPECT_TRUE(index
                  .Search(ctx,
                          {.queries = cloud.query_block(),
                           .k = k,
                           .params = Everything(cloud.block().rows),
                           .allowed = {}},
                          got.hits())
                  .ok());
  EXPECT_TRUE(SearchExact(ctx, cloud.block(), metric,
                          {.queries = cloud.query_block(), .k = k, .params = {}, .allowed = {}},
                          want.hits())
                  .ok());
  size_t good = 0;
  for (size_t i = 0; i < nq * k; ++i) {
    const float worst = want.scores[i / k * k + k - 1];
    if (got.rows[i] == kNoRow) continue;
    good += sign * (got.scores[i] - worst) >= -1e-4f * std::max(1.0f, std::abs(worst)) ? 1 : 0;
  }
  return static_cast<double>(good) / static_cast<double>(nq * k);
}

// Numbers of -1, 0 and 1: many equal rows, zero rows and equal scores.
Cloud MakeGrid(uint32_t seed, size_t rows, uint32_t dim, size_t queries) {
  std::mt19937 rng(seed);
  Cloud cloud{.dim = dim};
  for (size_t i = 0; i < rows * dim; ++i) {
    cloud.rows.push_back(static_cast<float>(static_cast<int>(rng() % 3) - 1));
  }
  for (size_t i = 0; i < queries * dim; ++i) {
    cloud.queries.push_back(static_cast<float>(static_cast<int>(rng() % 3) - 1));
  }
  std::fill_n(cloud.queries.begin(), dim, 0.0f);
  return cloud;
}

TEST_P(VectorIndexConformance, AnswersAsTheExactSearchAmongTiesAndDuplicates) {
  const Cloud cloud = MakeGrid(1, 700, 4, 6);
  Bitset some(700);
  for (size_t i = 0; i < 700; i += 3) some.Set(i);
  for (Metric metric : kMetrics) {
    SCOPED_TRACE(NameOf(metric));
    const auto index = Make(cloud.block(), metric);
    for (uint32_t k : {350u, 700u, 1000u}) {
      ExpectExact(*index, ctx_, cloud, metric, k, Everything(1000), {});
      ExpectExact(*index, ctx_, cloud, metric, k, Everything(1000), some.view());
    }
  }
}

TEST_P(VectorIndexConformance, AnswersExactlyInEveryDimension) {
  for (uint32_t dim : {1u, 2u, 3u, 7u, 31u, 128u, 129u, 768u, 1536u}) {
    const Cloud cloud = MakeClusteredCloud(dim, 120, dim, 3);
    for (Metric metric : kMetrics) {
      SCOPED_TRACE(fmt::format("{} dim {}", NameOf(metric), dim));
      Params build = BuildParams(dim);
      build.Set("nlist", 4);
      build.Set("nbits", 4);
      const auto index = Open(Build(cloud.block(), metric, build, {}), cloud.block(), metric);
      ExpectExact(*index, ctx_, cloud, metric, 60, Everything(120), {});
      EXPECT_GE(ShareAsGoodAsTheBest(*index, ctx_, cloud, metric, 10), 0.96);
    }
  }
}

TEST_P(VectorIndexConformance, AnswersOneRowAndTwo) {
  for (size_t rows : {1u, 2u}) {
    for (Metric metric : kMetrics) {
      const Cloud cloud = MakeClusteredCloud(4, rows, 6, 2);
      const auto index = Make(cloud.block(), metric);
      for (uint32_t k : {1u, 2u, 3u}) {
        ExpectExact(*index, ctx_, cloud, metric, k, Everything(3), {});
      }
    }
  }
}

TEST_P(VectorIndexConformance, AnswersAsManyHitsAndQueriesAsTheWireAllows) {
  constexpr uint32_t kMost = 16384;
  const Cloud cloud = MakeClusteredCloud(2, kMost + 600, 4, 1);
  Params build = BuildParams(4);
  build.Set("M", 6);
  build.Set("efConstruction", 16);
  build.Set("max_degree", 8);
  build.Set("search_list_size", 16);
  const auto index =
      Open(Build(cloud.block(), Metric::kL2, build, {.pool = &pool_}), cloud.block(), Metric::kL2);
  ExpectExact(*index, ctx_, cloud, Metric::kL2, kMost, Everything(kMost + 600), {});
  // Fewer than half of all rows: graphs walk.
  Answer some(1, kMost / 4);
  Params wide = Wide();
  wide.Set("ef", kMost / 4);
  wide.Set("search_list", kMost / 4);
  wide.Set("reorder_k", kMost);
  ASSERT_TRUE(
      index
          ->Search(ctx_,
                   {.queries = cloud.query_block(), .k = kMost / 4, .params = wide, .allowed = {}},
                   some.hits())
          .ok());
  EXPECT_EQ(std::count(some.rows.begin(), some.rows.end(), kNoRow), 0);
  EXPECT_EQ(std::set<uint32_t>(some.rows.begin(), some.rows.end()).size(), kMost / 4);

  const Cloud small = MakeClusteredCloud(3, 200, 4, kMost);
  const auto few = Make(small.block(), Metric::kIp);
  Answer got(kMost, 1), want(kMost, 1);
  ASSERT_TRUE(
      few->Search(
             ctx_,
             {.queries = small.query_block(), .k = 1, .params = Everything(200), .allowed = {}},
             got.hits())
          .ok());
  ASSERT_TRUE(SearchExact(ctx_, small.block(), Metric::kIp,
                          {.queries = small.query_block(), .k = 1, .params = {}, .allowed = {}},
                          want.hits())
                  .ok());
  size_t equal = 0;
  for (size_t q = 0; q < kMost; ++q) equal += got.rows[q] == want.rows[q] ? 1 : 0;
  EXPECT_GE(equal, kMost - kMost / 100);
}

// With parameters at which a search without a filter misses some.
TEST_P(VectorIndexConformance, FiltersOfEveryShareKeepTheRecallOfNone) {
  constexpr size_t kRows = 5000;
  constexpr double kSlack = 0.04;  // Of a thousand hits.
  const Cloud cloud = MakeClusteredCloud(12, kRows, 32, 100);
  Params narrow;
  narrow.Set("ef", 24);
  narrow.Set("search_list", 48);
  narrow.Set("nprobe", 3);
  narrow.Set("refine_k", 20);
  narrow.Set("reorder_k", 200);
  std::vector<std::pair<float, size_t>> by_value;
  for (size_t i = 0; i < kRows; ++i) by_value.emplace_back(cloud.rows[i * 32], i);
  std::sort(by_value.begin(), by_value.end());
  std::vector<size_t> shuffled(kRows);
  for (size_t i = 0; i < kRows; ++i) shuffled[i] = i;
  std::mt19937 rng(5);
  std::shuffle(shuffled.begin(), shuffled.end(), rng);
  for (Metric metric : kMetrics) {
    const auto index =
        Open(Build(cloud.block(), metric, BuildParams(32), {}), cloud.block(), metric);
    const double unfiltered = Recall(*index, cloud, metric, {}, narrow);
    EXPECT_GE(unfiltered, 0.7) << NameOf(metric);
    for (double share : {0.001, 0.01, 0.1, 0.5, 0.99}) {
      Bitset random(kRows), correlated(kRows);
      for (size_t i = 0; i < static_cast<size_t>(share * kRows); ++i) {
        random.Set(shuffled[i]);
        correlated.Set(by_value[i].second);
      }
      EXPECT_GE(Recall(*index, cloud, metric, random.view(), narrow), unfiltered - kSlack)
          << NameOf(metric) << " random " << share;
      EXPECT_GE(Recall(*index, cloud, metric, correlated.view(), narrow), unfiltered - kSlack)
          << NameOf(metric) << " correlated " << share;
    }
  }
}

TEST_P(VectorIndexConformance, BuildsOnOneThreadAsOnSeveral) {
  const Cloud cloud = MakeClusteredCloud(8, 2000, 24, 30);
  Pool many(*executor_, "build", 4, 64);
  for (Metric metric : kMetrics) {
    const Params build = BuildParams(24);
    const std::string alone = Build(cloud.block(), metric, build, {});
    EXPECT_EQ(Build(cloud.block(), metric, build, {}), alone) << "a build is not repeatable";
    const auto one = Open(alone, cloud.block(), metric);
    EXPECT_GE(Recall(*one, cloud, metric, {}), 0.95) << NameOf(metric);
    const auto several =
        Open(Build(cloud.block(), metric, build, {.pool = &many}), cloud.block(), metric);
    EXPECT_GE(Recall(*several, cloud, metric, {}), 0.95) << NameOf(metric);
  }
}

TEST_P(VectorIndexConformance, TellsHowFarABuildIsUpToTheEnd) {
  for (size_t rows : {0u, 1u, 2u, 900u}) {
    const Cloud cloud = MakeClusteredCloud(8, rows, 16, 0);
    for (Metric metric : kMetrics) {
      SCOPED_TRACE(fmt::format("{} {} rows", NameOf(metric), rows));
      double last = 0;
      const auto never_falls = [&last](double progress) {
        EXPECT_GE(progress, last);
        last = progress;
      };
      Build(cloud.block(), metric, BuildParams(16), {.on_progress = never_falls});
      EXPECT_EQ(last, 1.0);
      // On several threads reports may overtake one another.
      std::atomic<int> ends{0};
      const auto in_range = [&ends](double progress) {
        EXPECT_TRUE(progress >= 0 && progress <= 1) << progress;
        if (progress == 1.0) ++ends;
      };
      Build(cloud.block(), metric, BuildParams(16), {.pool = &pool_, .on_progress = in_range});
      EXPECT_GE(ends.load(), 1);
    }
  }
}

// Each look at the time is a microsecond later than the one before: a deadline is a number of
// looks.
class CountingClock final : public Clock {
 public:
  int64_t NowMs() override { return 0; }
  int64_t MonotonicUs() override { return ++looks_; }
  int64_t looks() const { return looks_; }

 private:
  std::atomic<int64_t> looks_{0};
};

TEST_P(VectorIndexConformance, StopsABuildWhereverItsDeadlineFindsIt) {
  const Cloud cloud = MakeClusteredCloud(8, 1500, 16, 0);
  const Params build = BuildParams(16);
  for (Pool* pool : {static_cast<Pool*>(nullptr), &pool_}) {
    CountingClock whole;
    Context patient(whole, INT64_MAX - 1);
    ASSERT_TRUE(
        GetParam()->Build(patient, cloud.block(), Metric::kCosine, build, {.pool = pool}).ok());
    const int64_t looks = whole.looks();
    EXPECT_GE(looks, 2) << "a build of this size never looks whether anybody waits for it";
    for (int64_t deadline = 0; deadline < looks * 3 / 4; deadline += 1 + looks / 7) {
      CountingClock clock;
      Context ctx(clock, deadline);
      EXPECT_EQ(GetParam()
                    ->Build(ctx, cloud.block(), Metric::kCosine, build, {.pool = pool})
                    .status()
                    .code(),
                ErrorCode::kDeadlineExceeded)
          << "look " << deadline << " of " << looks;
    }
  }
}

TEST_P(VectorIndexConformance, StopsASearchWhereverItsDeadlineFindsIt) {
  const Cloud cloud = MakeClusteredCloud(8, 3000, 16, 4);
  const auto index = Make(cloud.block(), Metric::kL2);
  Bitset half(3000), few(3000);
  for (size_t i = 0; i < 3000; i += 2) half.Set(i);
  for (size_t i = 0; i < 3000; i += 100) few.Set(i);
  for (BitsetView allowed : {BitsetView{}, half.view(), few.view()}) {
    Answer got(4, 400);
    Params params = Wide();
    params.Set("ef", 1000);
    params.Set("search_list", 1000);
    CountingClock whole;
    Context patient(whole, INT64_MAX - 1);
    ASSERT_TRUE(
        index
            ->Search(
                patient,
                {.queries = cloud.query_block(), .k = 400, .params = params, .allowed = allowed},
                got.hits())
            .ok());
    EXPECT_GE(whole.looks(), 4);
    for (int64_t deadline = 0; deadline < whole.looks(); deadline += 1 + whole.looks() / 16) {
      CountingClock clock;
      Context ctx(clock, deadline);
      ASSERT_EQ(
          index
              ->Search(
                  ctx,
                  {.queries = cloud.query_block(), .k = 400, .params = params, .allowed = allowed},
                  got.hits())
              .code(),
          ErrorCode::kDeadlineExceeded)
          << "look " << deadline << " of " << whole.looks();
    }
    Context cancelled(clock_);
    cancelled.Cancel();
    EXPECT_EQ(
        index
            ->Search(
                cancelled,
                {.queries = cloud.query_block(), .k = 400, .params = params, .allowed = allowed},
                got.hits())
            .code(),
        ErrorCode::kCanceled);
  }
}

TEST_P(VectorIndexConformance, EstimatesItsMemory) {
  const Cloud cloud = MakeClusteredCloud(8, 4000, 64, 0);
  Params build = BuildParams(64);
  build.Set("nlist", 64);
  build.Set("efConstruction", 40);
  build.Set("search_list_size", 40);
  const std::string file = Build(cloud.block(), Metric::kCosine, build, {.pool = &pool_});
  const Blob aligned = AlignedCopy(file);
  const auto index = GetParam()->Open(Blob(std::make_shared<Blob>(aligned), aligned.bytes(), 0),
                                      cloud.block(), Metric::kCosine);
  ASSERT_TRUE(index.ok()) << index.status().ToString();
  const auto estimate =
      static_cast<double>(GetParam()->EstimateMemory({.rows = 4000, .dim = 64}, build));
  // Graphs have memory of their own; lists are searched where the file lies.
  static const std::set<std::string_view> kGraphs = {"HNSW",     "HNSW_SQ", "HNSW_PQ",
                                                     "HNSW_PRQ", "DISKANN", "AISAQ"};
  const auto taken = static_cast<double>(
      kGraphs.count(GetParam()->name) == 1 ? index.value()->memory_bytes() : file.size());
  // HNSW may turn out to walk on bytes; the estimate is for vectors.
  const IndexType& type = GetParam()->twin != nullptr ? *GetParam()->twin : *GetParam();
  const double slack = type.name == "HNSW" ? 4 : 1.5;
  EXPECT_LE(estimate, slack * taken);
  EXPECT_GE(estimate, taken / 1.5);
}

// The worst and the mean error of scores without refine, as parts of the lengths that meet.
struct ScoreErrors {
  double worst = 0;
  double mean = 0;
};

TEST_P(VectorIndexConformance, ScoresWithinItsCodesErrorWithoutRefine) {
  constexpr uint32_t kDim = 64;
  constexpr uint32_t kK = 20;
  const std::map<std::string_view, double> mean_errors = {
      {"HNSW_SQ", 0.003}, {"IVF_SQ8", 0.003},   {"HNSW_PQ", 0.06}, {"HNSW_PRQ", 0.04},
      {"IVF_PQ", 0.05},   {"IVF_RABITQ", 0.06}, {"SCANN", 0.06},   {"IVF_RABITQ_FASTSCAN", 0.06}};
  const Cloud cloud = MakeClusteredCloud(21, 2000, kDim, 20);
  for (Metric metric : kMetrics) {
    Params build = BuildParams(kDim);
    build.Set("refine", 0);
    build.Set("with_raw_data", 0);
    const auto index =
        Open(Build(cloud.block(), metric, build, {.pool = &pool_}), cloud.block(), metric);
    Answer got(20, kK);
    ASSERT_TRUE(
        index
            ->Search(ctx_,
                     {.queries = cloud.query_block(), .k = kK, .params = Wide(), .allowed = {}},
                     got.hits())
            .ok());
    ScoreErrors errors;
    for (size_t i = 0; i < got.rows.size(); ++i) {
      ASSERT_NE(got.rows[i], kNoRow);
      const float* query = cloud.queries.data() + i / kK * kDim;
      const float* row = cloud.rows.data() + size_t{got.rows[i]} * kDim;
      double size = 1;
      if (metric != Metric::kCosine) {
        double qq = 0, rr = 0;
        for (uint32_t d = 0; d < kDim; ++d) {
          qq += static_cast<double>(query[d]) * query[d];
          rr += static_cast<double>(row[d]) * row[d];
        }
        size = std::sqrt(qq * rr);
      }
      const double error =
          std::abs(got.scores[i] - TrueScore(cloud, metric, i / kK, got.rows[i])) / size;
      errors.worst = std::max(errors.worst, error);
      errors.mean += error / static_cast<double>(got.rows.size());
      if (i % kK == 0) continue;
      EXPECT_TRUE(model::LargerIsBetter(metric) ? got.scores[i - 1] >= got.scores[i]
                                                : got.scores[i - 1] <= got.scores[i]);
    }
    const auto expected = mean_errors.find(GetParam()->name);
    const double mean = expected == mean_errors.end() ? 1e-6 : expected->second;
    EXPECT_LE(errors.mean, mean) << NameOf(metric);
    EXPECT_LE(errors.worst, 8 * mean) << NameOf(metric);
  }
}

TEST_P(VectorIndexConformance, RefusesTheFileOfOtherRows) {
  const Cloud cloud = MakeClusteredCloud(3, 200, 8, 1);
  const Cloud longer = MakeClusteredCloud(3, 201, 8, 1);
  const std::string file = Build(cloud.block(), Metric::kCosine, BuildParams(8), {});
  EXPECT_EQ(GetParam()->Open(AlignedCopy(file), longer.block(), Metric::kCosine).status().code(),
            ErrorCode::kIntegrity);
  const IndexType& builds = GetParam()->twin != nullptr ? *GetParam()->twin : *GetParam();
  if (builds.name == "FLAT") return;  // Its file says nothing of the dimension.
  const VectorBlock wider{.data = longer.rows.data(), .rows = 200, .dim = 7};
  EXPECT_EQ(GetParam()->Open(AlignedCopy(file), wider, Metric::kCosine).status().code(),
            ErrorCode::kIntegrity);
}

// Damage that the checksum does not show: a search may find nonsense, never what is not there.
TEST_P(VectorIndexConformance, FollowsNothingInAFileUnchecked) {
  const Cloud cloud = MakeClusteredCloud(3, 150, 8, 3);
  Bitset half(150);
  for (size_t i = 0; i < 150; i += 2) half.Set(i);
  for (Metric metric : {Metric::kL2, Metric::kCosine}) {
    Params build = BuildParams(8);
    build.Set("nlist", 4);
    build.Set("nbits", 4);
    build.Set("refine_type", 2);  // So that there are refine codes.
    const std::string file = Build(cloud.block(), metric, build, {});
    const std::string magic = file.substr(0, 8);
    uint32_t version;
    std::memcpy(&version, file.data() + 8, sizeof(version));
    const auto payload = Unframe(magic, version, file, "file");
    ASSERT_TRUE(payload.ok());
    std::mt19937 rng(17);
    size_t opened = 0;
    for (int i = 0; i < 400; ++i) {
      std::string bad(*payload);
      const size_t reach = i % 2 == 0 ? std::min<size_t>(bad.size(), 256) : bad.size();
      for (size_t changes = 1 + rng() % 3; changes > 0 && reach > 0; --changes) {
        bad[rng() % reach] = static_cast<char>(rng() % 3 == 0 ? 0xff : rng() % 256);
      }
      const std::string framed = Frame(magic, version, bad);
      const auto index = GetParam()->Open(AlignedCopy(framed), cloud.block(), metric);
      if (!index.ok()) {
        EXPECT_EQ(index.status().code(), ErrorCode::kIntegrity) << index.status().ToString();
        continue;
      }
      ++opened;
      for (BitsetView allowed : {BitsetView{}, half.view()}) {
        for (uint32_t k : {5u, 120u}) {
          Answer got(3, k);
          Params params = Wide();
          params.Set("search_list", 120);
          const Status found = index.value()->Search(
              ctx_, {.queries = cloud.query_block(), .k = k, .params = params, .allowed = allowed},
              got.hits());
          ASSERT_TRUE(found.ok()) << found.ToString();
          for (uint32_t row : got.rows) ASSERT_TRUE(row == kNoRow || row < 150);
        }
      }
    }
    EXPECT_GT(opened, 0u);
  }
}

// Products of such numbers are infinite, and their sums are no numbers.
TEST_P(VectorIndexConformance, OutlivesNumbersWhoseProductsOverflow) {
  Cloud cloud = MakeClusteredCloud(3, 300, 16, 4);
  for (size_t i = 0; i < cloud.rows.size(); i += 7) cloud.rows[i] *= 1e30f;
  for (size_t i = 0; i < cloud.queries.size(); i += 5) cloud.queries[i] *= -1e30f;
  for (Metric metric : kMetrics) {
    const auto index = Make(cloud.block(), metric);
    for (uint32_t k : {10u, 200u}) {
      Answer got(4, k);
      Params params = Wide();
      params.Set("search_list", 200);
      ASSERT_TRUE(
          index
              ->Search(ctx_,
                       {.queries = cloud.query_block(), .k = k, .params = params, .allowed = {}},
                       got.hits())
              .ok());
      for (uint32_t row : got.rows) ASSERT_TRUE(row == kNoRow || row < 300);
    }
  }
}

// The rows that are hits of all queries are few and long, and most rows are hits of none. What one
// bit a dimension misses grows with a row's length, so such codes put some of them too far back.
TEST_P(VectorIndexConformance, FindsTheLargestProductsAmongRowsOfVeryUnevenLengths) {
  const double least = GetParam()->name.substr(0, 10) == "IVF_RABITQ" ? 0.75 : 0.95;
  for (float spread : {0.5f, 1.5f}) {
    Cloud cloud = MakeClusteredCloud(17, 4000, 32, 40);
    std::mt19937 rng(18);
    std::normal_distribution<float> normal;
    for (size_t r = 0; r < 4000; ++r) {
      const float length = std::exp(spread * normal(rng));
      for (uint32_t d = 0; d < 32; ++d) cloud.rows[r * 32 + d] *= length;
    }
    const auto index = Make(cloud.block(), Metric::kIp);
    EXPECT_GE(Recall(*index, cloud, Metric::kIp, {}), least) << "spread " << spread;
  }
}

TEST_P(VectorIndexConformance, IsSearchedByManyThreadsAtOnce) {
  const Cloud cloud = MakeClusteredCloud(8, 1500, 24, 16);
  const auto index = Make(cloud.block(), Metric::kCosine);
  Answer want(16, 10);
  ASSERT_TRUE(
      index
          ->Search(ctx_, {.queries = cloud.query_block(), .k = 10, .params = Wide(), .allowed = {}},
                   want.hits())
          .ok());
  Pool many(*executor_, "search", 4, 64);
  const Status all = many.ParallelFor(ctx_, 64, [&](size_t) -> Status {
    Answer got(16, 10);
    TRY(index->Search(ctx_,
                      {.queries = cloud.query_block(), .k = 10, .params = Wide(), .allowed = {}},
                      got.hits()));
    EXPECT_EQ(got.rows, want.rows);
    EXPECT_EQ(got.scores, want.scores);
    return {};
  });
  EXPECT_TRUE(all.ok());
}

}  // namespace
}  // namespace elanus::index
