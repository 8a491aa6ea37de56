// Every type of index over binary vectors, with every metric it takes, keeps the interface's
// promises.
#include "base/aligned_copy.h"
#include "index/binary/exact.h"
#include "index/vector_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace elanus::index {
namespace {

struct Bits {
  uint32_t dim = 0;
  std::vector<uint8_t> rows;
  std::vector<uint8_t> queries;
  VectorBlock block() const {
    return {.data = rows.data(),
            .rows = rows.size() / (dim / 8),
            .dim = dim,
            .element = ElementType::kBit};
  }
  VectorBlock query_block() const {
    return {.data = queries.data(),
            .rows = queries.size() / (dim / 8),
            .dim = dim,
            .element = ElementType::kBit};
  }
};

// Rows near one of 32 centres: one bit in `density` is set, one in `noise` drawn anew. Every tenth
// row equals the one before it, so that keys are equal often.
Bits Draw(uint32_t seed, size_t rows, uint32_t dim, size_t queries, uint32_t density = 4,
          uint32_t noise = 12) {
  std::mt19937 rng(seed);
  std::vector<bool> centres(32 * dim);
  for (size_t i = 0; i < centres.size(); ++i) centres[i] = rng() % density == 0;
  Bits bits{.dim = dim, .rows = {}, .queries = {}};
  const auto draw = [&](size_t count, std::vector<uint8_t>& to) {
    to.assign(count * dim / 8, 0);
    for (size_t r = 0; r < count; ++r) {
      if (r % 10 == 9) {
        std::copy_n(to.data() + (r - 1) * dim / 8, dim / 8, to.data() + r * dim / 8);
        continue;
      }
      const size_t centre = rng() % 32;
      for (uint32_t d = 0; d < dim; ++d) {
        bool bit = centres[centre * dim + d];
        if (rng() % noise == 0) bit = rng() % density == 0;
        if (bit) to[r * dim / 8 + d / 8] |= static_cast<uint8_t>(1u << (d % 8));
      }
    }
  };
  draw(rows, bits.rows);
  draw(queries, bits.queries);
  return bits;
}

struct Answer {
  std::vector<uint32_t> rows;
  std::vector<float> scores;
  Answer(size_t nq, uint32_t k) : rows(nq * k, 7), scores(nq * k, 7) {}
  Hits hits() { return {.rows = rows.data(), .scores = scores.data()}; }
};

struct Signatures {
  size_t width = 4;  // Bytes of an element.
  size_t bands = 16;
  bool with_jaccard = false;
};

// The score by the book, bit by bit; nothing where a row is no hit.
std::optional<float> ScoreOf(const uint8_t* a, const uint8_t* b, uint32_t dim, model::Metric metric,
                             const Signatures& signatures) {
  if (metric == model::Metric::kMinHashJaccard) {
    const size_t elements = dim / 8 / signatures.width;
    const size_t run = elements / signatures.bands;
    size_t equal = 0;
    std::vector<bool> same(elements);
    for (size_t i = 0; i < elements; ++i) {
      same[i] = std::equal(a + i * signatures.width, a + (i + 1) * signatures.width,
                           b + i * signatures.width);
      equal += same[i] ? 1 : 0;
    }
    if (signatures.with_jaccard) return static_cast<float>(equal) / static_cast<float>(elements);
    for (size_t band = 0; band < signatures.bands; ++band) {
      const auto begin = same.begin() + static_cast<ptrdiff_t>(band * run);
      if (std::all_of(begin, begin + static_cast<ptrdiff_t>(run), [](bool s) { return s; })) {
        return 1.0f;
      }
    }
    return std::nullopt;
  }
  uint32_t both = 0;
  uint32_t either = 0;
  for (uint32_t d = 0; d < dim; ++d) {
    const bool x = (a[d / 8] >> (d % 8) & 1) != 0;
    const bool y = (b[d / 8] >> (d % 8) & 1) != 0;
    both += x && y ? 1 : 0;
    either += x || y ? 1 : 0;
  }
  if (metric == model::Metric::kHamming) return static_cast<float>(either - both);
  if (either == 0) return 0.0f;
  return static_cast<float>(1.0 - static_cast<double>(both) / either);
}

bool InRange(float score, model::Metric metric, const ScoreRange& range) {
  if (LargerIsBetter(metric)) {
    return (!range.radius || score > *range.radius) &&
           (!range.range_filter || score <= *range.range_filter);
  }
  return (!range.radius || score < *range.radius) &&
         (!range.range_filter || score >= *range.range_filter);
}

struct Found {
  uint32_t row;
  float score;
};

// All rows that may be answered, best first, equal scores by row.
std::vector<Found> BruteForce(const Bits& bits, size_t query, model::Metric metric,
                              BitsetView allowed, const ScoreRange& range,
                              const Signatures& signatures) {
  std::vector<Found> found;
  for (uint32_t r = 0; r < bits.block().rows; ++r) {
    if (!allowed.empty() && !allowed.Test(r)) continue;
    const auto score = ScoreOf(BinaryBlock(bits.query_block()).row(query),
                               BinaryBlock(bits.block()).row(r), bits.dim, metric, signatures);
    if (score && InRange(*score, metric, range)) found.push_back({r, *score});
  }
  std::sort(found.begin(), found.end(), [&](const Found& a, const Found& b) {
    if (a.score != b.score) return LargerIsBetter(metric) ? a.score > b.score : a.score < b.score;
    return a.row < b.row;
  });
  return found;
}

struct Case {
  const IndexType* type;
  model::Metric metric;
};

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  for (const IndexType* type : TypesOf(VectorKind::kBinary)) {
    for (model::Metric metric : type->metrics) {
      if (metric == model::Metric::kSubstructure || metric == model::Metric::kSuperstructure)
        continue;
      cases.push_back({type, metric});
    }
  }
  return cases;
}

