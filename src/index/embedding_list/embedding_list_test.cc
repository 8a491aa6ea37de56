// Lists of vectors: scores against sums made by hand, answers of every kind of index against a scan
// of all rows.
#include "index/embedding_list.h"

#include <limits>

#include "base/aligned_copy.h"
#include "index/conformance.h"

namespace elanus::index {
namespace {

constexpr uint32_t kDim = 24;

// Lists of 0 .. 7 vectors, cut out of a cloud, and queries that are lists of 3.
struct Lists {
  ElementCloud cloud;
  std::vector<uint64_t> bounds = {0};
  std::vector<uint64_t> query_bounds = {0};

  static Lists Make(size_t rows, ElementType element) {
    Lists lists;
    lists.cloud = InElement(MakeClusteredCloud(11, rows * 4, kDim, 60), element);
    const size_t width = lists.cloud.block().row_bytes();
    size_t vectors = 0;
    for (size_t row = 0; row < rows; ++row) {
      vectors += (row * 5) % 8;
      lists.bounds.push_back(vectors * width);
    }
    CHECK(vectors <= rows * 4);
    for (size_t q = 1; q <= 20; ++q) lists.query_bounds.push_back(q * 3 * width);
    return lists;
  }
  VectorBlock block() const {
    VectorBlock block = cloud.block();
    block.rows = bounds.size() - 1;
    block.bounds = bounds.data();
    return block;
  }
  VectorBlock queries() const {
    VectorBlock block = cloud.query_block();
    block.rows = query_bounds.size() - 1;
    block.bounds = query_bounds.data();
    return block;
  }
  const float* vector(size_t v) const { return cloud.floats.rows.data() + v * kDim; }
  const float* query_vector(size_t v) const { return cloud.floats.queries.data() + v * kDim; }
};

double PairScore(Metric metric, const float* a, const float* b) {
  double ip = 0;
  double l2 = 0;
  double aa = 0;
  double bb = 0;
  for (uint32_t d = 0; d < kDim; ++d) {
    ip += double{a[d]} * b[d];
    l2 += (double{a[d]} - b[d]) * (double{a[d]} - b[d]);
    aa += double{a[d]} * a[d];
    bb += double{b[d]} * b[d];
  }
  if (metric == Metric::kMaxSimL2) return l2;
  return metric == Metric::kMaxSimIp ? ip : ip / std::sqrt(aa * bb);
}

double ListScore(const Lists& lists, Metric metric, size_t q, size_t row) {
  const VectorBlock block = lists.block();
  double sum = 0;
  for (size_t i = 0; i < 3; ++i) {
    double best = -std::numeric_limits<double>::infinity();
    for (size_t v = block.FirstVector(row); v < block.FirstVector(row + 1); ++v) {
      const double score = PairScore(metric, lists.query_vector(q * 3 + i), lists.vector(v));
      best = std::max(best, LargerIsBetter(metric) ? score : -score);
    }
    sum += LargerIsBetter(metric) ? best : -best;
  }
  return sum;
}

constexpr Metric kListMetrics[] = {Metric::kMaxSim, Metric::kMaxSimCosine, Metric::kMaxSimIp,
                                   Metric::kMaxSimL2};

class EmbeddingLists : public IndexFixture {
 protected:
  const IndexType& type() const override { return *type_; }

  std::unique_ptr<VectorIndex> MakeLists(const IndexType& type, VectorBlock rows, Metric metric) {
    type_ = &type;
    auto bytes = BuildIndex(ctx_, type, rows, metric, BuildParams(rows.dim), {.pool = &pool_});
    EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
    auto opened = OpenIndex(type, AlignedCopy(*bytes), rows, metric);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return std::move(*opened);
  }

  Answer Exact(const Lists& lists, Metric metric, BitsetView allowed, uint32_t k) {
    Answer want(lists.queries().rows, k);
    EXPECT_TRUE(SearchExact(ctx_, lists.block(), metric,
                            {.queries = lists.queries(), .k = k, .params = {}, .allowed = allowed},
                            want.hits())
                    .ok());
    return want;
  }

  double RecallOf(const VectorIndex& index, const Lists& lists, Metric metric, BitsetView allowed,
                  const Params& params) {
    constexpr uint32_t kK = 10;
    const Answer want = Exact(lists, metric, allowed, kK);
    Answer got(lists.queries().rows, kK);
    const Status found = index.Search(
        ctx_, {.queries = lists.queries(), .k = kK, .params = params, .allowed = allowed},
        got.hits());
    EXPECT_TRUE(found.ok()) << found.ToString();
    size_t hit = 0;
    size_t all = 0;
    for (size_t q = 0; q < lists.queries().rows; ++q) {
      const std::set<uint32_t> truth(want.rows.begin() + q * kK, want.rows.begin() + (q + 1) * kK);
      for (size_t i = q * kK; i < (q + 1) * kK; ++i) {
        if (want.rows[i] != kNoRow) ++all;
        if (got.rows[i] == kNoRow) continue;
        EXPECT_TRUE(allowed.empty() || allowed.Test(got.rows[i]));
        hit += truth.count(got.rows[i]);
      }
    }
    return static_cast<double>(hit) / static_cast<double>(all);
  }

