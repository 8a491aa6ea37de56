// What is special to DISKANN: its parameters, its file, its memory, what it reads. The rest is held
// by the conformance test.
#include "index/diskann/diskann.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <set>

#include "base/framed.h"
#include "index/diskann/builder.h"
#include "index/diskann/file.h"

namespace elanus::index {
namespace {

using model::Metric;

constexpr size_t kRows = 2000;
constexpr uint32_t kDim = 24;

// Numbers from -1 to 1 that a seed gives.
std::vector<float> Draw(size_t count, uint64_t seed) {
  std::vector<float> values(count);
  for (float& value : values) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    value = static_cast<float>(seed >> 40) / static_cast<float>(1 << 23) - 1;
  }
  return values;
}

class DiskAnnTest : public testing::Test {
 protected:
  VectorBlock block() const { return {.data = rows_.data(), .rows = kRows, .dim = kDim}; }
  VectorBlock queries() const { return {.data = queries_.data(), .rows = 20, .dim = kDim}; }
  static Blob BlobOf(const std::string& bytes) {
    auto* memory =
        static_cast<char*>(std::aligned_alloc(4096, (bytes.size() + 8192) / 4096 * 4096));
    std::memcpy(memory, bytes.data(), bytes.size());
    return Blob(
        std::shared_ptr<const void>(memory, [](const void* p) { std::free(const_cast<void*>(p)); }),
        {memory, bytes.size()}, bytes.size());
  }
  std::string Build(const Params& params, Metric metric = Metric::kL2) {
    auto bytes = DiskAnnType().Build(ctx_, block(), metric, params, {});
    EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
    return std::move(*bytes);
  }
  std::unique_ptr<VectorIndex> Open(const std::string& bytes, Metric metric = Metric::kL2) {
    auto index = DiskAnnType().Open(BlobOf(bytes), block(), metric);
    EXPECT_TRUE(index.ok()) << index.status().ToString();
    return std::move(*index);
  }
  static Params Of(std::initializer_list<std::pair<std::string_view, double>> values) {
    Params params;
    for (const auto& [name, value] : values) params.Set(name, value);
    return params;
  }
  // The share of the ten nearest allowed rows that is found.
  double Recall(const VectorIndex& index, Metric metric, const Params& search,
                BitsetView allowed = {}) {
    std::vector<uint32_t> got(200), want(200);
    std::vector<float> scores(200);
    EXPECT_TRUE(index
                    .Search(ctx_,
                            {.queries = queries(), .k = 10, .params = search, .allowed = allowed},
                            {got.data(), scores.data()})
                    .ok());
    EXPECT_TRUE(SearchExact(ctx_, block(), metric,
                            {.queries = queries(), .k = 10, .params = {}, .allowed = allowed},
                            {want.data(), scores.data()})
                    .ok());
    size_t hits = 0;
    for (size_t q = 0; q < 20; ++q) {
      const std::set<uint32_t> truth(want.begin() + q * 10, want.begin() + (q + 1) * 10);
      const std::set<uint32_t> found(got.begin() + q * 10, got.begin() + (q + 1) * 10);
      EXPECT_EQ(found.size(), 10u) << "a row is answered twice";
      for (uint32_t row : found) hits += truth.count(row);
    }
    return static_cast<double>(hits) / 200;
  }