Params BuildParams() {
  Params params;
  params.Set("nlist", 32);
  params.Set("M", 16);
  params.Set("efConstruction", 100);
  params.Set("mh_element_bit_width", 32);
  params.Set("mh_lsh_band", 16);
  params.Set("with_raw_data", 1);
  return params;
}

// What makes every type's answer exact, or as near as it gets.
Params Widest(const Params& build) {
  Params params = build;
  params.Set("nprobe", 65536);
  params.Set("max_empty_result_buckets", 65536);
  params.Set("ef", 2000);
  return params;
}

class BinaryIndexConformance : public testing::TestWithParam<Case> {
 protected:
  const IndexType& type() const { return *GetParam().type; }
  model::Metric metric() const { return GetParam().metric; }
  bool is_lsh() const { return type().name == "MINHASH_LSH"; }
  bool is_graph() const {
    const IndexType& builds = type().twin != nullptr ? *type().twin : type();
    return builds.name == "HNSW";
  }
  std::unique_ptr<VectorIndex> Make(VectorBlock rows) {
    auto bytes = type().Build(ctx_, rows, metric(), build_, {.pool = &pool_});
    EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
    file_ = *bytes;
    auto opened = type().Open(AlignedCopy(file_), rows, metric());
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return std::move(*opened);
  }
  // Asks for k rows and holds the answer against brute force.
  void ExpectExact(const VectorIndex& index, const Bits& bits, uint32_t k, BitsetView allowed,
                   const ScoreRange& range = {}) {
    const size_t nq = bits.query_block().rows;
    Answer got(nq, k);
    const SearchRequest request{.queries = bits.query_block(),
                                .k = k,
                                .params = Widest(build_),
                                .allowed = allowed,
                                .range = range};
    const Status status = index.Search(ctx_, request, got.hits());
    ASSERT_TRUE(status.ok()) << status.ToString();
    ExpectAnswer(got, bits, k, allowed, range);
    Answer exact(nq, k);
    ASSERT_TRUE(SearchExactBinary(ctx_, bits.block(), metric(), request, exact.hits()).ok());
    ExpectAnswer(exact, bits, k, allowed, range);
  }
  // What holds of an answer that need not be exact; counts its hits that are no worse than those
  // of brute force into `found`, all that there might be into `all`.
  void ExpectSound(const Answer& got, const Bits& bits, uint32_t k, BitsetView allowed,
                   const ScoreRange& range, size_t& found, size_t& all) {
    for (size_t q = 0; q < bits.query_block().rows; ++q) {
      const auto want = BruteForce(bits, q, metric(), allowed, range, {});
      std::set<uint32_t> seen;
      const size_t most = std::min<size_t>(k, want.size());
      all += most;
      for (size_t i = 0; i < k; ++i) {
        const size_t at = q * k + i;
        if (got.rows[at] == kNoRow) {
          ASSERT_EQ(got.scores[at], 0.0f);
          continue;
        }
        ASSERT_LT(i, most);
        ASSERT_TRUE(seen.insert(got.rows[at]).second);
        ASSERT_TRUE(allowed.empty() || allowed.Test(got.rows[at]));
        ASSERT_FLOAT_EQ(got.scores[at], *ScoreOf(BinaryBlock(bits.query_block()).row(q),
                                                 BinaryBlock(bits.block()).row(got.rows[at]),
                                                 bits.dim, metric(), {}));
        ASSERT_TRUE(InRange(got.scores[at], metric(), range));
        if (i > 0) {
          ASSERT_TRUE(got.scores[at - 1] < got.scores[at] ||
                      (got.scores[at - 1] == got.scores[at] && got.rows[at - 1] < got.rows[at]));
        }
        found += got.scores[at] <= want[most - 1].score ? 1 : 0;
      }
    }
  }
  void ExpectAnswer(const Answer& got, const Bits& bits, uint32_t k, BitsetView allowed,
                    const ScoreRange& range) {
    for (size_t q = 0; q < bits.query_block().rows; ++q) {
      const auto want = BruteForce(bits, q, metric(), allowed, range, {});
      for (size_t i = 0; i < k; ++i) {
        const size_t at = q * k + i;
        if (i >= want.size()) {
          ASSERT_EQ(got.rows[at], kNoRow) << "query " << q << " hit " << i;
          ASSERT_EQ(got.scores[at], 0.0f);
          continue;
        }
        ASSERT_FLOAT_EQ(got.scores[at], want[i].score) << "query " << q << " hit " << i;
        ASSERT_EQ(got.rows[at], want[i].row) << "query " << q << " hit " << i;
      }
    }
  }

  SystemClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  Pool pool_{*executor_, "build", 2, 64};
  Params build_ = BuildParams();
  std::string file_;
};

TEST_P(BinaryIndexConformance, AnswersAsBruteForceDoesWithAndWithoutFilters) {
  for (uint32_t dim : {512u, 1024u}) {
    const Bits bits = Draw(dim, 1500, dim, 12);
    const auto index = Make(bits.block());
    ExpectExact(*index, bits, 10, {});
    ExpectExact(*index, bits, 300, {});
    for (size_t keep_one_in : {2u, 17u, 500u}) {
      Bitset allowed(1500);
      for (size_t i = 1; i < 1500; i += keep_one_in) allowed.Set(i);
      ExpectExact(*index, bits, 10, allowed.view());
    }
  }
}

TEST_P(BinaryIndexConformance, AnswersFewerRowsThanKAndNoneOfNone) {
  const Bits few = Draw(3, 7, 512, 3);
  const auto index = Make(few.block());
  ExpectExact(*index, few, 50, {});
  Bitset none(7);
  ExpectExact(*index, few, 5, none.view());
  Bits empty = few;
  empty.rows.clear();
  ExpectExact(*Make(empty.block()), empty, 5, {});
}

TEST_P(BinaryIndexConformance, TakesTheSmallerOfEqualRows) {
  Bits bits = Draw(4, 3, 512, 4);
  const std::vector<uint8_t> three = bits.rows;
  while (bits.rows.size() < 900 * 64) bits.rows.insert(bits.rows.end(), three.begin(), three.end());
  const auto index = Make(bits.block());
  ExpectExact(*index, bits, 10, {});
  ExpectExact(*index, bits, 901, {});
}

