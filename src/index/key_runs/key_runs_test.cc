// An index for each value of a key: answers within a value, over several, with deletes, and files
// that are damaged.
#include "index/key_runs.h"

#include "base/aligned_copy.h"
#include "index/conformance.h"

namespace elanus::index {
namespace {

constexpr uint32_t kDim = 16;
constexpr uint32_t kK = 10;

class KeyRunsTest : public ::testing::Test {
 protected:
  KeyRunsTest() : cloud_(MakeClusteredCloud(3, 6000, kDim, 20)) {}

  VectorBlock block() const { return {.data = cloud_.rows.data(), .rows = 6000, .dim = kDim}; }
  VectorBlock queries() const { return {.data = cloud_.queries.data(), .rows = 20, .dim = kDim}; }
  std::string Build(std::span<const KeyRun> runs) {
    const IndexType* type = FindType(VectorKind::kDense, "HNSW");
    const auto params = ParseParams(type->params, Phase::kBuild, {{"M", "16"}});
    auto file = BuildKeyRuns(ctx_, *type, block(), model::Metric::kL2, *params, runs, {});
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    return *file;
  }
  Result<std::unique_ptr<VectorIndex>> Open(const std::string& file) {
    return OpenKeyRuns(*FindType(VectorKind::kDense, "HNSW"), AlignedCopy(file), block(),
                       model::Metric::kL2);
  }
  std::vector<uint32_t> Search(const VectorIndex& index, BitsetView allowed, bool exact = false) {
    const auto params =
        ParseParams(FindType(VectorKind::kDense, "HNSW")->params, Phase::kSearch, {{"ef", "64"}});
    SearchRequest request{.queries = queries(), .k = kK, .params = *params, .allowed = allowed};
    std::vector<uint32_t> rows(20 * kK);
    std::vector<float> scores(20 * kK);
    const Hits hits{.rows = rows.data(), .scores = scores.data()};
    if (exact) request.params = {};
    const Status status = exact ? SearchExact(ctx_, block(), model::Metric::kL2, request, hits)
                                : index.Search(ctx_, request, hits);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return rows;
  }
  double Recall(const VectorIndex& index, BitsetView allowed) {
    const std::vector<uint32_t> found = Search(index, allowed);
    const std::vector<uint32_t> truth = Search(index, allowed, /*exact=*/true);
    size_t good = 0;
    size_t all = 0;
    for (size_t q = 0; q < 20; ++q) {
      for (size_t i = q * kK; i < (q + 1) * kK; ++i) {
        if (truth[i] == kNoRow) continue;
        ++all;
        const auto begin = found.begin() + static_cast<ptrdiff_t>(q * kK);
        good += std::find(begin, begin + kK, truth[i]) != begin + kK ? 1 : 0;
      }
    }
    return static_cast<double>(good) / static_cast<double>(all);
  }
  static Bitset Rows(size_t begin, size_t count) {
    Bitset rows(6000);
    for (size_t row = begin; row < begin + count; ++row) rows.Set(row);
    return rows;
  }

  const std::vector<KeyRun> runs_{
      {.begin = 0, .rows = 2001}, {.begin = 2001, .rows = 1500}, {.begin = 3700, .rows = 1800}};
  SystemClock clock_;
  Context ctx_{clock_};
  Cloud cloud_;
};

TEST_F(KeyRunsTest, FindsTheRowsOfOneValueAndNoOthers) {
  auto index = Open(Build(runs_));
  ASSERT_TRUE(index.ok()) << index.status().ToString();
  for (const KeyRun& run : runs_) {
    const Bitset allowed = Rows(run.begin, run.rows);
    for (uint32_t row : Search(**index, allowed.view())) {
      EXPECT_GE(row, run.begin);
      EXPECT_LT(row, run.begin + run.rows);
    }
    EXPECT_GE(Recall(**index, allowed.view()), 0.95);
  }
}

TEST_F(KeyRunsTest, LeavesOutDeletedRowsOfTheValue) {
  auto index = Open(Build(runs_));
  ASSERT_TRUE(index.ok());
  Bitset allowed = Rows(2001, 1500);
  for (size_t row = 2001; row < 3501; row += 3) allowed.Clear(row);
  for (uint32_t row : Search(**index, allowed.view())) EXPECT_TRUE(allowed.Test(row));
  EXPECT_GE(Recall(**index, allowed.view()), 0.95);
}

TEST_F(KeyRunsTest, LooksAtRowsOfNoRunOneByOne) {
  auto index = Open(Build(runs_));
  ASSERT_TRUE(index.ok());
  const Bitset allowed = Rows(3501, 199);
  EXPECT_EQ(Search(**index, allowed.view()), Search(**index, allowed.view(), /*exact=*/true));
  const Bitset tail = Rows(5990, 10);
  EXPECT_EQ(Search(**index, tail.view()), Search(**index, tail.view(), /*exact=*/true));
}

TEST_F(KeyRunsTest, MergesWhatSeveralValuesHave) {
  auto index = Open(Build(runs_));
  ASSERT_TRUE(index.ok());
  EXPECT_GE(Recall(**index, {}), 0.95);
  const Bitset allowed = Rows(1000, 4900);
  EXPECT_GE(Recall(**index, allowed.view()), 0.95);
  EXPECT_EQ((*index)->rows(), 6000u);
  EXPECT_GT((*index)->memory_bytes(), 0u);
}

TEST_F(KeyRunsTest, GivesEveryRowInAStream) {
  auto index = Open(Build(runs_));
  ASSERT_TRUE(index.ok());
  const Bitset allowed = Rows(3600, 400);
  auto stream = (*index)->Stream(
      ctx_, {.query = queries().Slice(0, 1), .params = {}, .allowed = allowed.view()});
  ASSERT_TRUE(stream.ok());
  std::vector<uint32_t> rows(500);
  std::vector<float> scores(500);
  std::vector<uint32_t> all;
  for (size_t found = 50; found == 50;) {
    auto next = (*stream)->Next(ctx_, 50, {.rows = rows.data(), .scores = scores.data()});
    ASSERT_TRUE(next.ok()) << next.status().ToString();
    found = *next;
    all.insert(all.end(), rows.begin(), rows.begin() + static_cast<ptrdiff_t>(found));
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all.size(), 400u);
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
}

TEST_F(KeyRunsTest, RefusesAFileThatIsCutOrAltered) {
  const std::string file = Build(runs_);
  EXPECT_TRUE(IsKeyRunsFile(file));
  for (size_t size :
       {size_t{0}, size_t{7}, size_t{15}, size_t{40}, file.size() / 2, file.size() - 64}) {
    EXPECT_EQ(Open(file.substr(0, size)).status().code(), ErrorCode::kIntegrity) << size;
  }
  for (size_t at = 0; at < 120; ++at) {
    std::string altered = file;
    altered[at] = static_cast<char>(altered[at] ^ 0x20);
    const auto opened = Open(altered);
    // The bytes that pad the list belong to nobody.
    if (opened.ok()) continue;
    EXPECT_EQ(opened.status().code(), ErrorCode::kIntegrity) << at;
  }
  std::string other = file;
  other[17] = static_cast<char>(other[17] ^ 1);
  EXPECT_EQ(Open(other).status().code(), ErrorCode::kIntegrity);
}

}  // namespace
}  // namespace elanus::index
