// Sparse indexes answer as a plain scan of the rows does.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

#include "base/aligned_copy.h"
#include "index/sparse/kernels.h"
#include "index/sparse/made_rows.h"
#include "index/sparse/sparse.h"
#include "index/sparse/sparse_block.h"

namespace elanus::index {
namespace {

class SparseTest : public testing::TestWithParam<std::tuple<int, model::Metric>> {
 protected:
  model::Metric metric() const { return std::get<1>(GetParam()); }
  bool is_bm25() const { return metric() == model::Metric::kBm25; }
  Sparse Rows(uint32_t seed, size_t rows, size_t per_row = 12) const {
    return MakeRows(seed, rows, per_row, is_bm25());
  }
  std::string Build(const VectorBlock& rows, const Params& more = {}) {
    Params params = more;
    params.Set("inverted_index_algo", std::get<0>(GetParam()));
    auto bytes = SparseInvertedType().Build(ctx_, rows, metric(), params, {});
    EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
    return std::move(*bytes);
  }
  std::unique_ptr<VectorIndex> Make(const VectorBlock& rows, const Params& more = {}) {
    const std::string bytes = Build(rows, more);
    auto opened = SparseInvertedType().Open(AlignedCopy(bytes), rows, metric());
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return std::move(*opened);
  }
  // Scores as the formula says, without any of the engine's code.
  double Score(const VectorBlock& rows, size_t r, const VectorBlock& queries, size_t q,
               const Params& params) const {
    double length = 0;
    for (float v : SparseBlock(rows).values_of(r)) length += v;
    const double k1 = params.Get("bm25_k1", 1.2);
    const double b = params.Get("bm25_b", 0.75);
    double score = 0;
    for (size_t i = 0; i < SparseBlock(queries).dims_of(q).size(); ++i) {
      const auto dims = SparseBlock(rows).dims_of(r);
      const auto at =
          std::lower_bound(dims.begin(), dims.end(), SparseBlock(queries).dims_of(q)[i]);
      if (at == dims.end() || *at != SparseBlock(queries).dims_of(q)[i]) continue;
      const double value = SparseBlock(rows).values_of(r)[static_cast<size_t>(at - dims.begin())];
      const double part =
          !is_bm25() ? value
                     : value * (k1 + 1) /
                           (value + k1 * (1 - b + b * length / params.Get("bm25_avgdl", 0)));
      if (value > 0) score += part * SparseBlock(queries).values_of(q)[i];
    }
    return score;
  }
  // Compares hits with the formula over all rows; scores may differ by rounding only, and rows of
  // equal scores stand in order.
  void ExpectExact(const VectorIndex& index, const VectorBlock& rows, const VectorBlock& queries,
                   uint32_t k, Params params, BitsetView allowed, ScoreRange range = {}) {
    if (!params.Has("bm25_avgdl")) params.Set("bm25_avgdl", 20);
    Found got(queries.rows, k);
    const Status status = index.Search(
        ctx_, {.queries = queries, .k = k, .params = params, .allowed = allowed, .range = range},
        got.hits());
    ASSERT_TRUE(status.ok()) << status.ToString();
    Found scan(queries.rows, k);
    ASSERT_TRUE(
        SearchExact(
            ctx_, rows, metric(),
            {.queries = queries, .k = k, .params = params, .allowed = allowed, .range = range},
            scan.hits())
            .ok());
    EXPECT_EQ(got.rows, scan.rows);
    EXPECT_EQ(got.scores, scan.scores);
    for (size_t q = 0; q < queries.rows; ++q) {
      std::vector<std::pair<double, uint32_t>> want;
      for (size_t r = 0; r < rows.rows; ++r) {
        if (!allowed.empty() && !allowed.Test(r)) continue;
        const double score = Score(rows, r, queries, q, params);
        if (score <= std::max(range.radius.value_or(0), 0.0f)) continue;
        if (score <= range.range_filter.value_or(1e30f)) want.emplace_back(-score, r);
      }
      std::sort(want.begin(), want.end());
      for (uint32_t i = 0; i < k; ++i) {
        const uint32_t row = got.rows[q * k + i];
        ASSERT_EQ(row != kNoRow, i < want.size()) << "query " << q << " place " << i;
        if (row == kNoRow) continue;
        const double score = -want[i].first;
        EXPECT_NEAR(got.scores[q * k + i], score, 1e-5 * score);
        EXPECT_NEAR(Score(rows, row, queries, q, params), score, 1e-5 * score);
        if (i > 0 && got.scores[q * k + i] == got.scores[q * k + i - 1]) {
          EXPECT_LT(got.rows[q * k + i - 1], row);
        }
      }
    }
  }