TEST_P(BinaryIndexConformance, ScoresRowsAndQueriesWithoutASetBit) {
  Bits bits = Draw(5, 400, 512, 4);
  std::fill_n(bits.rows.begin() + 10 * 64, 3 * 64, uint8_t{0});
  std::fill_n(bits.queries.begin(), 64, uint8_t{0});
  std::fill_n(bits.queries.begin() + 64, 64, uint8_t{255});
  ExpectExact(*Make(bits.block()), bits, 20, {});
}

TEST_P(BinaryIndexConformance, KeepsTheRangeThatIsAskedFor) {
  if (type().twin != nullptr) GTEST_SKIP() << "a GPU type refuses ranges";
  const Bits bits = Draw(6, 1500, 512, 8);
  const auto index = Make(bits.block());
  const bool is_hamming = metric() == model::Metric::kHamming;
  const float low = is_hamming ? 20.0f : 0.2f;
  const float high = is_hamming ? 60.0f : LargerIsBetter(metric()) ? 1.0f : 0.5f;
  const ScoreRange inner = LargerIsBetter(metric())
                               ? ScoreRange{.radius = low, .range_filter = high}
                               : ScoreRange{.radius = high, .range_filter = low};
  const ScoreRange outer{.radius = inner.radius, .range_filter = {}};
  SearchRequest request{.queries = bits.query_block(),
                        .k = 5,
                        .params = Widest(build_),
                        .allowed = {},
                        .range = inner};
  Answer answer(8, 5);
  if (is_lsh()) {
    EXPECT_EQ(index->Search(ctx_, request, answer.hits()).code(), ErrorCode::kSegcoreUnsupported);
    return;
  }
  Bitset allowed(1500);
  for (size_t i = 0; i < 1500; i += 3) allowed.Set(i);
  for (const ScoreRange& range : {inner, outer}) {
    ExpectExact(*index, bits, 5, {}, range);
    ExpectExact(*index, bits, 1500, {}, range);
    ExpectExact(*index, bits, 40, allowed.view(), range);
  }
  std::swap(request.range.radius, request.range.range_filter);
  EXPECT_EQ(index->Search(ctx_, request, answer.hits()).code(), ErrorCode::kSegcore);
}

TEST_P(BinaryIndexConformance, RefusesDamagedAndForeignFiles) {
  const Bits bits = Draw(7, 300, 512, 1);
  Make(bits.block());
  std::mt19937 rng(1);
  for (int i = 0; i < 200; ++i) {
    std::string bad = file_;
    bad[rng() % bad.size()] ^= static_cast<char>(1 + rng() % 255);
    EXPECT_EQ(type().Open(AlignedCopy(bad), bits.block(), metric()).status().code(),
              ErrorCode::kIntegrity);
    const std::string_view cut = std::string_view(file_).substr(0, rng() % file_.size());
    EXPECT_EQ(type().Open(AlignedCopy(cut), bits.block(), metric()).status().code(),
              ErrorCode::kIntegrity);
  }
  VectorBlock fewer = bits.block();
  --fewer.rows;
  EXPECT_EQ(type().Open(AlignedCopy(file_), fewer, metric()).status().code(),
            ErrorCode::kIntegrity);
  VectorBlock narrower = bits.block();
  narrower.dim = 256;
  EXPECT_EQ(type().Open(AlignedCopy(file_), narrower, metric()).status().code(),
            ErrorCode::kIntegrity);
}

TEST_P(BinaryIndexConformance, StopsWhenCancelled) {
  const Bits bits = Draw(8, 3000, 512, 1);
  const auto index = Make(bits.block());
  Context cancelled(clock_);
  cancelled.Cancel();
  EXPECT_EQ(type().Build(cancelled, bits.block(), metric(), build_, {}).status().code(),
            ErrorCode::kCanceled);
  Answer answer(1, 3);
  const SearchRequest request{
      .queries = bits.query_block(), .k = 3, .params = build_, .allowed = {}, .range = {}};
  EXPECT_EQ(index->Search(cancelled, request, answer.hits()).code(), ErrorCode::kCanceled);
}