  SystemClock clock_;
  Context ctx_{clock_};
  std::vector<float> rows_ = Draw(kRows * kDim, 1);
  std::vector<float> queries_ = Draw(20 * kDim, 2);
};

TEST_F(DiskAnnTest, RefusesASearchListBelowK) {
  const auto index = Open(Build({}));
  std::vector<uint32_t> rows(200);
  std::vector<float> scores(200);
  const Status status = index->Search(
      ctx_, {.queries = queries(), .k = 10, .params = Of({{"search_list", 9}}), .allowed = {}},
      {rows.data(), scores.data()});
  EXPECT_EQ(status.code(), ErrorCode::kSegcore);
  EXPECT_NE(status.message().find("out_of_range_in_json"), std::string_view::npos);
}

TEST_F(DiskAnnTest, RefusesParametersOutOfRange) {
  const std::pair<std::string, std::string> bad[] = {{"max_degree", "0"},
                                                     {"max_degree", "2049"},
                                                     {"max_degree", "8.0"},
                                                     {"search_list_size", "0"},
                                                     {"pq_code_budget_gb_ratio", "-0.1"},
                                                     {"search_cache_budget_gb_ratio", "-1"},
                                                     {"build_dram_budget_gb", "-1"},
                                                     {"accelerate_build", "2"}};
  for (const auto& [name, value] : bad) {
    EXPECT_EQ(ParseParams(DiskAnnType().params, Phase::kBuild, {{name, value}}).status().code(),
              ErrorCode::kInvalidParameter)
        << name << "=" << value;
  }
  const std::pair<std::string, std::string> bad_search[] = {{"search_list", "0"},
                                                            {"search_list", "x"},
                                                            {"beamwidth", "0"},
                                                            {"beamwidth", "129"},
                                                            {"filter_threshold", "-1.1"},
                                                            {"filter_threshold", "1.1"},
                                                            {"min_k", "0"},
                                                            {"max_k", "0"}};
  for (const auto& [name, value] : bad_search) {
    EXPECT_FALSE(ParseParams(DiskAnnType().params, Phase::kSearch, {{name, value}}).ok())
        << name << "=" << value;
  }
}

TEST_F(DiskAnnTest, ReadsAsFarInARangeAsItsOwnBreadthsSay) {
  const auto index = Open(Build({}));
  const auto blocks = [&](const Params& search) {
    SearchRequest request{.queries = queries(), .k = 5, .params = search};
    request.range.radius = 1e9f;
    std::vector<uint32_t> rows(100);
    std::vector<float> scores(100);
    const uint64_t before = DiskAnnBlocksRead();
    EXPECT_TRUE(index->Search(ctx_, request, {rows.data(), scores.data()}).ok());
    return DiskAnnBlocksRead() - before;
  };
  const uint64_t usual = blocks(Of({{"search_list", 5}}));
  EXPECT_EQ(usual, blocks(Of({{"search_list", 5}, {"min_k", 100}})));
  EXPECT_LT(blocks(Of({{"search_list", 5}, {"min_k", 5}})), usual);
  EXPECT_GT(blocks(Of({{"search_list", 5}, {"min_k", 400}})), usual);
  EXPECT_LT(blocks(Of({{"search_list", 300}, {"max_k", 20}})), usual);
}

TEST_F(DiskAnnTest, TakesAnyCodeBudgetAndAnyDimension) {
  for (uint32_t dim : {1u, 7u, 97u}) {
    const std::vector<float> values = Draw(300 * dim, dim);
    const VectorBlock rows{.data = values.data(), .rows = 300, .dim = dim};
    for (double ratio : {0.0, 0.001, 0.125, 5.0}) {
      const Params params = Of({{"pq_code_budget_gb_ratio", ratio}, {"max_degree", 8}});
      auto bytes = DiskAnnType().Build(ctx_, rows, Metric::kIp, params, {});
      ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
      auto index = DiskAnnType().Open(BlobOf(*bytes), rows, Metric::kIp);
      ASSERT_TRUE(index.ok()) << index.status().ToString();
      std::vector<uint32_t> found(3);
      std::vector<float> scores(3);
      const VectorBlock query{.data = values.data(), .rows = 1, .dim = dim};
      ASSERT_TRUE(
          (*index)
              ->Search(
                  ctx_,
                  {.queries = query, .k = 3, .params = Of({{"search_list", 200}}), .allowed = {}},
                  {found.data(), scores.data()})
              .ok());
      EXPECT_NE(found[2], kNoRow) << "dim " << dim << " ratio " << ratio;
    }
  }
}

TEST_F(DiskAnnTest, KeepsRecallWhereANodeTakesSeveralSectors) {
  const auto index = Open(Build(Of({{"max_degree", 1200}, {"accelerate_build", 1}})));
  EXPECT_GE(Recall(*index, Metric::kL2, Of({{"search_list", 100}})), 0.95);
}

TEST_F(DiskAnnTest, KeepsRecallWhenEitherAWalkOrAScanIsForced) {
  const auto index = Open(Build({}));
  for (size_t keep_one_in : {2u, 7u}) {
    Bitset allowed(kRows);
    for (size_t i = 0; i < kRows; i += keep_one_in) allowed.Set(i);
    for (double threshold : {-1.0, 0.0, 1.0}) {
      EXPECT_GE(Recall(*index, Metric::kL2,
                       Of({{"search_list", 150}, {"filter_threshold", threshold}}), allowed.view()),
                0.95)
          << "one in " << keep_one_in << " threshold " << threshold;
    }
  }
}

TEST_F(DiskAnnTest, TakesTheMemoryItSaysItWill) {
  const Params params =
      Of({{"pq_code_budget_gb_ratio", 0.125}, {"search_cache_budget_gb_ratio", 0.02}});
  const std::string bytes = Build(params);
  const auto index = Open(bytes);
  const size_t heap =
      index->memory_bytes() - bytes.size();  // The blob of this test is on the heap.
  const size_t estimate = DiskAnnType().EstimateMemory({.rows = kRows, .dim = kDim}, params);
  EXPECT_LE(heap, estimate);
  EXPECT_GE(heap, estimate * 9 / 10);
}

TEST_F(DiskAnnTest, ABuildThatWouldTakeMoreThanItsBudgetIsRefused) {
  const RowShape shape{.rows = kRows, .dim = kDim};
  const auto needed_gb = static_cast<double>(DiskAnnType().BuildMemory(shape, {})) / 1e9;
  EXPECT_GE(needed_gb * 1e9, static_cast<double>(Build({}).size() + kRows * 48 * sizeof(uint32_t)));
  for (const IndexType* type : {&DiskAnnType(), &AisaqType()}) {
    const auto refused = type->Build(ctx_, block(), Metric::kL2,
                                     Of({{"build_dram_budget_gb", needed_gb * 0.9}}), {});
    EXPECT_EQ(refused.status().code(), ErrorCode::kInvalidParameter);
    EXPECT_NE(refused.status().message().find("build_dram_budget_gb"), std::string::npos);
    EXPECT_TRUE(
        type->Build(ctx_, block(), Metric::kL2, Of({{"build_dram_budget_gb", needed_gb * 1.1}}), {})
            .ok());
  }
}

TEST_F(DiskAnnTest, KeepsNothingButItsCodebooksInMemoryAsAisaq) {
  const std::string bytes = Build(Of({{"search_cache_budget_gb_ratio", 0}}));
  const auto disk = Open(bytes);
  const auto aisaq = AisaqType().Open(BlobOf(bytes), block(), Metric::kL2);
  ASSERT_TRUE(aisaq.ok());
  const size_t heap = aisaq.value()->memory_bytes() - bytes.size();  // As above.
  EXPECT_LE(heap, AisaqType().EstimateMemory({.rows = kRows, .dim = kDim}, {}));
  // Where the node stands, the length and twelve bytes of codes each: an eighth of the vectors.
  // Once the mean, and what aligns the parts.
  const size_t more = disk->memory_bytes() - aisaq.value()->memory_bytes();
  EXPECT_GE(more, kRows * (4 + 4 + 12) + kDim * 4);
  EXPECT_LE(more, kRows * (4 + 4 + 12) + kDim * 4 + 3 * 64);
  const Params search = Of({{"search_list", 60}, {"beamwidth", 4}});
  EXPECT_EQ(Recall(*aisaq.value(), Metric::kL2, search), Recall(*disk, Metric::kL2, search));
  EXPECT_GE(Recall(*aisaq.value(), Metric::kL2, search), 0.9);
}

TEST_F(DiskAnnTest, ReadsNothingThatTheHotCacheHolds) {
  const auto cold = Open(Build(Of({{"search_cache_budget_gb_ratio", 0}})));
  uint64_t before = DiskAnnBlocksRead();
  Recall(*cold, Metric::kL2, {});
  EXPECT_GE(DiskAnnBlocksRead() - before, 20u);
  const auto hot = Open(Build(Of({{"search_cache_budget_gb_ratio", 100}})));
  before = DiskAnnBlocksRead();
  EXPECT_GE(Recall(*hot, Metric::kL2, Of({{"search_list", 150}})), 0.95);
  EXPECT_EQ(DiskAnnBlocksRead() - before, 0u);
}

TEST_F(DiskAnnTest, AnswersTheSameFromAMappedFile) {
  const std::string bytes = Build(Of({{"search_cache_budget_gb_ratio", 0.02}}));
  const int file = ::memfd_create("index", 0);
  ASSERT_EQ(::write(file, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  void* mapped = ::mmap(nullptr, bytes.size(), PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  ASSERT_NE(mapped, MAP_FAILED);
  const Blob blob(std::shared_ptr<const void>(
                      mapped, [&](const void* p) { ::munmap(const_cast<void*>(p), bytes.size()); }),
                  {static_cast<const char*>(mapped), bytes.size()}, /*heap_bytes=*/0);
  auto from_file = DiskAnnType().Open(blob, block(), Metric::kL2);
  ASSERT_TRUE(from_file.ok()) << from_file.status().ToString();
  const auto from_heap = Open(bytes);
  std::vector<uint32_t> got(200), want(200);
  std::vector<float> got_scores(200), want_scores(200);
  ASSERT_TRUE((*from_file)
                  ->Search(ctx_, {.queries = queries(), .k = 10, .params = {}, .allowed = {}},
                           {got.data(), got_scores.data()})
                  .ok());
  ASSERT_TRUE(from_heap
                  ->Search(ctx_, {.queries = queries(), .k = 10, .params = {}, .allowed = {}},
                           {want.data(), want_scores.data()})
                  .ok());
  EXPECT_EQ(got, want);
  EXPECT_EQ(got_scores, want_scores);
  EXPECT_EQ((*from_file)->memory_bytes() + bytes.size(), from_heap->memory_bytes());
}

TEST_F(DiskAnnTest, ReportsProgressUpToOne) {
  double last = 0;
  BuildOptions options;
  options.on_progress = [&](double share) {
    EXPECT_GE(share, last);
    last = share;
  };
  ASSERT_TRUE(DiskAnnType().Build(ctx_, block(), Metric::kL2, {}, options).ok());
  EXPECT_DOUBLE_EQ(last, 1.0);
}

TEST_F(DiskAnnTest, StopsASearchThatIsCancelled) {
  const auto index = Open(Build({}));
  Context cancelled(clock_);
  cancelled.Cancel();
  std::vector<uint32_t> rows(200);
  std::vector<float> scores(200);
  EXPECT_EQ(
      index
          ->Search(
              cancelled,
              {.queries = queries(), .k = 10, .params = Of({{"search_list", 200}}), .allowed = {}},
              {rows.data(), scores.data()})
          .code(),
      ErrorCode::kCanceled);
}

// A checksum protects nothing from a program that wrote nonsense with a good one.
TEST_F(DiskAnnTest, RefusesAFileThatLeadsNowhereThoughItsChecksumIsGood) {
  const std::string good = Build({});
  const size_t header = 64;
  DiskHeader h;
  std::memcpy(&h, good.data() + header, sizeof(h));
  const DiskLayout at(h);
  const size_t node = at.blocks + h.Shape().row_at;
  struct Damage {
    std::string_view what;
    size_t offset;
    uint32_t value;
  };
  const Damage damages[] = {
      {"a link to no node", node + 8, kRows},
      {"more links than slots", node + 4, static_cast<uint32_t>(h.degree) + 1},
      {"a row that is not there", node, kRows},
      {"a place that is not there", at.places, kRows},
      {"another kind of codes", header + offsetof(DiskHeader, code_kind),
       static_cast<uint32_t>(CodeKind::kSq8)},
      {"a length that is no number", at.codes + h.code_bytes - 4, 0xffffffff},
      {"a mean that is no number", at.code_params, 0x7fc00000},
      {"an entry that is not there", header + offsetof(DiskHeader, entry), kRows},
      {"another count of nodes", header + offsetof(DiskHeader, nodes), kRows + 1},
      {"no links at all", header + offsetof(DiskHeader, degree), 0},
      {"more cache than blocks", header + offsetof(DiskHeader, cached_blocks), 1u << 30},
      {"huge codes", header + offsetof(DiskHeader, code_bytes), 1u << 30}};
  for (const Damage& damage : damages) {
    std::string bad = good;
    std::memcpy(bad.data() + damage.offset, &damage.value, sizeof(damage.value));
    const std::string framed = Frame("ELDISK02", 1, std::string_view(bad).substr(32));
    EXPECT_EQ(DiskAnnType().Open(BlobOf(framed), block(), Metric::kL2).status().code(),
              ErrorCode::kIntegrity)
        << damage.what;
  }
  EXPECT_EQ(DiskAnnType().Open(BlobOf(good), block(), Metric::kIp).status().code(),
            ErrorCode::kIntegrity)
      << "another metric";
}

TEST_F(DiskAnnTest, RefusesTwoRowsInOnePlace) {
  const std::string good = Build({});
  DiskHeader h;
  std::memcpy(&h, good.data() + 64, sizeof(h));
  std::string bad = good;
  const size_t places = DiskLayout(h).places;
  std::memcpy(bad.data() + places, good.data() + places + 4, 4);
  const std::string framed = Frame("ELDISK02", 1, std::string_view(bad).substr(32));
  EXPECT_EQ(DiskAnnType().Open(BlobOf(framed), block(), Metric::kL2).status().code(),
            ErrorCode::kIntegrity);
}

TEST_F(DiskAnnTest, RefusesAFileOfTheFormatBefore) {
  const std::string good = Build({});
  const std::string framed = Frame("ELDISK01", 1, std::string_view(good).substr(32));
  const Status refused = DiskAnnType().Open(BlobOf(framed), block(), Metric::kL2).status();
  EXPECT_EQ(refused.code(), ErrorCode::kIntegrity);
  EXPECT_NE(refused.message().find("not a ELDISK02 file"), std::string_view::npos);
}

TEST_F(DiskAnnTest, KeepsAByteADimensionWhereTheBudgetHoldsThat) {
  const std::string wide = Build(Of({{"pq_code_budget_gb_ratio", 0.25}}));
  const std::string narrow = Build({});
  const auto code_bytes = [](const std::string& file) {
    DiskHeader h;
    std::memcpy(&h, file.data() + 64, sizeof(h));
    return h.code_bytes + 4 * h.code_terms;
  };
  EXPECT_EQ(code_bytes(wide), kDim + 4);
  EXPECT_EQ(code_bytes(narrow), kDim / 2 + 4);
  EXPECT_GE(Recall(*Open(wide), Metric::kL2, Of({{"search_list", 100}})), 0.95);
}

TEST_F(DiskAnnTest, ReadsFewBlocksWhereAFilterLeavesFewRows) {
  const auto index = Open(Build(Of({{"search_cache_budget_gb_ratio", 0}})));
  Bitset allowed(kRows);
  for (size_t i = 0; i < kRows; i += 20) allowed.Set(i);
  const uint64_t before = DiskAnnBlocksRead();
  EXPECT_GE(Recall(*index, Metric::kL2, Of({{"search_list", 100}}), allowed.view()), 0.99);
  EXPECT_LE(DiskAnnBlocksRead() - before, 20u * 50) << "half of the allowed rows";
}

TEST_F(DiskAnnTest, KeepsRecallUnderFiltersOfEveryShare) {
  const auto index = Open(Build({}));
  const Params search = Of({{"search_list", 60}});
  const double plain = Recall(*index, Metric::kL2, search);
  for (size_t percent : {1u, 3u, 10u, 20u, 30u, 40u, 60u, 80u, 99u}) {
    Bitset random(kRows);
    Bitset correlated(kRows);
    for (size_t i = 0; i < kRows; ++i) {
      if (i * 7919 % 100 < percent) random.Set(i);
      // Numbers are from -1 to 1.
      if (rows_[i * kDim] < 2 * static_cast<float>(percent) / 100 - 1) correlated.Set(i);
    }
    EXPECT_GE(Recall(*index, Metric::kL2, search, random.view()), plain - 0.02) << percent;
    EXPECT_GE(Recall(*index, Metric::kL2, search, correlated.view()), plain - 0.02) << percent;
  }
}

TEST_F(DiskAnnTest, FindsLargeInnerProductsAmongRowsOfVeryDifferentLength) {
  for (size_t i = 0; i < kRows; ++i) {
    const float length = std::exp(std::abs(rows_[i * kDim]) * 3);
    for (uint32_t d = 0; d < kDim; ++d) rows_[i * kDim + d] *= length;
  }
  const auto index = Open(Build({}, Metric::kIp), Metric::kIp);
  EXPECT_GE(Recall(*index, Metric::kIp, Of({{"search_list", 100}})), 0.95);
}

// Links between clusters must outlive pruning though all products inside a cluster are larger.
TEST_F(DiskAnnTest, FindsItsWayBetweenClustersByInnerProduct) {
  const std::vector<float> centres = Draw(20 * kDim, 5);
  for (size_t i = 0; i < kRows * kDim; ++i) {
    rows_[i] = rows_[i] * 0.2f + centres[i / kDim % 20 * kDim + i % kDim];
  }
  for (size_t i = 0; i < 20 * kDim; ++i) queries_[i] = queries_[i] * 0.2f + centres[i];
  for (size_t i = 0; i < kRows; ++i) {
    double square = 0;
    for (uint32_t d = 0; d < kDim; ++d) square += rows_[i * kDim + d] * rows_[i * kDim + d];
    for (uint32_t d = 0; d < kDim; ++d)
      rows_[i * kDim + d] /= static_cast<float>(std::sqrt(square));
  }
  for (Metric metric : {Metric::kIp, Metric::kCosine, Metric::kL2}) {
    const auto index = Open(Build({}, metric), metric);
    EXPECT_GE(Recall(*index, metric, Of({{"search_list", 100}})), 0.95) << NameOf(metric);
  }
}

TEST(VamanaBuilder, ReachesEveryNodeAndKeepsToTheDegree) {
  const std::vector<float> values = Draw(2000 * 16, 4);
  const BuildSpace space({.data = values.data(), .rows = 2000, .dim = 16}, Metric::kL2);
  SystemClock clock;
  Context ctx(clock);
  VamanaBuilder builder(space, 12, 50);
  ASSERT_TRUE(builder.Build(ctx, 2, {}).ok());
  std::set<uint32_t> reached{builder.entry()};
  std::vector<uint32_t> queue{builder.entry()};
  for (size_t i = 0; i < queue.size(); ++i) {
    EXPECT_LE(builder.Links(queue[i]).size(), 12u);
    std::set<uint32_t> links;
    for (uint32_t other : builder.Links(queue[i])) {
      EXPECT_NE(other, queue[i]);
      EXPECT_TRUE(links.insert(other).second) << "a link twice";
      if (reached.insert(other).second) queue.push_back(other);
    }
  }
  EXPECT_EQ(reached.size(), 2000u);
}

}  // namespace
}  // namespace elanus::index