  SystemClock clock_;
  Context ctx_{clock_};
};

TEST_P(SparseTest, AnswersExactlyWithAndWithoutFilters) {
  const Sparse rows = Rows(1, 24'000);
  const Sparse queries = Rows(2, 12, 16);
  const auto index = Make(rows.block());
  for (size_t keep_one_in : {0u, 1u, 2u, 30u, 5000u, 50'000u}) {
    Bitset allowed(24'000);
    for (size_t i = 3; keep_one_in > 0 && i < 24'000; i += keep_one_in) allowed.Set(i);
    for (uint32_t k : {1u, 10u, 200u}) {
      SCOPED_TRACE(testing::Message() << "keep 1 in " << keep_one_in << ", k " << k);
      ExpectExact(*index, rows.block(), queries.block(), k, {},
                  keep_one_in == 0 ? BitsetView{} : allowed.view());
    }
  }
}

TEST_P(SparseTest, AnswersExactlyWithinARange) {
  const Sparse rows = Rows(3, 20'000);
  const Sparse queries = Rows(4, 10);
  const auto index = Make(rows.block());
  for (float radius : {0.5f, 2.0f, 1000.0f}) {
    Params params;
    ScoreRange range{.radius = radius};
    ExpectExact(*index, rows.block(), queries.block(), 10, params, {}, range);
    range.range_filter = radius + 1;
    ExpectExact(*index, rows.block(), queries.block(), 10, params, {}, range);
    params.Set("drop_ratio_search", 0.3);  // Upper ends are exact all the same.
    ExpectExact(*index, rows.block(), queries.block(), 10, params, {}, range);
  }
}

TEST_P(SparseTest, AnswersQueriesOfVeryManyTerms) {
  const Sparse rows = Rows(5, 5000, 30);
  Sparse queries;
  Vector all;
  for (uint32_t d = 0; d < 2000; ++d) all[d * 7] = 1.0f + static_cast<float>(d % 5);
  queries.Add(all);
  for (auto& [dim, weight] : all) weight = dim == 700 ? 1e6f : 1e-6f;
  queries.Add(all);
  ExpectExact(*Make(rows.block()), rows.block(), queries.block(), 10, {}, {});
}

TEST_P(SparseTest, AnswersMoreThanThereAre) {
  for (size_t count : {0u, 1u, 9u, 300u}) {
    const Sparse rows = Rows(6, count);
    const Sparse queries = Rows(7, 8);
    const auto index = Make(rows.block());
    ExpectExact(*index, rows.block(), queries.block(), 500, {}, {});
  }
}

TEST_P(SparseTest, GivesEmptyQueriesAndUnknownTermsNoHits) {
  const Sparse rows = Rows(8, 3000);
  Sparse queries;
  queries.Add({});
  queries.Add({{5, 1.0f}, {3'000'000'000u, 2.0f}});
  queries.Add({{0, 0.0f}});
  queries.Add({{kSparseDimMax, 1.0f}, {7, 0.0f}});
  ExpectExact(*Make(rows.block()), rows.block(), queries.block(), 10, {}, {});
}

TEST_P(SparseTest, RanksEqualRowsByPlace) {
  Sparse rows;
  for (int i = 0; i < 20'000; ++i) rows.Add({{3, 1.0f}, {9, 2.0f}});
  Sparse queries;
  queries.Add({{3, 2.0f}, {9, 1.0f}});
  const auto index = Make(rows.block());
  ExpectExact(*index, rows.block(), queries.block(), 10, {}, {});
  Found got(1, 3);
  Params params;
  params.Set("bm25_avgdl", 3);
  ASSERT_TRUE(index
                  ->Search(ctx_,
                           {.queries = queries.block(), .k = 3, .params = params, .allowed = {}},
                           got.hits())
                  .ok());
  EXPECT_EQ(got.rows, (std::vector<uint32_t>{0, 1, 2}));
}

TEST_P(SparseTest, StaysExactWhenTheShardsStatisticsMove) {
  if (!is_bm25()) return;
  const Sparse rows = Rows(9, 20'000);
  const Sparse queries = Rows(10, 8);
  Params build;
  build.Set("bm25_avgdl", 5);
  const auto index = Make(rows.block(), build);
  for (double avgdl : {1.0, 5.0, 21.0, 400.0}) {
    Params params;
    params.Set("bm25_avgdl", avgdl);
    ExpectExact(*index, rows.block(), queries.block(), 10, params, {});
    params.Set("bm25_k1", 0.1);
    params.Set("bm25_b", 1);
    ExpectExact(*index, rows.block(), queries.block(), 10, params, {});
    params.Set("bm25_k1", 0);
    ExpectExact(*index, rows.block(), queries.block(), 10, params, {});
  }
  Params none;
  none.Set("bm25_avgdl", 0);
  Found got(8, 5);
  ASSERT_TRUE(index
                  ->Search(ctx_,
                           {.queries = queries.block(), .k = 5, .params = none, .allowed = {}},
                           got.hits())
                  .ok());
  EXPECT_EQ(got.rows, std::vector<uint32_t>(40, kNoRow));
}

TEST_P(SparseTest, FindsMostHitsWhenSmallTermsAreDropped) {
  const Sparse rows = Rows(11, 30'000, 40);
  const Sparse queries = Rows(12, 40, 30);
  const auto index = Make(rows.block());
  Params params;
  params.Set("bm25_avgdl", 60);
  Found want(40, 10);
  ASSERT_TRUE(index
                  ->Search(ctx_,
                           {.queries = queries.block(), .k = 10, .params = params, .allowed = {}},
                           want.hits())
                  .ok());
  const auto recall = [&] {
    Found got(40, 10);
    EXPECT_TRUE(index
                    ->Search(ctx_,
                             {.queries = queries.block(), .k = 10, .params = params, .allowed = {}},
                             got.hits())
                    .ok());
    int hits = 0;
    for (size_t i = 0; i < 400; ++i) {
      const auto begin = want.rows.begin() + static_cast<std::ptrdiff_t>(i / 10 * 10);
      if (got.rows[i] != kNoRow) hits += std::count(begin, begin + 10, got.rows[i]);
    }
    return hits / static_cast<double>(400 - std::count(want.rows.begin(), want.rows.end(), kNoRow));
  };
  params.Set("drop_ratio_search", 0.1);
  EXPECT_GE(recall(), 0.9);
  double last = 1;
  for (const double ratio : {0.0, 0.01, 0.1, 0.3, 0.6, 0.9}) {
    params.Set("drop_ratio_search", ratio);
    const double now = recall();
    EXPECT_LE(now, last + 0.01) << ratio;
    last = now;
  }
  params.Set("drop_ratio_search", 0.99);
  EXPECT_LT(recall(), 0.9);
  params.Set("refine_factor", 3000);  // All rows that share a kept term are scored.
  EXPECT_GT(recall(), 0.0);
  params.Set("drop_ratio_search", 0);
  params.Set("dim_max_score_ratio", 1.3);
  EXPECT_EQ(recall(), 1.0);
  params.Set("dim_max_score_ratio", 0.5);
  EXPECT_GT(recall(), 0.1);
}

TEST_P(SparseTest, RefusesWhatBreaksTheRules) {
  const auto build = [&](const Sparse& rows) {
    return SparseWandType().Build(ctx_, rows.block(), metric(), {}, {}).status().code();
  };
  const Sparse good = Rows(13, 20);
  const auto index = Make(good.block());
  const auto expect_refused = [&](const Sparse& bad) {
    EXPECT_EQ(build(bad), ErrorCode::kInvalidParameter);
    Found got(bad.block().rows, 1);
    EXPECT_EQ(index
                  ->Search(ctx_, {.queries = bad.block(), .k = 1, .params = {}, .allowed = {}},
                           got.hits())
                  .code(),
              ErrorCode::kInvalidParameter);
  };
  for (float value : {-1.0f, NAN, INFINITY}) {
    Sparse bad;
    bad.Add({{1, 1.0f}, {2, value}});
    expect_refused(bad);
  }
  Sparse past;
  past.Add({{UINT32_MAX, 1.0f}});
  expect_refused(past);
  Sparse unsorted;
  const auto one = std::bit_cast<uint32_t>(1.0f);
  unsorted.words = {4, 4, one, one};
  unsorted.bounds = {0, 16};
  expect_refused(unsorted);
}

TEST_P(SparseTest, NoticesEveryDamagedByte) {
  const Sparse rows = Rows(14, 60);
  const std::string good = Build(rows.block());
  const auto open = [&](const std::string& bytes, const VectorBlock& of) {
    return SparseWandType().Open(AlignedCopy(bytes), of, metric()).status().code();
  };
  ASSERT_EQ(open(good, rows.block()), ErrorCode::kOk);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    EXPECT_EQ(open(bad, rows.block()), ErrorCode::kIntegrity) << "byte " << i;
  }
  for (size_t size = 0; size < good.size(); size += 61) {
    EXPECT_EQ(open(good.substr(0, size), rows.block()), ErrorCode::kIntegrity) << size << " bytes";
  }
  EXPECT_EQ(open(good, Rows(15, 61).block()), ErrorCode::kIntegrity);
}

TEST_P(SparseTest, StopsWhenTheCallerHasGone) {
  const Sparse rows = Rows(16, 500);
  const auto index = Make(rows.block());
  ctx_.Cancel();
  Found got(500, 1);
  EXPECT_EQ(
      index
          ->Search(ctx_, {.queries = rows.block(), .k = 1, .params = {}, .allowed = {}}, got.hits())
          .code(),
      ErrorCode::kCanceled);
  const auto built = SparseWandType().Build(ctx_, rows.block(), metric(), {}, {});
  EXPECT_EQ(built.status().code(), ErrorCode::kCanceled);
  EXPECT_EQ(SearchExact(ctx_, rows.block(), metric(), {.queries = rows.block(), .k = 1}, got.hits())
                .code(),
            ErrorCode::kCanceled);
}

TEST_P(SparseTest, TellsItsProgressAndKeepsItsSizeEstimate) {
  const Sparse rows = Rows(17, 24'000);
  double last = 0;
  BuildOptions options;
  options.on_progress = [&](double share) {
    EXPECT_GE(share, last);
    last = share;
  };
  const IndexType& type = SparseInvertedType();
  const auto bytes = type.Build(ctx_, rows.block(), metric(), {}, options);
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(last, 1.0);
  EXPECT_LE(bytes->size(), type.EstimateMemory({.rows = 24'000,
                                                .element = ElementType::kSparse,
                                                .non_zeros = SparseBlock(rows.block()).non_zeros()},
                                               {}));
}

std::string NameOf(const testing::TestParamInfo<std::tuple<int, model::Metric>>& info) {
  const std::string names[] = {"TaatNaive", "DaatWand", "DaatMaxScore"};
  return names[std::get<0>(info.param)] +
         (std::get<1>(info.param) == model::Metric::kIp ? "Ip" : "Bm25");
}

INSTANTIATE_TEST_SUITE_P(All, SparseTest,
                         testing::Combine(testing::Values(0, 1, 2),
                                          testing::Values(model::Metric::kIp,
                                                          model::Metric::kBm25)),
                         NameOf);

TEST(SparseFormula, GivesTheScoresOfTheSpecification) {
  // Documents "a a b", "b c", "c c c d"; queries "a", "b", "a a" with their idf.
  Sparse rows;
  rows.Add({{1, 2.0f}, {2, 1.0f}});
  rows.Add({{2, 1.0f}, {3, 1.0f}});
  rows.Add({{3, 3.0f}, {4, 1.0f}});
  Sparse queries;
  queries.Add({{1, 0.98083f}});
  queries.Add({{2, 0.47000f}});
  queries.Add({{1, 1.96166f}});
  SystemClock clock;
  Context ctx(clock);
  const IndexType& type = SparseInvertedType();
  const auto bytes = type.Build(ctx, rows.block(), model::Metric::kBm25, {}, {});
  ASSERT_TRUE(bytes.ok());
  const auto index = type.Open(AlignedCopy(*bytes), rows.block(), model::Metric::kBm25);
  ASSERT_TRUE(index.ok());
  Params params;
  params.Set("bm25_avgdl", 3);
  Found got(3, 2);
  ASSERT_TRUE((*index)
                  ->Search(ctx,
                           {.queries = queries.block(), .k = 2, .params = params, .allowed = {}},
                           got.hits())
                  .ok());
  EXPECT_EQ(got.rows, (std::vector<uint32_t>{0, kNoRow, 1, 0, 0, kNoRow}));
  EXPECT_NEAR(got.scores[0], 1.3486, 1e-4);
  EXPECT_NEAR(got.scores[2], 0.5442, 1e-4);
  EXPECT_NEAR(got.scores[3], 0.4700, 1e-4);
  EXPECT_NEAR(got.scores[4], 2.6972, 1e-4);
}

TEST(SparseKernels, AgreeWithPlainLoops) {
  std::mt19937 rng(1);
  const SparseKernels& best = BestSparseKernels();
  const SparseKernels& plain = PlainSparseKernels();
  std::vector<uint8_t> codes(kWindowRows + 64);
  for (uint8_t& c : codes) c = static_cast<uint8_t>(rng());
  std::vector<std::vector<uint64_t>> bits(7, std::vector<uint64_t>(kWindowWords));
  std::vector<BitmapCodes> terms;
  for (size_t t = 0; t < bits.size(); ++t) {
    for (uint64_t& word : bits[t])
      word = (uint64_t{rng()} << 32 | rng()) & (t % 2 != 0 ? rng() : ~0);
    terms.push_back({bits[t].data(), codes.data() + t, t == 2 ? 65535u : 9000u});
  }
  for (size_t count = 0; count <= terms.size(); ++count) {
    std::vector<uint16_t> a(kWindowRows), b(kWindowRows);
    best.add_bitmaps(terms.data(), count, a.data());
    plain.add_bitmaps(terms.data(), count, b.data());
    ASSERT_EQ(a, b) << count;
    const uint64_t* allowed = count % 2 == 0 ? nullptr : bits[1].data();
    std::vector<uint16_t> x(kWindowRows + 64), y(kWindowRows + 64);
    for (uint32_t bound : {1u, 700u, 24'000u, 65'535u}) {
      const auto low = static_cast<uint16_t>(bound);
      EXPECT_EQ(best.count_at_least(a.data(), low), plain.count_at_least(a.data(), low));
      const size_t found = best.pick(a.data(), 200, low, 65'000, allowed, x.data());
      ASSERT_EQ(found, plain.pick(a.data(), 200, low, 65'000, allowed, y.data()));
      EXPECT_TRUE(std::equal(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(found), y.begin()));
    }
  }
  for (size_t count : {0u, 1u, 31u, 32u, 33u, 1000u}) {
    std::vector<uint16_t> offsets, a(kWindowRows), b(kWindowRows), c(kWindowRows);
    for (size_t i = 0; i < count; ++i) offsets.push_back(static_cast<uint16_t>(i * 13));
    best.add_list(offsets.data(), codes.data(), count, 12'345, a.data());
    plain.add_list(offsets.data(), codes.data(), count, 12'345, b.data());
    AddListSaturating(offsets.data(), codes.data(), count, 12'345, c.data());
    EXPECT_EQ(a, b);
    EXPECT_EQ(a, c);
  }
}

}  // namespace
}  // namespace elanus::index