TEST_P(BinaryIndexConformance, BuildsTheSameListsOnOneThreadAndOnAPoolAndTellsHowFarItIs) {
  const Bits bits = Draw(9, 2000, 512, 1);
  Make(bits.block());
  double last = 0;
  bool is_rising = true;
  const auto alone = type().Build(ctx_, bits.block(), metric(), build_,
                                  {.pool = nullptr, .on_progress = [&](double done) {
                                     is_rising = is_rising && done >= last;
                                     last = done;
                                   }});
  ASSERT_TRUE(alone.ok());
  if (!is_graph()) {
    EXPECT_EQ(*alone, file_);
  }
  EXPECT_TRUE(is_rising);
  EXPECT_EQ(last, 1.0);
}

TEST_P(BinaryIndexConformance, EstimatesTheMemoryItTakes) {
  const Bits bits = Draw(10, 2000, 512, 1);
  const auto index = Make(bits.block());
  const auto estimate = static_cast<double>(type().EstimateMemory(
      {.rows = 2000, .dim = 512, .element = ElementType::kBit, .metric = metric()}, build_));
  const auto taken = static_cast<double>(index->memory_bytes());
  EXPECT_LE(taken, 1.2 * estimate);
  EXPECT_GE(taken, 0.8 * estimate);
}

INSTANTIATE_TEST_SUITE_P(AllTypes, BinaryIndexConformance, testing::ValuesIn(AllCases()),
                         [](const auto& info) {
                           return std::string(info.param.type->name) + "_" +
                                  std::string(NameOf(info.param.metric));
                         });

TEST(BinaryIndexTypes, AreFoundByNameAndTakeTheMetricsOfTheContract) {
  EXPECT_EQ(FindType(VectorKind::kBinary, "FLAT"), nullptr);
  const auto takes = [](std::string_view type, std::string_view metric) {
    return FindType(VectorKind::kBinary, type)->Takes(*model::MetricOf(metric));
  };
  for (std::string_view name :
       {"HAMMING", "JACCARD", "SUBSTRUCTURE", "SUPERSTRUCTURE", "MHJACCARD"}) {
    EXPECT_EQ(NameOf(*model::MetricOf(name)), name);
    EXPECT_TRUE(takes("BIN_FLAT", name)) << name;
    EXPECT_EQ(takes("BIN_IVF_FLAT", name), name == "HAMMING" || name == "JACCARD") << name;
    EXPECT_EQ(takes("MINHASH_LSH", name), name == "MHJACCARD") << name;
  }
  EXPECT_EQ(model::MetricOf("hamming"), std::nullopt);
  EXPECT_EQ(ResolveAutoIndex(ElementType::kBit, model::Metric::kHamming).type->name,
            "BIN_IVF_FLAT");
  EXPECT_EQ(ResolveAutoIndex(ElementType::kBit, model::Metric::kMinHashJaccard).type->name,
            "MINHASH_LSH");
}

TEST(BinFlat, BuildsReservedMetricsAndRefusesToSearchThem) {
  SystemClock clock;
  Context ctx(clock);
  const Bits bits = Draw(1, 10, 64, 1);
  for (model::Metric metric : {model::Metric::kSubstructure, model::Metric::kSuperstructure}) {
    const auto& type = *FindType(VectorKind::kBinary, "BIN_FLAT");
    auto bytes = type.Build(ctx, bits.block(), metric, {}, {});
    ASSERT_TRUE(bytes.ok());
    auto index = type.Open(AlignedCopy(*bytes), bits.block(), metric);
    ASSERT_TRUE(index.ok());
    Answer answer(1, 3);
    const SearchRequest request{
        .queries = bits.query_block(), .k = 3, .params = {}, .allowed = {}, .range = {}};
    EXPECT_EQ((*index)->Search(ctx, request, answer.hits()).code(), ErrorCode::kSegcoreUnsupported);
  }
}

