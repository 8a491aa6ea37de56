// Scans of allowed rows by sketches find what exact scans find.
#include "index/hnsw/sketched_scan.h"

#include "base/aligned_copy.h"
#include "base/profile.h"
#include "index/conformance.h"
#include "index/hnsw/file.h"

namespace elanus::index {
namespace {

constexpr size_t kRows = 9'000;
constexpr size_t kQueries = 60;
constexpr uint32_t kDim = 96;

class SketchedGraph : public IndexFixture,
                      public testing::WithParamInterface<std::tuple<std::string_view, Metric>> {
 protected:
  const IndexType& type() const override {
    return *FindType(VectorKind::kDense, std::get<0>(GetParam()));
  }
  Metric metric() const { return std::get<1>(GetParam()); }
  static const Cloud& cloud() {
    static const Cloud kCloud = MakeClusteredCloud(31, kRows, kDim, kQueries);
    return kCloud;
  }
  // Links do not matter here.
  Params Light() const {
    Params build;
    build.Set("M", 4);
    build.Set("efConstruction", 16);
    return build;
  }
  static Bitset Allow(size_t step) {
    Bitset allowed(kRows);
    for (size_t i = 5; i < kRows; i += step) allowed.Set(i);
    return allowed;
  }
};

TEST_P(SketchedGraph, FindsUnderNarrowFiltersWhatAnExactScanFinds) {
  const std::string bytes = Build(cloud().block(), metric(), Light(), {.pool = &pool_});
  const auto opened = OpenGraph(AlignedCopy(bytes), cloud().block(), metric());
  ASSERT_TRUE(opened.ok());
  ASSERT_NE(opened->sketches, nullptr);
  const auto index = Open(bytes, cloud().block(), metric());
  for (const size_t step : {7, 40, 300, 4000}) {
    ProfileStep profile(ctx_, "vectors", true, 10);
    Answer got(kQueries, 10);
    const Bitset allowed = Allow(step);
    ASSERT_TRUE(index
                    ->Search(profile.ctx(),
                             {.queries = cloud().query_block(),
                              .k = 10,
                              .params = {},
                              .allowed = allowed.view()},
                             got.hits())
                    .ok());
    profile.End();
    EXPECT_NE(profile.tree()->Find("scans_of_allowed_rows"), nullptr);
    EXPECT_GE(Recall(*index, cloud(), metric(), allowed.view(), {}), 0.97) << "every " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Types, SketchedGraph,
                         testing::Combine(testing::Values("HNSW", "HNSW_SQ"),
                                          testing::Values(Metric::kL2, Metric::kIp,
                                                          Metric::kCosine)));

}  // namespace
}  // namespace elanus::index