  const IndexType* type_ = nullptr;
};

TEST_F(EmbeddingLists, ScoreAsTheSumOfTheBestOfEachQueryVector) {
  for (ElementType element :
       {ElementType::kFloat32, ElementType::kFloat16, ElementType::kBFloat16, ElementType::kInt8}) {
    const Lists lists = Lists::Make(300, element);
    for (Metric metric : kListMetrics) {
      const Answer got = Exact(lists, metric, {}, 5);
      for (size_t q = 0; q < lists.queries().rows; ++q) {
        double best = -std::numeric_limits<double>::infinity();
        for (size_t row = 0; row < 300; ++row) {
          if (lists.bounds[row] == lists.bounds[row + 1]) continue;
          const double score = ListScore(lists, metric, q, row);
          best = std::max(best, LargerIsBetter(metric) ? score : -score);
        }
        const double scale = std::max(1.0, std::abs(best));
        const float first = got.scores[q * 5];
        EXPECT_NEAR(LargerIsBetter(metric) ? first : -first, best, 1e-3 * scale)
            << NameOf(metric) << " " << static_cast<int>(element);
        EXPECT_NEAR(first, ListScore(lists, metric, q, got.rows[q * 5]), 1e-3 * scale);
      }
    }
  }
}

TEST_F(EmbeddingLists, OfBitsScoreAsSumsOfDistances) {
  const std::vector<uint8_t> bits = {0b1111, 0b0000, 0b0011, 0b1000};  // Two lists of two.
  const std::vector<uint64_t> bounds = {0, 2, 4};
  const std::vector<uint8_t> query = {0b0001, 0b1100};
  const std::vector<uint64_t> query_bounds = {0, 2};
  const VectorBlock rows{.data = bits.data(),
                         .rows = 2,
                         .dim = 8,
                         .element = ElementType::kBit,
                         .bounds = bounds.data()};
  const VectorBlock queries{.data = query.data(),
                            .rows = 1,
                            .dim = 8,
                            .element = ElementType::kBit,
                            .bounds = query_bounds.data()};
  Answer got(1, 3);
  ASSERT_TRUE(SearchExact(ctx_, rows, Metric::kMaxSimHamming,
                          {.queries = queries, .k = 3, .params = {}}, got.hits())
                  .ok());
  EXPECT_EQ(got.rows, (std::vector<uint32_t>{1, 0, kNoRow}));
  EXPECT_EQ(got.scores[0], 2);  // 0001 - 0011: 1; 1100 - 1000: 1.
  EXPECT_EQ(got.scores[1], 3);  // 0001 - 0000: 1; 1100 - 1111 or 0000: 2.
  ASSERT_TRUE(SearchExact(ctx_, rows, Metric::kMaxSimJaccard,
                          {.queries = queries, .k = 3, .params = {}}, got.hits())
                  .ok());
  EXPECT_EQ(got.rows[0], 1u);
  EXPECT_FLOAT_EQ(got.scores[0], 1.0f);          // 1/2 and 1/2.
  EXPECT_FLOAT_EQ(got.scores[1], 0.75f + 0.5f);  // Against 1111: 3/4 and 1/2.
}

TEST_F(EmbeddingLists, AreFoundThroughIndexesOfEveryDenseType) {
  const Lists lists = Lists::Make(1500, ElementType::kFloat32);
  Bitset half(1500);
  for (size_t row = 0; row < 1500; row += 2) half.Set(row);
  for (const IndexType* type : TypesOf(VectorKind::kDense)) {
    const auto index = MakeLists(*type, lists.block(), Metric::kMaxSimCosine);
    EXPECT_EQ(index->rows(), 1500u);
    Params params = Wide();
    params.Set("retrieval_ann_ratio", 20);
    EXPECT_GE(RecallOf(*index, lists, Metric::kMaxSimCosine, {}, params), 0.9) << type->name;
    EXPECT_GE(RecallOf(*index, lists, Metric::kMaxSimCosine, half.view(), params), 0.9)
        << type->name;
  }
}

TEST_F(EmbeddingLists, OfEveryElementAndMetricAreFoundThroughAGraph) {
  for (ElementType element :
       {ElementType::kFloat32, ElementType::kFloat16, ElementType::kBFloat16, ElementType::kInt8}) {
    const Lists lists = Lists::Make(1500, element);
    for (Metric metric : kListMetrics) {
      const auto index = MakeLists(*FindType(VectorKind::kDense, "HNSW"), lists.block(), metric);
      Params params = Wide();
      params.Set("retrieval_ann_ratio", 10);
      EXPECT_GE(RecallOf(*index, lists, metric, {}, params), 0.9)
          << NameOf(metric) << " " << static_cast<int>(element);
    }
  }
}

TEST_F(EmbeddingLists, AreExactWhenTheFilterLeavesFewVectors) {
  const Lists lists = Lists::Make(1500, ElementType::kFloat32);
  Bitset few(1500);
  for (size_t row = 3; row < 1500; row += 400) few.Set(row);
  const auto index =
      MakeLists(*FindType(VectorKind::kDense, "HNSW"), lists.block(), Metric::kMaxSimIp);
  Params params;
  params.Set("ef", 10);
  EXPECT_EQ(RecallOf(*index, lists, Metric::kMaxSimIp, few.view(), params), 1.0);
}

TEST_F(EmbeddingLists, WithoutVectorsAreNoHits) {
  const Lists lists = Lists::Make(100, ElementType::kFloat32);
  const Answer got = Exact(lists, Metric::kMaxSimL2, {}, 100);
  std::set<uint32_t> found(got.rows.begin(), got.rows.begin() + 100);
  found.erase(kNoRow);
  for (uint32_t row = 0; row < 100; ++row) {
    EXPECT_EQ(found.count(row) == 0, lists.bounds[row] == lists.bounds[row + 1]) << row;
  }
}

TEST_F(EmbeddingLists, WithoutRescoringAreScoredByWhatWasFound) {
  const Lists lists = Lists::Make(1500, ElementType::kFloat32);
  const auto index =
      MakeLists(*FindType(VectorKind::kDense, "FLAT"), lists.block(), Metric::kMaxSimIp);
  Params params;
  params.Set("emb_list_rerank", 0);
  params.Set("retrieval_ann_ratio", 100);
  // With so many neighbours nearly every candidate was found by all vectors of the query.
  EXPECT_GE(RecallOf(*index, lists, Metric::kMaxSimIp, {}, params), 0.9);
  params.Set("retrieval_ann_ratio", 1);
  Answer got(lists.queries().rows, 10);
  ASSERT_TRUE(
      index->Search(ctx_, {.queries = lists.queries(), .k = 10, .params = params}, got.hits())
          .ok());
  // A vector that did not find a row is less like it than like the last one that it found.
  for (size_t q = 0; q < lists.queries().rows; ++q) {
    EXPECT_GE(got.scores[q * 10], ListScore(lists, Metric::kMaxSimIp, q, got.rows[q * 10]) - 1e-2);
  }
}

TEST_F(EmbeddingLists, TakeParametersThatWereChosenForFewerHits) {
  const Lists lists = Lists::Make(1500, ElementType::kFloat32);
  const auto index =
      MakeLists(*FindType(VectorKind::kDense, "HNSW"), lists.block(), Metric::kMaxSimL2);
  Params params;
  params.Set("ef", 12);  // Above the 10 hits wanted, below the 30 that each vector finds.
  EXPECT_GE(RecallOf(*index, lists, Metric::kMaxSimL2, {}, params), 0.5);
  params.Set("ef", 9);
  Answer got(lists.queries().rows, 10);
  EXPECT_EQ(index->Search(ctx_, {.queries = lists.queries(), .k = 10, .params = params}, got.hits())
                .code(),
            ErrorCode::kSegcore);
}

TEST_F(EmbeddingLists, AnswerNoRangesAndNoStreams) {
  const Lists lists = Lists::Make(300, ElementType::kFloat32);
  const auto index =
      MakeLists(*FindType(VectorKind::kDense, "FLAT"), lists.block(), Metric::kMaxSimL2);
  Answer got(lists.queries().rows, 10);
  EXPECT_EQ(index
                ->Search(ctx_,
                         {.queries = lists.queries(),
                          .k = 10,
                          .params = {},
                          .allowed = {},
                          .range = {.radius = 1.0f}},
                         got.hits())
                .code(),
            ErrorCode::kSegcoreUnsupported);
  EXPECT_EQ(index->Stream(ctx_, {.query = lists.queries(), .params = {}}).status().code(),
            ErrorCode::kSegcoreUnsupported);
  EXPECT_EQ(
      StreamExact(ctx_, lists.block(), Metric::kMaxSimL2, {.query = lists.queries(), .params = {}})
          .status()
          .code(),
      ErrorCode::kSegcoreUnsupported);
}

TEST_F(EmbeddingLists, KnowTheirOwnersAlsoBesideEmptyOnes) {
  const std::vector<uint64_t> bounds = {8, 8, 24, 24, 24, 32, 32};
  const VectorBlock lists{.data = nullptr, .rows = 6, .dim = 2, .bounds = bounds.data()};
  EXPECT_EQ(lists.Flat().rows, 3u);
  EXPECT_EQ(lists.OwnerOf(0), 1u);
  EXPECT_EQ(lists.OwnerOf(1), 1u);
  EXPECT_EQ(lists.OwnerOf(2), 4u);
}

TEST_F(EmbeddingLists, AreBuiltByOneStrategyOnly) {
  EXPECT_TRUE(CheckListParams({{"emb_list_strategy", "tokenann"}}).ok());
  EXPECT_EQ(CheckListParams({{"emb_list_strategy", "muvera"}}).code(),
            ErrorCode::kInvalidParameter);
}

}  // namespace
}  // namespace elanus::index