TEST(BinIvfFlat, KeepsRecallWithFewListsOfMany) {
  SystemClock clock;
  Context ctx(clock);
  constexpr uint32_t kK = 10;
  // Sparse rows, too: their majority is the empty set.
  for (uint32_t density : {2u, 30u}) {
    const Bits bits = Draw(11, 8000, 1024, 40, density, 8);
    for (model::Metric metric : {model::Metric::kHamming, model::Metric::kJaccard}) {
      const auto& type = *FindType(VectorKind::kBinary, "BIN_IVF_FLAT");
      Params build;
      build.Set("nlist", 64);
      auto bytes = type.Build(ctx, bits.block(), metric, build, {});
      ASSERT_TRUE(bytes.ok());
      auto index = type.Open(AlignedCopy(*bytes), bits.block(), metric);
      ASSERT_TRUE(index.ok());
      for (size_t keep_one_in : {1u, 20u}) {
        Bitset allowed(8000);
        for (size_t i = 0; i < 8000; i += keep_one_in) allowed.Set(i);
        SearchRequest request{.queries = bits.query_block(),
                              .k = kK,
                              .params = {},
                              .allowed = allowed.view(),
                              .range = {}};
        request.params.Set("nprobe", 8);
        Answer got(40, kK), want(40, kK);
        ASSERT_TRUE((*index)->Search(ctx, request, got.hits()).ok());
        ASSERT_TRUE(SearchExactBinary(ctx, bits.block(), metric, request, want.hits()).ok());
        size_t found = 0;
        for (size_t i = 0; i < got.scores.size(); ++i) {
          // By score: of equally far rows any is right.
          found += got.scores[i] <= want.scores[i / kK * kK + kK - 1] ? 1 : 0;
        }
        EXPECT_GE(static_cast<double>(found) / static_cast<double>(got.rows.size()), 0.95)
            << NameOf(metric) << " density " << density << " keep 1 in " << keep_one_in;
      }
    }
  }
}

class BinaryGraphConformance : public BinaryIndexConformance {};

TEST_P(BinaryGraphConformance, KeepsRecallOfANarrowWalkInFiltersAndRanges) {
  const Bits bits = Draw(14, 4000, 1024, 30, 4, 5);
  const auto index = Make(bits.block());
  const float radius = metric() == model::Metric::kHamming ? 200.0f : 0.5f;
  for (size_t keep_one_in : {1u, 2u, 10u, 100u}) {
    Bitset allowed(4000);
    for (size_t i = 0; i < 4000; i += keep_one_in) allowed.Set(i);
    const BitsetView view = keep_one_in == 1 ? BitsetView() : allowed.view();
    for (const ScoreRange& range :
         {ScoreRange{}, ScoreRange{.radius = radius, .range_filter = {}}}) {
      const uint32_t k = range.bounds() ? 300 : 10;
      SearchRequest request{
          .queries = bits.query_block(), .k = k, .params = {}, .allowed = view, .range = range};
      Answer got(30, k);
      ASSERT_TRUE(index->Search(ctx_, request, got.hits()).ok());
      size_t found = 0;
      size_t all = 0;
      ExpectSound(got, bits, k, view, range, found, all);
      EXPECT_GT(all, 0u);
      EXPECT_GE(static_cast<double>(found), 0.95 * static_cast<double>(all))
          << "keep 1 in " << keep_one_in << " range " << range.bounds();
    }
  }
}

TEST_P(BinaryGraphConformance, ReachesOtherRowsFromAmongManyEqualOnes) {
  Bits bits = Draw(16, 50, 256, 40, 4, 3);
  const std::vector<uint8_t> few = bits.rows;
  for (int i = 1; i < 150; ++i) bits.rows.insert(bits.rows.end(), few.begin(), few.end());
  const auto index = Make(bits.block());
  SearchRequest request{
      .queries = bits.query_block(), .k = 10, .params = {}, .allowed = {}, .range = {}};
  request.params.Set("ef", 100);
  Answer got(40, 10);
  ASSERT_TRUE(index->Search(ctx_, request, got.hits()).ok());
  size_t found = 0;
  size_t all = 0;
  ExpectSound(got, bits, 10, {}, {}, found, all);
  EXPECT_GE(static_cast<double>(found), 0.95 * static_cast<double>(all));
}

TEST_P(BinaryGraphConformance, RefusesAnEfBelowK) {
  const Bits bits = Draw(15, 100, 64, 1);
  const auto index = Make(bits.block());
  SearchRequest request{
      .queries = bits.query_block(), .k = 10, .params = {}, .allowed = {}, .range = {}};
  request.params.Set("ef", 9);
  Answer got(1, 10);
  EXPECT_EQ(index->Search(ctx_, request, got.hits()).code(), ErrorCode::kSegcore);
}

INSTANTIATE_TEST_SUITE_P(
    Hnsw, BinaryGraphConformance,
    testing::Values(Case{FindType(VectorKind::kBinary, "HNSW"), model::Metric::kHamming},
                    Case{FindType(VectorKind::kBinary, "HNSW"), model::Metric::kJaccard}),
    [](const auto& info) { return std::string(NameOf(info.param.metric)); });

TEST(BinIvfFlat, LeavesSlotsEmptyOnlyWhenItMay) {
  SystemClock clock;
  Context ctx(clock);
  const Bits bits = Draw(12, 2000, 256, 5);
  const auto& type = *FindType(VectorKind::kBinary, "BIN_IVF_FLAT");
  Params build;
  build.Set("nlist", 100);
  auto bytes = type.Build(ctx, bits.block(), model::Metric::kHamming, build, {});
  ASSERT_TRUE(bytes.ok());
  auto index = type.Open(AlignedCopy(*bytes), bits.block(), model::Metric::kHamming);
  ASSERT_TRUE(index.ok());
  SearchRequest request{
      .queries = bits.query_block(), .k = 1000, .params = {}, .allowed = {}, .range = {}};
  request.params.Set("nprobe", 1);
  Answer got(5, 1000);
  ASSERT_TRUE((*index)->Search(ctx, request, got.hits()).ok());
  EXPECT_EQ(std::count(got.rows.begin(), got.rows.end(), kNoRow), 0);
  request.params.Set("ensure_topk_full", 0);
  ASSERT_TRUE((*index)->Search(ctx, request, got.hits()).ok());
  EXPECT_GT(std::count(got.rows.begin(), got.rows.end(), kNoRow), 0);
}

TEST(BinIvfFlat, EndsARangeSearchAfterListsWithoutAHit) {
  SystemClock clock;
  Context ctx(clock);
  const Bits bits = Draw(13, 2000, 256, 5);
  const auto& type = *FindType(VectorKind::kBinary, "BIN_IVF_FLAT");
  Params build;
  build.Set("nlist", 100);
  auto bytes = type.Build(ctx, bits.block(), model::Metric::kHamming, build, {});
  ASSERT_TRUE(bytes.ok());
  auto index = type.Open(AlignedCopy(*bytes), bits.block(), model::Metric::kHamming);
  ASSERT_TRUE(index.ok());
  SearchRequest request{.queries = bits.query_block(),
                        .k = 2000,
                        .params = {},
                        .allowed = {},
                        .range = {.radius = 1000.0f, .range_filter = {}}};
  request.params.Set("nprobe", 1);
  Answer got(5, 2000);
  ASSERT_TRUE((*index)->Search(ctx, request, got.hits()).ok());
  EXPECT_EQ(std::count(got.rows.begin(), got.rows.end(), kNoRow), 0) << "all lists have hits";
  request.params.Set("max_empty_result_buckets", 0);
  ASSERT_TRUE((*index)->Search(ctx, request, got.hits()).ok());
  EXPECT_GT(std::count(got.rows.begin(), got.rows.end(), kNoRow), 0);
}

}  // namespace
}  // namespace elanus::index
